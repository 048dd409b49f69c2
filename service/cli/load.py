"""Commands that change what is stored: cities, boundaries, surveys, publishing, withdrawing."""

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from sqlalchemy import Connection

from geo import database
from geo.ingestion import ingest
from geo.ingestion.frame import load_frame
from geo.ingestion.layers import ReadOptions
from geo.ingestion.observe import SourceOptions
from geo.ingestion.placement import GPS_TOLERANCE_M
from geo.ingestion.store import raise_data_version
from geo.places import add_city, find_city
from geo.settings import Settings
from geo.surveys import SurveySpec, set_state
from service.cli import options as o
from service.cli.output import counts_line, print_findings, progress_bar, write_findings

city_app = typer.Typer(name="city", add_completion=False, help="Cities.", no_args_is_help=True)
load_app = typer.Typer(
    name="load", add_completion=False, help="Load files: settlement boundaries, surveys.", no_args_is_help=True
)


@contextmanager
def open_database(settings: Settings) -> Iterator[Connection]:
    """One transaction on the settings' database, its tables brought up to date first."""
    url = database.database_url(settings)
    database.upgrade(url)
    engine = database.create_engine(url)
    try:
        with database.transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


@city_app.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Short name for commands and addresses: a-z, 0-9, - and _.")],
    name: Annotated[str, typer.Option("--name", help="The city's name, as maps show it.")],
) -> None:
    """Add a city. Adding it again does nothing."""
    with open_database(Settings()) as connection:
        add_city(connection, slug, name)
    typer.echo(f"City {slug} ({name}) is there.")


@load_app.command("boundaries")
def boundaries(
    file: o.FileArgument,
    city: o.CityOption,
    profile: o.ProfileOption = None,
    code: o.CodeOption = None,
    name: o.NameOption = None,
    ward: o.WardOption = None,
    crs: o.CrsOption = None,
    encoding: o.EncodingOption = None,
    layer: o.LayerOption = None,
    valid_from: Annotated[
        datetime | None,
        typer.Option(
            "--valid-from",
            formats=o.DATE,
            help="From which day these boundaries hold. Default: since ever for new settlements, today for changes.",
        ),
    ] = None,
    skip_errors: o.SkipErrorsOption = False,
    dry_run: o.DryRunOption = False,
    findings: o.FindingsOption = None,
) -> None:
    """Load the boundaries of a city's settlements."""
    settings = Settings()
    started = time.monotonic()
    with _findings_shown(findings), open_database(settings) as connection:
        result = ingest.load_boundaries(
            connection,
            file,
            city,
            read=ReadOptions(encoding, layer, crs),
            columns=o.boundary_columns(profile, code, name, ward),
            valid_from_on=_day(valid_from),
            today=datetime.now(UTC).date(),
            options=load_options(settings, skip_errors=skip_errors, dry_run=dry_run),
        )
    _summarise(result, file, started, findings)
    if result.changes:
        changes = result.changes
        typer.echo(f"{changes.added} settlements added, {changes.redrawn} redrawn, {changes.unchanged} unchanged.")


@load_app.command("survey")
def survey(
    file: o.FileArgument,
    city: o.CityOption,
    survey: o.SurveyOption,
    starts: o.StartsOption = None,
    ends: o.EndsOption = None,
    unit: o.UnitOption = None,
    mode: o.ModeOption = None,
    name: o.RoundNameOption = None,
    licence: o.LicenceOption = None,
    profile: o.ProfileOption = None,
    form: o.FormOption = None,
    crs: o.CrsOption = None,
    encoding: o.EncodingOption = None,
    layer: o.LayerOption = None,
    placement: o.PlacementOption = None,
    tolerance: o.ToleranceOption = GPS_TOLERANCE_M,
    publish: o.PublishOption = False,
    skip_errors: o.SkipErrorsOption = False,
    dry_run: o.DryRunOption = False,
    findings: o.FindingsOption = None,
) -> None:
    """Load a file of observations into a survey round, which is opened if the city has none of this slug."""
    settings = Settings()
    spec = survey_spec(settings, survey, name=name, starts=starts, ends=ends, unit=unit, mode=mode, licence=licence)
    source = SourceOptions(
        read=ReadOptions(encoding, layer, crs),
        profile=o.chosen_profile(profile),
        placement=placement,
        tolerance_m=tolerance,
        form=o.chosen_form(form),
    )
    options = load_options(settings, skip_errors=skip_errors, dry_run=dry_run)
    load_into_round(settings, file, city, spec, source, options, publish=publish, findings=findings)


