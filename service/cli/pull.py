"""`vasti kobo pull` and `vasti odk pull`: all submissions of a form at a server, loaded as one snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import AccessRefused, FileHasErrors, InputError
from geo.ingestion.connectors import Asset, CentralForm, Pages, Server, discard, pull_folder, sign_in, write_snapshot
from geo.ingestion.reading import ReadOptions
from geo.settings import Settings
from service.cli import options as o
from service.cli.load import load_into_round
from service.cli.option_groups import OutcomeOptions, RoundOptions, RowOptions, with_groups

kobo_app = typer.Typer(name="kobo", add_completion=False, help="KoboToolbox.", no_args_is_help=True)
odk_app = typer.Typer(name="odk", add_completion=False, help="ODK Central.", no_args_is_help=True)

ServerOption = Annotated[
    str, typer.Option("--server", help="The server's address, such as https://kf.kobotoolbox.org.")
]


@kobo_app.command("pull")
@with_groups
def kobo_pull(
    server: ServerOption,
    asset: Annotated[str, typer.Option("--asset", help="The form's asset UID, as in its address.")],
    round_: RoundOptions,
    rows: RowOptions,
    outcome: OutcomeOptions,
    form: o.FormOption = None,
) -> None:
    """Load all submissions of a KoboToolbox form; the token is VASTI_KOBO_TOKEN. A later pull replaces this one."""
    settings = Settings()
    if settings.kobo_token is None:
        raise AccessRefused("kobo_token_missing")
    own = o.chosen_form(form)
    with Server(server, signed_by="VASTI_KOBO_TOKEN") as asked:
        asked.sign(f"Token {settings.kobo_token.get_secret_value()}")
        pulled = Asset(asked, asset)
        with pull_folder(settings.state_dir, pulled.source) as folder:
            source = rows.source(ReadOptions(), own or pulled.form())
            path = _snapshot(pulled, folder)
            with _kept_for_reading(path, folder):
                load_into_round(settings, path, round_, source, outcome, pulled_from=pulled.source)


@odk_app.command("pull")
@with_groups
def odk_pull(
    server: ServerOption,
    project: Annotated[int, typer.Option("--project", min=1, help="The project's number, as in its address.")],
    form_id: Annotated[str, typer.Option("--form", help="The form's ID, as ODK Central shows it.")],
    round_: RoundOptions,
    rows: RowOptions,
    outcome: OutcomeOptions,
    xlsform: Annotated[
        Path | None, typer.Option("--xlsform", help="The form's XLSForm, where ODK Central does not have it.")
    ] = None,
) -> None:
    """Load all submissions of an ODK Central form; VASTI_ODK_EMAIL and VASTI_ODK_PASSWORD sign in."""
    settings = Settings()
    if settings.odk_email is None or settings.odk_password is None:
        raise AccessRefused("odk_account_missing")
    own = o.chosen_form(xlsform)
    with Server(server, signed_by="VASTI_ODK_EMAIL and VASTI_ODK_PASSWORD") as asked:
        sign_in(asked, settings.odk_email, settings.odk_password.get_secret_value())
        pulled = CentralForm(asked, project, form_id)
        with pull_folder(settings.state_dir, pulled.source) as folder:
            source = rows.source(ReadOptions(), own or pulled.form(folder))
            path = _snapshot(pulled, folder)
            with _kept_for_reading(path, folder):
                load_into_round(settings, path, round_, source, outcome, pulled_from=pulled.source)


def _snapshot(pulled: Asset | CentralForm, folder: Path) -> Path:
    """Fetches all submissions into one file; its pages are gone once it is whole."""
    pages = Pages(folder)
    pulled.fetch(pages)
    path = folder / pulled.file_name
    if write_snapshot(pages, path, pulled.submissions) == 0:
        discard(folder)
        raise InputError("pull_without_submissions", source=pulled.source)
    pages.clear()
    return path


@contextmanager
def _kept_for_reading(path: Path, folder: Path) -> Iterator[None]:
    """Removes the snapshot when it is loaded; where its rows have errors, it stays and is named."""
    try:
        yield
    except FileHasErrors:
        typer.echo(f"The rows are those of {path}.", err=True)
        raise
    discard(folder)
