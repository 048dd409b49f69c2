"""The places of a publication, as they were when it was made."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Connection, text

from geo.indicators.figures import Level

FIRST: tuple[Level, ...] = ("city", "ward", "settlement")
"""The levels in the order in which their places are numbered."""

# A place of one boundary has its very shape; of several, they are joined.
_WRITE = text("""
INSERT INTO published_place (
    publication_id, place, level, code, ward_code, ward_name, settlement_code, settlement_name, drawn, area_m2, geom,
    shape, point
)
SELECT :publication_id, of.place, of.level, of.code, of.ward_code, of.ward_name, of.settlement_code, of.settlement_name,
    of.drawn, shape.area_m2, shape.geom, ST_AsGeoJSON(ST_ForcePolygonCCW(shape.geom), 6), ST_PointOnSurface(shape.geom)
FROM unnest(
    CAST(:place AS integer[]), CAST(:level AS text[]), CAST(:code AS text[]), CAST(:ward_code AS text[]),
    CAST(:ward_name AS text[]), CAST(:settlement_code AS text[]), CAST(:settlement_name AS text[]),
    CAST(:drawn AS text[])
) AS of (place, level, code, ward_code, ward_name, settlement_code, settlement_name, drawn)
CROSS JOIN LATERAL (
    SELECT sum(boundary.area_m2) AS area_m2,
        CASE WHEN count(*) = 1 THEN (array_agg(boundary.geom))[1]
            WHEN count(*) > 1 THEN ST_Multi(ST_CollectionExtract(ST_Union(boundary.geom), 3)) END AS geom
    FROM boundary WHERE boundary.id = ANY (CAST(string_to_array(of.drawn, ',') AS integer[]))
) AS shape
""")

_NAMES = ("ward_code", "ward_name", "settlement_code", "settlement_name")


def number_places(figures: Mapping[Level, pd.DataFrame]) -> dict[Level, int]:
    """The number of each level's first place."""
    first = 0
    numbers: dict[Level, int] = {}
    for level in FIRST:
        numbers[level] = first
        first += int(figures[level]["place"].max(skipna=True) or 0) + 1 if len(figures[level]) else 0
    return numbers


def write_places(
    connection: Connection, publication_id: int, figures: Mapping[Level, pd.DataFrame], first: Mapping[Level, int]
) -> None:
    """Writes the places that a round's figures are of, with their shapes."""
    frames = []
    for level in FIRST:
        places = figures[level].drop_duplicates("place")
        frames.append(
            places.assign(place=places["place"] + first[level])[["place", "level", "_code", *_NAMES, "_drawn"]]
        )
    every = pd.concat(frames).rename(columns={"_code": "code", "_drawn": "drawn"}).astype(object)
    columns = {name: [None if pd.isna(value) else value for value in every[name]] for name in every}
    connection.execute(_WRITE, {"publication_id": publication_id, **columns})
