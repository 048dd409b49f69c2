"""The load of a file of settlements: its boundaries come into a city, or none of them does."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from geo.errors import Conflict
from geo.ingestion.loading.boundaries.attributes import read_attributes
from geo.ingestion.loading.boundaries.rows import read_boundaries
from geo.ingestion.loading.load import LoadOptions, LoadResult, RowsRead, Target, count_rows, load_places
from geo.ingestion.mapping import BoundaryColumns, Profile
from geo.ingestion.reading import ReadOptions
from geo.places import PlaceChanges, find_city, find_ended, find_others_ground, places_on, write_boundaries


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
    may_move: bool = False,
) -> LoadResult:
    """Loads a file of settlement boundaries into a city; names and wards may stand in a table of `attributes`.

    `may_move`: somebody said that settlements lie where they did not lie before.

    Raises:
        ErrorsFound: rows have errors and `skip_errors` is not set.
        InputError: the file cannot be used.
        NotFound: there is no such city.
        Conflict: most of the settlements that the city has would lie elsewhere, and `may_move` is not set.
    """
    city_id = find_city(connection, city_slug)

    def rows() -> RowsRead:
        known = places_on(connection, city_id, valid_from_on or today)
        table = read_attributes(attributes, columns) if attributes else None
        others = (
            find_others_ground(connection, city_id, options.organisation, valid_from_on, today)
            if options.only_own
            else None
        )
        boundaries = read_boundaries(path, read, columns, known.places, table, others, may_move=may_move)
        _refuse_ended(connection, city_id, boundaries.frame)
        result = replace(
            count_rows(boundaries.findings, boundaries.rows_read),
            read_as=boundaries.read_as,
            outlines=tuple(boundaries.frame["geom"].dropna()),
        )

        def write(upload_id: int) -> PlaceChanges:
            written = write_boundaries(connection, city_id, upload_id, boundaries.frame, valid_from_on, today)
            return replace(written, renamed=boundaries.renamed, missing=boundaries.missing)

        profile = {"boundaries": boundaries.columns.model_dump(), "valid_from_on": str(valid_from_on or "")}
        return RowsRead(result, profile, write)

    target = Target(city_id, "boundaries")
    beside = [attributes] if attributes else []
    return load_places(connection, path, target, read=read, rows=rows, options=options, beside=beside)


def _refuse_ended(connection: Connection, city_id: int, frame: pd.DataFrame) -> None:
    """Holds that no settlement comes back that somebody ended."""
    there = set(frame["code"])
    ended = [one for one in find_ended(connection, city_id) if one.code in there]
    if ended:
        raise Conflict("settlement_ended", code=ended[0].code, name=ended[0].name, ended_on=ended[0].ended_on)
