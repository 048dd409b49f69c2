"""Cities: what they may be called, adding one, finding one."""

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.base import check_slug
from geo.database.schema.places import city, city_request
from geo.errors import Conflict, InputError, NotFound
from geo.messages import Message

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
