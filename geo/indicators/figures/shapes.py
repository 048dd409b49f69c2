"""The shapes of figures: the boundaries each rests on, in longitude and latitude."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from geoalchemy2 import Geography
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, cast, func, select

from geo.base import STORAGE_SRID
from geo.database.schema.places import boundary
from geo.places import as_wkb, read_shape


def add_shapes(connection: Connection, figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with a column `geometry`, from the boundaries their column `_drawn` names; None without any.

    Negative numbers in it are no boundaries, but settlements that have none.
    """
    shapes = {drawn: _shape(connection, drawn) for drawn in figures["_drawn"].unique() if "," in drawn}
    single = [drawn for drawn in figures["_drawn"].unique() if drawn and "," not in drawn]
    rows = connection.execute(
        select(boundary.c.id, as_wkb(boundary.c.geom)).where(boundary.c.id == func.any([int(i) for i in single]))
    )
    shapes |= {str(row[0]): read_shape(row[1]) for row in rows}
    drawn = [shapes.get(drawn) for drawn in figures["_drawn"]]
    return figures.assign(geometry=pd.Series(drawn, index=figures.index, dtype=object))


def _shape(connection: Connection, drawn: str) -> BaseGeometry | None:
    """Several boundaries as one: neighbours joined."""
    ids = [int(number) for number in drawn.split(",")]
    whole = func.ST_Multi(func.ST_CollectionExtract(func.ST_Union(boundary.c.geom), 3))
    return read_shape(connection.execute(select(as_wkb(whole)).where(boundary.c.id == func.any(ids))).scalar_one())


def middles(connection: Connection, figures: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of a point inside each figure's boundary, of one settlement each; NaN without any."""
    inside = func.ST_PointOnSurface(boundary.c.geom)
    ids = [int(drawn) for drawn in figures["_drawn"] if drawn]
    rows = connection.execute(
        select(boundary.c.id, func.ST_X(inside), func.ST_Y(inside)).where(boundary.c.id == func.any(ids))
    )
    found = {str(row[0]): (row[1], row[2]) for row in rows}
    at = np.array([found.get(drawn, (np.nan, np.nan)) for drawn in figures["_drawn"]], dtype=np.float64).reshape(-1, 2)
    return at[:, 0], at[:, 1]


def boundaries_within(connection: Connection, area: BaseGeometry, boundary_ids: Sequence[int]) -> set[int]:
    """Those of the boundaries of which at least half the area lies in `area` (longitude and latitude)."""
    shape = from_shape(area, srid=STORAGE_SRID)
    inside = func.ST_Area(cast(func.ST_Intersection(boundary.c.geom, shape), Geography))
    rows = connection.execute(
        select(boundary.c.id).where(
            boundary.c.id == func.any(list(boundary_ids)),
            func.ST_Intersects(boundary.c.geom, shape),
            inside >= boundary.c.area_m2 / 2,
        )
    )
    return set(rows.scalars())
