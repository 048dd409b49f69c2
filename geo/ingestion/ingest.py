"""The story of a load: a file becomes rows, findings, tallies and a new data version, or nothing at all.

Everything runs in the caller's transaction, which the caller commits or rolls back as one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select, update

from geo.errors import Conflict, FileHasErrors, NotFound, UnreadableFile
from geo.indicators.catalogue import read_catalogue
from geo.indicators.tally_frame import FrameTally
from geo.indicators.tally_store import follow_households, refresh_tallies, write_tallies
from geo.ingestion import originals, store
from geo.ingestion.attributes import read_attributes
from geo.ingestion.boundaries import read_boundaries
from geo.ingestion.findings import Findings
from geo.ingestion.formats import bundle
from geo.ingestion.layers import ReadOptions
from geo.ingestion.mapping import Observations
from geo.ingestion.observe import Progress, Reading, observe
from geo.ingestion.profile import BoundaryColumns, Profile
from geo.ingestion.source import SourceOptions
from geo.places import BoundaryChanges, CityPlaces, find_city, places_on, write_boundaries
from geo.schema.uploads import upload
from geo.surveys import SurveySpec, find_survey, open_survey

State = Literal["loaded", "already loaded", "checked"]


@dataclass(frozen=True)
class LoadOptions:
    """How a load is to go, whatever is loaded."""

    uploaded_by: str
    originals_url: str
    skip_errors: bool = False
    dry_run: bool = False
    """Go through all of it up to the decision whether to load, and leave nothing behind."""
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
    changes: BoundaryChanges | None = None
    replaced: tuple[int, ...] = ()
    """The uploads of earlier snapshots that were withdrawn for this one."""


class ErrorsFound(FileHasErrors):
    """The file has rows with errors, so nothing was loaded."""

    def __init__(self, result: LoadResult, file_name: str, *, may_skip: bool = True) -> None:
        skip = ", or load the other rows with --skip-errors" if may_skip and result.rows_loaded else ""
        super().__init__(
            f"{file_name}: {result.rows_rejected} of {result.rows_read} rows have errors, so nothing was loaded; "
            f"correct them{skip}."
        )
        self.result = result


def load_boundaries(
    connection: Connection,
    path: Path,
    city_slug: str,
    *,
    read: ReadOptions,
    columns: BoundaryColumns | Profile | None,
    valid_from_on: date | None,
    today: date,
    options: LoadOptions,
    attributes: Path | None = None,
) -> LoadResult:
    """Loads a file of settlement boundaries into a city; names and wards may stand in a table of `attributes`.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file cannot be used.
        NotFound: there is no such city.
    """
    city_id = find_city(connection, city_slug)
    with _original(path, *([attributes] if attributes else [])) as original, _trial(connection, options):
        store.lock_final(connection)
        earlier = _earlier(connection, original, city_id, None)
        if earlier is not None:
            return earlier
        known = places_on(connection, city_id, valid_from_on or today)
        table = read_attributes(attributes, columns) if attributes else None
        boundaries = read_boundaries(path, read, columns, known.places, table)
        result = _counted(boundaries.findings, boundaries.rows_read)
        _decide(result, path, options)
        if options.dry_run:
            return result
        originals.keep(original, options.originals_url)
        upload_id = store.next_upload_id(connection)
        profile = {"boundaries": boundaries.columns.model_dump(), "valid_from_on": str(valid_from_on or "")}
        _write_upload(connection, upload_id, original, city_id, None, result, profile | _said(read), options)
        changes = write_boundaries(connection, city_id, upload_id, boundaries.frame, valid_from_on, today)
        store.write_findings(connection, upload_id, boundaries.findings)
        store.raise_data_version(connection)
        return replace(result, state="loaded", upload_id=upload_id, changes=changes)


def load_survey(
    connection: Connection,
    path: Path,
    city_slug: str,
    spec: SurveySpec,
    *,
    source: SourceOptions,
    options: LoadOptions,
    progress: Progress | None = None,
) -> LoadResult:
    """Loads a file of observations into a survey round, which is opened when the city has none of this slug.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file or the profile cannot be used.
        NotFound: there is no such city, or it has no settlements yet.
        Conflict: the round exists and differs from what `spec` says.
    """
    city_id = find_city(connection, city_slug)
    with _original(path) as original, _trial(connection, options):
        survey_id = open_survey(connection, city_id, spec)
        store.lock_survey(connection, survey_id)
        earlier = _earlier(connection, original, city_id, survey_id)
        if earlier is not None:
            return earlier
        row = find_survey(connection, city_id, spec.slug)
        city_places = places_on(connection, city_id, row["starts_on"])
        if not len(city_places.ids):
            raise NotFound(f"City {city_slug} has no settlements yet; load them first with `vasti load boundaries`.")
        source = replace(source, unit=row["unit"], starts_on=row["starts_on"], ends_on=row["ends_on"])
        load = _SurveyLoad(connection, survey_id, store.next_upload_id(connection), city_places)
        load.read(path, source, progress)
        result = _counted(load.reading.findings, load.reading.rows_read)
        _decide(result, path, options)
        if options.dry_run:
            return result
        originals.keep(original, options.originals_url)
        store.lock_final(connection)
        profile = (
            load.reading.profile.model_dump(mode="json")
            | _said(source.read)
            | {
                "placement": source.placement,
                "tolerance_m": source.tolerance_m,
                "form": None if source.form is None else source.form.name,
                "pulled_from": options.pulled_from,
                "fix": source.fix,
            }
        )
        _write_upload(connection, load.upload_id, original, city_id, survey_id, result, profile, options)
        load.finish()
        replaced = _withdraw_snapshots(connection, survey_id, load.upload_id, options.pulled_from)
        store.write_findings(connection, load.upload_id, load.reading.findings)
        store.raise_data_version(connection)
        return replace(result, state="loaded", upload_id=load.upload_id, replaced=replaced)


class _SurveyLoad:
    """One file on its way into a survey: its rows are copied while the next are being read and checked."""

    def __init__(self, connection: Connection, survey_id: int, upload_id: int, city_places: CityPlaces) -> None:
        self.upload_id = upload_id
        self.reading = Reading(Profile(name="none yet"))
        self._connection = connection
        self._survey_id = survey_id
        self._city_places = city_places
        self._definitions = read_catalogue(connection).versions
        self._tally = FrameTally(self._definitions, len(city_places.ids))

    def read(self, path: Path, source: SourceOptions, progress: Progress | None) -> None:
        """Reads the file; its rows wait in a table of their own."""
        self._copy = store.HouseholdCopy(self._connection, self._survey_id, self.upload_id)
        self._copy.copy(self._rows(path, source, progress))

    def _rows(
        self, path: Path, source: SourceOptions, progress: Progress | None
    ) -> Iterator[tuple[Observations, NDArray[np.int64]]]:
        def started(reading: Reading) -> None:
            self.reading = reading

        for placed in observe(path, self._city_places.places, source, started, progress):
            seen = placed.observations
            self._tally.add(seen.fields, placed.settlement, seen.asked, seen.extra)
            yield seen, self._city_places.ids[placed.settlement]

    def finish(self) -> None:
        """Makes the rows count. A first load's tallies were summed on the way; later ones replace rows: a scan."""
        touched = self._copy.finish()
        if touched is None:
            tallies = self._tally.tallies(self._city_places.ids)
            write_tallies(self._connection, self._survey_id, self._definitions, tallies)
            follow_households(self._connection, self._survey_id, self._definitions)
        else:
            refresh_tallies(self._connection, self._survey_id, touched)


