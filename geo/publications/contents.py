"""What a publication has: its blocks and its places. They never change, so they are read once and kept in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple

from psycopg import sql
from sqlalchemy import Connection

from geo.database import Remembered, driver_of
from geo.indicators.definitions import Counted
from geo.indicators.figures import Level

MOST_KEPT = 60_000
"""How many places and blocks are kept of all publications together: some 30 MB."""


class PublishedBlock(NamedTuple):
    """One indicator of a publication, of households or persons, as a whole or by the groups of a field."""

    number: int
    group_field: str
    indicator: str
    name: str
    definition_version: int
    counted: Counted
    unit: str
    is_headline: bool
    method: str
    """How its figures come about where a place's own are not kept."""
    groups: tuple[str, ...]
    """In their order; of all households, one without a name."""


class PublishedPlace(NamedTuple):
    """A settlement, a ward or the city, as it was when the publication was made."""

    number: int
    level: Level
    code: str
    ward_code: str | None
    ward_name: str | None
    settlement_code: str | None
    settlement_name: str | None
    drawn: str
    """The boundaries its shape is made of."""


@dataclass(frozen=True)
class Contents:
    """The blocks and places of a publication, each in their order, which is that of their numbers."""

    blocks: Mapping[str, Sequence[PublishedBlock]]
    """By the field whose groups they tell apart; '' of all households."""
    places: Mapping[Level, Sequence[PublishedPlace]]
    by_code: Mapping[str, PublishedPlace]
    """The settlements."""

    @property
    def size(self) -> int:
        """How many blocks and places there are."""
        return sum(map(len, (*self.blocks.values(), *self.places.values())))


_BLOCKS = sql.SQL("""
SELECT block, group_field, indicator_id, indicator_name, definition_version, counted, unit, is_headline, method, groups
FROM published_block WHERE publication_id = %s ORDER BY block
""")

_PLACES = sql.SQL("""
SELECT place, level, code, ward_code, ward_name, settlement_code, settlement_name, drawn
FROM published_place WHERE publication_id = %s ORDER BY place
""")

_CONTENTS: Remembered[tuple[int, datetime], Contents] = Remembered(MOST_KEPT, lambda _, contents: contents.size)


def contents_of(connection: Connection, publication_id: int, made_at: datetime) -> Contents:
    """The blocks and places of a publication that was made at this moment.

    Where a backup is restored its numbers begin anew: the moment tells those from these apart.
    """
    return _CONTENTS.find(connection, (publication_id, made_at), lambda: _read(connection, publication_id))


def _read(connection: Connection, publication_id: int) -> Contents:
    driver = driver_of(connection)
    blocks: dict[str, list[PublishedBlock]] = {}
    for *row, groups in driver.execute(_BLOCKS, [publication_id], binary=True):
        block = PublishedBlock._make([*map(_shared, row), tuple(map(intern, groups))])
        blocks.setdefault(block.group_field, []).append(block)
    places: dict[Level, list[PublishedPlace]] = {}
    for row in driver.execute(_PLACES, [publication_id], binary=True):
        place = PublishedPlace._make(map(_shared, row))
        places.setdefault(place.level, []).append(place)
    return Contents(blocks, places, {place.code: place for place in places.get("settlement", ())})


def _shared(value: Any) -> Any:
    """The one copy of a text: codes and names of wards and indicators stand in many rows."""
    return intern(value) if isinstance(value, str) else value
