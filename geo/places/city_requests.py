"""Cities that stewards ask for: asked for, listed, and answered by an operator."""

from typing import Any, Literal

from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import OperationalError

from geo.database.schema.access import account
from geo.database.schema.places import city_request, organisation
from geo.errors import Conflict, NotFound
from geo.places.cities import add_city, check_city, city_name, is_there

Answer = Literal["added", "declined"]

MOST_OPEN = 20
"""Requests of an organisation that wait for an answer; the database holds it (`migrations/versions/0015`)."""

_MOST_LISTED = 200


def ask_for_city(
    connection: Connection, organisation_id: int, account_id: int, slug: str, name: str, note: str | None
) -> int:
    """Asks the operator for a city, in the name of an organisation and one of its people; the request's number.

    Raises:
        InputError: the slug is not one, or the name is empty or too long.
        Conflict: the city is there, the organisation has asked for it, or too many of its requests are open.
    """
    name = check_city(slug, name)
    existing = city_name(connection, slug)
    if existing is not None:
        raise Conflict(is_there(slug, existing))
    asked = {"organisation_id": organisation_id, "account_id": account_id, "slug": slug, "name": name, "note": note}
    adding = upsert(city_request).values(asked).on_conflict_do_nothing().returning(city_request.c.id)
    try:
        with connection.begin_nested():
            number = connection.execute(adding).scalar_one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _TOO_MANY:
            raise
        raise Conflict("city_requests_too_many", most=MOST_OPEN) from None
    if number is None:
        raise Conflict("city_asked_for", city=slug)
    return int(number)


_TOO_MANY = "54000"


def find_requests(connection: Connection, number: int | None = None) -> list[dict[str, Any]]:
    """The requests that the reader may see, or the one of a number: open ones, the oldest first; then those that were
    answered, the newest first. At most 200 are listed.
    """
    is_open = city_request.c.state == "asked"
    rows = (
        select(
            city_request.c.id,
            organisation.c.slug.label("organisation"),
            *(city_request.c.slug, city_request.c.name, city_request.c.note),
            account.c.email.label("asked_by"),
            *(city_request.c.asked_at, city_request.c.state, city_request.c.reason, city_request.c.decided_at),
        )
        .join(organisation, organisation.c.id == city_request.c.organisation_id)
        .join(account, account.c.id == city_request.c.account_id)
        .order_by(is_open.desc(), case((is_open, city_request.c.id), else_=-city_request.c.id))
        .limit(_MOST_LISTED)
    )
    if number is not None:
        rows = rows.where(city_request.c.id == number)
    return [dict(row) for row in connection.execute(rows).mappings()]


def find_request(connection: Connection, number: int) -> dict[str, Any]:
    """The request of a number.

    Raises:
        NotFound: there is none that the reader may see.
    """
    found = find_requests(connection, number)
    if not found:
        raise NotFound("city_request_unknown", number=number)
    return found[0]


def answer_request(connection: Connection, number: int, answer: Answer, reason: str | None) -> dict[str, Any]:
    """Adds the city that was asked for, or declines the request; the request as it is then.

    Raises:
        NotFound: there is no such request.
        Conflict: it has been answered, or there is a city of its slug under another name.
    """
    asked = find_request(connection, number)
    answered = (
        update(city_request)
        .where(city_request.c.id == number, city_request.c.state == "asked")
        .values(state=answer, reason=reason, decided_at=func.now())
    )
    if connection.execute(answered).rowcount == 0:
        raise Conflict("city_request_answered", city=asked["slug"])
    if answer == "added":
        add_city(connection, asked["slug"], asked["name"])
    return find_request(connection, number)
