"""Reading published figures: rows as they were made, filtered and cut by the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, Select, Text, and_, case, cast, func, literal, null, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ColumnElement

from geo.base import decode_cursor, encode_cursor
from geo.database.schema.places import city
from geo.database.schema.publications import publication, published_block, published_figure, published_place
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters
from geo.fields import Unit
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import COLUMNS, COUNT_STEP, REASONS, VALUE_COLUMNS, FigurePage, ValuesQuery
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure.rules import PROTECTED
from geo.indicators.figures.query import check_filters
from geo.places import as_wkb, read_shape
from geo.surveys import Mode

_C = "C"
"""The collation in which texts stand in the order of their code points, as they do in cursors."""


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
    is_it = publication.c.state == "current" if number is None else publication.c.number == number
    rows = (
        select(
            *(publication.c.id, publication.c.number, city.c.slug.label("city"), survey.c.slug.label("survey")),
            *(survey.c.starts_on, survey.c.ends_on, survey.c.mode, survey.c.unit, survey.c.id.label("survey_id")),
        )
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(is_it, publication.c.state != "retracted", survey.c.state == "published")
    )
    if cities:
        rows = rows.where(city.c.slug.in_(cities))
    if surveys:
        rows = rows.where(survey.c.slug.in_(surveys))
    return sorted((CurrentPublication(*row) for row in connection.execute(rows)), key=lambda each: each.key)


FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code", "group")
"""The columns that name a figure among all of its publication and form."""

Conditions = Sequence[ColumnElement[bool]]


def find_published_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The published figures asked for, in the order of city, round, indicator, place and group.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_values.
    """
    check_filters(connection, query, read_catalogue(connection))
    publications = _asked_for(connection, query)
    page = read_page(connection, publications, query, blocks_of(query))
    shown = add_shapes(connection, page.figures) if query.geometry else page.figures
    return replace(page, figures=shown.drop(columns=list(INTERNAL)))


INTERNAL = ("_publication_id", "_place", "_code", "_drawn", "_group")
"""What figures have besides while they are made."""

_KEY = ("city", "starts_on", "survey", "indicator", "_code", "_group")
"""What orders figures, and what a cursor holds of the last one shown."""


def blocks_of(query: ValuesQuery) -> Conditions:
    """Which blocks a query asks for."""
    counted = published_block.c.counted == query.counted if query.counted else published_block.c.is_headline
    version = published_block.c.definition_version == query.version if query.version else true()
    asked = published_block.c.indicator_id.in_(query.indicators) if query.indicators else true()
    return [published_block.c.group_field == (query.by or ""), counted, version, asked]


def read_page(
    connection: Connection, publications: Sequence[CurrentPublication], query: ValuesQuery, blocks: Conditions
) -> FigurePage:
    """A page of the figures of some blocks, with INTERNAL beside their columns; `blocks` has one of each indicator."""
    sizes = _sizes(connection, publications, query, blocks)
    page = _fetch(connection, publications, sizes, query, blocks, lambda rows: rows)
    return FigurePage(_frame(page.rows), page.total, page.next_cursor)


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
    """Figures as JSON: of each its columns as one text, its name, and the GeoJSON of its place's shape."""

    rows: Sequence[str]
    names: Sequence[str]
    shapes: Sequence[str | None]
    total: int
    next_cursor: str | None


def write_published_values(connection: Connection, query: ValuesQuery) -> WrittenPage:
    """The same figures as find_published_values has, as the database itself writes them.

    Raises:
        InvalidParameters: as find_published_values.
    """
    publications = _asked_for(connection, query)
    sizes = _sizes(connection, publications, query, blocks_of(query))
    if not _names_what_is_there(publications, sizes, query):
        check_filters(connection, query, read_catalogue(connection))
    page = _fetch(connection, publications, sizes, query, blocks_of(query), _as_json)
    told, names, shapes = ([row[name] for row in page.rows] for name in ("told", "_name", "_shape"))
    return WrittenPage(told, names, shapes, page.total, page.next_cursor)


def _asked_for(connection: Connection, query: ValuesQuery) -> list[CurrentPublication]:
    """The publications that a query is answered from.

    Raises:
        InvalidParameters: the round has none of the number that is asked for.
    """
    found = current_publications(connection, query.cities, query.surveys, query.publication)
    if query.publication is not None and not found:
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
    return found


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


def _as_json(rows: Select[Any]) -> Select[Any]:
    """Each row as JSON (`told`), and what orders them."""
    found = rows.subquery("found")
    reason = found.c.reason
    made: dict[str, ColumnElement[Any]] = {
        "rounded_to": case((func.coalesce(found.c.n, found.c.population).is_not(None), COUNT_STEP)),
        "flags": func.coalesce(func.string_to_array(found.c.flags, ","), cast([], ARRAY(Text))),
        "status": case((reason.is_(None), "published"), else_="withheld"),
        # One parameter, where a case for each reason would be twenty.
        "reason_text": cast(REASONS, JSONB)[reason].astext,
    }
    columns = [made[name] if name in made else found.c[name] for name in (column.name for column in VALUE_COLUMNS)]
    told = select(*(each.label(column.name) for each, column in zip(columns, VALUE_COLUMNS, strict=True)))
    as_row = told.correlate(found).lateral("told")
    row = cast(func.row_to_json(as_row.table_valued()), Text).label("told")
    name = func.concat_ws("/", *(found.c[name] for name in FEATURE_ID)).label("_name")
    return select(*(found.c[name] for name in (*_KEY, "_shape")), name, row).select_from(found.join(as_row, true()))