def load_into_round(
    settings: Settings,
    file: Path,
    city: str,
    spec: SurveySpec,
    source: SourceOptions,
    options: ingest.LoadOptions,
    *,
    publish: bool,
    findings: Path | None,
) -> ingest.LoadResult:
    """Loads a file of observations into a round, shows what was found and what came of it."""
    started = time.monotonic()
    with _findings_shown(findings), open_database(settings) as connection:
        with progress_bar(f"Loading {file.name}") as progress:
            result = ingest.load_survey(connection, file, city, spec, source=source, options=options, progress=progress)
        if publish and not options.dry_run:
            _set_state(connection, city, spec.slug, "published")
    _summarise(result, file, started, findings)
    for earlier in result.replaced:
        typer.echo(f"Upload {earlier}, which it replaces, is withdrawn.")
    if result.state == "loaded" and not publish:
        typer.echo(f"Survey {spec.slug} is a draft until `vasti publish --city {city} --survey {spec.slug}`.")
    return result


def survey_spec(
    settings: Settings, slug: str, *, starts: datetime | None, ends: datetime | None, **said: Any
) -> SurveySpec:
    """A round as the command line names it."""
    return SurveySpec(slug=slug, organisation=settings.organisation, starts_on=_day(starts), ends_on=_day(ends), **said)


@load_app.command("frame")
def frame(
    file: Annotated[Path, typer.Argument(help="A table with the columns settlement_code and households.")],
    city: o.CityOption,
    survey: o.SurveyOption,
    encoding: o.EncodingOption = None,
    layer: o.LayerOption = None,
) -> None:
    """Load how many households each settlement is known to have, for a round that did not reach them all."""
    with _findings_shown(None), open_database(Settings()) as connection:
        result = load_frame(connection, file, city, survey, ReadOptions(encoding, layer))
    typer.echo(f"{file.name}: the number of households of {result.rows_loaded:,} settlements is loaded.")


def publish(
    city: o.CityOption,
    survey: o.SurveyOption,
    draft: Annotated[bool, typer.Option("--draft", help="Take the round back to draft.")] = False,
) -> None:
    """Publish a survey round: its figures and maps can be read by anybody, its households by nobody."""
    state: Literal["draft", "published"] = "draft" if draft else "published"
    with open_database(Settings()) as connection:
        _set_state(connection, city, survey, state)
    typer.echo(f"Survey {survey} of {city} is {'a draft' if draft else 'published'}.")


def withdraw(upload: Annotated[int, typer.Argument(help="The upload's number, as `vasti load` printed it.")]) -> None:
    """Take back an upload of a survey: its rows no longer count, and those it had replaced count again."""
    with open_database(Settings()) as connection:
        rows = ingest.withdraw(connection, upload)
    typer.echo(f"Upload {upload} is withdrawn: its {rows:,} rows no longer count, and what they had replaced does.")


def _set_state(connection: Connection, city: str, survey: str, state: Literal["draft", "published"]) -> None:
    if set_state(connection, find_city(connection, city), survey, state):
        raise_data_version(connection)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def load_options(
    settings: Settings, *, skip_errors: bool, dry_run: bool, pulled_from: str | None = None
) -> ingest.LoadOptions:
    """How a load is to go, as the command line says it."""
    return ingest.LoadOptions(
        getpass.getuser(),
        settings.originals_url,
        skip_errors=skip_errors,
        dry_run=dry_run,
        pulled_from=pulled_from,
    )


@contextmanager
def _findings_shown(findings: Path | None) -> Iterator[None]:
    """Shows what was found even when that stops the load."""
    try:
        yield
    except ingest.ErrorsFound as error:
        print_findings(error.result.findings)
        if findings:
            write_findings(error.result.findings, findings)
        raise


def _summarise(result: ingest.LoadResult, file: Path, started: float, findings: Path | None) -> None:
    print_findings(result.findings)
    if findings:
        write_findings(result.findings, findings)
    counts = counts_line(
        [
            ("read", result.rows_read),
            ("loaded" if result.state != "checked" else "would load", result.rows_loaded),
            ("with warnings", result.rows_warned),
            ("rejected", result.rows_rejected),
        ],
        time.monotonic() - started,
    )
    match result.state:
        case "loaded":
            typer.echo(f"{file.name}: upload {result.upload_id}: {counts}.")
        case "already loaded":
            typer.echo(f"{file.name} is loaded already, as upload {result.upload_id}; nothing was changed.")
        case "checked":
            typer.echo(f"{file.name}: checked, nothing written: {counts}.")
