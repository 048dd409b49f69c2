"""From a file to placed observations: read, map, check, place, batch by batch, with nothing written anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.errors import MissingColumn, ProfileInvalid
from geo.fields import Unit
from geo.ingestion.checks import Checks
from geo.ingestion.findings import Findings
from geo.ingestion.form_exports import canonical_layer
from geo.ingestion.formats import open_layer
from geo.ingestion.forms import Form
from geo.ingestion.layers import ReadOptions
from geo.ingestion.mapping import Mapper, Observations
from geo.ingestion.placement import GPS_TOLERANCE_M, Placement, Placer, Places, is_declared
from geo.ingestion.profile import Profile
from geo.ingestion.shares import Divider
from geo.ingestion.submissions import Submissions
from geo.ingestion.text_shapes import standard_profile_of

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
    starts_on: date | None = None
    ends_on: date | None = None
    form: Form | None = None
    """The form the file is an export of."""


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
        named = opened if options.form is None else canonical_layer(opened, options.form)
        submissions = Submissions(named, options.form)
        layer = submissions.layer
        profile = submissions.complete(options.profile or standard_profile_of(layer))
        reading = Reading(profile)
        reading_started(reading)
        if profile.shares and options.unit != "settlement":
            raise ProfileInvalid(
                f"The profile {profile.name} has shares, which divide a settlement's households; they are for files "
                "with one row a settlement: load it with --unit settlement."
            )
        mapper = Mapper(layer, profile, options.read, path.name)
        placer = Placer(places, _placement(mapper, options, path.name), options.tolerance_m)
        divider = Divider(profile, mapper.share_columns, mapper.blanks) if profile.shares else None
        checks = Checks(starts_on=options.starts_on, ends_on=options.ends_on)
        for read in layer.batches:
            batch = submissions.admit(read, reading.findings)
            observations = mapper.map(batch, reading.findings)
            division = divider.divide(batch, observations, reading.findings) if divider else None
            if options.unit == "household":
                checks.check_rows(observations, reading.findings)
            settlement = placer.place(observations, reading.findings)
            if options.unit == "settlement":
                observations.fields["household_code"] = _codes(places, settlement)
                checks.reject_repeats(
                    observations.fields["household_code"], "settlement_duplicate", observations, reading.findings
                )
            reading.rows_read += len(read.row_numbers)
            placed = _kept(observations, settlement)
            reading.rows_kept += len(placed.settlement)
            if division is not None:
                placed = Placed(*division.expand(placed.observations, placed.settlement, ~observations.rejected))
            if progress:
                progress(reading.rows_read, layer.total_rows)
            if len(placed.settlement):
                yield placed
        reading.findings.add_remarks(layer)
        reading.rows_read += len(layer.bad_rows)


def _placement(mapper: Mapper, options: SourceOptions, file_name: str) -> Placement:
    placement = options.placement or (
        "declared" if options.unit == "settlement" or not mapper.has_position else "position-then-declared"
    )
    declares = is_declared(mapper.profile.fields)
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
