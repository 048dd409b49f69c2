"""Commands that read from the database: values, changes, maps."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from sqlalchemy import Connection

from geo.base import PageRequest
from geo.indicators.definitions import Counted
from geo.indicators.figures import FLAGS, Level, ValuesQuery, find_area_values, find_changes, find_rounds, find_values
from geo.indicators.tallies import recompute
from geo.ingestion.reading import ReadOptions, read_area
from geo.settings import Settings
from service.cli import options as o
from service.cli.load import reading_database
from service.cli.output import OutputFormat, print_frame
from service.drawing.coverage import coverage_map

map_app = typer.Typer(
    name="map", add_completion=False, help="Maps: one HTML file each, which needs no network.", no_args_is_help=True
)

LevelOption = Annotated[Level, typer.Option("--level", help="Figures by settlement, ward or city.")]
IndicatorsOption = Annotated[list[str] | None, typer.Option("--indicator", help="Repeatable. Default: all.")]
SettlementsOption = Annotated[list[str] | None, typer.Option("--settlement", help="Settlement code; repeatable.")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="A field by whose groups figures are made apart, such as head_sex.")
]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="A version of the definition. Default: the newest counted.")
]
_NOT_IN_TABLES = [
    *("city", "level", "definition_version", "population", "ward_code", "group_by"),
    *("bound_low", "bound_high", "deff", "n_eff", "response_rate", "unserved_low", "unserved_high", "rounded_to"),
    *("direction", "target", "gi_p", "hot_spot_reason"),
    *("starts_on", "ends_on", "from_starts_on", "from_ends_on", "to_starts_on", "to_ends_on", "indicator_name"),
]


def values(
    city: o.CityOption,
    survey: Annotated[list[str] | None, typer.Option("--survey", help="Repeatable. Default: all rounds.")] = None,
    indicator: IndicatorsOption = None,
    settlement: SettlementsOption = None,
    level: LevelOption = "settlement",
    counted: o.CountedOption = None,
    by: ByOption = None,
    version: VersionOption = None,
    within: Annotated[
        Path | None,
        typer.Option("--within", help="A file with a polygon: the settlements in it together. Needs --full."),
    ] = None,
    full: o.FullOption = False,
    output: o.FormatOption = "table",
) -> None:
    """Print figures: value, interval, answering and unknown households, unserved; drafts included."""
    query = _query(city, indicator, settlement, level, counted, by=by, version=version, full=full, surveys=survey or [])
    with reading_database(Settings()) as connection:
        if by is not None:
            _make_ready(connection, query)
        if within is None:
            page = find_values(connection, query)
        else:
            page = find_area_values(connection, query, read_area(within, ReadOptions()))
    print_figures(page.figures, output, title=f"Figures of {city}")


def changes(
    city: o.CityOption,
    earlier: Annotated[str, typer.Option("--from", help="The earlier survey round.")],
    later: Annotated[str, typer.Option("--to", help="The later survey round.")],
    indicator: IndicatorsOption = None,
    settlement: SettlementsOption = None,
    level: LevelOption = "settlement",
    counted: o.CountedOption = None,
    by: ByOption = None,
    version: VersionOption = None,
    allow_break: Annotated[
        bool,
        typer.Option("--allow-break", help="Compare across a change of definition, boundary or way of surveying."),
    ] = False,
    full: o.FullOption = False,
    output: o.FormatOption = "table",
) -> None:
    """Print how figures changed from one round to another, with the interval of the change."""
    query = _query(city, indicator, settlement, level, counted, by=by, version=version, full=full, surveys=[])
    with reading_database(Settings()) as connection:
        _make_ready(connection, replace(query, surveys=[earlier, later]))
        page = find_changes(connection, query, earlier=earlier, later=later, allow_break=allow_break)
    print_figures(page.figures, output, title=f"Changes in {city} from {earlier} to {later}")


def _make_ready(connection: Connection, query: ValuesQuery) -> None:
    """Makes the tallies of groups and pairs of rounds that a worker has not made yet."""
    for of_round in find_rounds(connection, query):
        recompute(connection, of_round.survey_id)


@map_app.command("coverage")
def coverage_command(
    city: o.CityOption,
    survey: o.SurveyOption,
    indicator: Annotated[str, typer.Option("--indicator", help="Which indicator to map.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The HTML file to write.")],
    counted: o.CountedOption = None,
) -> None:
    """Write the coverage map of one indicator in one round."""
    with reading_database(Settings()) as connection:
        html = coverage_map(connection, city, survey, indicator, counted=counted, seen="all", find=find_values)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html, encoding="utf-8")
    typer.echo(f"The map is in {out}.")


def _query(
    city: str,
    indicators: list[str] | None,
    settlements: list[str] | None,
    level: Level,
    counted: Counted | None,
    *,
    by: str | None,
    version: int | None,
    full: bool,
    surveys: list[str],
) -> ValuesQuery:
    return ValuesQuery(
        cities=[city],
        surveys=surveys,
        indicators=indicators or [],
        settlements=settlements or [],
        level=level,
        counted=counted,
        by=by,
        version=version,
        access="full" if full else "public",
        seen="all",
        page=PageRequest(limit=None),
    )


def print_figures(figures: pd.DataFrame, output: OutputFormat, *, title: str) -> None:
    """Prints figures of any kind; as a table, without what few people read."""
    if figures["flags"].map(lambda flags: "sizes_unknown" in flags).any():
        typer.echo(f"Some figures are of households: {FLAGS['sizes_unknown']}.", err=True)
    if output == "table":
        hidden = [name for name in _NOT_IN_TABLES if name in figures]
        counted = figures["counted"].unique()
        if len(counted) == 1:
            title += f", counted in {counted[0]}"
            hidden.append("counted")
        figures = figures.drop(columns=hidden).assign(flags=figures["flags"].map(" ".join).replace("", None))
        figures = _without_empty_columns(figures)
    print_frame(figures, output, title=title)


def _without_empty_columns(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[:, [name for name in frame.columns if frame[name].notna().any()]]
