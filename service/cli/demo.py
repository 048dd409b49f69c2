"""`vasti demo`: the sample city loaded, its figures and its map shown and served."""

import getpass
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import pandas as pd
import typer
from sqlalchemy import Connection

from data.sample.city import SampleFiles, write_sample
from geo.base import PageRequest
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import REASONS, ValuesQuery, find_changes, find_values
from geo.ingestion.loading import LoadOptions, SourceOptions, load_boundaries, load_facilities, load_survey
from geo.ingestion.mapping import FacilityColumns, read_profile
from geo.ingestion.reading import ReadOptions
from geo.people import Acting
from geo.settings import Settings
from geo.surveys import SurveySpec
from service.actions.cities import add_city
from service.actions.loads import note_loaded
from service.actions.surveys import change_state, publish_now
from service.cli.load import open_database, operating
from service.cli.output import print_frame, progress_bar
from service.drawing.coverage import coverage_map
from service.serve import serve as run_service

_MAP_INDICATOR = "household_toilet"


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder for the sample files and the map.")] = Path(
        "build/demo"
    ),
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the API and the map until Ctrl-C.")] = True,
) -> None:
    """Load the sample city, print its figures, write its coverage map and serve both."""
    settings = Settings()
    files = write_sample(out)
    with operating(settings) as done:
        _load(done, files, settings)
        for survey in files.surveys:
            publish_now(done, files.city_slug, survey.survey)
    rounds = [survey.survey for survey in files.surveys]
    with open_database(settings) as connection:
        table = _city_table(connection, files.city_slug, rounds)
        html = coverage_map(connection, files.city_slug, rounds[-1], _MAP_INDICATOR, counted=None, seen="published")
    print_frame(table, "table", title=f"{files.city_name}: what changed from {rounds[0]} to {rounds[-1]}")
    path = out / "coverage.html"
    path.write_text(html, encoding="utf-8")
    typer.echo(f"The coverage map is in {path}.")
    if serve:
        asked = urlencode({"city": files.city_slug, "survey": rounds[-1], "indicator": _MAP_INDICATOR})
        typer.echo(f"It is also at http://{settings.host}:{settings.port}/maps/coverage?{asked}")
        run_service(settings)


def _load(done: Acting, files: SampleFiles, settings: Settings) -> None:
    """Loads the sample city and publishes its rounds; what is loaded already stays as it is."""
    options = LoadOptions(getpass.getuser(), settings.originals_url, settings.organisation)
    connection = done.connection
    add_city(done, files.city_slug, files.city_name, may_exist=True)
    profile = files.boundaries.profile
    result = load_boundaries(
        connection,
        files.boundaries.path,
        files.city_slug,
        read=ReadOptions(),
        columns=None if profile is None else read_profile(profile),
        valid_from_on=None,
        today=datetime.now(UTC).date(),
        options=options,
    )
    note_loaded(done, result)
    typer.echo(f"{files.boundaries.path.name}: {result.state}, {result.rows_loaded:,} settlements.")
    if files.facilities is not None:
        result = load_facilities(
            connection,
            files.facilities,
            files.city_slug,
            read=ReadOptions(),
            columns=FacilityColumns(),
            today=datetime.now(UTC).date(),
            options=options,
        )
        note_loaded(done, result)
        typer.echo(f"{files.facilities.name}: {result.state}, {result.rows_loaded:,} facilities.")
    for survey in files.surveys:
        started = time.monotonic()
        spec = SurveySpec(
            survey.survey,
            settings.organisation,
            starts_on=survey.starts_on,
            ends_on=survey.ends_on,
            unit="household",
            mode="census",
        )
        source = SourceOptions(profile=None if survey.profile is None else read_profile(survey.profile))
        with progress_bar(f"Loading {survey.path.name}") as progress:
            result = load_survey(
                connection, survey.path, files.city_slug, spec, source=source, options=options, progress=progress
            )
        note_loaded(done, result)
        change_state(done, files.city_slug, survey.survey, "published")
        seconds = time.monotonic() - started
        typer.echo(
            f"{survey.path.name}: {result.state}, {result.rows_loaded:,} households, "
            f"{result.rows_warned:,} with warnings, {seconds:.1f} s."
        )


def _city_table(connection: Connection, city: str, rounds: list[str]) -> pd.DataFrame:
    """One row an indicator: the city's figure in the first and the last round, and the change, or why there is none."""
    query = ValuesQuery(cities=[city], level="city", page=PageRequest(limit=None))
    figures = find_values(connection, query).figures.set_index(["survey", "indicator"])
    changes = find_changes(connection, query, earlier=rounds[0], later=rounds[-1]).figures.set_index("indicator")
    rows = []
    for definition in read_catalogue(connection).newest.values():
        change = changes.loc[definition.id]
        digits = definition.decimals if definition.unit == "index" else 1
        values = [figures.loc[(slug, definition.id), "value"] for slug in (rounds[0], rounds[-1])]
        said = change["status"] == "published"
        rows.append(
            {
                "indicator": definition.name,
                "unit": definition.unit,
                **{
                    slug: "" if pd.isna(value) else f"{value:,.{digits}f}"
                    for slug, value in zip((rounds[0], rounds[-1]), values, strict=True)
                },
                "change": f"{change['change']:+,.{digits}f}" if said else REASONS[change["reason"]],
                "95 % interval": _interval(change) if said else "",
            }
        )
    return pd.DataFrame(rows)


def _interval(change: pd.Series) -> str:
    if pd.notna(change["low"]):
        return f"{change['low']:+.1f} to {change['high']:+.1f}"
    return "everybody was asked" if change["method"] == "enumeration" else ""
