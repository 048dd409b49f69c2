"""Commands that change what is stored: cities, boundaries, surveys, facilities, publishing, withdrawing."""

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from sqlalchemy import Connection

from geo import database
from geo.errors import SetupError, StorageFull, is_full
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from geo.ingestion.loading import LoadResult, SourceOptions, load_boundaries, load_facilities, load_survey
from geo.ingestion.reading import ReadOptions
from geo.ingestion.uploads import find_upload
from geo.messages import Message
from geo.people import Acting, Operator
from geo.places import find_city
from geo.publications import Behind, find_behind
from geo.settings import Settings
from geo.surveys import find_survey
from service.actions.cities import add_city
from service.actions.loads import load_frame, note_loaded
from service.actions.loads import withdraw as take_back
from service.actions.publications import ready_download
from service.actions.surveys import change_state, publish_now
from service.cli import options as o
from service.cli.behind import print_behind
from service.cli.load_report import Report, load_options, print_moves, summarise
from service.cli.option_groups import (
    FacilityOptions,
    FileOptions,
    OutcomeOptions,
    RoundOptions,
    RowOptions,
    as_day,
    with_groups,
)
from service.cli.output import progress_bar

city_app = typer.Typer(name="city", add_completion=False, help="Cities.", no_args_is_help=True)
load_app = typer.Typer(
    name="load",
    add_completion=False,
    help="Load files: settlement boundaries, surveys, facilities.",
    no_args_is_help=True,
)


@contextmanager
def open_database(settings: Settings) -> Iterator[Connection]:
    """One transaction on the settings' database, its tables brought up to date first."""
    url = database.database_url(settings)
    database.upgrade(url, settings.service_password)
    engine = database.create_engine(url)
    try:
        with database.transaction(engine) as connection:
            # After an upgrade that changed what a tally is, or a definition: figures need them.
            for survey_id in surveys_lacking_tallies(connection, derived=False):
                recompute(connection, survey_id, derived=False)
        with database.transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def reading_database(settings: Settings) -> Iterator[Connection]:
    """One transaction on the settings' database, which is never upgraded on the way.

    Raises:
        SetupError: its tables or its tallies are not those of this version; the message says what brings them there.
    """
    engine = database.create_engine(database.database_url(settings))
    try:
        # Tallies of groups and of pairs of rounds are made when they are first asked for.
        with database.transaction(engine) as connection:
            if not database.is_up_to_date(connection) or surveys_lacking_tallies(connection, derived=False):
                raise SetupError("database_of_other_version")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def operating(settings: Settings) -> Iterator[Acting]:
    """A transaction as open_database opens it, in which the operator acts."""
    with open_database(settings) as connection:
        yield at_command_line(connection, settings)


def at_command_line(connection: Connection, settings: Settings) -> Acting:
    """The operator at the command line, in a transaction of the settings' database."""
    return Acting(connection, operator(settings))


def operator(settings: Settings) -> Operator:
    """Who is at the command line."""
    return Operator(getpass.getuser(), settings.organisation)


@city_app.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Short name for commands and addresses: a-z, 0-9, - and _.")],
    name: Annotated[str, typer.Option("--name", help="The city's name, as maps show it.")],
) -> None:
    """Add a city. Adding it again does nothing."""
    with operating(Settings()) as done:
        add_city(done, slug, name, may_exist=True)
    typer.echo(f"City {slug} ({name}) is there.")


@load_app.command("boundaries")
@with_groups
def boundaries(
    file: o.FileArgument,
    city: o.CityOption,
    given: FileOptions,
    outcome: OutcomeOptions,
    profile: o.ProfileOption = None,
    code: o.CodeOption = None,
    name: o.NameOption = None,
    ward: o.WardOption = None,
    attributes: Annotated[
        Path | None,
        typer.Option("--attributes", help="A table with the settlements' names and wards, joined by code or name."),
    ] = None,
    valid_from: Annotated[
        datetime | None,
        typer.Option(
            "--valid-from",
            formats=o.DATE,
            help="From which day these boundaries and wards hold. Default: no first day for new settlements, today for "
            "changes.",
        ),
    ] = None,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="Most settlements lie where they did not lie before, and that is meant."),
    ] = False,
) -> None:
    """Load the boundaries of a city's settlements."""
    settings = Settings()
    started = time.monotonic()
    report = Report(file, SourceOptions(read=given.read()), outcome)
    with report.of_refusal(), open_database(settings) as connection:
        result = load_boundaries(
            connection,
            file,
            city,
            read=given.read(),
            columns=o.boundary_columns(profile, code, name, ward),
            valid_from_on=as_day(valid_from),
            today=datetime.now(UTC).date(),
            options=load_options(settings, outcome),
            attributes=attributes,
            may_move=moved,
        )
        note_loaded(at_command_line(connection, settings), result)
        behind = _behind(connection, city, result)
    report.write(result)
    summarise(result, file, started)
    if result.changes:
        changes = result.changes
        typer.echo(f"{changes.added} settlements added, {changes.changed} redrawn, {changes.unchanged} unchanged.")
        print_moves(changes.moves)
    print_behind(behind)


@load_app.command("survey")
@with_groups
def survey(
    file: o.FileArgument,
    round_: RoundOptions,
    given: FileOptions,
    rows: RowOptions,
    outcome: OutcomeOptions,
    form: o.FormOption = None,
    new_settlements: Annotated[
        bool,
        typer.Option("--new-settlements", help="Make settlements of what rows name, where the city has none of it."),
    ] = False,
) -> None:
    """Load a file of observations into a survey round, which is opened if the city has none of this slug."""
    source = rows.source(given.read(), o.chosen_form(form))
    load_into_round(Settings(), file, round_, source, outcome, new_settlements=new_settlements)


