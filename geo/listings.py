"""What there is: cities, settlements and survey rounds, in pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Double, Numeric, Select, and_, cast, func, literal, or_, select
from sqlalchemy.sql import ColumnElement

from geo.errors import NotFound, quoted
from geo.filters import refuse_unknown
from geo.paging import Page, PageRequest, fetch_page
from geo.places import as_geojson
from geo.schema.places import boundary, city, organisation, settlement, ward
from geo.schema.surveys import survey
from geo.schema.uploads import public_upload
from geo.visibility import is_seen

M2_PER_KM2 = 1_000_000

_AREA_DECIMALS = 6  # a square metre


@dataclass(frozen=True)
class Listing:
    """Some rows of a longer list by column name, how many there are, and the cursor that asks for the next."""

    rows: list[dict[str, Any]]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class SettlementsQuery:
    """Which settlements are asked for. An empty filter lets everything through."""

    cities: Sequence[str] = ()
    wards: Sequence[str] = ()
    codes: Sequence[str] = ()
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)


def _listing(page: Page) -> Listing:
    # The columns named _key_... are the paging's own.
    rows = [{str(n): v for n, v in row._mapping.items() if not n.startswith("_")} for row in page.rows]
    return Listing(rows, page.total, page.next_cursor)


_PUBLISHED = survey.c.state == "published"


def find_cities(connection: Connection, page: PageRequest) -> Listing:
    """Cities with slug, name, and how many settlements and published survey rounds they have."""
    settlements = select(func.count()).where(settlement.c.city_id == city.c.id).scalar_subquery()
    surveys = select(func.count()).where(survey.c.city_id == city.c.id, _PUBLISHED).scalar_subquery()
    rows = select(city.c.slug, city.c.name, settlements.label("settlements"), surveys.label("surveys"))
    return _listing(fetch_page(connection, rows, [city.c.slug], page))


def find_settlements(connection: Connection, query: SettlementsQuery) -> Listing:
    """Settlements with city, code, name, ward, and of their newest boundary the geodesic area and since when it holds.

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
        columns["geometry"] = as_geojson(boundary.c.geom)
    rows = select(*(column.label(name) for name, column in columns.items())).select_from(
        settlement.join(city, city.c.id == settlement.c.city_id)
        .outerjoin(ward, ward.c.id == settlement.c.ward_id)
        # The boundary that holds until further notice: which one that is depends on what is stored alone, not on
        # the day, so that a kept answer stays right overnight.
        .outerjoin(boundary, and_(boundary.c.settlement_id == settlement.c.id, boundary.c.valid_to_on.is_(None)))
    )
    rows = rows.where(of_cities)
    if query.wards:
        rows = rows.where(ward.c.code.in_(query.wards))
    if query.codes:
        rows = rows.where(settlement.c.code.in_(query.codes))
    return _listing(fetch_page(connection, rows, [city.c.slug, settlement.c.code], query.page))


def find_surveys(connection: Connection, cities: Sequence[str], page: PageRequest) -> Listing:
    """Published rounds, each with the uploads its figures rest on: when they came, how many rows.

    Raises:
        InvalidParameters: there is no such city; the message names those there are.
    """
    refuse_unknown(connection, {"city": (cities, select(city.c.slug))})
    rows = (
        select(
            survey.c.id,
            survey.c.slug,
            survey.c.name,
            city.c.slug.label("city"),
            organisation.c.name.label("organisation"),
            survey.c.starts_on,
            survey.c.ends_on,
            survey.c.unit,
            survey.c.mode,
            survey.c.licence,
        )
        .join(city, city.c.id == survey.c.city_id)
        .join(organisation, organisation.c.id == survey.c.organisation_id)
        .where(_PUBLISHED)
    )
    if cities:
        rows = rows.where(city.c.slug.in_(cities))
    found = _listing(fetch_page(connection, rows, [city.c.slug, survey.c.starts_on, survey.c.slug], page))
    uploads = _uploads(connection, [row["id"] for row in found.rows])
    # A round's own number is not for readers: city and slug name it.
    shown = [
        {name: value for name, value in row.items() if name != "id"} | {"uploads": uploads[row["id"]]}
        for row in found.rows
    ]
    return Listing(shown, found.total, found.next_cursor)


def find_own_surveys(connection: Connection) -> list[dict[str, Any]]:
    """The rounds, drafts too, whose full figures the transaction's bearer may see; by city and first day."""
    rows = _rounds().where(is_seen("granted")).order_by(city.c.slug, survey.c.starts_on, survey.c.slug)
    return [dict(row) for row in connection.execute(rows).mappings()]


def find_seen_survey(connection: Connection, city_slug: str, survey_slug: str) -> dict[str, Any]:
    """A round as find_own_surveys has it, and `is_full`: whether the bearer sees its full figures or the public ones.

    Raises:
        NotFound: there is no such round that the bearer may see.
    """
    is_it = (city.c.slug == city_slug, survey.c.slug == survey_slug)
    rows = _rounds().add_columns(is_seen("granted").label("is_full"))
    found = connection.execute(rows.where(*is_it, or_(is_seen("granted"), _PUBLISHED))).mappings().one_or_none()
    if found is None:
        raise NotFound(f"There is no survey {quoted([survey_slug])} of {city_slug}.")
    return dict(found)


def _rounds() -> Select[Any]:
    columns = ("slug", "name", "starts_on", "ends_on", "unit", "mode", "licence", "state")
    return (
        select(
            city.c.slug.label("city"),
            organisation.c.slug.label("organisation"),
            *(survey.c[name] for name in columns),
        )
        .join(city, city.c.id == survey.c.city_id)
        .join(organisation, organisation.c.id == survey.c.organisation_id)
    )


def _uploads(connection: Connection, survey_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The loaded uploads by survey: neither file names nor people, which may tell who was where.

    How many rows each brought is rounded like any other public count: exact, the sum would tell a settlement that is
    withheld from those that are not.
    """
    rows = connection.execute(
        select(public_upload)
        .where(public_upload.c.survey_id == func.any(list(survey_ids)))
        .order_by(public_upload.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.mappings():
        found[row["survey_id"]].append({name: value for name, value in row.items() if name != "survey_id"})
    return found


def city_and_survey_names(connection: Connection, city_slug: str, survey_slug: str) -> tuple[str, str]:
    """What a city and its round are called; both are known to exist."""
    row = connection.execute(
        select(city.c.name, survey.c.name)
        .join(survey, survey.c.city_id == city.c.id)
        .where(city.c.slug == city_slug, survey.c.slug == survey_slug)
    ).one()
    return str(row[0]), str(row[1])