def withdraw(connection: Connection, upload_id: int) -> int:
    """Takes back an upload of observations and restores what it replaced; returns how many rows were taken out.

    Raises:
        NotFound: there is no such upload.
        Conflict: it has been withdrawn before, or holds boundaries, on which placements rest.
    """
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no upload {upload_id}.")
    if row["survey_id"] is None:
        raise Conflict(
            f"Upload {upload_id} holds boundaries, on which surveys rest; load corrected boundaries instead."
        )
    store.lock_survey(connection, row["survey_id"])
    store.lock_final(connection)
    _withdraw(connection, row["survey_id"], upload_id)
    store.raise_data_version(connection)
    return int(row["rows_loaded"])


def _withdraw(connection: Connection, survey_id: int, upload_id: int) -> None:
    # Read again under the lock: another process may have withdrawn it meanwhile.
    changed = connection.execute(
        update(upload).where(upload.c.id == upload_id, upload.c.state == "loaded").values(state="withdrawn")
    )
    if changed.rowcount == 0:
        raise Conflict(f"Upload {upload_id} has been withdrawn already.")
    touched = store.withdraw_households(connection, survey_id, upload_id)
    refresh_tallies(connection, survey_id, touched)


def _withdraw_snapshots(
    connection: Connection, survey_id: int, upload_id: int, pulled_from: str | None
) -> tuple[int, ...]:
    """Withdraws what earlier snapshots of a source loaded, once the new one is in.

    A submission that is in both is superseded by then; one that was deleted at the source no longer counts.
    """
    if pulled_from is None:
        return ()
    found = select(upload.c.id).where(
        upload.c.survey_id == survey_id,
        upload.c.state == "loaded",
        upload.c.id != upload_id,
        upload.c.profile["pulled_from"].astext == pulled_from,
    )
    earlier = tuple(connection.execute(found.order_by(upload.c.id)).scalars())
    for each in earlier:
        _withdraw(connection, survey_id, each)
    return earlier


