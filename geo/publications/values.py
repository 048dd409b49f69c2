"""Reading published figures: rows as they were made, filtered and cut by the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Text, and_, case, func, literal, null, select, true, tuple_
from sqlalchemy.sql import ColumnElement

from geo.base import decode_cursor, encode_cursor
from geo.database.schema.places import city
from geo.database.schema.publications import publication, published_block, published_figure, published_place
from geo.database.schema.surveys import survey
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import COLUMNS, COUNT_STEP, FigurePage, ValuesQuery
from geo.indicators.figures.query import check_filters
from geo.places import as_wkb, read_shape
from geo.publications.making import NUMBERS, PROTECTED

_C = "C"
"""The collation in which texts stand in the order of their code points, as they do in cursors."""


@dataclass(frozen=True)
class CurrentPublication:
    """A current publication as readers of figures need to know it."""

    id: int
    city: str
    survey: str
    starts_on: str
    ends_on: str
    number: int

    @property
    def key(self) -> list[str]:
        """What orders rounds in lists of figures."""
        return [self.city, self.starts_on, self.survey]


def current_publications(
    connection: Connection, cities: Sequence[str] = (), surveys: Sequence[str] = ()
) -> list[CurrentPublication]:
    """The current publications of these cities and rounds, or all, in the order of city and first day."""
    rows = (
        select(
            publication.c.id,
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            survey.c.starts_on,
            survey.c.ends_on,
            publication.c.number,
        )
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(publication.c.state == "current", survey.c.state == "published")
    )
    if cities:
        rows = rows.where(city.c.slug.in_(cities))
    if surveys:
        rows = rows.where(survey.c.slug.in_(surveys))
    found = [
        CurrentPublication(row.id, row.city, row.survey, str(row.starts_on), str(row.ends_on), row.number)
        for row in connection.execute(rows)
    ]
    return sorted(found, key=lambda each: each.key)


def find_published_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The published figures asked for, in the order of city, round, indicator, place and group.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_values.
    """
    check_filters(connection, query, read_catalogue(connection))
    publications = current_publications(connection, query.cities, query.surveys)
    sizes = _sizes(connection, publications, query)
    after = None if query.page.cursor is None else decode_cursor(query.page.cursor, len(_KEY))
    limit = sum(sizes.values()) if query.page.limit is None else query.page.limit
    rows: list[Any] = []
    for each in publications:
        if len(rows) > limit or not sizes.get(each.id) or (after is not None and each.key < after[:3]):
            continue
        here = None if after is None or each.key > after[:3] else after[3:]
        rows += connection.execute(_rows(each, query, here).limit(limit + 1 - len(rows))).all()
    shown = rows[:limit]
    cursor = encode_cursor([getattr(shown[-1], name) for name in _KEY]) if len(rows) > limit and shown else None
    return FigurePage(_frame(shown, query), sum(sizes.values()), cursor)


_KEY = ("city", "starts_on", "survey", "indicator", "code", "group_name")
"""What orders figures, and what a cursor holds of the last one shown."""


def _blocks(query: ValuesQuery) -> list[ColumnElement[bool]]:
    """Which blocks are asked for."""
    block = published_block.c
    found = [block.group_field == (query.by or "")]
    found.append(block.is_headline if query.counted is None else block.counted == query.counted)
    if query.indicators:
        found.append(block.indicator_id.in_(query.indicators))
    if query.version is not None:
        found.append(block.definition_version == query.version)
    return found


def _places(query: ValuesQuery) -> list[ColumnElement[bool]]:
    """Which places are asked for."""
    found = [published_place.c.level == query.level]
    if query.settlements:
        found.append(published_place.c.code.in_(query.settlements))
    return found


