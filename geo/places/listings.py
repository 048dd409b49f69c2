"""Which cities and settlements there are, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Double, Numeric, and_, cast, func, literal, select
from sqlalchemy.sql import ColumnElement

from geo.base import Listing, PageRequest, fetch_page, listing, refuse_unknown
from geo.database.schema.places import boundary, city, settlement, settlement_ward, ward
from geo.database.schema.surveys import survey
from geo.places.boundaries import as_wkb, read_shape
from geo.places.settlements import in_newest_ward

M2_PER_KM2 = 1_000_000

_AREA_DECIMALS = 6  # a square metre


@dataclass(frozen=True)
class SettlementsQuery:
    """Which settlements are asked for. An empty filter lets everything through."""

    cities: Sequence[str] = ()
    wards: Sequence[str] = ()
    codes: Sequence[str] = ()
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)


def find_cities(connection: Connection, page: PageRequest) -> Listing:
    """Cities with slug, name, and how many settlements and published survey rounds they have."""
    settlements = select(func.count()).where(settlement.c.city_id == city.c.id).scalar_subquery()
    surveys = select(func.count()).where(survey.c.city_id == city.c.id, survey.c.state == "published").scalar_subquery()
    rows = select(city.c.slug, city.c.name, settlements.label("settlements"), surveys.label("surveys"))
    return listing(fetch_page(connection, rows, [city.c.slug], page))


def find_settlements(connection: Connection, query: SettlementsQuery) -> Listing:
    """Settlements with city, code, name, newest ward, and of their newest boundary the area and since when it holds.

    Raises:
        InvalidParameters: a filter names something that is not there; the message names what is.
    """
    of_cities = city.c.slug.in_(query.cities) if query.cities else literal(True)
    refuse_unknown(
        connection,
        {
            "city": (query.cities, select(city.c.slug)),
            "ward": (query.wards, select(ward.c.code).join(city).where(of_cities)),
            "code": (query.codes, select(settlement.c.code).join(city).where(of_cities)),
        },
    )
    columns: dict[str, ColumnElement[Any]] = {
        "city": city.c.slug,
        "code": settlement.c.code,
        "name": settlement.c.name,
        "ward_code": ward.c.code,
        "ward_name": ward.c.name,
        "area_km2": func.round(cast(boundary.c.area_m2 / M2_PER_KM2, Numeric), _AREA_DECIMALS).cast(Double),
        "valid_from_on": boundary.c.valid_from_on,
        "valid_to_on": boundary.c.valid_to_on,
        "ended_on": settlement.c.ended_on,
    }
    if query.geometry:
        columns["geometry"] = as_wkb(boundary.c.geom)
    rows = select(*(column.label(name) for name, column in columns.items())).select_from(
        settlement.join(city, city.c.id == settlement.c.city_id)
        # The ward and the boundary that hold until further notice: which ones they are depends on what is stored
        # alone, not on the day, so that a kept answer stays right overnight.
        .outerjoin(settlement_ward, in_newest_ward())
        .outerjoin(ward, ward.c.id == settlement_ward.c.ward_id)
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, boundary.c.valid_to_on.is_(None)))
    )
    rows = rows.where(of_cities)
    if query.wards:
        rows = rows.where(ward.c.code.in_(query.wards))
    if query.codes:
        rows = rows.where(settlement.c.code.in_(query.codes))
    found = listing(fetch_page(connection, rows, [city.c.slug, settlement.c.code], query.page))
    for row in found.rows if query.geometry else ():
        row["geometry"] = read_shape(row["geometry"])
    return found
