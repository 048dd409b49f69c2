"""From a file to placed observations: read, map, check, place, batch by batch, with nothing written anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.errors import MissingColumn
from geo.fields import Unit
from geo.ingestion.checks import Checks
from geo.ingestion.crs_proposals import check_crs, refuse_far_positions
from geo.ingestion.extent import extent_of
from geo.ingestion.findings import Findings
from geo.ingestion.formats import open_layer
from geo.ingestion.layers import Batch, Layer, ReadOptions
from geo.ingestion.mapping import Mapper, Observations
from geo.ingestion.placement import GPS_TOLERANCE_M, Placement, Placer, Places
from geo.ingestion.profile import Profile, standard_profile
from geo.ingestion.rejected_rows import without_reasons
from geo.ingestion.repeats import Repeats

Progress = Callable[[int, int | None], None]
"""Called with the rows read so far and, where known, how many there are."""


@dataclass(frozen=True)
class SourceOptions:
    """How to read a file of observations."""

    read: ReadOptions = field(default_factory=ReadOptions)
    profile: Profile | None = None
    """None: the columns carry the standard names."""
    unit: Unit = "household"
    placement: Placement | None = None
    """None: by declared settlement for a settlement-unit file, else by position, then declared."""
    tolerance_m: float = GPS_TOLERANCE_M
    fix: bool = False
    """Correct positions that are certain to be swapped or to have lost a sign."""
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True)
class Placed:
    """Observations that were kept, each with the index of its settlement."""

    observations: Observations
    settlement: NDArray[np.intp]


@dataclass
class Reading:
    """What has been read of a file so far."""

    profile: Profile
    findings: Findings = field(default_factory=Findings)
    rows_read: int = 0
    rows_kept: int = 0


def observe(
    path: Path,
    places: Places,
    options: SourceOptions,
    reading_started: Callable[[Reading], None],
    progress: Progress | None,
) -> Iterator[Placed]:
    """Yields the file's kept observations; `reading_started` receives the Reading that fills up meanwhile.

    Raises:
        InputError: the file or the profile cannot be used; the message says what to do.
    """
    with open_layer(path, options.read) as opened:
        layer = without_reasons(opened)
        check_crs(layer, options.read, extent_of(places.shapes), path.name)
        profile = options.profile or standard_profile(layer.columns)
        reading = Reading(profile)
        reading_started(reading)
        mapper = Mapper(layer, profile, options.read, path.name)
        placer = Placer(places, _placement(mapper, options, path.name), options.tolerance_m, fix=options.fix)
        checks = Checks(starts_on=options.starts_on, ends_on=options.ends_on)
        repeats = Repeats(lambda n_batches: _read_again(path, options.read, profile, n_batches))
        for batch in layer.batches:
            observations = mapper.map(batch, reading.findings)
            if options.unit == "household":
                checks.check_rows(observations, reading.findings)
                repeats.check(batch, observations, reading.findings)
            settlement = placer.place(observations, reading.findings)
            if options.unit == "settlement":
                observations.fields["household_code"] = _codes(places, settlement)
                checks.reject_repeats(
                    observations.fields["household_code"], "settlement_duplicate", observations, reading.findings
                )
            reading.rows_read += len(batch.row_numbers)
            placed = _kept(observations, settlement)
            reading.rows_kept += len(placed.settlement)
            if progress:
                progress(reading.rows_read, layer.total_rows)
            if len(placed.settlement):
                yield placed
        by_position = mapper.has_position and placer.placement != "declared"
        if by_position and reading.rows_read and placer.positions == placer.positions_lost:
            _refuse_wrong_crs(path, options.read, profile, placer)
        _report_bad_rows(layer, reading)
        for note in layer.notes:
            reading.findings.add_note(note)


def _placement(mapper: Mapper, options: SourceOptions, file_name: str) -> Placement:
    placement = options.placement or (
        "declared" if options.unit == "settlement" or not mapper.has_position else "position-then-declared"
    )
    declares = "declared_settlement_code" in mapper.profile.fields
    if placement == "position" and not mapper.has_position:
        raise MissingColumn(
            f"{file_name} has no positions; add longitude and latitude columns, or place by --placement declared."
        )
    if placement == "declared" and not declares:
        raise MissingColumn(
            f"{file_name} has no column that names the settlement; call it settlement_code, or map "
            "declared_settlement_code in the profile."
            + ("" if mapper.has_position else " It has no longitude and latitude columns either.")
        )
    return placement


def _read_again(
    path: Path, read: ReadOptions, profile: Profile, n_batches: int
) -> Iterator[tuple[Batch, Observations]]:
    """The first batches of the file once more; what was found in them has been said."""
    with open_layer(path, read) as opened:
        layer = without_reasons(opened)
        mapper = Mapper(layer, profile, read, path.name)
        for batch in islice(layer.batches, n_batches):
            yield batch, mapper.map(batch, Findings())


def _refuse_wrong_crs(path: Path, read: ReadOptions, profile: Profile, placer: Placer) -> None:
    """Says under which CRS the positions would lie in the city, where with the declared one none does.

    Raises:
        UnknownCRS: there is such a CRS.
    """
    with open_layer(path, read) as opened:
        layer = without_reasons(opened)
        mapper = Mapper(layer, profile, read, path.name)
        batch = next(layer.batches, None)
        if batch is None or mapper.crs is None or placer.extent is None:
            return
        refuse_far_positions(*mapper.given_positions(batch), mapper.crs, placer.extent, path.name)


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


def _report_bad_rows(layer: Layer, reading: Reading) -> None:
    for bad in layer.bad_rows:
        reading.findings.add(
            "row_malformed",
            np.array([bad.row_number], dtype=np.int32),
            values=[f"{bad.n_cells} cells where the header has {bad.n_columns}"],
        )
    reading.rows_read += len(layer.bad_rows)
