"""`vasti db`: the database this installation uses, from start to backup."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from geo import database
from geo.database import backup as write_backup
from geo.database import client_environment
from geo.database.cluster import server
from geo.database.cluster.programs import find_client
from geo.errors import SetupError
from geo.publications import READER_ROLE, make_reader
from geo.settings import Settings
from service.actions.backups import restore as put_back
from service.cli.load import open_database, operator
from service.work.jobs import prepare

db_app = typer.Typer(
    name="db",
    add_completion=False,
    help="The database: start, stop, look at, upgrade, back up and restore.",
    no_args_is_help=True,
)


@db_app.command()
def start() -> None:
    """Start the private cluster, making it on first use."""
    settings = _private_settings("start")
    server.start(settings.state_dir)
    typer.echo(f"The private cluster in {settings.state_dir} is running.")


@db_app.command()
def stop() -> None:
    """Stop the private cluster; it keeps everything and starts again by itself when needed."""
    settings = _private_settings("stop")
    if server.stop(settings.state_dir):
        typer.echo(f"The private cluster in {settings.state_dir} is stopped.")
    else:
        typer.echo(f"The private cluster in {settings.state_dir} was not running.")


@db_app.command()
def status(
    output: Annotated[
        Literal["table", "json"], typer.Option("--format", help="A table for people, JSON for programs.")
    ] = "table",
) -> None:
    """Tell where the database is and how it stands, without starting it."""
    settings = Settings()
    facts = _named_database(settings.database_url) if settings.database_url else _cluster(settings.state_dir)
    if output == "json":
        typer.echo(json.dumps(facts))
        return
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _shown(name, value))
    Console(soft_wrap=True).print(table)


@db_app.command(context_settings={"ignore_unknown_options": True})
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql, such as -c 'SELECT 1'.")] = None,
) -> None:
    """Open psql on the database."""
    conninfo, environment = client_environment(database.database_url(Settings()))
    program = find_client("psql")
    os.execve(program, [str(program), f"--dbname={conninfo}", *(arguments or [])], environment)  # noqa: S606


@db_app.command()
def upgrade() -> None:
    """Bring the database's tables and figures to this version of Vasti."""
    settings = Settings()
    with open_database(settings):
        pass
    prepare(database.database_url(settings))
    typer.echo("The database is up to date.")


@db_app.command()
def reader() -> None:
    """Make the account with which Grafana, Superset, QGIS and other tools read what is published, and nothing else.

    Its password is VASTI_READER_PASSWORD. Run it again to give it another one.
    """
    settings = Settings()
    url = make_url(database.database_url(settings))
    with open_database(settings) as connection:
        make_reader(connection, settings.reader_password)
    address = {"host": url.host or url.query.get("host"), "port": url.port or url.query.get("port")}
    facts = {**address, "database": url.database, "user": READER_ROLE, "schema": "open"}
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        table.add_row(name, str(value))
    Console(soft_wrap=True).print(table)
    if settings.reader_password is None:
        typer.echo("It has no password yet: set VASTI_READER_PASSWORD and run this again, where one is asked for.")


@db_app.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write.")]) -> None:
    """Write everything in the database to a file, which is written whole or not at all."""
    write_backup(database.database_url(Settings()), file)
    typer.echo(f"The backup {file} is written ({file.stat().st_size / 1_000_000:.1f} MB).")


@db_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `vasti db backup` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Replace everything in the database by what a backup holds."""
    settings = Settings()
    if not yes:
        url = database.database_url(settings)
        shown = make_url(url).render_as_string(hide_password=True)
        typer.confirm(f"This replaces everything in the database {shown} by what {file} holds. Go on?", abort=True)
    put_back(settings, operator(settings), file)
    typer.echo(f"The database is restored from {file}. Run `vasti db upgrade` before it is served again.")


def _private_settings(verb: str) -> Settings:
    """The settings, where they leave the database to the private cluster."""
    settings = Settings()
    if settings.database_url:
        raise SetupError("database_not_private", verb=verb)
    return settings


def _cluster(state_dir: Path) -> dict[str, str | int | bool | None]:
    """The facts about the private cluster, in the order they are shown."""
    found = server.status(state_dir)
    return {
        "database": "private cluster",
        "running": found.running,
        "process": found.pid,
        "data_folder": str(found.data_dir),
        "socket_folder": str(found.socket_dir),
        "size_bytes": found.size_bytes,
        "postgresql": found.postgresql_version,
        "postgis": found.postgis_version,
    }


def _named_database(url: str) -> dict[str, str | int | bool | None]:
    """The facts about the database VASTI_DATABASE_URL names, without its password."""
    postgresql, postgis = server.server_versions(url)
    return {
        "database": make_url(url).render_as_string(hide_password=True),
        "running": True,
        "postgresql": postgresql,
        "postgis": postgis,
    }


def _shown(name: str, value: str | int | bool | None) -> str:
    """A fact as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value / 1_000_000:.0f} MB" if name == "size_bytes" and isinstance(value, int) else str(value)
