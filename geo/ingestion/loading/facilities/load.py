"""Loading community toilets and water points: a file of positions becomes facilities of a city, or nothing at all.

A facility is known by its code: a later upload of the same code in the city replaces what an earlier one said of it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from geo.base import STORAGE_CRS, extent_of
from geo.errors import NotFound
from geo.ingestion.findings import Findings
from geo.ingestion.loading.facilities.positions import CityGround, check_positions
from geo.ingestion.loading.facilities.repeats import tell_repeated
from geo.ingestion.loading.facilities.rows import read_rows, settle_rows
from geo.ingestion.loading.load import LoadOptions, LoadResult, RowsRead, Target, count_rows, load_places
from geo.ingestion.mapping import STANDARD, FacilityColumns, Mapper, Profile, read_evidence
from geo.ingestion.mapping.facility_columns import name_layer
from geo.ingestion.reading import (
    ReadAs,
    ReadOptions,
    check_crs,
    name_crs,
    open_layer,
    refuse_far_positions,
    without_reasons,
)
from geo.places import find_city, given_by_others, places_on, write_facilities


def load_facilities(
    connection: Connection,
    path: Path,
    city_slug: str,
    *,
    read: ReadOptions,
    columns: FacilityColumns,
    today: date,
    options: LoadOptions,
) -> LoadResult:
    """Loads a file of community toilets or water points into a city; they replace live ones of the same codes.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file cannot be used.
        NotFound: there is no such city, or none of its settlements has a boundary.
    """
    city_id = find_city(connection, city_slug)

    def rows() -> RowsRead:
        known = places_on(connection, city_id, today).places
        extent = extent_of(known.shapes)
        if extent is None:
            raise NotFound("city_without_boundaries", city=city_slug)
        theirs = given_by_others(connection, city_id, options.organisation) if options.only_own else frozenset()
        facilities = read_facilities(path, read, columns, CityGround(known, extent), theirs)
        result = replace(count_rows(facilities.findings, facilities.rows_read), read_as=facilities.read_as)
        write = partial(write_facilities, connection, city_id, frame=facilities.frame)
        return RowsRead(result, {"facilities": facilities.said}, write)

    return load_places(connection, path, Target(city_id, "facilities"), read=read, rows=rows, options=options)


@dataclass(frozen=True)
class FacilitiesRead:
    """The facilities of a file, as `geo.places.facilities.write_facilities` takes them, and what was found in them."""

    frame: pd.DataFrame
    findings: Findings
    rows_read: int
    said: dict[str, Any]
    """By which of its columns."""
    read_as: ReadAs


def read_facilities(
    path: Path,
    options: ReadOptions,
    columns: FacilityColumns,
    ground: CityGround,
    theirs: Collection[str] = (),
) -> FacilitiesRead:
    """Reads a file of facilities and checks every row; those with errors are not in the frame.

    `theirs` are codes of another organisation's facilities, which no row may replace.

    Raises:
        InputError: the file cannot be read, or lacks a column that is needed, or says no CRS or one that cannot be.
    """
    findings = Findings()
    with open_layer(path, options) as opened:
        named = name_layer(without_reasons(opened), columns, path.name, partial(_has_code_like, path, options))
        check_crs(named.layer, options, ground.extent, path.name)
        profile = Profile(name="facilities", position=named.position)
        mapper = Mapper(named.layer, profile, options, path.name, ground.extent)
        frames: list[pd.DataFrame] = []
        for batch in named.layer.batches:
            observations = mapper.map(batch, findings)
            findings.remember_positions(batch.row_numbers, observations.lon, observations.lat)
            x, y = mapper.given_positions(batch)
            missing = np.isnan(observations.lon) & ~observations.rejected
            findings.add("facility_position_missing", batch.row_numbers[missing], field="position")
            positions = {"x": x, "y": y, "lon": observations.lon, "lat": observations.lat}
            frames.append(read_rows(batch, named, findings).assign(**positions))
        findings.add_remarks(named.layer)
        rows_read = sum(map(len, frames)) + len(named.layer.bad_rows)
        read_as = replace(named.layer.read_as, crs=name_crs(mapper.crs or STORAGE_CRS))
    if not frames:
        return FacilitiesRead(pd.DataFrame(), findings, rows_read, named.said(), read_as)
    rows = tell_repeated(pd.concat(frames, ignore_index=True), findings, has_codes="code" in named.columns)
    rows = settle_rows(rows, findings)
    taken = rows[rows["code"].isin(theirs)]
    findings.add(
        "facility_of_others",
        taken["row_number"].to_numpy(dtype=np.int32),
        field=STANDARD["code"],
        values=list(taken["code"]),
    )
    placed = rows[rows["lon"].notna()]
    lost = check_positions(placed, ground, findings)
    if lost and lost == len(placed) and mapper.crs is not None:
        x, y = (rows[axis].to_numpy(dtype=np.float64) for axis in ("x", "y"))
        refuse_far_positions(x, y, mapper.crs, ground.extent, path.name)
    kept = rows[~rows["row_number"].isin(findings.rows_with_errors())]
    return FacilitiesRead(kept.reset_index(drop=True), findings, rows_read, named.said(), read_as)


def _has_code_like(path: Path, options: ReadOptions) -> bool:
    """Whether a column of the file may be the facilities' code: each row has a short value of its own there."""
    return any(seen.may_be_code for seen in read_evidence(path, options).columns.values())
