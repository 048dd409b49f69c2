"""From a file to placed observations: read, map, check, place, batch by batch, with nothing written anywhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.base import STORAGE_CRS, Extent, extent_of
from geo.errors import MissingColumn
from geo.ingestion.findings import Findings
from geo.ingestion.loading.repeats import Repeats
from geo.ingestion.loading.row_checks import Checks, report_zero_weights
from geo.ingestion.loading.same_household import SameHousehold
from geo.ingestion.loading.source import SourceOptions, open_source
from geo.ingestion.mapping import Mapper, Observations, Profile, texts
from geo.ingestion.mapping.answers_seen import AnswersSeen
from geo.ingestion.mapping.shares import Divider
from geo.ingestion.mapping.years import Years
from geo.ingestion.placing import Placement
from geo.ingestion.placing.placer import Placer, is_declared
from geo.ingestion.reading import Batch, ReadAs, find_zone, name_crs, refuse_far_positions
from geo.places import Places

Progress = Callable[[int, int | None], None]
"""Called with the rows read so far and, where known, how many there are."""


@dataclass(frozen=True)
class Placed:
    """Observations that were kept, each with the index of its settlement."""

    observations: Observations
    settlement: NDArray[np.intp]


@dataclass
class ReadSoFar:
    """What has been read of a file so far."""

    profile: Profile
    findings: Findings = field(default_factory=Findings)
    read_as: ReadAs = field(default_factory=ReadAs)
    rows_read: int = 0
    rows_kept: int = 0
    answers: AnswersSeen = field(default_factory=AnswersSeen)
    personal: Mapping[str, str] = field(default_factory=dict)
    """Columns that are about persons, and what they hold, kept or not."""


def observe(
    path: Path,
    places: Places,
    options: SourceOptions,
    reading_started: Callable[[ReadSoFar], None],
    progress: Progress | None,
) -> Iterator[Placed]:
    """Yields the file's kept observations; `reading_started` receives the ReadSoFar that fills up meanwhile.

    Raises:
        InputError: the file or the profile cannot be used; the message says what to do.
    """
    with open_source(path, options, extent_of(places.shapes)) as source:
        mapper, profile = source.mapper, source.profile
        crs = name_crs(mapper.crs or STORAGE_CRS) if mapper.has_position else None
        reading = ReadSoFar(profile, read_as=replace(source.layer.read_as, crs=crs))
        findings = reading.findings
        reading_started(reading)
        placer = Placer(places, choose_placement(mapper, options, path.name), options.tolerance_m, fix=options.fix)
        divider = Divider(profile, mapper.share_columns, mapper.blanks) if profile.shares else None
        checks = Checks(starts_on=options.starts_on, ends_on=options.ends_on)
        same_household = SameHousehold()
        years = Years(source.layer.columns)
        repeats = Repeats(lambda n_batches: _read_again(path, options, placer.extent, n_batches))
        for n_read, batch in source.batches(findings):
            observations = mapper.map(batch, findings)
            if options.tell_answers:
                mapper.count_answers(batch, reading.answers)
            findings.remember_positions(observations.row_numbers, observations.lon, observations.lat)
            years.add(batch.columns, observations.fields)
            division = divider.divide(batch, observations, findings) if divider else None
            if options.unit == "household":
                checks.check_rows(observations, findings)
                same_household.check(batch, observations, findings)
                repeats.check(batch, observations, findings)
            else:
                report_zero_weights(observations, "settlement_empty", findings)
            settlement = placer.place(observations, findings)
            if options.unit == "settlement":
                observations.fields["household_code"] = _codes(places, settlement)
                checks.reject_repeats(
                    observations.fields["household_code"], "settlement_duplicate", observations, findings
                )
            reading.rows_read += n_read
            placed = _kept(observations, settlement)
            reading.rows_kept += len(placed.settlement)
            if division is not None:
                placed = Placed(*division.expand(placed.observations, placed.settlement, ~observations.rejected))
            if progress:
                progress(reading.rows_read, source.layer.total_rows)
            if len(placed.settlement):
                yield placed
        by_position = mapper.has_position and placer.placement != "declared"
        if by_position and reading.rows_read and placer.positions == placer.positions_lost:
            _refuse_wrong_crs(path, options, placer)
        if (note := mapper.personal.note()) is not None:
            findings.add_note(note)
        reading.personal = mapper.personal.found
        years.report(findings)
        findings.add_remarks(source.layer)
        reading.rows_read += len(source.layer.bad_rows)


def _read_again(
    path: Path, options: SourceOptions, city: Extent | None, n_batches: int
) -> Iterator[tuple[Batch, Observations]]:
    """The first batches of the file once more; what was found in them has been said."""
    with open_source(path, options, city) as source:
        for _, batch in islice(source.batches(Findings()), n_batches):
            yield batch, source.mapper.map(batch, Findings())


def _refuse_wrong_crs(path: Path, options: SourceOptions, placer: Placer) -> None:
    """Says under which CRS the positions would lie in the city, where with the declared one none does.

    Raises:
        UnknownCRS: there is such a CRS.
    """
    with open_source(path, options, placer.extent) as source:
        _, batch = next(source.batches(Findings()), (0, None))
        if batch is None or source.mapper.crs is None or placer.extent is None:
            return
        positions = source.mapper.given_positions(batch)
        zone = find_zone(batch.columns)
        zones = [] if zone is None else texts(batch.columns[zone]).drop_null().unique().to_pylist()
        said = zones[0] if len(zones) == 1 else None
        refuse_far_positions(*positions, source.mapper.crs, placer.extent, path.name, said)


def choose_placement(mapper: Mapper, options: SourceOptions, file_name: str) -> Placement:
    """How rows are placed: as the options say, or as the file allows.

    Raises:
        MissingColumn: the file does not say what that takes.
    """
    by_itself: Placement = "declared-then-position" if options.unit == "settlement" else "position-then-declared"
    placement = options.placement or (by_itself if mapper.has_position else "declared")
    declares = is_declared(mapper.profile.fields)
    if placement == "position" and not mapper.has_position:
        raise MissingColumn("positions_missing", file=file_name)
    if placement == "declared" and not declares:
        match mapper.has_position, options.profile is None:
            case True, False:
                code = "settlement_column_missing"
            case True, True:
                code = "settlement_column_missing_suggest"
            case False, False:
                code = "settlement_and_positions_missing"
            case _:
                code = "settlement_and_positions_missing_suggest"
        raise MissingColumn(code, file=file_name)
    return placement


def _codes(places: Places, settlement: NDArray[np.intp]) -> pa.Array:
    codes = pa.array([*places.codes, None], type=pa.string())
    return codes.take(pa.array(settlement % (len(places.codes) + 1)))


def _kept(observations: Observations, settlement: NDArray[np.intp]) -> Placed:
    if not observations.rejected.any():
        return Placed(observations, settlement)
    keep = ~observations.rejected
    mask = pa.array(keep)
    kept = Observations(
        observations.row_numbers[keep],
        {name: column.filter(mask) for name, column in observations.fields.items()},
        None if observations.extra is None else observations.extra.filter(mask),
        observations.lon[keep],
        observations.lat[keep],
        observations.rejected[keep],
    )
    return Placed(kept, settlement[keep])