@dataclass(frozen=True)
class _Fetched:
    rows: Sequence[RowMapping]
    total: int
    next_cursor: str | None


def _fetch(
    connection: Connection,
    publications: Sequence[CurrentPublication],
    sizes: Mapping[int, _Size],
    query: ValuesQuery,
    blocks: Conditions,
    shape: Callable[[Select[Any]], Select[Any]],
) -> _Fetched:
    """The rows of a page, shaped, from one publication after another until it is full."""
    after = None if query.page.cursor is None else decode_cursor(query.page.cursor, len(_KEY))
    total = sum(size.figures for size in sizes.values())
    limit = total if query.page.limit is None else query.page.limit
    rows: list[RowMapping] = []
    for each in publications:
        if len(rows) > limit or each.id not in sizes or (after is not None and each.key < after[:3]):
            continue
        here = after[3:] if after is not None and each.key == after[:3] else None
        asked = shape(_rows(each, query, blocks, here).limit(limit + 1 - len(rows)))
        rows += connection.execute(asked).mappings().all()
    shown = rows[:limit]
    cursor = encode_cursor([shown[-1][name] for name in _KEY]) if len(rows) > limit and shown else None
    return _Fetched(shown, total, cursor)


def _places(query: ValuesQuery) -> Conditions:
    """Which places are asked for."""
    chosen = published_place.c.code.in_(query.settlements) if query.settlements else true()
    return [published_place.c.level == query.level, chosen]


def _sizes(
    connection: Connection, publications: Sequence[CurrentPublication], query: ValuesQuery, blocks: Conditions
) -> dict[int, _Size]:
    """Of each publication that has figures of those asked for, how many."""
    ids = [each.id for each in publications]
    groups = func.sum(func.cardinality(published_block.c.groups))
    of_blocks = (
        select(published_block.c.publication_id, func.count().label("n"), groups.label("groups"))
        .where(published_block.c.publication_id == func.any(ids), *blocks)
        .group_by(published_block.c.publication_id)
        .subquery()
    )
    of_places = (
        select(published_place.c.publication_id, func.count().label("n"))
        .where(published_place.c.publication_id == func.any(ids), *_places(query))
        .group_by(published_place.c.publication_id)
        .subquery()
    )
    same = of_places.c.publication_id == of_blocks.c.publication_id
    both = select(of_blocks, of_places.c.n.label("places")).join(of_places, same)
    return {row.publication_id: _Size(row.n, int(row.groups), row.places) for row in connection.execute(both)}


_PLACE = ("ward_code", "ward_name", "settlement_code", "settlement_name")


def _rows(of: CurrentPublication, query: ValuesQuery, blocks: Conditions, after: Sequence[str] | None) -> Select[Any]:
    """The rows of one publication asked for, in order, after the one whose indicator, code and group are given."""
    block, place, figure = published_block.c, published_place.c, published_figure.c
    groups = func.unnest(block.groups).table_valued("name", with_ordinality="nth").render_derived("of_block")
    group = groups.c.name if query.by else literal("", Text)
    is_it = and_(figure.block == block.block, figure.place == place.place, figure.publication_id == of.id)
    rows = select(
        literal(of.city, Text).label("city"),
        literal(of.survey, Text).label("survey"),
        literal(of.starts_on.isoformat(), Text).label("starts_on"),
        literal(of.ends_on.isoformat(), Text).label("ends_on"),
        *(place.level, *(place[name] for name in _PLACE)),
        literal(query.by, Text).label("group_by"),
        (groups.c.name if query.by else null()).label("group"),
        block.indicator_id.label("indicator"),
        *(block[name] for name in ("indicator_name", "definition_version", "counted", "unit")),
        *(figure[name] for name in NUMBERS),
        func.coalesce(figure.method, block.method).label("method"),
        figure.flags,
        # Of a place that is protected in all groups no row is kept.
        case((figure.block.is_(None), PROTECTED), else_=figure.reason).label("reason"),
        figure.kept_from,
        block.publication_id.label("_publication_id"),
        place.place.label("_place"),
        place.code.label("_code"),
        place.drawn.label("_drawn"),
        group.label("_group"),
        (place.shape if query.geometry else null()).label("_shape"),
    )
    both = published_block.join(published_place, place.publication_id == block.publication_id)
    if query.by:
        both = both.join(groups, true()).outerjoin(published_figure, and_(is_it, figure.group_name == groups.c.name))
    else:
        both = both.join(published_figure, is_it)
    rows = rows.select_from(both).where(block.publication_id == of.id, *blocks, *_places(query))
    if after is not None:
        key = tuple_(block.indicator_id.collate(_C), place.code.collate(_C), group.collate(_C))
        rows = rows.where(key > tuple_(*(literal(part, Text) for part in after)))
    return rows.order_by(block.block, place.place, *([groups.c.nth] if query.by else []))


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
