"""Cities, their settlements and the boundaries valid on a day: finding, adding, updating."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from sqlalchemy import Connection, Subquery, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import ColumnElement

from geo.base import STORAGE_SRID, check_slug
from geo.database.schema.households import household
from geo.database.schema.places import boundary, city, city_request, organisation, settlement, ward
from geo.database.schema.surveys import survey, survey_frame
from geo.database.schema.uploads import COUNTING, upload
from geo.errors import Conflict, InputError, NotFound
from geo.messages import Message
from geo.places.listed import withdraw_listed, write_points
from geo.places.settlements import OthersGround, Places, is_named

_LONGEST_NAME = 200


def check_city(slug: str, name: str) -> str:
    """Holds what a city is to be called against the form such names have; the name as it is kept.

    Raises:
        InputError: the slug is not one, or the name is empty or too long.
    """
    check_slug(slug, "city")
    name = name.strip()
    if not name:
        raise InputError("city_name_missing", slug=slug)
    if len(name) > _LONGEST_NAME:
        raise InputError("city_name_too_long", slug=slug, most=_LONGEST_NAME)
    return name


def add_city(connection: Connection, slug: str, name: str) -> bool:
    """Adds a city; whether it was not there before. Requests for it, by this slug and name, are answered with that.

    Raises:
        InputError: the slug is not one, or the name is empty or too long.
        Conflict: there is one of this slug under another name.
    """
    name = check_city(slug, name)
    added = upsert(city).values(slug=slug, name=name).on_conflict_do_nothing().returning(city.c.id)
    if connection.execute(added).first() is not None:
        asked = (city_request.c.slug == slug, func.lower(city_request.c.name) == func.lower(name))
        is_open = city_request.c.state == "asked"
        decided = update(city_request).where(*asked, is_open).values(state="added", decided_at=func.now())
        connection.execute(decided)
        return True
    existing = city_name(connection, slug)
    if existing != name:
        raise Conflict(is_there(slug, existing))
    return False


def city_name(connection: Connection, slug: str) -> str | None:
    """The name of the city of a slug; None: there is none."""
    return connection.execute(select(city.c.name).where(city.c.slug == slug)).scalar_one_or_none()


def is_there(slug: str, name: str | None) -> Message:
    """That a city is there already."""
    return Message("city_exists", slug=slug, name=name)


def find_city(connection: Connection, slug: str) -> int:
    """The city's id.

    Raises:
        NotFound: there is none of this slug; the message lists those there are.
    """
    city_id = connection.execute(select(city.c.id).where(city.c.slug == slug)).scalar_one_or_none()
    if city_id is None:
        slugs = connection.execute(select(city.c.slug).order_by(city.c.slug)).scalars().all()
        raise (
            NotFound("city_unknown", city=slug, known=slugs) if slugs else NotFound("city_unknown_none_yet", city=slug)
        )
    return int(city_id)


def valid_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a boundary is valid on a day."""
    return and_(
        or_(boundary.c.valid_from_on.is_(None), boundary.c.valid_from_on <= on),
        or_(boundary.c.valid_to_on.is_(None), boundary.c.valid_to_on > on),
    )


def there_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a settlement is there on a day: it has not ended by then."""
    return or_(settlement.c.ended_on.is_(None), settlement.c.ended_on > on)


def as_geojson(geom: ColumnElement[Any]) -> ColumnElement[Any]:
    """A polygonal geometry as RFC 7946 wants it: 0.1 m apart, shells counter-clockwise and holes clockwise.

    ST_AsGeoJSON by itself keeps whatever order the rings were drawn in.
    """
    return func.ST_AsGeoJSON(func.ST_ForcePolygonCCW(geom), 6)


@dataclass(frozen=True)
class CityPlaces:
    """A city's settlements on a day, ready to place observations in; `ids` go with `places`, index by index."""

    ids: NDArray[np.int64]
    places: Places


