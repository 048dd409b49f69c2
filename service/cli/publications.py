"""`vasti publication`: what has been published of rounds, and whether it gives any household away."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from geo.base import PageRequest
from geo.publications import audit_publication, find_publications
from geo.settings import Settings
from service.cli import options as o
from service.cli.load import reading_database
from service.cli.output import progress_bar

publication_app = typer.Typer(
    name="publication",
    add_completion=False,
    help="Publications: list them, and look for what could be learnt from one.",
    no_args_is_help=True,
)

EXIT_LEARNT = 1


@publication_app.command("list")
def list_publications(city: o.CityOption, survey: o.SurveyOption) -> None:
    """List the publications of a round, the oldest first."""
    with reading_database(Settings()) as connection:
        found = find_publications(connection, [city], [survey], PageRequest(limit=None))
    names = ("number", "state", "made_at", "settlements", "indicators", "note")
    table = Table(*names, box=None)
    for row in found.rows:
        table.add_row(*("" if row[name] is None else f"{row[name]}" for name in names))
    Console(soft_wrap=True).print(table)


@publication_app.command("audit")
def audit(
    city: o.CityOption,
    survey: o.SurveyOption,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="A field, such as head_sex: of groups look at these only. Default: at all."),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Look at no groups.")] = False,
) -> None:
    """Look for what could be learnt of protected households from all that a round's publication says together.

    It ends with 1 where there is something.
    """
    fields = [] if whole else by or None
    with (
        reading_database(Settings()) as connection,
        progress_bar("Looking at what is withheld", "counts cleared") as progress,
    ):
        found = audit_publication(connection, city, survey, fields, progress)
    for each in found:
        group = "" if each.group is None else f", {each.group_by} {each.group}"
        place = each.place or city
        typer.echo(
            f"{each.level} {place}, {each.indicator} ({each.counted}{group}): {each.what} between {each.least:g} and "
            f"{each.most:g}"
        )
    if found:
        figures = "figure" if len(found) == 1 else "figures"
        typer.echo(f"Not safe: {len(found):,} {figures} of survey {survey} can be worked out too closely.", err=True)
        raise typer.Exit(EXIT_LEARNT)
    typer.echo(f"Survey {survey} of {city} is safe: nothing it protects can be worked out from what is published.")
