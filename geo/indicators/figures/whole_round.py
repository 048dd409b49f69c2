"""Everything the public may be told of a round: all indicators, places, groups and both counts, made together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd
from sqlalchemy import Connection

from geo.indicators.definitions import Counted, read_catalogue
from geo.indicators.figures.blocks import Block, Cells, headline
from geo.indicators.figures.compute import Exact, finish, make_levels
from geo.indicators.figures.disclosure.differences import COUNTS
from geo.indicators.figures.disclosure.rules import PROTECTED
from geo.indicators.figures.query import ValuesQuery, find_blocks
from geo.indicators.figures.read import read_cells
from geo.indicators.figures.rollup import LEVELS, Level
from geo.indicators.figures.values import named
from geo.indicators.tallies import ALL
from geo.indicators.tallies.store import group_fields

_COUNTED: tuple[Counted, ...] = ("households", "persons")


@dataclass(frozen=True)
class Told:
    """The public figures of a round as a whole (`group_field` is empty), or by the groups of a field.

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
    yield _told(whole, make_levels(whole, LEVELS, "public"))
    if blocks and blocks[0].round.unit == "household":
        for by in group_fields():
            tallied = find_blocks(
                connection, ValuesQuery(cities=[city], surveys=[survey], by=by, seen="all"), catalogue
            )
            counted = {block.definition.id for block in tallied if block.is_counted}
            chosen = [block for block in blocks if block.definition.id in counted]
            if chosen:
                table = read_cells(connection, chosen, by)
                of_chosen = whole if chosen == blocks else read_cells(connection, chosen)
                yield _told(table, make_levels(table, LEVELS, "public", of_chosen))


def _told(table: Cells, levels: dict[Level, Exact]) -> Told:
    of_city = levels["city"].figures
    groups = {int(block): sorted(set(names)) for block, names in of_city.groupby("block")["group"]}
    told = {}
    for level, exact in levels.items():
        figures = exact.figures
        if table.group_field != ALL:
            is_told = figures["reason"] != PROTECTED
            figures = figures[is_told.groupby([figures["block"], figures["place"]]).transform("any")]
        kept = replace(exact, figures=figures.reset_index(drop=True))
        told[level] = pd.concat([named(finish(kept), table, level), kept.figures[["block", "place"]]], axis=1)
    counts = levels["settlement"].figures[["block", "place", "group", *COUNTS]]
    return Told(table, groups, told, counts.reset_index(drop=True))
