"""Commands that read from the database: values, changes, maps."""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from geo.indicators.changes import find_changes
from geo.indicators.definition import Counted
from geo.indicators.query import ValuesQuery
from geo.indicators.values import FigurePage, find_values
from geo.paging import PageRequest
from geo.settings import Settings
from service.cli import options as o
from service.cli.load import open_database
from service.cli.output import OutputFormat, print_frame
from service.coverage import coverage_map

map_app = typer.Typer(
    name="map", add_completion=False, help="Maps: one HTML file each, which needs no network.", no_args_is_help=True
)

LevelOption = Annotated[
    Literal["settlement", "ward", "city"], typer.Option("--level", help="Figures by settlement, ward or city.")
]
IndicatorsOption = Annotated[list[str] | None, typer.Option("--indicator", help="Repeatable. Default: all.")]
SettlementsOption = Annotated[list[str] | None, typer.Option("--settlement", help="Settlement code; repeatable.")]
CountedOption = Annotated[
    Counted | None,
    typer.Option("--counted", help="Count households or persons. Default: as the indicator's source does."),
]

_NOT_IN_TABLES = ["city", "level", "counted", "definition_version", "population", "ward_code"]


def values(
    city: o.CityOption,
    survey: Annotated[list[str] | None, typer.Option("--survey", help="Repeatable. Default: all rounds.")] = None,
    indicator: IndicatorsOption = None,
    settlement: SettlementsOption = None,
    level: LevelOption = "settlement",
    counted: CountedOption = None,
    output: o.FormatOption = "table",
) -> None:
    """Print figures: value, interval, answering and unknown households, unserved; drafts included."""
    query = _query(city, indicator, settlement, level, counted, survey or [])
    with open_database(Settings()) as connection:
        page = find_values(connection, query)
    _print(page, output, title=f"Figures of {city}")


def changes(
    city: o.CityOption,
    earlier: Annotated[str, typer.Option("--from", help="The earlier survey round.")],
    later: Annotated[str, typer.Option("--to", help="The later survey round.")],
    indicator: IndicatorsOption = None,
    settlement: SettlementsOption = None,
    level: LevelOption = "settlement",
    counted: CountedOption = None,
    output: o.FormatOption = "table",
) -> None:
    """Print how figures changed from one round to another, with the interval of the change."""
    query = _query(city, indicator, settlement, level, counted, [])
    with open_database(Settings()) as connection:
        page = find_changes(connection, query, earlier=earlier, later=later)
    _print(page, output, title=f"Changes in {city} from {earlier} to {later}")


@map_app.command("coverage")
def coverage_command(
    city: o.CityOption,
    survey: o.SurveyOption,
    indicator: Annotated[str, typer.Option("--indicator", help="Which indicator to map.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The HTML file to write.")],
    counted: CountedOption = None,
) -> None:
    """Write the coverage map of one indicator in one round."""
    with open_database(Settings()) as connection:
        html = coverage_map(connection, city, survey, indicator, counted=counted, drafts=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html, encoding="utf-8")
    typer.echo(f"The map is in {out}.")


def _query(
    city: str,
    indicators: list[str] | None,
    settlements: list[str] | None,
    level: Literal["settlement", "ward", "city"],
    counted: Counted | None,
    surveys: list[str],
) -> ValuesQuery:
    return ValuesQuery(
        cities=[city],
        surveys=surveys,
        indicators=indicators or [],
        settlements=settlements or [],
        level=level,
        counted=counted,
        drafts=True,
        page=PageRequest(limit=None),
    )


def _print(page: FigurePage, output: OutputFormat, *, title: str) -> None:
    figures = page.figures
    if output == "table":
        hidden = [name for name in _NOT_IN_TABLES if name in figures]
        figures = _without_empty_columns(figures.drop(columns=hidden))
    print_frame(figures, output, title=title)


def _without_empty_columns(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.loc[:, [name for name in frame.columns if frame[name].notna().any()]]
