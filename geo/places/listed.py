"""Settlements that nobody has drawn yet: stored by code and name, with a point each or none."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from geo.base import STORAGE_SRID
from geo.database.schema.households import household
from geo.database.schema.places import boundary, city, settlement
from geo.database.schema.surveys import survey_frame
from geo.database.schema.uploads import COUNTING, upload
from geo.errors import Conflict


def write_points(connection: Connection, city_id: int, upload_id: int, frame: pd.DataFrame) -> set[str]:
    """Stores where listed settlements lie, and who listed them; the codes of those that lay elsewhere, or nowhere.

    `frame` has code, lon, lat and radius_m, NaN where that is not known: what was known then stays.
    """
    located = [row for row in frame.itertuples() if not np.isnan(row.lon)]
    codes = [str(code) for code in frame["code"]]
    before = {
        row.code: (row.x, row.y)
        for row in connection.execute(
            select(
                settlement.c.code,
                func.ST_X(settlement.c.point).label("x"),
                func.ST_Y(settlement.c.point).label("y"),
            ).where(settlement.c.city_id == city_id, settlement.c.code == func.any(codes))
        )
    }
    if located:
        placed = update(settlement).where(settlement.c.city_id == city_id, settlement.c.code == bindparam("of_code"))
        connection.execute(
            placed.values(point=bindparam("new_point"), radius_m=bindparam("new_radius")),
            [
                {
                    "of_code": row.code,
                    "new_point": from_shape(shapely.Point(row.lon, row.lat), srid=STORAGE_SRID),
                    "new_radius": None if np.isnan(row.radius_m) else row.radius_m,
                }
                for row in located
            ],
        )
    note_giver(connection, city_id, upload_id, codes)
    return {row.code for row in located if before[row.code] != (row.lon, row.lat)}


def note_giver(connection: Connection, city_id: int, upload_id: int, codes: Sequence[str]) -> None:
    """Who listed a settlement first keeps having given it."""
    unknown = (settlement.c.city_id == city_id, settlement.c.code == func.any(list(codes)))
    connection.execute(update(settlement).where(*unknown, settlement.c.upload_id.is_(None)).values(upload_id=upload_id))


def withdraw_listed(connection: Connection, upload_id: int) -> None:
    """Takes back settlements that an upload listed and nobody has drawn.

    Raises:
        Conflict: households have been placed in one.
    """
    drawn = select(boundary.c.id).where(boundary.c.settlement_id == settlement.c.id).exists()
    listed = (settlement.c.upload_id == upload_id, ~drawn)
    placed = (
        select(settlement.c.code)
        .join(household, household.c.settlement_id == settlement.c.id)
        .join(upload, upload.c.id == household.c.upload_id)
        .where(*listed, upload.c.state.in_(COUNTING))
    )
    resting = connection.execute(placed.limit(1)).scalar_one_or_none()
    if resting is not None:
        raise Conflict("settlements_lived_in", upload=upload_id, settlement=resting)
    in_use = [
        select(table.c.settlement_id).where(table.c.settlement_id == settlement.c.id).exists()
        for table in (household, survey_frame)
    ]
    connection.execute(delete(settlement).where(*listed, ~or_(*in_use)))
    of_upload = update(settlement).where(settlement.c.upload_id == upload_id)
    connection.execute(of_upload.values(upload_id=None, point=None, radius_m=None))


def find_points(connection: Connection, city_slug: str) -> dict[str, tuple[float, float]]:
    """Where settlements of a city lie as far as a point is known of them, by code: longitude and latitude."""
    x, y = func.ST_X(settlement.c.point), func.ST_Y(settlement.c.point)
    rows = connection.execute(
        select(settlement.c.code, x, y)
        .join(city, city.c.id == settlement.c.city_id)
        .where(city.c.slug == city_slug, settlement.c.point.is_not(None))
    )
    return {row[0]: (row[1], row[2]) for row in rows}
