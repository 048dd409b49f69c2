"""Boundaries of settlements: written, with a new version where a shape changed, and taken back."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Subquery, and_, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from geo.base import STORAGE_SRID
from geo.database.schema.households import household
from geo.database.schema.places import boundary, settlement, settlement_ward, ward
from geo.database.schema.surveys import survey, survey_frame
from geo.database.schema.uploads import COUNTING, upload
from geo.errors import Conflict
from geo.places.listed import withdraw_listed, write_points
from geo.places.settlements import in_newest_ward, write_names
from geo.places.wards import check_wards_may_go, withdraw_wards, write_wards


def as_wkb(geom: ColumnElement[Any]) -> ColumnElement[Any]:
    """A polygonal geometry as WKB, shells counter-clockwise and holes clockwise, as GeoJSON wants them (RFC 7946)."""
    return func.ST_AsBinary(func.ST_ForcePolygonCCW(geom))


def read_shape(wkb: bytes | None) -> BaseGeometry | None:
    """A geometry that the database gave as WKB, in longitude and latitude."""
    return None if wkb is None else shapely.from_wkb(bytes(wkb))


@dataclass(frozen=True)
class Move:
    """A settlement that a file puts into another ward; `from_ward_code` is None where it was in none."""

    code: str
    name: str
    from_ward_code: str | None
    from_ward_name: str | None
    to_ward_code: str
    to_ward_name: str
    valid_from_on: date | None
    """Since when; None: in all rounds."""


@dataclass(frozen=True)
class Named:
    """A settlement by code and name."""

    code: str
    name: str

    def __str__(self) -> str:
        return self.code if self.name == self.code else f"{self.name} ({self.code})"


@dataclass(frozen=True)
class Renamed:
    """A settlement that has another name in a newer file."""

    code: str
    before: str
    after: str


@dataclass(frozen=True)
class PlaceChanges:
    """What loading a file of places, settlements or facilities, changed: how many of them."""

    added: int
    changed: int
    unchanged: int
    moves: tuple[Move, ...] = ()
    """Settlements now in another ward; some may be redrawn too."""
    renamed: tuple[Renamed, ...] = ()
    missing: tuple[Named, ...] = ()
    """Settlements that a file of the whole city no longer has."""


def write_boundaries(
    connection: Connection, city_id: int, upload_id: int, frame: pd.DataFrame, valid_from_on: date | None, today: date
) -> PlaceChanges:
    """Stores settlements, their boundaries and wards: new ones, and a new version where a shape or a ward changed.

    `frame` has the columns of `Boundaries.frame`. A settlement's first boundary and first ward hold for all earlier
    rounds, unless `valid_from_on` says otherwise; a changed one from `valid_from_on`, or from `today`.

    Raises:
        Conflict: a boundary or a ward valid from that day, or a later one, is there already, or a ward of a published
            round would change.
    """
    codes = [str(code) for code in frame["code"]]
    before = _current(connection, city_id, codes)
    from_on = valid_from_on or today
    write_names(connection, city_id, frame)
    write_wards(connection, city_id, upload_id, frame, valid_from_on, from_on)
    current = _current(connection, city_id, codes)
    moves = tuple(
        Move(code, now.name, was.ward_code, was.ward_name, now.ward_code, now.ward_name, now.in_ward_from_on)
        for code, was in before.items()
        if (now := current[code]).ward_code != was.ward_code
    )
    if frame["geom"].isna().all():
        # A list: outlines that are there stay.
        moved = write_points(connection, city_id, upload_id, frame) & before.keys()
        touched_codes = moved | {move.code for move in moves}
        return PlaceChanges(len(codes) - len(before), len(moved), len(before) - len(touched_codes), moves)
    new, ended, added, first = [], [], 0, 0
    for row in frame.itertuples():
        known = current[row.code]
        if known.boundary_id is None:
            # One that was listed before is drawn for the first time.
            added, first = (added, first + 1) if row.code in before else (added + 1, first)
        elif shapely.from_wkb(bytes(known.wkb)).normalize() == row.geom.normalize():
            continue
        else:
            if known.valid_from_on is not None and known.valid_from_on >= from_on:
                raise Conflict("boundary_valid_later", settlement=row.code, valid_from_on=known.valid_from_on)
            ended.append(known.boundary_id)
        new.append(
            {
                "settlement_id": known.id,
                "upload_id": upload_id,
                "valid_from_on": valid_from_on if known.boundary_id is None else from_on,
                "geom": from_shape(row.geom, srid=STORAGE_SRID),
                "area_m2": row.area_m2,
            }
        )
    if ended:
        connection.execute(update(boundary).where(boundary.c.id == func.any(ended)).values(valid_to_on=from_on))
    if new:
        connection.execute(insert(boundary), new)
    touched = {row["settlement_id"] for row in new} | {current[move.code].id for move in moves}
    return PlaceChanges(added, len(ended) + first, len(frame) - len(touched), moves)


def _current(connection: Connection, city_id: int, codes: list[str]) -> dict[str, Any]:
    """Settlements by code, each with the ward and the boundary that hold until further notice."""
    rows = connection.execute(
        select(
            settlement.c.code,
            settlement.c.id,
            settlement.c.name,
            ward.c.code.label("ward_code"),
            ward.c.name.label("ward_name"),
            settlement_ward.c.valid_from_on.label("in_ward_from_on"),
            boundary.c.id.label("boundary_id"),
            boundary.c.valid_from_on,
            func.ST_AsBinary(boundary.c.geom).label("wkb"),
        )
        .outerjoin(settlement_ward, in_newest_ward())
        .outerjoin(ward, ward.c.id == settlement_ward.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, boundary.c.valid_to_on.is_(None)))
        .where(settlement.c.city_id == city_id, settlement.c.code == func.any(codes))
    )
    return {row.code: row for row in rows}


def withdraw_boundaries(connection: Connection, upload_id: int) -> None:
    """Takes an upload's boundaries and wards back: those they followed hold again, and settlements it brought are gone.

    Names of settlements that stay are not kept by upload, and remain as the file said.

    Raises:
        Conflict: a later upload has redrawn or moved one of them, households have been placed in one, or a ward of a
            published round would change.
    """
    city_id = connection.execute(select(upload.c.city_id).where(upload.c.id == upload_id)).scalar_one()
    check_wards_may_go(connection, upload_id)
    withdraw_listed(connection, upload_id)
    own = select(boundary).where(boundary.c.upload_id == upload_id).subquery("own")
    _refuse_rested_on(connection, upload_id, own)
    rows = connection.execute(select(own.c.settlement_id, own.c.valid_from_on)).all()
    connection.execute(delete(boundary).where(boundary.c.upload_id == upload_id))
    for row in rows:
        # What has no first day followed none.
        if row.valid_from_on is not None:
            ended = (boundary.c.settlement_id == row.settlement_id, boundary.c.valid_to_on == row.valid_from_on)
            connection.execute(update(boundary).where(*ended).values(valid_to_on=None))
    in_use = [
        select(table.c.settlement_id).where(table.c.settlement_id == settlement.c.id).exists()
        for table in (boundary, household, survey_frame)
    ]
    ids = [row.settlement_id for row in rows]
    connection.execute(delete(settlement).where(settlement.c.id == func.any(ids), ~or_(*in_use)))
    withdraw_wards(connection, city_id, upload_id)


def _refuse_rested_on(connection: Connection, upload_id: int, own: Subquery) -> None:
    redrawn = select(settlement.c.code).join(own, own.c.settlement_id == settlement.c.id)
    later = connection.execute(redrawn.where(own.c.valid_to_on.is_not(None)).limit(1)).scalar_one_or_none()
    if later is not None:
        raise Conflict("settlement_redrawn_later", settlement=later, upload=upload_id)
    # Placed by the boundaries of a round's first day.
    placed = (
        select(settlement.c.code)
        .join(own, own.c.settlement_id == settlement.c.id)
        .join(household, household.c.settlement_id == own.c.settlement_id)
        .join(survey, survey.c.id == household.c.survey_id)
        .join(upload, upload.c.id == household.c.upload_id)
        .where(or_(own.c.valid_from_on.is_(None), own.c.valid_from_on <= survey.c.starts_on))
        .where(upload.c.state.in_(COUNTING))
    )
    resting = connection.execute(placed.limit(1)).scalar_one_or_none()
    if resting is not None:
        raise Conflict("boundaries_lived_in", upload=upload_id, settlement=resting)
