"""`vasti indicators`: organisations' own indicators, checked, added, listed and shown."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from geo.indicators.definitions import Definition, check_own, find_document, list_indicators, read_document
from geo.indicators.tallies import count_surveys
from geo.publications import find_behind
from geo.settings import Settings
from service.actions.indicators import add_indicator
from service.cli import options as o
from service.cli.behind import print_behind
from service.cli.load import operating, reading_database
from service.cli.output import print_frame

indicators_app = typer.Typer(
    name="indicators",
    add_completion=False,
    help="Indicators: check and add your own, list and show all.",
    no_args_is_help=True,
)

DocumentArgument = Annotated[Path, typer.Argument(help="The indicator's definition, a .toml file.")]


@indicators_app.command("check")
def check(file: DocumentArgument) -> None:
    """Check the definition of an indicator, without a database."""
    definition = check_own(None, read_document(file), file.name)
    typer.echo(f"{file.name} is a sound definition of {definition.id}: {_needs(definition)}.")


@indicators_app.command("add")
def add(
    file: DocumentArgument,
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="Whose it is. Default: the organisation of the settings.")
    ] = None,
) -> None:
    """Add an indicator of your own, or its next version, and make the figures of every survey for it."""
    document = read_document(file)
    with operating(Settings()) as done:
        added = add_indicator(done, document, file.name, organisation)
        surveys = count_surveys(done.connection, added.definition)
        behind = find_behind(done.connection)
    definition = added.definition
    what = f"Indicator {definition.id}, version {definition.version}, is there"
    if not added.is_new:
        typer.echo(f"{what} already; nothing was changed.")
        return
    typer.echo(f"{what}.")
    if definition.is_tallied:
        typer.echo(_told_of(definition, surveys))
    print_behind(behind)


@indicators_app.command("list")
def list_command(output: o.FormatOption = "table") -> None:
    """List every indicator in its newest version: those Vasti ships, and those of organisations."""
    with reading_database(Settings()) as connection:
        listed = list_indicators(connection)
    rows = [
        (d.id, d.version, d.name, d.counted, d.unit, owner or "shipped")
        for d, owner in ((each.definition, each.organisation) for each in listed)
    ]
    frame = pd.DataFrame(rows, columns=["id", "version", "name", "counted", "unit", "whose"])
    print_frame(frame, output, title="Indicators")


@indicators_app.command("show")
def show(
    indicator: Annotated[str, typer.Argument(help="The indicator's id, as in `vasti indicators list`.")],
    version: Annotated[int | None, typer.Option("--version", help="Which version. Default: the newest.")] = None,
) -> None:
    """Print the definition of an indicator, as the file that was added."""
    with reading_database(Settings()) as connection:
        document = find_document(connection, indicator, version)
    typer.echo(document.rstrip("\n"))


def _needs(definition: Definition) -> str:
    """What its figures rest on."""
    fields = [name for name in definition.fields if name not in definition.columns]
    needs = [
        _listed("the field", "the fields", fields),
        _listed("the file's own column", "the file's own columns", list(definition.columns)),
        f"facilities of the kind {definition.facility}" if definition.facility else "",
    ]
    return "it needs " + " and ".join(filter(None, needs))


def _listed(one: str, several: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{one if len(names) == 1 else several} {', '.join(names)}"


def _told_of(definition: Definition, surveys: int) -> str:
    if surveys == 0:
        hint = ": are the columns called as in the file?" if definition.columns else "."
        return f"No household of any survey answers it{hint}"
    return f"Households of {surveys} {'survey answer' if surveys == 1 else 'surveys answer'} it."
