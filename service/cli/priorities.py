"""Commands that say where to begin and where things are going: gaps, trends."""

from typing import Annotated

import typer

from geo.base import PageRequest
from geo.indicators.definitions import Counted
from geo.indicators.figures import REASONS, GapsQuery, RankedLevel, TrendsQuery, find_gaps, find_trends
from geo.settings import Settings
from service.cli import options as o
from service.cli.figures import IndicatorsOption, LevelOption, SettlementsOption, print_figures
from service.cli.load import reading_database
from service.formats.csv_tables import rounds_text

_IN_TITLE = ["survey", "indicator", "unit", "method"]


def gaps(
    city: o.CityOption,
    indicator: Annotated[str, typer.Option("--indicator", help="Which indicator to rank by.")],
    survey: Annotated[str | None, typer.Option("--survey", help="The round. Default: the newest.")] = None,
    level: Annotated[RankedLevel, typer.Option("--level", help="Rank settlements, or wards.")] = "settlement",
    counted: Annotated[
        Counted | None, typer.Option("--counted", help="Count households or persons. Default: households.")
    ] = None,
    target: Annotated[
        float | None,
        typer.Option("--target", help="Per cent to reach, 0 to 100; of a bad thing, to come down to."),
    ] = None,
    full: o.FullOption = False,
    output: o.FormatOption = "table",
) -> None:
    """Rank settlements by need: unserved, coverage, households to a target, hot spots; drafts included."""
    query = GapsQuery(
        city=city,
        indicator=indicator,
        survey=survey,
        level=level,
        counted=counted,
        target=target,
        access="full" if full else "public",
        seen="all",
        page=PageRequest(limit=None),
    )
    with reading_database(Settings()) as connection:
        page = find_gaps(connection, query)
    rounds = ", ".join(page.figures["survey"].unique())
    # A table says in its title what is the same in every row.
    figures = page.figures.drop(columns=_IN_TITLE) if output == "table" else page.figures
    print_figures(figures, output, title=f"Priorities of {city} by {indicator}, {rounds}")
    if page.hot_spots.refused is not None:
        typer.echo(f"No hot spots: {REASONS[page.hot_spots.refused]}.", err=True)


def trends(
    city: o.CityOption,
    indicator: IndicatorsOption = None,
    settlement: SettlementsOption = None,
    level: LevelOption = "settlement",
    counted: o.CountedOption = None,
    allow_break: Annotated[
        bool,
        typer.Option("--allow-break", help="Also across a change of definition, boundary or way of surveying."),
    ] = False,
    full: o.FullOption = False,
    output: o.FormatOption = "table",
) -> None:
    """Print the trend of each figure over three rounds or more, in points a year; drafts included."""
    query = TrendsQuery(
        city=city,
        indicators=indicator or [],
        settlements=settlement or [],
        level=level,
        counted=counted,
        allow_break=allow_break,
        access="full" if full else "public",
        seen="all",
        page=PageRequest(limit=None),
    )
    with reading_database(Settings()) as connection:
        figures = find_trends(connection, query).figures
    if output == "table":
        figures = figures.assign(rounds=figures["rounds"].map(rounds_text).replace("", None))
    print_figures(figures, output, title=f"Trends in {city}")