def _sizes(connection: Connection, publications: Sequence[CurrentPublication], query: ValuesQuery) -> dict[int, int]:
    """How many figures of those asked for each publication has."""
    ids = [each.id for each in publications]
    of_blocks = (
        select(published_block.c.publication_id, func.sum(func.cardinality(published_block.c.groups)).label("n"))
        .where(published_block.c.publication_id.in_(ids), *_blocks(query))
        .group_by(published_block.c.publication_id)
        .subquery()
    )
    of_places = (
        select(published_place.c.publication_id, func.count().label("n"))
        .where(published_place.c.publication_id.in_(ids), *_places(query))
        .group_by(published_place.c.publication_id)
        .subquery()
    )
    both = select(of_blocks.c.publication_id, of_blocks.c.n * of_places.c.n).join(
        of_places, of_places.c.publication_id == of_blocks.c.publication_id
    )
    return {publication_id: int(n) for publication_id, n in connection.execute(both)}


def _rows(of: CurrentPublication, query: ValuesQuery, after: Sequence[str] | None) -> Select[Any]:
    """The rows of one publication asked for, in order, after the one whose indicator, code and group are given."""
    block, place, figure = published_block.c, published_place.c, published_figure.c
    groups = func.unnest(block.groups).table_valued("name", with_ordinality="nth").render_derived("of_block")
    group = groups.c.name if query.by else literal("")
    is_it = and_(figure.block == block.block, figure.place == place.place, figure.publication_id == of.id)
    rows = select(
        literal(of.city).label("city"),
        literal(of.survey).label("survey"),
        literal(of.starts_on).label("starts_on"),
        literal(of.ends_on).label("ends_on"),
        place.level,
        *(place[name] for name in ("ward_code", "ward_name", "settlement_code", "settlement_name")),
        literal(query.by, Text).label("group_by"),
        (groups.c.name if query.by else null()).label("group"),
        block.indicator_id.label("indicator"),
        *(block[name] for name in ("indicator_name", "definition_version", "counted", "unit")),
        *(figure[name] for name in NUMBERS),
        func.coalesce(figure.method, block.method).label("method"),
        figure.flags,
        # Of a place that is protected in all groups no row is kept.
        case((figure.block.is_(None), PROTECTED), else_=figure.reason).label("reason"),
        place.code,
        group.label("group_name"),
        *([as_wkb(place.geom).label("geometry")] if query.geometry else []),
    )
    both = published_block.join(published_place, place.publication_id == block.publication_id)
    if query.by:
        both = both.join(groups, true()).outerjoin(published_figure, and_(is_it, figure.group_name == groups.c.name))
    else:
        both = both.join(published_figure, is_it)
    rows = rows.select_from(both).where(block.publication_id == of.id, *_blocks(query), *_places(query))
    if after is not None:
        key = tuple_(block.indicator_id.collate(_C), place.code.collate(_C), group.collate(_C))
        rows = rows.where(key > tuple_(*(literal(part, Text) for part in after)))
    return rows.order_by(block.block, place.place, *([groups.c.nth] if query.by else []))


def _frame(rows: Sequence[Any], query: ValuesQuery) -> pd.DataFrame:
    """The rows as figures have them."""
    columns = [*COLUMNS, *(["geometry"] if query.geometry else [])]
    if not rows:
        return pd.DataFrame(columns=columns)
    figures = pd.DataFrame([row._asdict() for row in rows], dtype=object)
    numbers = {name: figures[name].astype(float) for name in NUMBERS}
    counted = numbers["n"].notna() | numbers["population"].notna()
    figures = figures.assign(
        **numbers,
        rounded_to=counted.map({True: float(COUNT_STEP), False: float("nan")}),
        flags=pd.Series([tuple(flags.split(",")) if flags else () for flags in figures["flags"]], dtype=object),
        status=["published" if reason is None else "withheld" for reason in figures["reason"]],
    )
    if query.geometry:
        figures["geometry"] = pd.Series([read_shape(shape) for shape in figures["geometry"]], dtype=object)
    return figures[columns]