def places_on(connection: Connection, city_id: int, on: date) -> CityPlaces:
    """The city's settlements that are there on a day, with the boundaries valid then; one may have none."""
    rows = connection.execute(
        select(
            settlement.c.id,
            settlement.c.code,
            settlement.c.name,
            func.ST_AsBinary(boundary.c.geom),
            ward.c.code,
            ward.c.name,
        )
        .outerjoin(ward, ward.c.id == settlement.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(on)))
        .where(settlement.c.city_id == city_id, there_on(on))
        .order_by(settlement.c.code)
    ).all()
    ids, codes, names, shapes, *wards = zip(*rows, strict=True) if rows else ((),) * 6
    wkb = np.array([None if shape is None else bytes(shape) for shape in shapes], dtype=object)
    known_wards = [[label for label in labels if label is not None] for labels in zip(*wards, strict=True)]
    places = Places(list(codes), list(names), shapely.from_wkb(wkb), known_wards)
    return CityPlaces(np.array(ids, dtype=np.int64), places)


def find_others_ground(
    connection: Connection, city_id: int, organisation_slug: str, valid_from_on: date | None, today: date
) -> OthersGround:
    """What organisations other than this one have drawn or listed in a city, and what its wards are called."""
    is_drawn = select(boundary.c.id).where(
        boundary.c.settlement_id == settlement.c.id, boundary.c.valid_to_on.is_(None)
    )
    listed = connection.scalars(
        select(settlement.c.code)
        .join(upload, upload.c.id == settlement.c.upload_id)
        .join(organisation, organisation.c.id == upload.c.organisation_id)
        .where(settlement.c.city_id == city_id, organisation.c.slug != organisation_slug, ~is_drawn.exists())
    )
    rows = connection.execute(
        select(settlement.c.code, func.ST_AsBinary(boundary.c.geom), boundary.c.valid_to_on)
        .join(boundary, boundary.c.settlement_id == settlement.c.id)
        .join(upload, upload.c.id == boundary.c.upload_id)
        .join(organisation, organisation.c.id == upload.c.organisation_id)
        .where(settlement.c.city_id == city_id, organisation.c.slug != organisation_slug)
        .order_by(settlement.c.code, boundary.c.id)
    ).all()
    codes, shapes, until = zip(*rows, strict=True) if rows else ((),) * 3
    wards = connection.execute(select(ward.c.code, ward.c.name).where(ward.c.city_id == city_id))
    return OthersGround(
        frozenset((*listed, *(code for code, end in zip(codes, until, strict=True) if end is None))),
        codes,
        shapely.from_wkb(np.array([bytes(shape) for shape in shapes], dtype=object)),
        until,
        {row.code: row.name for row in wards},
        valid_from_on,
        today,
    )


@dataclass(frozen=True)
class Move:
    """A settlement that a file puts into another ward; `from_ward_code` is None where it was in none."""

    code: str
    name: str
    from_ward_code: str | None
    from_ward_name: str | None
    to_ward_code: str
    to_ward_name: str


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
    """Settlements now in another ward, whose figures and those of both wards' change; some may be redrawn too."""
    renamed: tuple[Renamed, ...] = ()
    missing: tuple[Named, ...] = ()
    """Settlements that a file of the whole city no longer has."""


