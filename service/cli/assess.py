"""`vasti assess`: figures and a map from two files, with no database. It imports none, so it starts quickly."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import FileHasErrors, InputError
from geo.indicators.definitions import catalogue, find_definitions
from geo.indicators.figures import COUNT_STEP
from geo.ingestion.loading import Assessment, check_target, read_boundaries, write_rejected
from geo.ingestion.loading import assess as assess_files
from geo.ingestion.reading import ReadOptions
from geo.messages import Message
from geo.surveys import MODE_ASKED
from maps import coverage
from service.cli import options as o
from service.cli.option_groups import FileOptions, RowOptions, with_groups
from service.cli.output import counts_line, print_findings, print_rejected, progress_bar, write_findings
from service.formats.csv_tables import csv_text


@with_groups
def assess(
    boundaries: Annotated[Path, typer.Argument(help="The settlements' boundaries.")],
    observations: Annotated[Path, typer.Argument(help="The survey's rows.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write figures, map and findings to.")],
    given: FileOptions,
    rows: RowOptions,
    boundaries_profile: Annotated[
        str | None, typer.Option("--boundaries-profile", help="The mapping profile of the boundaries.")
    ] = None,
    code: o.CodeOption = None,
    name: o.NameOption = None,
    ward: o.WardOption = None,
    boundaries_crs: Annotated[str | None, typer.Option("--boundaries-crs", help="The CRS of the boundaries.")] = None,
    form: o.FormOption = None,
    unit: o.UnitOption = None,
    indicator: Annotated[str, typer.Option("--indicator", help="Which indicator to map.")] = "household_toilet",
    mode: o.ModeOption = None,
    counted: o.CountedOption = None,
    full: o.FullOption = False,
    skip_errors: o.SkipErrorsOption = False,
    rejected: o.RejectedOption = None,
) -> None:
    """Make every figure and a map from two files, with no database and no server."""
    started = time.monotonic()
    if mode is None:
        question = Message(MODE_ASKED[unit or "household"])
        raise InputError("assess_without_mode", file=observations.name, question=question)
    if rejected:
        check_target(rejected, boundaries, observations)
    (definition,) = find_definitions([indicator], catalogue())
    read = read_boundaries(
        boundaries,
        ReadOptions(crs=boundaries_crs),
        o.boundary_columns(boundaries_profile, code, name, ward),
    )
    print_findings(read.findings)
    source = rows.source(given.read(), o.chosen_form(form), unit=unit or "household")
    with progress_bar(f"Reading {observations.name}") as progress:
        result = assess_files(
            read,
            observations,
            source,
            city=boundaries.stem,
            survey=observations.stem,
            mode=mode,
            counted=counted,
            mapped=indicator,
            access="full" if full else "public",
            progress=progress,
        )
    print_findings(result.findings)
    out.mkdir(parents=True, exist_ok=True)
    write_findings(result.findings, out / "findings.csv")
    if rejected:
        print_rejected(write_rejected(observations, source, result.findings, rejected), rejected)
    _refuse_errors(result, read.findings.counts["error"], observations.name, skip_errors=skip_errors)
    (out / "figures.csv").write_text(
        csv_text(result.figures, list(result.figures.columns)), encoding="utf-8", newline=""
    )
    drawn = result.map_frame(indicator)
    html = coverage.draw(
        drawn,
        definition if drawn.empty else definition.at(drawn["counted"].iloc[0]),
        city_name=boundaries.stem,
        survey_name=observations.stem,
        generated_on=datetime.now(UTC).date(),
        city_unserved=result.city_unserved,
        rounded_to=None if full else COUNT_STEP,
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
    for without, fields in result.lacking.items():
        is_not = "is not" if len(fields) == 1 else "are not"
        typer.echo(f"No figure of {without}: {', '.join(fields)} {is_not} in the file.")


def _refuse_errors(result: Assessment, boundary_errors: int, file_name: str, *, skip_errors: bool) -> None:
    rejected = result.rows_read - result.rows_kept
    if rejected and result.rows_kept == 0:
        raise FileHasErrors("every_row_with_errors", file=file_name)
    if (result.findings.stop_load() or boundary_errors) and not skip_errors:
        if not boundary_errors:
            raise FileHasErrors("figure_of_rows_with_errors", rows=rejected, file=file_name)
        if not rejected:
            raise FileHasErrors("figure_of_boundaries_with_errors", boundaries=boundary_errors)
        of_rows = Message("rows_of_file", rows=rejected, file=file_name)
        of_places = Message("boundaries_counted", boundaries=boundary_errors)
        raise FileHasErrors("figure_of_both_with_errors", rows=of_rows, boundaries=of_places)
