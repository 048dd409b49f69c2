"""The one door to figures: select tallies, estimate, withhold. Every reader, of any kind, comes through here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, func, select

from geo.base import decode_cursor, encode_cursor
from geo.database.schema.places import settlement, settlement_ward
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters, NotAllowed
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures.blocks import Block, Cells
from geo.indicators.figures.columns import VALUE_COLUMNS, frame_names
from geo.indicators.figures.compute import PLACE, Exact, decide_levels, finish, make_exact
from geo.indicators.figures.query import ValuesQuery, block_key, check_filters, find_blocks
from geo.indicators.figures.read import read_cells
from geo.indicators.figures.rollup import Level
from geo.indicators.figures.shapes import add_shapes, boundaries_within
from geo.indicators.tallies import ALL
from geo.places import in_ward_on, there_on

DATES = ("starts_on", "ends_on")
"""The first and the last day of a figure's round."""

COLUMNS = frame_names(VALUE_COLUMNS)
"""The columns of figures."""


@dataclass(frozen=True)
class FigurePage:
    """Figures, one a row, with the columns COLUMNS, and geometry (shapes) where it was asked for.

    Shares are per cent; `population` and `unserved` are households or persons, as `counted` says. `bound_low` and
    `bound_high` are the figure if all whose answer is not known said no, or yes. `flags` is a tuple of names in
    figures.FLAGS; `method` one of figures.Method; `rounded_to` what counts are rounded to.
    """

    figures: pd.DataFrame
    total: int
    next_cursor: str | None


