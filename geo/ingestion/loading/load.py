"""What all loads share: their options, their result, and the steps around the rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from typing import Any, Literal

from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, delete, insert, select, update

from geo.database import lock_city, lock_final, raise_data_version
from geo.database.schema.access import Role
from geo.database.schema.places import organisation
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import COUNTING, finding, upload
from geo.errors import FileHasErrors, UnreadableFile
from geo.ingestion.findings import Findings
from geo.ingestion.findings.stored import write_findings
from geo.ingestion.loading import originals
from geo.ingestion.loading.decided import check_decided
from geo.ingestion.loading.household_copy import next_upload_id
from geo.ingestion.mapping.answers_seen import AnswerSeen
from geo.ingestion.reading import ReadAs, ReadOptions, open_layer
from geo.ingestion.reading.formats import bundle
from geo.people import open_organisation
from geo.places import PlaceChanges

State = Literal["loaded", "already loaded", "checked"]


@dataclass(frozen=True)
class Target:
    """What a file is loaded into: a city, or one of its survey rounds."""

    city_id: int
    content: str
    """The name of the kind of file; see geo.ingestion.loading.kinds.registry."""
    survey_id: int | None = None


@dataclass(frozen=True)
class LoadOptions:
    """How a load is to go, whatever is loaded."""

    uploaded_by: str
    originals_url: str
    organisation: str = "local"
    """Who gives a file that is no survey's; a survey's is given by the survey's own."""
    skip_errors: bool = False
    dry_run: bool = False
    """Go through all of it up to the decision whether to load, and leave nothing behind."""
    upload_id: int | None = None
    """The upload as which the file was received before; None: it is one from now on."""
    original: originals.Original | None = None
    """The file as it was received, whose sha256 is known; None: it is read once to be known."""
    decided_by: Role = "steward"
    """The least role that decides of such an upload."""
    max_rows: int | None = None
    """A file that has more is refused."""
    on_trial: bool = False
    """Load it to look at what comes of it: the caller takes it back, and nobody waits for it meanwhile."""
    only_own: bool = False
    """Settlements and facilities that another organisation gave are to be left as they are."""
    new_settlements: bool = False
    """Of a survey: settlements that its rows name and the city does not have are made of what they name."""
    pulled_from: str | None = None
    """The source a survey's file is a snapshot of: it replaces what an earlier snapshot of the same source loaded."""


@dataclass(frozen=True)
class LoadResult:
    """What came of a file. `upload_id` is None where nothing was written."""

    state: State
    upload_id: int | None
    rows_read: int
    rows_loaded: int
    rows_warned: int
    rows_rejected: int
    findings: Findings
    changes: PlaceChanges | None = None
    """Of a file of settlements or facilities, what it changed."""
    read_as: ReadAs | None = None
    answers: Sequence[AnswerSeen] = ()
    """Of a survey's file whose answers were to be told: each with what it is taken for."""
    personal: Mapping[str, str] = field(default_factory=dict)
    """Of a survey's file: columns that are about persons, and what they hold, kept or not."""
    outlines: Sequence[BaseGeometry] = ()
    """Of a file of settlements, their shapes: polygons in longitude and latitude."""
    replaced: tuple[int, ...] = ()
    """The uploads of earlier snapshots that were withdrawn for this one."""


class ErrorsFound(FileHasErrors):
    """The file has rows with errors, so nothing was loaded."""

    def __init__(self, result: LoadResult, file_name: str, *, may_skip: bool = True) -> None:
        code = "rows_with_errors_or_skip" if may_skip and result.rows_loaded else "rows_with_errors"
        super().__init__(code, file=file_name, rejected=result.rows_rejected, read=result.rows_read)
        self.result = result


@contextmanager
def open_original(path: Path, options: LoadOptions, *beside: Path) -> Iterator[originals.Original]:
    """The file as it came, with those beside it, known by its sha256.

    Raises:
        UnreadableFile: one of them is not there.
    """
    if options.original is not None:
        yield options.original
        return
    for file in (path, *beside):
        if not file.is_file():
            raise UnreadableFile("file_missing", file=file)
    with bundle(path, *beside) as whole:
        # A backslash may stand in a name here, and is a folder's elsewhere.
        yield originals.identify(whole, PureWindowsPath(path.name).name)


@contextmanager
def dry(connection: Connection, options: LoadOptions) -> Iterator[None]:
    """For a dry run, a savepoint to go back to; else nothing."""
    if not options.dry_run:
        yield
        return
    with connection.begin_nested() as savepoint:
        yield
        savepoint.rollback()


def begin_counting(connection: Connection, options: LoadOptions) -> None:
    """Before the last steps of a load: waits for their turn, and holds that what was decided of an upload still holds.

    Raises:
        Conflict: somebody else has to decide it by now.
    """
    if options.on_trial:
        return
    lock_final(connection)
    if options.upload_id is not None:
        check_decided(connection, options.upload_id, options.decided_by)


@dataclass(frozen=True)
class RowsRead:
    """The rows of a file of places as they were read, before anything is decided."""

    result: LoadResult
    profile: dict[str, Any]
    """How the columns were read, to be kept with the upload."""
    write: Callable[[int], PlaceChanges]
    """Stores the rows as those of an upload, and says what they changed."""


