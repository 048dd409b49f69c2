"""A city's settlements on a day, as files and observations are held against them; their names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, FromClause, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import ColumnElement

from geo.database.schema.places import boundary, organisation, settlement, settlement_ward, ward
from geo.database.schema.uploads import upload


def valid_on(on: date | ColumnElement[date], of: FromClause = boundary) -> ColumnElement[bool]:
    """The condition that a boundary, or a row of another table with such days, is valid on a day."""
    return and_(
        or_(of.c.valid_from_on.is_(None), of.c.valid_from_on <= on),
        or_(of.c.valid_to_on.is_(None), of.c.valid_to_on > on),
    )


def in_ward_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition by which a settlement is joined to the ward it lies in on a day."""
    return and_(settlement_ward.c.settlement_id == settlement.c.id, valid_on(on, settlement_ward))


def in_newest_ward() -> ColumnElement[bool]:
    """The condition by which a settlement is joined to the ward it lies in until further notice."""
    return and_(settlement_ward.c.settlement_id == settlement.c.id, settlement_ward.c.valid_to_on.is_(None))


def there_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a settlement is there on a day: it has not ended by then."""
    return or_(settlement.c.ended_on.is_(None), settlement.c.ended_on > on)


@dataclass(frozen=True)
class Places:
    """The settlements observations can be placed in, valid at one time. Shapes are lon/lat; None: no boundary."""

    codes: Sequence[str]
    names: Sequence[str]
    shapes: NDArray[Any]
    wards: Sequence[Sequence[str]] = ()
    """What each settlement's ward is called: code and name. Empty: no ward is known of any."""


@dataclass(frozen=True)
class CityPlaces:
    """A city's settlements on a day, ready to place observations in; `ids` go with `places`, index by index."""

    ids: NDArray[np.int64]
    places: Places


def places_on(connection: Connection, city_id: int, on: date) -> CityPlaces:
    """The city's settlements that are there on a day, with the boundaries and wards valid then; one may have none."""
    rows = connection.execute(
        select(
            settlement.c.id,
            settlement.c.code,
            settlement.c.name,
            func.ST_AsBinary(boundary.c.geom),
            ward.c.code,
            ward.c.name,
        )
        .outerjoin(settlement_ward, in_ward_on(on))
        .outerjoin(ward, ward.c.id == settlement_ward.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, valid_on(on)))
        .where(settlement.c.city_id == city_id, there_on(on))
        .order_by(settlement.c.code)
    ).all()
    ids, codes, names, shapes, *wards = zip(*rows, strict=True) if rows else ((),) * 6
    wkb = np.array([None if shape is None else bytes(shape) for shape in shapes], dtype=object)
    known_wards = [[label for label in labels if label is not None] for labels in zip(*wards, strict=True)]
    places = Places(list(codes), list(names), shapely.from_wkb(wkb), known_wards)
    return CityPlaces(np.array(ids, dtype=np.int64), places)


@dataclass(frozen=True)
class OthersGround:
    """What other organisations drew in a city, and what its wards are called."""

    theirs: frozenset[str]
    """The codes of settlements another organisation gave: it drew the newest outline or, where none is, listed them."""
    codes: Sequence[str]
    """Of each outline another organisation drew, now or earlier, its settlement's code,"""
    shapes: NDArray[Any]
    """its shape in longitude and latitude,"""
    until: Sequence[date | None]
    """and the day from which it no longer holds; None: it holds until further notice."""
    wards: Mapping[str, str]
    """Names of wards by their codes."""
    valid_from_on: date | None
    """From which day the file's outlines hold, as the sender said; None: new settlements for all earlier rounds too,"""
    today: date
    """and redrawn ones from today."""


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


def write_names(connection: Connection, city_id: int, frame: pd.DataFrame) -> None:
    """Adds settlements, and brings names of those that are there up to date; `frame` has the columns code and name."""
    statement = upsert(settlement)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["city_id", "code"], set_={"name": statement.excluded.name}),
        [{"city_id": city_id, "code": row.code, "name": row.name} for row in frame.itertuples()],
    )