def write_boundaries(
    connection: Connection, city_id: int, upload_id: int, frame: pd.DataFrame, valid_from_on: date | None, today: date
) -> PlaceChanges:
    """Stores settlements and their boundaries: new ones, and a new version where a shape changed.

    `frame` has the columns of `Boundaries.frame`. A settlement's first boundary holds for all earlier rounds, unless
    `valid_from_on` says otherwise; a changed one from `valid_from_on`, or from `today`.

    Raises:
        Conflict: a boundary valid from that day, or a later one, is there already.
    """
    codes = [str(code) for code in frame["code"]]
    before = _current(connection, city_id, codes)
    write_names(connection, city_id, frame)
    current = _current(connection, city_id, codes)
    moves = tuple(
        Move(code, now.name, was.ward_code, was.ward_name, now.ward_code, now.ward_name)
        for code, was in before.items()
        if (now := current[code]).ward_code != was.ward_code
    )
    if frame["geom"].isna().all():
        # A list: outlines that are there stay.
        moved = write_points(connection, city_id, upload_id, frame) & before.keys()
        touched_codes = moved | {move.code for move in moves}
        return PlaceChanges(len(codes) - len(before), len(moved), len(before) - len(touched_codes), moves)
    new, ended, added, first = [], [], 0, 0
    from_on = valid_from_on or today
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
    """Settlements by code, each with its ward and the boundary that holds until further notice."""
    rows = connection.execute(
        select(
            settlement.c.code,
            settlement.c.id,
            settlement.c.name,
            ward.c.code.label("ward_code"),
            ward.c.name.label("ward_name"),
            boundary.c.id.label("boundary_id"),
            boundary.c.valid_from_on,
            func.ST_AsBinary(boundary.c.geom).label("wkb"),
        )
        .outerjoin(ward, ward.c.id == settlement.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, boundary.c.valid_to_on.is_(None)))
        .where(settlement.c.city_id == city_id, settlement.c.code == func.any(codes))
    )
    return {row.code: row for row in rows}


def write_names(connection: Connection, city_id: int, frame: pd.DataFrame) -> None:
    """Adds settlements, and brings names and wards of those that are there up to date.

    `frame` has the columns code, name, ward_code and ward_name, None for no ward.
    """
    wards = _write_wards(connection, city_id, frame)
    statement = upsert(settlement)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["city_id", "code"],
            set_={
                "name": statement.excluded.name,
                "ward_id": func.coalesce(statement.excluded.ward_id, settlement.c.ward_id),
            },
        ),
        [
            {"city_id": city_id, "code": row.code, "name": row.name, "ward_id": wards.get(row.ward_code)}
            for row in frame.itertuples()
        ],
    )


def withdraw_boundaries(connection: Connection, upload_id: int) -> None:
    """Takes an upload's boundaries back: those they followed hold again, and settlements it brought are gone.

    Names and wards of settlements that stay are not kept by upload, and remain as the file said.

    Raises:
        Conflict: a later upload has redrawn one of them, or households have been placed in one.
    """
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
    lived_in = select(settlement.c.id).where(settlement.c.ward_id == ward.c.id).exists()
    city_id = select(upload.c.city_id).where(upload.c.id == upload_id).scalar_subquery()
    connection.execute(delete(ward).where(ward.c.city_id == city_id, ~lived_in))


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


def _write_wards(connection: Connection, city_id: int, frame: pd.DataFrame) -> dict[str | None, int]:
    """The ids of the wards a frame names, by code; new ones are added, and names it gives are brought up to date."""
    of_wards = frame[frame["ward_code"].notna()]
    if of_wards.empty:
        return {}
    named = of_wards[is_named(of_wards)].drop_duplicates("ward_code", keep="last")
    names = dict(zip(named["ward_code"], named["ward_name"], strict=True))
    codes = list(of_wards["ward_code"].unique())
    # A code alone is a name for a new ward, and none for one that has its own.
    added = upsert(ward).values([{"city_id": city_id, "code": code, "name": names.get(code, code)} for code in codes])
    connection.execute(added.on_conflict_do_nothing(index_elements=["city_id", "code"]))
    for code, name in names.items():
        is_it = (ward.c.city_id == city_id, ward.c.code == code, ward.c.name != name)
        connection.execute(update(ward).where(*is_it).values(name=name))
    rows = connection.execute(
        select(ward.c.code, ward.c.id).where(ward.c.city_id == city_id, ward.c.code == func.any(codes))
    )
    return {row.code: row.id for row in rows}
