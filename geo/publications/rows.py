"""Statements that read published figures. Those of one form are put together once, and sent as one text every time."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.selectable import LateralFromClause

from geo.database.schema.publications import publication, published_block, published_figure, published_place
from geo.indicators.figures import COUNT_STEP, REASONS, VALUE_COLUMNS, ValuesQuery
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure.rules import PROTECTED

_C = "C"
"""The collation in which texts stand in the order of their code points, as they do in cursors."""

FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code", "group")
"""The columns that name a figure among all of its publication and form."""

KEY = ("indicator", "_code", "_group")
"""What orders the figures of a publication."""

Conditions = Sequence[ColumnElement[bool]]

# Their names are short, as the driver keeps what it has made of a statement only of those below 4,096 letters.
BLOCK = published_block.alias("block")
PLACE = published_place.alias("place")
FIGURE = published_figure.alias("figure")


class Form(NamedTuple):
    """Which parts the statements of a question have; what is asked for by them are parameters."""

    by: bool
    counted: bool
    version: bool
    indicators: bool
    settlements: bool
    geometry: bool


def form_of(query: ValuesQuery) -> Form:
    """The form of a query's statements."""
    named = (query.by, query.counted, query.version, query.indicators, query.settlements, query.geometry)
    return Form(*(bool(each) for each in named))


def parameters_of(query: ValuesQuery) -> dict[str, Any]:
    """What the statements of a query's form are sent with, but for the publication."""
    return {
        "by": query.by or "",
        "counted": query.counted,
        "version": query.version,
        "indicators": list(query.indicators),
        "level": query.level,
        "settlements": list(query.settlements),
    }


def _text(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=Text)


def _any(name: str) -> ColumnElement[Any]:
    return func.any(bindparam(name, type_=ARRAY(Text)))


def blocks_of(form: Form) -> Conditions:
    """Which blocks are asked for: one of each indicator."""
    block = BLOCK.c
    counted = block.counted == _text("counted") if form.counted else block.is_headline
    asked = [block.group_field == _text("by"), counted]
    if form.version:
        asked.append(block.definition_version == bindparam("version", type_=Integer))
    if form.indicators:
        asked.append(block.indicator_id == _any("indicators"))
    return asked


def _places(form: Form) -> Conditions:
    """Which places are asked for."""
    asked = [PLACE.c.level == _text("level")]
    if form.settlements:
        # Joined: held against a list, every place would be compared with every name of it.
        codes = select(func.unnest(bindparam("settlements", type_=ARRAY(Text))))
        asked.append(PLACE.c.code.in_(codes))
    return asked


def sizes(form: Form, blocks: Conditions) -> tuple[LateralFromClause, LateralFromClause]:
    """Of a row of publications, of what is asked for: how many blocks (`n`) and `groups` it has, and places (`n`)."""
    groups = func.coalesce(func.sum(func.cardinality(BLOCK.c.groups)), 0)
    of_blocks = select(func.count().label("n"), groups.label("groups")).where(
        BLOCK.c.publication_id == publication.c.id, *blocks
    )
    of_places = select(func.count().label("n")).where(PLACE.c.publication_id == publication.c.id, *_places(form))
    return of_blocks.lateral("of_blocks"), of_places.lateral("of_places")


_OF_ROUND = ("city", "survey", "starts_on", "ends_on")
_PLACE = ("ward_code", "ward_name", "settlement_code", "settlement_name")


