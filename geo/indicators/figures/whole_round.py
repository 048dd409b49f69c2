"""Everything the public may be told of a round: all indicators, places, groups and both counts, made together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from geo.indicators.definitions import Counted, read_catalogue
from geo.indicators.figures.blocks import Block, Cells, headline
from geo.indicators.figures.compute import Decided, decide_levels, finish
from geo.indicators.figures.disclosure.differences import COUNTS
from geo.indicators.figures.disclosure.rules import SECRET
from geo.indicators.figures.query import ValuesQuery, find_blocks
from geo.indicators.figures.read import read_cells
from geo.indicators.figures.rollup import Level
from geo.indicators.figures.values import named
from geo.indicators.tallies import ALL
from geo.indicators.tallies.store import group_fields

_COUNTED: tuple[Counted, ...] = ("households", "persons")


@dataclass(frozen=True)
class Told:
    """The public figures of a round as a whole (`group_field` is empty), or by the groups of a field.

    `table`: the blocks and the places, without the cells that the figures were made from.
    `figures`, by level, in the order of block, place and group: the columns of figures, those in values.INTERNAL,
    `block` (an index of the table's blocks) and `place`. Of groups, a place that is protected in all of them is left
    out, as most are.
    `counts`: of all settlements block, place, group and differences.COUNTS, to the household: for nobody's eyes.
    """

    table: Cells
    groups: dict[int, list[str]]
    """The groups of each block, by its index: also of those that are told of no place."""
    figures: dict[Level, pd.DataFrame]
    counts: pd.DataFrame

    @property
    def group_field(self) -> str:
        """The field by whose groups the figures are; empty: all households."""
        return self.table.group_field

    @property
    def blocks(self) -> list[Block]:
        """One indicator each, of households or persons."""
        return self.table.blocks

    def is_headline(self, block: Block) -> bool:
        """Whether this is what is counted where nobody says."""
        return block.counted == headline(block.definition, [block.round])


def tell_round(connection: Connection, city: str, survey: str) -> Iterator[Told]:
    """Everything the public may be told of a round: first as a whole, then by the groups of each field.

    It rests on the tallies there are: of groups that are not counted yet, nothing is said.
    """
    catalogue = read_catalogue(connection)
    asked = [ValuesQuery(cities=[city], surveys=[survey], counted=counted, seen="all") for counted in _COUNTED]
    blocks = [block for query in asked for block in find_blocks(connection, query, catalogue)]
    blocks = sorted(blocks, key=lambda block: (block.definition.id, block.counted))
    whole = read_cells(connection, blocks)
    said_whole = decide_levels(whole)
    yield _told(whole, said_whole)
    if blocks and blocks[0].round.unit == "household":
        for by in group_fields():
            tallied = find_blocks(
                connection, ValuesQuery(cities=[city], surveys=[survey], by=by, seen="all"), catalogue
            )
            counted = {block.definition.id for block in tallied if block.is_counted}
            chosen = [block for block in blocks if block.definition.id in counted]
            if chosen:
                of_chosen = said_whole if chosen == blocks else decide_levels(read_cells(connection, chosen))
                yield _told_by_groups(read_cells(connection, chosen, by), of_chosen)


def _told_by_groups(table: Cells, whole: Mapping[Level, Decided]) -> Told:
    return _told(table, decide_levels(table, whole))


def _told(table: Cells, decided: Mapping[Level, Decided]) -> Told:
    of_city = decided["city"].counts
    groups = {int(block): sorted(set(names)) for block, names in of_city.groupby("block")["group"]}
    told = {}
    for level, of_level in decided.items():
        counts = of_level.counts
        rows: NDArray[np.bool_] | slice = slice(None)
        if table.group_field != ALL:
            is_told = ~counts["reason"].isin(SECRET)
            rows = is_told.groupby([counts["block"], counts["place"]]).transform("any").to_numpy()
        exact = of_level.exact(rows)
        told[level] = pd.concat([named(finish(exact), table, level), exact.figures[["block", "place"]]], axis=1)
    # The cells of a field are the most memory there is, and no reader of this looks at them.
    without_cells = replace(table, cells=table.cells.head(0).copy())
    return Told(without_cells, groups, told, decided["settlement"].counts[["block", "place", "group", *COUNTS]].copy())