def load_places(
    connection: Connection,
    path: Path,
    target: Target,
    *,
    read: ReadOptions,
    rows: Callable[[], RowsRead],
    options: LoadOptions,
    beside: Sequence[Path] = (),
) -> LoadResult:
    """Loads a file whose rows belong to a city: they are read and checked, then written, or nothing is.

    `rows` reads them once nobody else changes the city's places; files that lie `beside` are part of the file.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file cannot be used.
        Conflict: somebody else has to decide of it by now.
        as `rows`.
    """
    with open_original(path, options, *beside) as original, dry(connection, options):
        lock_city(connection, target.city_id)
        earlier = find_earlier(connection, original, target, path, read, options)
        if earlier is not None:
            return earlier
        came = rows()
        result = came.result
        decide(result, path, options)
        if options.dry_run:
            return result
        originals.keep(original, options.organisation, options.originals_url)
        begin_counting(connection, options)
        upload_id = options.upload_id or next_upload_id(connection)
        write_upload(connection, upload_id, original, target, result, came.profile | options_said(read), options)
        changes = came.write(upload_id)
        end_counting(connection, target.city_id, upload_id, result.findings, options)
        return replace(result, state="loaded", upload_id=upload_id, changes=changes)


def find_earlier(
    connection: Connection,
    original: originals.Original,
    target: Target,
    path: Path,
    read: ReadOptions,
    options: LoadOptions,
) -> LoadResult | None:
    """What came of the same part of a file when its organisation loaded it into the same target before, if it did.

    Raises:
        InputError: the file was, and does not say which of its parts is meant now.
    """
    giver = select(organisation.c.id).where(organisation.c.slug == find_giver(connection, target, options))
    found = select(upload).where(
        upload.c.city_id == target.city_id,
        # What another organisation has sent is not told.
        upload.c.organisation_id == giver.scalar_subquery(),
        upload.c.content == target.content,
        upload.c.survey_id.is_not_distinct_from(target.survey_id),
        upload.c.sha256 == original.sha256,
        upload.c.state.in_(COUNTING),
    )
    rows = connection.execute(found.order_by(upload.c.id)).mappings().all()
    if not rows:
        return None
    with open_layer(path, read) as layer:
        part = part_of(layer.read_as)
    row = next((row for row in rows if not part or _part_kept(row["profile"]) in (part, read.layer)), None)
    if row is None:
        return None
    return LoadResult(
        "already loaded",
        row["id"],
        row["rows_read"],
        row["rows_loaded"],
        row["rows_warned"],
        row["rows_rejected"],
        Findings(),
    )


def part_of(read_as: ReadAs) -> str:
    """The layer or sheet that is read of a file that has several; empty for a file that is one."""
    return (read_as.layer or "") if read_as.layers else ""


def _part_kept(profile: Mapping[str, Any]) -> str | None:
    """The part an upload was of; of before parts were kept, the layer that was named."""
    kept: str | None = profile.get("part", profile.get("layer"))
    return kept


def count_rows(findings: Findings, rows_read: int) -> LoadResult:
    """The result of having read a file, before anything is decided."""
    rejected = findings.rejected_rows()
    return LoadResult("checked", None, rows_read, rows_read - rejected, findings.warned_rows(), rejected, findings)


def end_counting(
    connection: Connection, city_id: int, upload_id: int, findings: Findings, options: LoadOptions
) -> None:
    """After the last steps of a load: keeps what was found, and tells that what is said of the city has changed."""
    if options.on_trial:
        return
    write_findings(connection, upload_id, findings)
    raise_data_version(connection, city_id)


def decide(result: LoadResult, path: Path, options: LoadOptions) -> None:
    """Holds that what was read may be loaded; of a dry run, only that something was read.

    Raises:
        UnreadableFile: there are no rows.
        ErrorsFound: rows have errors and `skip_errors` is not set, or none is left without.
    """
    if result.rows_read == 0:
        raise UnreadableFile("file_without_rows", file=path.name)
    if options.dry_run:
        return
    if result.findings.stop_load() and not options.skip_errors:
        raise ErrorsFound(result, path.name)
    if result.rows_loaded == 0:
        raise ErrorsFound(result, path.name)


def options_said(read: ReadOptions) -> dict[str, Any]:
    """What a person said of a file, to be kept with the upload."""
    return {"encoding": read.encoding, "layer": read.layer, "crs": read.crs}


def write_upload(
    connection: Connection,
    upload_id: int,
    original: originals.Original,
    target: Target,
    result: LoadResult,
    profile: dict[str, Any],
    options: LoadOptions,
) -> None:
    """Records the file that was received, or of one that was before, that it is loaded; nothing of one on trial."""
    if options.on_trial:
        return
    of_load = {
        "profile": {**profile, "part": part_of(result.read_as or ReadAs())},
        "rows_read": result.rows_read,
        "rows_loaded": result.rows_loaded,
        "rows_warned": result.rows_warned,
        "rows_rejected": result.rows_rejected,
    }
    if options.upload_id is not None:
        loaded = {**of_load, "state": "loaded", "problem": None}
        connection.execute(update(upload).where(upload.c.id == upload_id).values(loaded))
        # Those of the check say the same.
        connection.execute(delete(finding).where(finding.c.upload_id == upload_id))
        return
    connection.execute(
        insert(upload).values(
            id=upload_id,
            organisation_id=open_organisation(connection, find_giver(connection, target, options)),
            city_id=target.city_id,
            content=target.content,
            survey_id=target.survey_id,
            sha256=original.sha256,
            file_name=original.file_name,
            size_bytes=original.size_bytes,
            uploaded_by=options.uploaded_by,
            **of_load,
        )
    )


def find_giver(connection: Connection, target: Target, options: LoadOptions) -> str:
    """The slug of the organisation whose upload a file becomes: of a survey's, the survey's own."""
    if target.survey_id is None:
        return options.organisation
    of_survey = select(organisation.c.slug).join(survey, survey.c.organisation_id == organisation.c.id)
    return str(connection.execute(of_survey.where(survey.c.id == target.survey_id)).scalar_one())
