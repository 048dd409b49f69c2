"""Commands that read: values, changes, maps, and an assessment with no database."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer

from geo.assess import Assessment
from geo.assess import assess as assess_files
from geo.errors import FileHasErrors
from geo.indicators.catalogue import find_definitions
from geo.indicators.definition import Counted
from geo.indicators.values import FigurePage, ValuesQuery, find_changes, find_values
from geo.ingestion.boundaries import read_boundaries
from geo.ingestion.formats import ReadOptions
from geo.ingestion.observe import SourceOptions
from geo.ingestion.placement import GPS_TOLERANCE_M
from geo.paging import PageRequest
from geo.settings import Settings
from maps import coverage
from service.cli import options as o
from service.cli.load import open_database
from service.cli.output import (
    OutputFormat,
    counts_line,
    print_findings,
    print_frame,
    progress_bar,
    write_findings,
)
from service.coverage import coverage_map
from service.tables import csv_text

map_app = typer.Typer(name="map", help="Maps: one HTML file each, which needs no network.", no_args_is_help=True)

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


def assess(
    boundaries: Annotated[Path, typer.Argument(help="The settlements' boundaries.")],
    observations: Annotated[Path, typer.Argument(help="The survey's rows.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write figures, map and findings to.")],
    profile: o.ProfileOption = None,
    boundaries_profile: Annotated[
        str | None, typer.Option("--boundaries-profile", help="The mapping profile of the boundaries.")
    ] = None,
    code: o.CodeOption = None,
    name: o.NameOption = None,
    ward: o.WardOption = None,
    crs: o.CrsOption = None,
    boundaries_crs: Annotated[str | None, typer.Option("--boundaries-crs", help="The CRS of the boundaries.")] = None,
    encoding: o.EncodingOption = None,
    layer: o.LayerOption = None,
    unit: o.UnitOption = None,
    placement: o.PlacementOption = None,
    tolerance: o.ToleranceOption = GPS_TOLERANCE_M,
    indicator: Annotated[str, typer.Option("--indicator", help="Which indicator to map.")] = "household_toilet",
    skip_errors: o.SkipErrorsOption = False,
) -> None:
    """Make every figure and a map from two files, with no database and no server."""
    started = time.monotonic()
    (definition,) = find_definitions([indicator])
    read = read_boundaries(
        boundaries,
        ReadOptions(crs=boundaries_crs),
        o.boundary_columns(boundaries_profile, code, name, ward),
    )
    print_findings(read.findings)
    with progress_bar(f"Reading {observations.name}") as progress:
        result = assess_files(
            read,
            observations,
            SourceOptions(
                read=ReadOptions(encoding, layer, crs),
                profile=o.chosen_profile(profile),
                unit=unit or "household",
                placement=placement,
                tolerance_m=tolerance,
            ),
            city=boundaries.stem,
            survey=observations.stem,
            progress=progress,
        )
    print_findings(result.findings)
    out.mkdir(parents=True, exist_ok=True)
    write_findings(result.findings, out / "findings.csv")
    _refuse_errors(result, read.findings.counts["error"], observations.name, skip_errors=skip_errors)
    (out / "figures.csv").write_text(
        csv_text(result.figures, list(result.figures.columns)), encoding="utf-8", newline=""
    )
    html = coverage.draw(
        result.map_frame(indicator),
        definition,
        city_name=boundaries.stem,
        survey_name=observations.stem,
        generated_on=datetime.now(UTC).date(),
    )
    (out / "coverage.html").write_text(html, encoding="utf-8")
    counts = counts_line(
        [
            ("read", result.rows_read),
            ("counted", result.rows_kept),
            ("with warnings", result.findings.warned_rows()),
            ("rejected", result.rows_read - result.rows_kept),
        ],
        time.monotonic() - started,
    )
    typer.echo(f"{observations.name}: {counts}.\nFigures, map and findings are in {out}.")


def _refuse_errors(result: Assessment, boundary_errors: int, file_name: str, *, skip_errors: bool) -> None:
    rejected = result.rows_read - result.rows_kept
    if (rejected or boundary_errors) and not skip_errors:
        raise FileHasErrors(
            f"{rejected} rows of {file_name} and {boundary_errors} boundaries have errors, so no figure was made; "
            "correct them, or leave them out with --skip-errors."
        )


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
