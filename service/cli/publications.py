"""`vasti publication`: what has been published of rounds, and whether it gives any household away."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from geo.base import PageRequest
from geo.publications import audit_publication, find_publications, read_kept
from geo.settings import Settings
from service.actions.publications import ready_download, remove_publication, retract_publication
from service.cli import options as o
from service.cli.load import operating, reading_database
from service.cli.output import progress_bar, write_whole

publication_app = typer.Typer(
    name="publication",
    add_completion=False,
    help="Publications: list, download and audit them, and take one back.",
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


NumberOption = Annotated[int, typer.Option("--number", min=1, help="Its number, as `vasti publication list` has it.")]


@publication_app.command("download")
def download(
    city: o.CityOption,
    survey: o.SurveyOption,
    file: Annotated[Path, typer.Option("--output", "-o", help="The .zip file to write.")],
    number: Annotated[
        int | None, typer.Option("--number", min=1, help="Its number. Default: what everybody reads now.")
    ] = None,
) -> None:
    """Write the download of a publication to a file: figures, places, codebook, methods, licence and citation."""
    settings = Settings()
    with operating(settings) as done:
        found = ready_download(done, city, survey, number, settings)
    write_whole(file, read_kept(found.file, settings.originals_url))
    size_mb = found.file.size_bytes / 1_000_000
    typer.echo(f"Publication {found.of.number} of survey {survey} is in {file} ({size_mb:.1f} MB).")


@publication_app.command("retract")
def retract(city: o.CityOption, survey: o.SurveyOption, number: NumberOption) -> None:
    """Hide a superseded publication that was wrong from everybody. Its number stays used."""
    settings = Settings()
    with operating(settings) as done:
        retract_publication(done, city, survey, number, settings)
    typer.echo(f"Publication {number} of survey {survey} is retracted: nobody can read it any more.")


@publication_app.command("remove")
def remove(
    city: o.CityOption,
    survey: o.SurveyOption,
    number: NumberOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove a publication that is no longer the current one, with its figures and its download, for good."""
    settings = Settings()
    if not yes:
        typer.confirm(
            "Those made later are no longer held against it, so who has kept it may learn from both what fewer than 10 "
            f"households answered. Remove publication {number} of survey {survey} of {city}?",
            abort=True,
        )
    with operating(settings) as done:
        remove_publication(done, city, survey, number, settings)
    typer.echo(f"Publication {number} of survey {survey} is removed.")


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
