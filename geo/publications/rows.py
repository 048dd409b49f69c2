"""Published figures as they are read: by the keys that name them, in one statement, past everything else."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import pandas as pd
from psycopg import sql
from sqlalchemy import Connection

from geo.database import driver_of
from geo.indicators.figures import COLUMNS, COUNT_STEP, REASONS, VALUE_COLUMNS
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure.rules import PROTECTED
from geo.publications.chosen import Chosen, FigureKey

FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code", "group")
"""The columns that name a figure among all of its publication and form."""

INTERNAL = ("_publication_id", "_place", "_code", "_drawn", "_group")
"""What figures have besides while they are made."""

_NAMES = tuple(column.name for column in VALUE_COLUMNS)

_STORED = (*NUMBERS, "method", "flags", "reason", "kept_from")
_NUMBERS = slice(len(NUMBERS))
_N, _POPULATION = NUMBERS.index("n"), NUMBERS.index("population")


class FoundRow(NamedTuple):
    """A figure as it is stored: the columns _STORED."""

    of: Chosen
    key: FigureKey
    stored: Sequence[Any]


def read_figures(connection: Connection, of: Chosen, keys: Sequence[FigureKey]) -> list[FoundRow]:
    """The figures that bear these keys, in their order.

    Of a place that is protected in all groups of a field no row is kept: it is here as one that is withheld.
    """
    asked = [_array({key.block.number for key in keys}), _array({key.place.number for key in keys})]
    rows = driver_of(connection).execute(_figures(of.publication.id), asked, prepare=True, binary=True)
    stored = {row[:3]: row[3:] for row in rows.fetchall()}
    found = []
    for key in keys:
        row = stored.get((key.block.number, key.place.number, key.group))
        if row is None and key.block.group_field:
            row = (*[None] * len(NUMBERS), key.block.method, None, PROTECTED, None)
        if row is not None:
            found.append(FoundRow(of, key, row))
    return found


# The number of a publication stands in the text: the database then opens its one partition, and no other.
@lru_cache(maxsize=1_000)
def _figures(publication_id: int) -> bytes:
    return (
        sql.SQL("""
SELECT block, place, group_name, {} FROM published_figure
WHERE publication_id = {} AND block = ANY (%s::integer[]) AND place = ANY (%s::integer[])
""")
        .format(sql.SQL(", ").join(map(sql.Identifier, _STORED)), sql.Literal(publication_id))
        .as_bytes()
    )


def _array(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL reads an array: the driver would write each by itself."""
    return f"{{{','.join(map(str, numbers))}}}"


def told(rows: Iterable[FoundRow]) -> list[dict[str, Any]]:
    """Rows as they are told: plain values by the names of VALUE_COLUMNS."""
    return [dict(zip(_NAMES, values, strict=True)) for values in _values(rows)]


def _values(rows: Iterable[FoundRow]) -> Iterable[tuple[Any, ...]]:
    """What each row has of VALUE_COLUMNS, in their order."""
    for of, of_one in groupby(rows, key=attrgetter("of")):
        publication = of.publication
        days = (publication.starts_on.isoformat(), publication.ends_on.isoformat())
        of_round = (publication.city, publication.survey, *days)
        for _, (block, place, group), stored in of_one:
            numbers, (method, flags, reason, kept_from) = stored[_NUMBERS], stored[len(NUMBERS) :]
            is_counted = numbers[_N] is not None or numbers[_POPULATION] is not None
            yield (
                *of_round,
                *(place.level, place.ward_code, place.ward_name, place.settlement_code, place.settlement_name),
                *((block.group_field, group) if block.group_field else (None, None)),
                *(block.indicator, block.name, block.definition_version, block.counted, block.unit),
                *numbers,
                COUNT_STEP if is_counted else None,
                method,
                flags.split(",") if flags else [],
                "published" if reason is None else "withheld",
                reason,
                REASONS.get(reason),
                kept_from,
            )


def frame(rows: Sequence[FoundRow]) -> pd.DataFrame:
    """Rows as figures have them; INTERNAL stands beside."""
    figures = pd.DataFrame(list(_values(rows)), columns=list(_NAMES), dtype=object)
    numbers = {name: figures[name].astype(float) for name in (*NUMBERS, "rounded_to", "kept_from")}
    internal = pd.DataFrame(
        [(of.publication.id, place.number, place.code, place.drawn, group) for of, (_, place, group), _ in rows],
        columns=list(INTERNAL),
        dtype=object,
    )
    flags = pd.Series([tuple(flags) for flags in figures["flags"]], dtype=object)
    return figures.assign(**numbers, flags=flags)[list(COLUMNS)].join(internal)


def shapes_of(connection: Connection, publication_id: int, places: Iterable[int]) -> Mapping[int, str | None]:
    """The shapes of places of a publication as GeoJSON, by their numbers; None without one."""
    rows = driver_of(connection).execute(_SHAPES, [publication_id, _array(places)], prepare=True, binary=True)
    return dict(rows.fetchall())


_SHAPES = sql.SQL("SELECT place, shape FROM published_place WHERE publication_id = %s AND place = ANY (%s::integer[])")
