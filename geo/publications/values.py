"""Reading published figures: rows as they were made, filtered and cut by the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, Select, Text, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement

from geo.base import Listing, decode_cursor, encode_cursor
from geo.database.schema.places import city
from geo.database.schema.publications import publication, published_place
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters
from geo.fields import Unit
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import COLUMNS, COUNT_STEP, FigurePage, ValuesQuery
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.query import check_filters
from geo.places import as_wkb, read_shape
from geo.publications import rows
from geo.publications.rows import KEY, Conditions, Form, form_of, parameters_of
from geo.surveys import Mode


@dataclass(frozen=True)
class CurrentPublication:
    """A current publication, and the round it is of."""

    id: int
    number: int
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

    With a `number`, those that have it, current or superseded.
    """
    asked = _publications(bool(cities), bool(surveys), number is not None)
    found = connection.execute(asked, {"cities": list(cities), "surveys": list(surveys), "number": number})
    return sorted((CurrentPublication(*row) for row in found), key=lambda each: each.key)


@lru_cache(maxsize=8)
def _publications(of_cities: bool, of_surveys: bool, is_numbered: bool) -> Select[Any]:
    is_it = publication.c.number == bindparam("number") if is_numbered else publication.c.state == "current"
    found = (
        select(
            *(publication.c.id, publication.c.number, city.c.slug.label("city"), survey.c.slug.label("survey")),
            *(survey.c.starts_on, survey.c.ends_on, survey.c.mode, survey.c.unit, survey.c.id.label("survey_id")),
        )
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(is_it, publication.c.state != "retracted", survey.c.state == "published")
    )
    if of_cities:
        found = found.where(city.c.slug == func.any(bindparam("cities", type_=ARRAY(Text))))
    if of_surveys:
        found = found.where(survey.c.slug == func.any(bindparam("surveys", type_=ARRAY(Text))))
    return found


