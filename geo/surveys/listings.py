"""Which survey rounds there are, published or seen by somebody, in pages."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from geo.base import Listing, PageRequest, fetch_page, listing, refuse_unknown
from geo.database.schema.places import city, organisation
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import public_rows, public_upload
from geo.errors import NotFound
from geo.surveys.visibility import is_seen


def find_surveys(connection: Connection, cities: Sequence[str], page: PageRequest) -> Listing:
    """Published rounds, each with the uploads its figures rest on, and how many rows these brought together.

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
        .where(is_seen("published"))
    )
    if cities:
        rows = rows.where(city.c.slug.in_(cities))
    found = listing(fetch_page(connection, rows, [city.c.slug, survey.c.starts_on, survey.c.slug], page))
    ids = [row["id"] for row in found.rows]
    uploads, n_rows = _uploads(connection, ids), rows_of_rounds(connection, ids)
    # A round's own number is not for readers: city and slug name it.
    shown = [
        {name: value for name, value in row.items() if name != "id"}
        | {"uploads": uploads[row["id"]], "rows_loaded": n_rows.get(row["id"], 0)}
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
    found = (
        connection.execute(rows.where(*is_it, or_(is_seen("granted"), is_seen("published")))).mappings().one_or_none()
    )
    if found is None:
        raise NotFound("survey_unknown_in_city", survey=survey_slug, city=city_slug)
    return dict(found)


def _rounds() -> Select[Any]:
    columns = ("slug", "name", "starts_on", "ends_on", "unit", "mode", "licence", "state", "publishing")
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
    """The loaded uploads by survey: neither file names nor people, which may tell who was where."""
    rows = connection.execute(
        select(public_upload)
        .where(public_upload.c.survey_id == func.any(list(survey_ids)))
        .order_by(public_upload.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.mappings():
        found[row["survey_id"]].append({name: value for name, value in row.items() if name != "survey_id"})
    return found


def rows_of_rounds(connection: Connection, survey_ids: Sequence[int]) -> dict[int, int]:
    """How many rows the uploads of published rounds brought together, rounded to 5.

    By upload they would tell how many households a settlement has that is withheld: one file a settlement is usual.
    """
    rows = select(public_rows).where(public_rows.c.survey_id == func.any(list(survey_ids)))
    return {row.survey_id: row.rows_loaded for row in connection.execute(rows)}


def city_and_survey_names(connection: Connection, city_slug: str, survey_slug: str) -> tuple[str, str]:
    """What a city and its round are called; both are known to exist."""
    row = connection.execute(
        select(city.c.name, survey.c.name)
        .join(survey, survey.c.city_id == city.c.id)
        .where(city.c.slug == city_slug, survey.c.slug == survey_slug)
    ).one()
    return str(row[0]), str(row[1])
