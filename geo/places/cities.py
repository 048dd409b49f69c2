"""Cities: what they may be called, adding one, finding one."""

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.base import check_slug
from geo.database.schema.places import city, city_request
from geo.errors import Conflict, InputError, NotFound, quoted

_LONGEST_NAME = 200


def check_city(slug: str, name: str) -> str:
    """Holds what a city is to be called against the form such names have; the name as it is kept.

    Raises:
        InputError: the slug is not one, or the name is empty or too long.
    """
    check_slug(slug, "city")
    name = name.strip()
    if not name:
        raise InputError(f"City {slug} needs a name.")
    if len(name) > _LONGEST_NAME:
        raise InputError(f"The name of city {slug} has more than {_LONGEST_NAME} characters: give a shorter one.")
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


def is_there(slug: str, name: str | None) -> str:
    """The sentence that a city is there already."""
    return f"There is a city {slug} already, called {name}."


def find_city(connection: Connection, slug: str) -> int:
    """The city's id.

    Raises:
        NotFound: there is none of this slug; the message lists those there are.
    """
    city_id = connection.execute(select(city.c.id).where(city.c.slug == slug)).scalar_one_or_none()
    if city_id is None:
        slugs = connection.execute(select(city.c.slug).order_by(city.c.slug)).scalars().all()
        has = f"there are {', '.join(slugs)}" if slugs else "add it with `vasti city add`"
        raise NotFound(f"There is no city {quoted([slug])}; {has}.")
    return int(city_id)