def load_into_round(
    settings: Settings,
    file: Path,
    round_: RoundOptions,
    source: SourceOptions,
    outcome: OutcomeOptions,
    *,
    pulled_from: str | None = None,
    new_settlements: bool = False,
) -> None:
    """Loads a file of observations into a round, and shows what was found and what came of it."""
    started = time.monotonic()
    city, slug = round_.city, round_.survey
    report = Report(file, source, outcome)
    with report.of_refusal(), open_database(settings) as connection:
        with progress_bar(f"Loading {file.name}") as progress:
            result = load_survey(
                connection,
                file,
                city,
                round_.spec(settings),
                source=source,
                options=replace(load_options(settings, outcome, pulled_from), new_settlements=new_settlements),
                progress=progress,
            )
        done = at_command_line(connection, settings)
        note_loaded(done, result)
        if round_.publish and not outcome.dry_run:
            change_state(done, city, slug, "published")
            publish_now(done, city, slug)
        state = (
            find_survey(connection, find_city(connection, city), slug)["state"] if result.state == "loaded" else None
        )
        behind = _behind(connection, city, result)
    report.write(result)
    summarise(result, file, started)
    for earlier in result.replaced:
        typer.echo(f"Upload {earlier}, which it replaces, is withdrawn.")
    if state == "draft":
        typer.echo(f"Survey {slug} is a draft until `vasti publish --city {city} --survey {slug}`.")
    print_behind(behind)


@load_app.command("facilities")
@with_groups
def facilities(
    file: o.FileArgument,
    city: o.CityOption,
    named: FacilityOptions,
    given: FileOptions,
    outcome: OutcomeOptions,
) -> None:
    """Load community toilets or water points; a facility whose code is there already is replaced."""
    settings = Settings()
    started = time.monotonic()
    columns = named.columns()
    report = Report(file, named.source(given.read()), outcome)
    with report.of_refusal(), open_database(settings) as connection:
        result = load_facilities(
            connection,
            file,
            city,
            read=given.read(),
            columns=columns,
            today=datetime.now(UTC).date(),
            options=load_options(settings, outcome),
        )
        note_loaded(at_command_line(connection, settings), result)
        behind = _behind(connection, city, result)
    report.write(result)
    summarise(result, file, started)
    print_behind(behind)


@load_app.command("frame")
def frame(
    file: Annotated[
        Path, typer.Argument(help="A table of settlement_code and households, or of stratum and clusters.")
    ],
    city: o.CityOption,
    survey: o.SurveyOption,
    encoding: o.EncodingOption = None,
    layer: o.LayerOption = None,
) -> None:
    """Load how many households each settlement has, or clusters each stratum, of which a round reached some."""
    read = ReadOptions(encoding, layer)
    report = Report(file, SourceOptions(read=read), OutcomeOptions())
    with report.of_refusal(), operating(Settings()) as done:
        result = load_frame(done, file, city, survey, read)
        behind = find_behind(done.connection, find_city(done.connection, city))
    report.write(result)
    typer.echo(f"{file.name}: {result.rows_loaded:,} frame sizes are loaded.")
    print_behind(behind)


def _behind(connection: Connection, city: str, result: LoadResult) -> list[Behind]:
    """The rounds of a city that are behind, after a file has been loaded; none where nothing was."""
    return find_behind(connection, find_city(connection, city)) if result.state == "loaded" else []


def publish(
    city: o.CityOption,
    survey: o.SurveyOption,
    draft: Annotated[bool, typer.Option("--draft", help="Take the round back to draft.")] = False,
    correction: Annotated[
        bool,
        typer.Option(
            "--correction",
            help="Say what is right also where fewer than 10 households changed since the last publication, though who "
            "has that can work out what these answered.",
        ),
    ] = False,
    note: Annotated[
        str | None,
        typer.Option("--note", help="Why it is published anew: everybody reads it in the list of publications."),
    ] = None,
) -> None:
    """Publish a survey round: its figures and maps can be read by anybody, its households by nobody."""
    state: Literal["draft", "published"] = "draft" if draft else "published"
    settings = Settings()
    with operating(settings) as done:
        change_state(done, city, survey, state)
        made = None if draft else publish_now(done, city, survey, is_correction=correction, note=note)
    said = "a draft" if made is None else f"published: publication {made.number}"
    typer.echo(f"Survey {survey} of {city} is {said}.")
    if made is None:
        return
    if made.kept:
        settlements = "1 settlement" if made.kept == 1 else f"{made.kept:,} settlements"
        typer.echo(
            f"Figures of {settlements} stay as they were published before: too few households have changed to show the "
            "change. `--correction` shows it all the same."
        )
    _make_download(settings, city, survey, made.number)


def _make_download(settings: Settings, city: str, survey: str, number: int) -> None:
    """Makes the download of what was published just now, or says that it is not there yet."""
    try:
        with operating(settings) as done:
            ready_download(done, city, survey, number, settings)
    except (OSError, StorageFull) as error:
        # The publication stands, and a worker makes its download later.
        if not is_full(error):
            raise
        typer.echo(Message("download_without_room", number=number, survey=survey).say(), err=True)


def withdraw(
    upload_id: Annotated[
        int, typer.Argument(metavar="UPLOAD", help="The upload's number, as `vasti load` printed it.")
    ],
) -> None:
    """Take back an upload of a survey or of facilities: its rows no longer count, and those it had replaced do."""
    with operating(Settings()) as done:
        rows = take_back(done, upload_id)
        city = find_upload(done.connection, upload_id)["city"]
        behind = find_behind(done.connection, find_city(done.connection, city))
    typer.echo(f"Upload {upload_id} is withdrawn: its {rows:,} rows no longer count, and what they had replaced does.")
    print_behind(behind)