def find_published_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The published figures asked for, in the order of city, round, indicator, place and group.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_values.
    """
    check_filters(connection, query, read_catalogue(connection))
    publications = current_publications(connection, query.cities, query.surveys, query.publication)
    _check_number(connection, query, publications)
    page = read_page(connection, publications, query)
    shown = add_shapes(connection, page.figures) if query.geometry else page.figures
    return replace(page, figures=shown.drop(columns=list(INTERNAL)))


INTERNAL = ("_publication_id", "_place", "_code", "_drawn", "_group")
"""What figures have besides while they are made."""

_LARGEST_PART = 5_000
"""Rows that are read at once: with the shapes of whole cities they may be some hundred megabytes."""


def read_page(
    connection: Connection,
    publications: Sequence[CurrentPublication],
    query: ValuesQuery,
    blocks: Conditions | None = None,
) -> FigurePage:
    """A page of the figures asked for, or of these `blocks`, one of each indicator; INTERNAL stands beside."""
    # The shapes of figures in a frame are read by themselves.
    form = form_of(replace(query, geometry=False))
    asked = partial(rows.rows_asked, form) if blocks is None else partial(rows.rows, form, blocks)
    sizes = _sizes(connection, publications, query, rows.blocks_of(form) if blocks is None else blocks)
    fetched = _fetch(publications, sizes, query, partial(_read_rows, connection, asked))
    every = [row for part in fetched.parts for row in part.shown]
    return FigurePage(_frame(every), fetched.total, fetched.next_cursor)


def _read_rows(
    connection: Connection, asked: Callable[..., Select[Any]], limit: int, parameters: Mapping[str, Any]
) -> "_Part[Sequence[RowMapping]]":
    found = connection.execute(asked(is_after="after_indicator" in parameters), parameters).mappings().all()
    shown = found[:limit]
    return _Part(shown, len(shown), len(found) > limit, [shown[-1][name] for name in KEY] if shown else [])


class _Size(NamedTuple):
    """How many figures of those asked for a publication has: its blocks, their groups in all, and its places."""

    blocks: int
    groups: int
    places: int

    @property
    def figures(self) -> int:
        return self.groups * self.places


@dataclass(frozen=True)
class WrittenPage:
    """Figures as JSON with commas between; with shapes, as features of GeoJSON."""

    written: str
    returned: int
    total: int
    next_cursor: str | None


def write_published_values(connection: Connection, query: ValuesQuery) -> WrittenPage:
    """The same figures as find_published_values has, as the database itself writes them.

    Raises:
        InvalidParameters: as find_published_values.
    """
    form = form_of(query)
    publications, sizes = _checked(connection, query)

    def read(limit: int, parameters: Mapping[str, Any]) -> _Part[str]:
        asked = rows.rows_written(form, is_after="after_indicator" in parameters)
        written, n, *last = connection.execute(asked, parameters).one()
        return _Part(written or "", min(n, limit), n > limit, last)

    fetched = _fetch(publications, sizes, query, read)
    told = [part for part in fetched.parts if part.n]
    written = ",".join(part.shown for part in told)
    return WrittenPage(written, sum(part.n for part in told), fetched.total, fetched.next_cursor)


def list_published_values(connection: Connection, query: ValuesQuery) -> Listing:
    """The same figures as rows of plain values: those of VALUE_COLUMNS, and of KEY.

    Raises:
        InvalidParameters: as find_published_values.
    """
    publications, sizes = _checked(connection, query)
    read = partial(_read_rows, connection, partial(rows.rows_told, form_of(replace(query, geometry=False))))
    fetched = _fetch(publications, sizes, query, read)
    return Listing([dict(row) for part in fetched.parts for row in part.shown], fetched.total, fetched.next_cursor)


def _checked(connection: Connection, query: ValuesQuery) -> tuple[list[CurrentPublication], dict[int, _Size]]:
    """The publications that a query is answered from, and how many figures each has of those asked for.

    Raises:
        InvalidParameters: as find_published_values.
    """
    named = (bool(query.cities), bool(query.surveys), query.publication is not None)
    asked = _publications_and_sizes(form_of(replace(query, geometry=False)), *named)
    parameters = {"cities": list(query.cities), "surveys": list(query.surveys), "number": query.publication}
    publications, sizes = [], {}
    for row in connection.execute(asked, parameters_of(query) | parameters):
        found, size = CurrentPublication(*row[:-3]), _Size(*row[-3:])
        publications.append(found)
        if size.figures:
            sizes[found.id] = size
    publications.sort(key=lambda each: each.key)
    _check_number(connection, query, publications)
    if not _names_what_is_there(publications, sizes, query):
        check_filters(connection, query, read_catalogue(connection))
    return publications, sizes


@lru_cache(maxsize=256)
def _publications_and_sizes(form: Form, of_cities: bool, of_surveys: bool, is_numbered: bool) -> Select[Any]:
    of_blocks, of_places = rows.sizes(form, rows.blocks_of(form))
    asked = _publications(of_cities, of_surveys, is_numbered).join(of_blocks, true()).join(of_places, true())
    return asked.add_columns(of_blocks.c.n, of_blocks.c.groups, of_places.c.n)


def _check_number(connection: Connection, query: ValuesQuery, publications: Sequence[CurrentPublication]) -> None:
    """Refuses the number of a publication that the round does not have.

    Raises:
        InvalidParameters: with the numbers there are.
    """
    if query.publication is None or publications:
        return
    check_filters(connection, query, read_catalogue(connection))
    of_round = (
        select(publication.c.number)
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(city.c.slug.in_(query.cities), survey.c.slug.in_(query.surveys), publication.c.state != "retracted")
    )
    known = [str(number) for number in sorted(connection.execute(of_round).scalars())]
    problem = InvalidParameter("publication", "publication_not_there", number=query.publication, known=known)
    raise InvalidParameters([problem])


def _names_what_is_there(
    publications: Sequence[CurrentPublication], sizes: Mapping[int, _Size], query: ValuesQuery
) -> bool:
    """Whether each name in the filters of a query is one of what was found: then there is nothing to refuse."""
    if query.by or query.publication or (query.settlements and query.level != "settlement"):
        return False
    of_rounds = {*query.cities} <= {each.city for each in publications}
    of_rounds &= {*query.surveys} <= {each.survey for each in publications}
    # Found in one of the rounds is enough; where each is in another, somebody looks again.
    indicators, settlements = len({*query.indicators}), len({*query.settlements})
    return of_rounds and any(
        size.blocks >= indicators and (not settlements or size.places == settlements) for size in sizes.values()
    )


Shown = TypeVar("Shown")


@dataclass(frozen=True)
class _Part(Generic[Shown]):
    """Some rows of one publication: how many, whether it has more, and the KEY of the last one."""

    shown: Shown
    n: int
    has_more: bool
    last: Sequence[str]


@dataclass(frozen=True)
class _Fetched(Generic[Shown]):
    parts: Sequence[_Part[Shown]]
    total: int
    next_cursor: str | None


def _fetch(
    publications: Sequence[CurrentPublication],
    sizes: Mapping[int, _Size],
    query: ValuesQuery,
    read: Callable[[int, Mapping[str, Any]], _Part[Shown]],
) -> _Fetched[Shown]:
    """The rows of a page, from one publication after another until it is full.

    `read` is asked for so many rows with the parameters of its statement, whose `limit` is one more: whether there are
    more is known by that one.
    """
    after = None if query.page.cursor is None else decode_cursor(query.page.cursor, len(_ROUND) + len(KEY))
    total = sum(size.figures for size in sizes.values())
    left = total if query.page.limit is None else query.page.limit
    parts: list[_Part[Shown]] = []
    last: list[str] = []
    for each in publications:
        if each.id not in sizes or (after is not None and each.key < after[: len(_ROUND)]):
            continue
        here: Sequence[str] = after[len(_ROUND) :] if after is not None and each.key == after[: len(_ROUND)] else []
        has_more = True
        while has_more:
            limit = min(left, _LARGEST_PART)
            beyond = {f"after_{name}": part for name, part in zip(KEY, here, strict=False)}
            part = read(limit, {**parameters_of(query), **_of_round(each), **beyond, "limit": limit + 1})
            if part.n:
                parts.append(part)
                last, here = [*each.key, *part.last], part.last
            left, has_more = left - part.n, part.has_more
            if has_more and left == 0:
                return _Fetched(parts, total, encode_cursor(last))
    return _Fetched(parts, total, None)


_ROUND = ("city", "starts_on", "survey")
"""What a cursor holds before KEY: CurrentPublication.key."""


def _of_round(of: CurrentPublication) -> Mapping[str, Any]:
    dates = {"starts_on": of.starts_on.isoformat(), "ends_on": of.ends_on.isoformat()}
    return {"publication_id": of.id, "city": of.city, "survey": of.survey, **dates}


def _sizes(
    connection: Connection, publications: Sequence[CurrentPublication], query: ValuesQuery, blocks: Conditions
) -> dict[int, _Size]:
    """Of each publication that has figures of those asked for, how many."""
    of_blocks, of_places = rows.sizes(form_of(query), blocks)
    asked = (
        select(publication.c.id, of_blocks.c.n, of_blocks.c.groups, of_places.c.n)
        .select_from(publication.join(of_blocks, true()).join(of_places, true()))
        .where(publication.c.id == func.any([each.id for each in publications]))
    )
    sizes = {row[0]: _Size(*row[1:]) for row in connection.execute(asked, parameters_of(query))}
    return {number: size for number, size in sizes.items() if size.figures}


def _frame(rows: Sequence[RowMapping]) -> pd.DataFrame:
    """The rows as figures have them."""
    columns = [*COLUMNS, *INTERNAL]
    if not rows:
        return pd.DataFrame(columns=columns)
    figures = pd.DataFrame([tuple(row.values()) for row in rows], columns=list(rows[0]), dtype=object)
    numbers = {name: figures[name].astype(float) for name in (*NUMBERS, "kept_from")}
    counted = numbers["n"].notna() | numbers["population"].notna()
    figures = figures.assign(
        **numbers,
        rounded_to=np.where(counted, float(COUNT_STEP), np.nan),
        flags=pd.Series([tuple(flags.split(",")) if flags else () for flags in figures["flags"]], dtype=object),
        status=["published" if reason is None else "withheld" for reason in figures["reason"]],
    )
    return figures[columns]


def add_shapes(connection: Connection, figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with a column `geometry`: the shapes of their places; None without one."""
    places = list(zip(figures["_publication_id"], figures["_place"], strict=True))
    rows = connection.execute(_of_places(places, as_wkb(published_place.c.geom)))
    shapes = {(row[0], row[1]): read_shape(row[2]) for row in rows}
    return figures.assign(geometry=pd.Series([shapes[place] for place in places], index=figures.index, dtype=object))


def middles(connection: Connection, figures: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of a point inside each figure's place; NaN without a shape."""
    places = list(zip(figures["_publication_id"], figures["_place"], strict=True))
    point = published_place.c.point
    rows = connection.execute(_of_places(places, func.ST_X(point), func.ST_Y(point)))
    found = {(row[0], row[1]): row[2:] for row in rows}
    at = np.array([found[place] for place in places], dtype=np.float64).reshape(-1, 2)
    return at[:, 0], at[:, 1]


def _of_places(places: Sequence[tuple[int, int]], *columns: ColumnElement[Any]) -> Select[Any]:
    """What is asked of the places of figures, after their publication and number."""
    place = published_place.c
    publications = sorted({publication_id for publication_id, _ in places})
    numbers = sorted({number for _, number in places})
    return select(place.publication_id, place.place, *columns).where(
        place.publication_id == func.any(publications), place.place == func.any(numbers)
    )
