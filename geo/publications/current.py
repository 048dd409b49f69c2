"""Which publications are current, or bear a number: what every public read begins with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from psycopg import sql
from sqlalchemy import Connection

from geo.database import Remembered, driver_of, seen_by
from geo.fields import Unit
from geo.surveys import Mode


@dataclass(frozen=True)
class CurrentPublication:
    """A current publication, and the round it is of."""

    id: int
    number: int
    made_at: datetime
    city: str
    survey: str
    starts_on: date
    ends_on: date
    mode: Mode
    unit: Unit
    survey_id: int

    @property
    def key(self) -> list[str]:
        """What orders rounds in lists of figures."""
        return [self.city, self.starts_on.isoformat(), self.survey]


def current_publications(
    connection: Connection, cities: Sequence[str] = (), surveys: Sequence[str] = (), number: int | None = None
) -> list[CurrentPublication]:
    """The current publications of these cities and rounds, or all, in the order of city and first day.

    With a `number`, those that have it, current or superseded. Of a connection that has sight of the data versions they
    are remembered for as long as nothing changes in these cities.
    """
    seen = seen_by(connection)
    if seen is None:
        return _read(connection, cities, surveys, number)
    key = _Question(tuple(cities), tuple(surveys), number, seen.of(cities or None), seen.since)
    return _CURRENT.find(connection, key, lambda: _read(connection, cities, surveys, number))


class _Question(NamedTuple):
    """Which publications are asked for, and at which sight of the data versions."""

    cities: tuple[str, ...]
    surveys: tuple[str, ...]
    number: int | None
    data_version: int
    since: object


_MOST_BYTES = 4_000_000

# Python's own share of an answer, and of each publication in it, roughly.
_OVERHEAD_BYTES, _PUBLICATION_BYTES = 1_000, 500


def _size(question: _Question, found: list[CurrentPublication]) -> int:
    """Strangers name what they like: their names take room too."""
    names = sum(4 * len(name) + 50 for name in (*question.cities, *question.surveys))
    return _OVERHEAD_BYTES + names + _PUBLICATION_BYTES * len(found)


_CURRENT: Remembered[_Question, list[CurrentPublication]] = Remembered(_MOST_BYTES, _size)


def _read(
    connection: Connection, cities: Sequence[str], surveys: Sequence[str], number: int | None
) -> list[CurrentPublication]:
    asked = _statement(bool(cities), bool(surveys), number is not None)
    parameters = {"cities": list(cities), "surveys": list(surveys), "number": number}
    found = driver_of(connection).execute(asked, parameters, prepare=True, binary=True)
    return sorted((CurrentPublication(*row) for row in found), key=lambda each: each.key)


@cache
def _statement(of_cities: bool, of_surveys: bool, is_numbered: bool) -> bytes:
    conditions = [
        sql.SQL("publication.number = %(number)s" if is_numbered else "publication.state = 'current'"),
        sql.SQL("publication.state <> 'retracted' AND survey.state = 'published'"),
        *([sql.SQL("city.slug = ANY (%(cities)s)")] if of_cities else []),
        *([sql.SQL("survey.slug = ANY (%(surveys)s)")] if of_surveys else []),
    ]
    return _FOUND.format(sql.SQL(" AND ").join(conditions)).as_bytes()


_FOUND = sql.SQL("""
SELECT publication.id, publication.number, publication.made_at, city.slug, survey.slug, survey.starts_on,
    survey.ends_on, survey.mode, survey.unit, survey.id
FROM publication JOIN survey ON survey.id = publication.survey_id JOIN city ON city.id = survey.city_id
WHERE {}
""")