def find_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The figures asked for, in the order of city, round, indicator, place and group; what may not be said is withheld.

    Raises:
        InvalidParameters: a filter names something that is not there, and the message names what is; or settlements
            are named for a figure of a ward or a city, which is always of all its settlements; or groups are asked for
            without saying of which indicator and round.
    """
    catalogue = read_catalogue(connection)
    check_filters(connection, query, catalogue)
    blocks = find_blocks(connection, query, catalogue)

    def rows_of(chosen: list[Block]) -> pd.DataFrame:
        table, exact = read_exact(connection, chosen, query)
        return named(finish(exact), table, query.level)

    page = page_of(connection, query, blocks, rows_of)
    shown = add_shapes(connection, page.figures) if query.geometry else page.figures
    return replace(page, figures=shown.drop(columns=list(INTERNAL)))


_KEY = ("city", "_starts_on", "survey", "indicator", "_code", "_group")
_KEY_PARTS = len(_KEY)
INTERNAL = ("_starts_on", "_code", "_group", "_survey_id", "_drawn")
"""What figures have besides while they are made."""


def _sizes(connection: Connection, blocks: Sequence[Block], query: ValuesQuery) -> list[int]:
    """How many figures each block holds of the level asked for, groups left aside."""
    if query.level == "city":
        return [1] * len(blocks)
    counted = func.count() if query.level == "settlement" else func.count(settlement_ward.c.ward_id.distinct())
    rows = (
        select(survey.c.id, counted)
        .join(settlement, settlement.c.city_id == survey.c.city_id)
        .outerjoin(settlement_ward, in_ward_on(survey.c.starts_on))
        .where(survey.c.id == func.any([block.round.survey_id for block in blocks]), there_on(survey.c.starts_on))
        .group_by(survey.c.id)
    )
    if query.settlements:
        rows = rows.where(settlement.c.code.in_(query.settlements))
    places = {row[0]: int(row[1]) for row in connection.execute(rows)}
    return [places.get(block.round.survey_id, 0) for block in blocks]


def _choose(blocks: Sequence[Block], sizes: Sequence[int], query: ValuesQuery, after: list[str] | None) -> list[int]:
    """The blocks that hold the page asked for. How many groups a block has shows when it is read: all of them."""
    first = 0
    if after is not None:
        first = next((i for i, b in enumerate(blocks) if list(block_key(b)) >= after[: _KEY_PARTS - 2]), len(blocks))
    if query.page.limit is None or query.by is not None:
        return list(range(len(blocks))) if query.by else list(range(first, len(blocks)))
    # Of the first one a part may have been shown before.
    whole = np.cumsum([0 if i == first and after is not None else sizes[i] for i in range(first, len(blocks))])
    needed = int(np.searchsorted(whole, query.page.limit)) + 1
    return list(range(first, min(first + needed, len(blocks))))


def page_of(
    connection: Connection,
    query: ValuesQuery,
    blocks: Sequence[Block],
    rows_of: Callable[[list[Block]], pd.DataFrame],
) -> FigurePage:
    """The page asked for of what `rows_of` makes of blocks: one row for each block, place and group, named."""
    sizes = _sizes(connection, blocks, query)
    after = None if query.page.cursor is None else decode_cursor(query.page.cursor, _KEY_PARTS)
    chosen = _choose(blocks, sizes, query, after)
    if not any(sizes[i] for i in chosen):
        return FigurePage(pd.DataFrame(columns=[*COLUMNS, *INTERNAL]), sum(sizes), None)
    rows = rows_of([blocks[i] for i in chosen])
    if query.settlements:
        rows = rows[rows["settlement_code"].isin(query.settlements)]
    total = len(rows) if query.by else sum(sizes)
    if after is not None:
        keys = zip(*(rows[name].tolist() for name in _KEY), strict=True)
        rows = rows[[list(key) > after for key in keys]]
    limit = len(rows) if query.page.limit is None else query.page.limit
    shown = rows.iloc[:limit].reset_index(drop=True)
    more = len(rows) > limit or any(sizes[chosen[-1] + 1 :])
    cursor = encode_cursor(shown.iloc[-1][list(_KEY)].tolist()) if more and len(shown) else None
    return FigurePage(shown, total, cursor)


def find_area_values(connection: Connection, query: ValuesQuery, area: BaseGeometry) -> FigurePage:
    """The figures of all settlements together of which at least half the area lies in `area` (longitude and latitude).

    Their level is `area`. Two areas that differ by one settlement tell its figure: this is for those who see it anyway.

    Raises:
        NotAllowed: the query is not one for full figures.
        InvalidParameters: a filter names something that is not there, or no settlement lies in the area.
    """
    if query.access != "full":
        raise NotAllowed("area_needs_full_access")
    catalogue = read_catalogue(connection)
    check_filters(connection, query, catalogue)
    blocks = find_blocks(connection, query, catalogue)
    table = read_cells(connection, blocks, query.by or ALL)
    inside = boundaries_within(connection, area, table.cells["boundary_id"].dropna().astype(int).unique().tolist())
    cells = table.cells[table.cells["boundary_id"].isin(inside)]
    if cells.empty:
        raise InvalidParameters([InvalidParameter("within", "area_without_settlements")])
    if len(table.clusters):
        at = cells[["block", "place"]].drop_duplicates()
        table = replace(table, clusters=table.clusters.merge(at, on=["block", "place"]))
    part = replace(table, cells=cells.reset_index(drop=True))
    figures = named(finish(make_exact(part, "city", query.access)), part, "city").assign(level="area")
    return FigurePage(figures.drop(columns=list(INTERNAL)), len(figures), None)


def read_exact(connection: Connection, blocks: Sequence[Block], query: ValuesQuery) -> tuple[Cells, Exact]:
    """The blocks, and their figures before they are rounded, each with the reason it may not be said."""
    public = query.access == "public"
    read = [*blocks, *_beside(blocks)] if public else list(blocks)
    table = read_cells(connection, read, query.by or ALL)
    whole = decide_levels(read_cells(connection, read)) if query.by and public else None
    exact = make_exact(table, query.level, query.access, whole)
    asked = exact.figures[exact.figures["block"] < len(blocks)].reset_index(drop=True)
    return table, replace(exact, figures=asked)


def _beside(blocks: Sequence[Block]) -> list[Block]:
    """The other blocks of the same rounds, without which it cannot be told what must be withheld."""
    there = {(b.round, b.definition.id, b.definition.version, b.counted) for b in blocks}
    found = []
    for first in {block.round: block for block in blocks}.values():
        for definition in first.beside:
            for counted in definition.counted_levels():
                if (first.round, definition.id, definition.version, counted) not in there:
                    found.append(replace(first, definition=definition, counted=counted, is_counted=True))
    return found


def named(figures: pd.DataFrame, table: Cells, level: Level) -> pd.DataFrame:
    """Figures with the names of what they are of, in the columns COLUMNS and a few of our own."""
    block = figures["block"].to_numpy()
    place = figures["place"].to_numpy()

    def of_block(read: Callable[[Block], object]) -> list[object]:
        values = [read(b) for b in table.blocks]
        return [values[i] for i in block]

    rows = figures.assign(
        city=of_block(lambda b: b.round.city),
        survey=of_block(lambda b: b.round.survey),
        starts_on=of_block(lambda b: b.round.starts_on.isoformat()),
        ends_on=of_block(lambda b: b.round.ends_on.isoformat()),
        level=level,
        group_by=table.group_field or None,
        group=figures["group"] if table.group_field != ALL else None,
        indicator=of_block(lambda b: b.definition.id),
        indicator_name=of_block(lambda b: b.definition.at(b.counted).name),
        definition_version=of_block(lambda b: b.definition.version),
        counted=of_block(lambda b: b.counted),
        unit=of_block(lambda b: b.definition.unit),
        _starts_on=of_block(lambda b: b.round.starts_on.isoformat()),
        _survey_id=of_block(lambda b: b.round.survey_id),
        _group=figures["group"],
        **_place_names(table, level, place),
    )
    codes: dict[Level, object] = {"settlement": rows["settlement_code"], "ward": rows["ward_code"], "city": ""}
    rows["_code"] = codes[level]
    rows["_drawn"] = _drawn(table, level, rows["_survey_id"].tolist(), place)
    return rows[[*COLUMNS, *INTERNAL]]


def _place_names(table: Cells, level: Level, place: NDArray[np.intp]) -> dict[str, object]:
    """The columns of PLACE; None where the level has none, or the settlement no ward."""
    none = np.full(len(place), None, dtype=object)
    if level == "city":
        return dict.fromkeys(PLACE, none)
    wards = {name: np.array([*table.wards[name], None], dtype=object) for name in ("code", "name")}
    if level == "ward":
        return {
            "ward_code": wards["code"][place],
            "ward_name": wards["name"][place],
            "settlement_code": none,
            "settlement_name": none,
        }
    # NO_WARD counts from the end, where None stands.
    ward = table.places["ward"].to_numpy()[place]
    return {
        "ward_code": wards["code"][ward],
        "ward_name": wards["name"][ward],
        "settlement_code": table.places["code"].to_numpy(dtype=object)[place],
        "settlement_name": table.places["name"].to_numpy(dtype=object)[place],
    }


def _drawn(table: Cells, level: Level, survey_ids: Sequence[int], place: NDArray[np.intp]) -> list[str]:
    """The numbers of the boundaries each figure rests on; of a settlement without one its own number, negative."""
    at = table.cells.drop_duplicates(["survey_id", "place"])
    at = at[["survey_id", "place", "ward", "boundary_id", "settlement_id"]]
    if level == "ward":
        at = at.assign(place=at["ward"])
    if level == "city":
        at = at.assign(place=0)
    numbers = at["boundary_id"].astype(float).fillna(-at["settlement_id"]).astype(int)
    drawn: dict[tuple[int, int], list[int]] = {}
    for survey_id, of_place, number in zip(at["survey_id"], at["place"], numbers, strict=True):
        drawn.setdefault((survey_id, of_place), []).append(number)
    said = {key: ",".join(map(str, sorted(ids))) for key, ids in drawn.items()}
    return [said.get(key, "") for key in zip(survey_ids, place.tolist(), strict=True)]
