"""Settlements that are no more: ended on a day, and reopened."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select, update

from geo.database.schema.places import settlement
from geo.errors import Conflict, NotFound
from geo.places.cities import find_city


@dataclass(frozen=True)
class Ended:
    """A settlement that has an end: from `ended_on` on it is no more. None: it is there."""

    code: str
    name: str
    ended_on: date | None


def end_settlement(connection: Connection, city_slug: str, code: str, ended_on: date | None) -> tuple[Ended, Ended]:
    """Ends a settlement on a day, or reopens it (None): how it was, and how it is. Its rounds before that day stay.

    Raises:
        NotFound: the city has no such settlement.
        Conflict: households have been placed in it in a round that starts on that day or later.
    """
    city_id = find_city(connection, city_slug)
    of_code = (settlement.c.city_id == city_id, settlement.c.code == code)
    row = connection.execute(
        select(settlement.c.id, settlement.c.name, settlement.c.ended_on).where(*of_code)
    ).one_or_none()
    if row is None:
        raise NotFound("settlement_not_in_city", city=city_slug, settlement=code)
    if ended_on is not None and connection.execute(select(func.gate.lives_later(row.id, ended_on))).scalar_one():
        raise Conflict("settlement_lived_in_later", settlement=code, ended_on=ended_on)
    connection.execute(update(settlement).where(settlement.c.id == row.id).values(ended_on=ended_on))
    return Ended(code, row.name, row.ended_on), Ended(code, row.name, ended_on)


def told_of_end(before: Ended, after: Ended) -> tuple[str, dict[str, dict[str, str | None]]]:
    """What the audit tells of it: the action, and the day before and after."""
    action = "settlement reopened" if after.ended_on is None else "settlement ended"
    was, now = (None if each.ended_on is None else each.ended_on.isoformat() for each in (before, after))
    return action, {"before": {"ended_on": was}, "after": {"ended_on": now}}


def find_ended(connection: Connection, city_id: int) -> list[Ended]:
    """The city's settlements that have an end, by code."""
    rows = connection.execute(
        select(settlement.c.code, settlement.c.name, settlement.c.ended_on)
        .where(settlement.c.city_id == city_id, settlement.c.ended_on.is_not(None))
        .order_by(settlement.c.code)
    )
    return [Ended(*row) for row in rows]