def rows(form: Form, blocks: Conditions, *, is_after: bool) -> Select[Any]:
    """At most `limit` rows of one publication, in order; `is_after`: after the one whose KEY is `after_...`."""
    block, place, figure = BLOCK.c, PLACE.c, FIGURE.c
    # It stands in the text as a number: the database then opens its one partition, and plans for what that holds.
    publication_id = bindparam("publication_id", type_=Integer, literal_execute=True)
    groups = func.unnest(block.groups).table_valued("name", with_ordinality="nth").render_derived("of_block")
    group = groups.c.name if form.by else literal("", Text)
    is_it = and_(figure.block == block.block, figure.place == place.place, figure.publication_id == publication_id)
    order = [block.block, place.place, *([groups.c.nth] if form.by else [])]
    found = select(
        *(_text(name).label(name) for name in _OF_ROUND),
        *(place.level, *(place[name] for name in _PLACE)),
        (_text("by") if form.by else null()).label("group_by"),
        (groups.c.name if form.by else null()).label("group"),
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
        (place.shape if form.geometry else null()).label("_shape"),
        func.row_number().over(order_by=order).label("_nth"),
    )
    both = BLOCK.join(PLACE, place.publication_id == block.publication_id)
    if form.by:
        both = both.join(groups, true()).outerjoin(FIGURE, and_(is_it, figure.group_name == groups.c.name))
    else:
        both = both.join(FIGURE, is_it)
    found = found.select_from(both).where(block.publication_id == publication_id, *blocks, *_places(form))
    if is_after:
        key = tuple_(block.indicator_id.collate(_C), place.code.collate(_C), group.collate(_C))
        found = found.where(key > tuple_(*(_text(f"after_{name}") for name in KEY)))
    return found.order_by(*order).limit(bindparam("limit", type_=Integer))


@lru_cache(maxsize=256)
def rows_asked(form: Form, *, is_after: bool) -> Select[Any]:
    """`rows` of the blocks that a form asks for."""
    return rows(form, blocks_of(form), is_after=is_after)


@lru_cache(maxsize=256)
def rows_written(form: Form, *, is_after: bool) -> Select[Any]:
    """The same rows in one: `written`, their JSON with commas between, the last one left out where there are `limit`.

    With shapes each is a feature of GeoJSON. Beside it, how many were found, and the KEY of the last that is written.
    """
    found = rows_asked(form, is_after=is_after).subquery("found")
    as_row = _told(found.c).correlate(found).lateral("told")
    row = cast(func.row_to_json(as_row.table_valued()), Text)
    is_shown = found.c["_nth"] < bindparam("limit", type_=Integer)
    text = _feature(found.c, row) if form.geometry else row
    last = found.c["_nth"] == bindparam("limit", type_=Integer) - 1
    return select(
        func.string_agg(text, aggregate_order_by(literal(",", Text), found.c["_nth"]))
        .filter(is_shown)
        .label("written"),
        func.count().label("n"),
        *(func.max(found.c[name]).filter(last).label(name) for name in KEY),
    ).select_from(found.join(as_row, true()))


@lru_cache(maxsize=256)
def rows_told(form: Form, *, is_after: bool) -> Select[Any]:
    """The same rows as their columns are told, each by itself; and their KEY."""
    found = rows_asked(form, is_after=is_after).subquery("found")
    return _told(found.c).add_columns(found.c["_code"], found.c["_group"]).order_by(found.c["_nth"])


def _told(found: Any) -> Select[Any]:
    """A row as its columns are told."""
    made: Mapping[str, ColumnElement[Any]] = {
        "rounded_to": case((func.coalesce(found.n, found.population).is_not(None), COUNT_STEP)),
        "flags": func.coalesce(func.string_to_array(found.flags, ","), cast([], ARRAY(Text))),
        "status": case((found.reason.is_(None), "published"), else_="withheld"),
        # One parameter, where a case for each reason would be twenty.
        "reason_text": cast(REASONS, JSONB)[found.reason].astext,
    }
    columns = ((column.name, made.get(column.name, found.get(column.name))) for column in VALUE_COLUMNS)
    return select(*(each.label(name) for name, each in columns))


def _feature(found: Any, row: ColumnElement[Any]) -> ColumnElement[Any]:
    name = func.concat_ws("/", *(found[name] for name in FEATURE_ID))
    named = cast(func.to_json(name), Text)
    shape = func.coalesce(found["_shape"], "null")
    return func.concat('{"type":"Feature","id":', named, ',"geometry":', shape, ',"properties":', row, "}")