@contextmanager
def _original(path: Path, *beside: Path) -> Iterator[originals.Original]:
    for file in (path, *beside):
        if not file.is_file():
            raise UnreadableFile(f"{file} does not exist or is not a file.")
    with bundle(path, *beside) as whole:
        yield originals.identify(whole, path.name)


@contextmanager
def _trial(connection: Connection, options: LoadOptions) -> Iterator[None]:
    """For a dry run, a savepoint to go back to; else nothing."""
    if not options.dry_run:
        yield
        return
    with connection.begin_nested() as trial:
        yield
        trial.rollback()


def _earlier(
    connection: Connection, original: originals.Original, city_id: int, survey_id: int | None
) -> LoadResult | None:
    """The same file's earlier load into the same survey, or into the same city's boundaries."""
    found = select(upload).where(
        upload.c.city_id == city_id,
        upload.c.survey_id.is_not_distinct_from(survey_id),
        upload.c.sha256 == original.sha256,
        upload.c.state == "loaded",
    )
    row = connection.execute(found).mappings().one_or_none()
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


def _counted(findings: Findings, rows_read: int) -> LoadResult:
    rejected = findings.rejected_rows()
    return LoadResult("checked", None, rows_read, rows_read - rejected, findings.warned_rows(), rejected, findings)


def _decide(result: LoadResult, path: Path, options: LoadOptions) -> None:
    if result.rows_read == 0:
        raise UnreadableFile(f"{path.name} holds no rows; nothing was loaded.")
    if options.dry_run:
        return
    if result.findings.stop_load() and not options.skip_errors:
        raise ErrorsFound(result, path.name)
    if result.rows_loaded == 0:
        raise ErrorsFound(result, path.name)


def _said(read: ReadOptions) -> dict[str, Any]:
    return {"encoding": read.encoding, "layer": read.layer, "crs": read.crs}


def _write_upload(
    connection: Connection,
    upload_id: int,
    original: originals.Original,
    city_id: int,
    survey_id: int | None,
    result: LoadResult,
    profile: dict[str, Any],
    options: LoadOptions,
) -> None:
    connection.execute(
        insert(upload).values(
            id=upload_id,
            city_id=city_id,
            survey_id=survey_id,
            sha256=original.sha256,
            file_name=original.file_name,
            size_bytes=original.size_bytes,
            uploaded_by=options.uploaded_by,
            profile=profile,
            rows_read=result.rows_read,
            rows_loaded=result.rows_loaded,
            rows_warned=result.rows_warned,
            rows_rejected=result.rows_rejected,
        )
    )
