"""Facilities of a city: storing them, taking them back, and what they provide in each settlement on a day."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import CTE, ColumnElement, Connection, and_, case, func, insert, or_, select, true, update

from geo.base import STORAGE_SRID
from geo.database.schema.facilities import FACILITY_KINDS, FacilityKind, facility
from geo.database.schema.places import boundary, organisation, settlement
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import upload
from geo.places.boundaries import PlaceChanges
from geo.places.settlements import there_on, valid_on

COLUMNS = ("row_number", "code", "name", "kind", "seats", "seats_working", "is_working", "opened_on", "closed_on")
"""What a frame of facilities has, beside lon and lat, in degrees."""


def given_by_others(connection: Connection, city_id: int, organisation_slug: str) -> frozenset[str]:
    """The codes of the city's live facilities that another organisation gave."""
    rows = (
        select(facility.c.code)
        .join(upload, upload.c.id == facility.c.upload_id)
        .join(organisation, organisation.c.id == upload.c.organisation_id)
        .where(facility.c.city_id == city_id, facility.c.is_live, organisation.c.slug != organisation_slug)
    )
    return frozenset(connection.execute(rows).scalars())


def write_facilities(connection: Connection, city_id: int, upload_id: int, frame: pd.DataFrame) -> PlaceChanges:
    """Stores facilities; they replace live ones of the same code in the city, from earlier uploads."""
    replaced = connection.execute(
        update(facility)
        .where(facility.c.city_id == city_id, facility.c.is_live, facility.c.code == func.any(list(frame["code"])))
        .values(is_live=False, superseded_by=upload_id)
    )
    positions = shapely.points(frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float))
    rows = [
        {
            "city_id": city_id,
            "upload_id": upload_id,
            **{name: None if pd.isna(value) else value for name, value in row.items()},
            "geom": from_shape(position, srid=STORAGE_SRID),
        }
        for row, position in zip(frame[list(COLUMNS)].to_dict("records"), positions, strict=True)
    ]
    if rows:
        connection.execute(insert(facility), rows)
    return PlaceChanges(len(rows) - replaced.rowcount, replaced.rowcount, 0)


def withdraw_facilities(connection: Connection, upload_id: int) -> None:
    """Takes an upload's facilities out and brings back what they replaced.

    A facility that a still later upload replaced too stays replaced, now by that one.
    """
    own = facility.alias("own")
    connection.execute(update(facility).where(facility.c.upload_id == upload_id).values(is_live=False))
    connection.execute(
        update(facility)
        .where(
            own.c.upload_id == upload_id,
            facility.c.superseded_by == upload_id,
            facility.c.city_id == own.c.city_id,
            facility.c.code == own.c.code,
        )
        .values(superseded_by=own.c.superseded_by, is_live=own.c.superseded_by.is_(None))
    )
    connection.execute(update(facility).where(facility.c.upload_id == upload_id).values(superseded_by=None))


def stands_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a facility stands on a day."""
    return and_(
        or_(facility.c.opened_on.is_(None), facility.c.opened_on <= on),
        or_(facility.c.closed_on.is_(None), facility.c.closed_on > on),
    )


def count_facilities(connection: Connection, city_id: int, on: date) -> dict[FacilityKind, int]:
    """How many facilities of each kind stand in a city on a day, working or not."""
    rows = (
        select(facility.c.kind, func.count().label("n"))
        .where(facility.c.city_id == city_id, facility.c.is_live, stands_on(on))
        .group_by(facility.c.kind)
    )
    counted = {row.kind: row.n for row in connection.execute(rows)}
    return {kind: counted.get(kind, 0) for kind in FACILITY_KINDS}


def provision(connection: Connection, kind: FacilityKind, survey_ids: Sequence[int]) -> pd.DataFrame:
    """What facilities of a kind provide in each settlement of the surveys' cities, on the first day of each round.

    The columns are survey_id and settlement_id;
    facilities: how many stand in the settlement, working or not;
    seats_working: the working seats of those of them that work, NaN where one of those does not say its own;
    nearest_m: metres in a straight line over the ground, from a point in the settlement to the nearest facility that
    works, wherever in the city it stands; NaN where there is none.
    All three are NaN in a settlement without a boundary on that day: what stands there is unknown.
    """
    drawn = _drawn(survey_ids)
    counts = (facility.c.city_id == drawn.c.city_id, facility.c.kind == kind, facility.c.is_live)
    stands = (*counts, stands_on(drawn.c.starts_on))
    works = (*stands, facility.c.is_working)
    position = func.geography(facility.c.geom)
    distance_m = func.ST_Distance(position, drawn.c.middle)

    unsaid = func.count().filter(facility.c.is_working, facility.c.seats_working.is_(None))
    seats = func.coalesce(func.sum(facility.c.seats_working).filter(facility.c.is_working), 0)
    inside = (
        select(func.count().label("facilities"), case((unsaid == 0, seats)).label("seats_working"))
        .where(*stands, func.ST_Covers(drawn.c.geom, facility.c.geom))
        .lateral("inside")
    )
    # The index orders by distance on a sphere, which can put another one first than the ellipsoid does, metres apart:
    # whatever is as near as the first is measured. A millimetre allows for rounding.
    first = (
        select(distance_m.label("distance_m"))
        .where(*works)
        .order_by(position.op("<->")(drawn.c.middle))
        .limit(1)
        .lateral("first")
    )
    nearest = (
        select(func.min(distance_m).label("nearest_m"))
        .where(*works, func.ST_DWithin(position, drawn.c.middle, first.c.distance_m + 0.001))
        .lateral("nearest")
    )
    is_drawn = drawn.c.middle.is_not(None)
    rows = connection.execute(
        select(
            drawn.c.survey_id,
            drawn.c.settlement_id,
            case((is_drawn, inside.c.facilities)).label("facilities"),
            case((is_drawn, inside.c.seats_working)).label("seats_working"),
            nearest.c.nearest_m,
        )
        .select_from(drawn.join(inside, true()).outerjoin(first, true()).join(nearest, true()))
        .order_by(drawn.c.survey_id, drawn.c.settlement_id)
    ).all()
    frame = pd.DataFrame(rows, columns=["survey_id", "settlement_id", "facilities", "seats_working", "nearest_m"])
    return frame.astype(dict.fromkeys(["survey_id", "settlement_id"], "int64")).astype(
        dict.fromkeys(["facilities", "seats_working", "nearest_m"], "float64")
    )


def _drawn(survey_ids: Sequence[int]) -> CTE:
    """The settlements of each survey's city with the boundary of its first day, and a point in it; NULL: no boundary.

    Each point is found once: the database is not to put its making into the places it is used in.
    """
    return (
        select(
            survey.c.id.label("survey_id"),
            survey.c.city_id,
            survey.c.starts_on,
            settlement.c.id.label("settlement_id"),
            boundary.c.geom,
            func.geography(func.ST_PointOnSurface(boundary.c.geom)).label("middle"),
        )
        .join(settlement, settlement.c.city_id == survey.c.city_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(survey.c.starts_on)))
        .where(survey.c.id == func.any(list(survey_ids)), there_on(survey.c.starts_on))
        .cte("drawn")
        .prefix_with("MATERIALIZED")
    )
