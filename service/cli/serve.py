"""`vasti serve` and `vasti worker`: the processes that keep running."""

from typing import Annotated

import typer

from geo import database
from geo.settings import Settings
from service.logs import configure_logs
from service.serve import serve as run_server
from service.work.jobs import run_worker


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="The address to listen on. Default: VASTI_HOST, or this machine only.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="The port to listen on. Default: VASTI_PORT, or 8000."),
    ] = None,
) -> None:
    """Serve the API and the maps until Ctrl-C, with a worker beside them unless VASTI_WORKER is false."""
    named = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    run_server(Settings().model_copy(update=named))


def worker() -> None:
    """Work off the queue until Ctrl-C: files sent to the service, and figures a new version of Vasti defines anew."""
    settings = Settings()
    url = database.database_url(settings)
    configure_logs()
    typer.echo("The worker works; Ctrl-C ends it.")
    run_worker(url, settings)
