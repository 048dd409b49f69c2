"""A city's settlements on a day, as files and observations are held against them; their names and wards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import ColumnElement

from geo.database.schema.places import boundary, organisation, settlement, ward
from geo.database.schema.uploads import upload


def valid_on(on: date | ColumnElement[date]) -> ColumnElement[bool]:
    """The condition that a boundary is valid on a day."""
    return and_(
        or_(boundary.c.valid_from_on.is_(None), boundary.c.valid_from_on <= on),
        or_(boundary.c.valid_to_on.is_(None), boundary.c.valid_to_on > on),
    )


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


def is_named(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows say what their ward is called, beside its code."""
    return frame["ward_name"].notna() & (frame["ward_name"] != frame["ward_code"])
