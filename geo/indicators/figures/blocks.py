"""Blocks: one indicator in one round of one city, the unit in which figures are made and protected.

Whether a figure may be said depends on every other figure of its block, so a block is always made whole, whichever part
of it was asked for.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from geo.fields import Unit, standard_fields
from geo.indicators.definitions import Counted, Definition
from geo.indicators.figures.disclosure.protection import NO_WARD
from geo.indicators.figures.disclosure.ties import find_families
from geo.indicators.figures.disclosure.together import Plan
from geo.indicators.tallies import ALL, UNKNOWN_GROUP
from geo.indicators.tallies.tally import SUMS
from geo.surveys import Mode

OTHER = "other"
"""The name of pooled groups that people named in their own words."""


@dataclass(frozen=True)
class Round:
    """A survey round as figures need to know it."""

    city: str
    survey: str
    unit: Unit
    mode: Mode
    starts_on: date
    ends_on: date
    survey_id: int = 0
    city_id: int = 0
    members_unknown: float = 0.0
    """The share of its households whose number of members is not known."""


SIZES_UNKNOWN = 0.5
"""Where the members of a larger share of a round's households are not known, households are counted, not people."""


def headline(definition: Definition, rounds: Iterable[Round]) -> Counted:
    """What is counted where nobody says: what the definition counts, or households where people cannot be.

    Figures of several `rounds` that are held against each other count the same.
    """
    if "households" in definition.counted_levels() and any(r.members_unknown > SIZES_UNKNOWN for r in rounds):
        return "households"
    return definition.counted


@dataclass(frozen=True)
class Block:
    """One indicator in one round: its definition, what is counted, and by which groups."""

    round: Round
    definition: Definition
    counted: Counted
    is_counted: bool = True
    """Whether tallies have been made, if only to find that nobody is in the base."""
    beside: tuple[Definition, ...] = field(default=(), compare=False, repr=False)
    """All that its round has been counted by, with this one: what may be said of any of them depends on all."""

    @property
    def base(self) -> Hashable:
        """Who is asked. The rows of a register are asked some questions, and not others."""
        definition = self.definition
        of_few = (definition.id, definition.version) if definition.score == "intensity" else None
        asked = None if self.round.unit == "household" else definition.asked_fields
        return (definition.base, of_few, asked)


@dataclass(frozen=True)
class Cells:
    """Blocks with what their figures are made of.

    `places`, one row a settlement, and one for each ward where rounds have it in several: city, code, name, ward (index
    into `wards`, or protection.NO_WARD).
    `wards`, one row a ward: city, code, name.
    `cells`, one row for each block, settlement and group, also where there is no tally: block, place, ward, group, the
    sums of a tally, n_sampled, clustered (whether the sample was drawn by clusters); households (the frame size),
    area_m2 (geodesic; where a block is of density, less the ground of settlements inside it), boundary_id, seats
    (working ones of community toilets), nearest_m (to the nearest working facility). NaN: not known.
    `clusters`, the tallies of clusters in the blocks whose sample was drawn by clusters: block, place, ward, group,
    stratum, psu, n_clusters (sampled in the stratum), fraction (of all there are), used (answers), a and ay.
    """

    blocks: list[Block]
    places: pd.DataFrame
    wards: pd.DataFrame
    cells: pd.DataFrame
    clusters: pd.DataFrame
    group_field: str = ALL

    @property
    def rounds(self) -> list[list[int]]:
        """The numbers of the blocks of each round."""
        found: dict[Round, list[int]] = {}
        for number, block in enumerate(self.blocks):
            found.setdefault(block.round, []).append(number)
        return list(found.values())

    @property
    def plans(self) -> list[tuple[list[int], Plan]]:
        """Of each round its blocks, and how they hang together."""
        return [(numbers, self._plan([self.blocks[number] for number in numbers])) for numbers in self.rounds]

    def _plan(self, blocks: Sequence[Block]) -> Plan:
        definitions = [block.definition for block in blocks]
        return Plan(
            tuple(block.base for block in blocks),
            np.array([definition.score == "intensity" for definition in definitions], dtype=bool),
            np.array([definition.is_sensitive for definition in definitions], dtype=bool),
            self.group_is_sensitive,
            find_families(definitions),
        )

    @property
    def group_is_sensitive(self) -> bool:
        """Whether it could harm somebody to be known to be in a group."""
        return self.group_field != ALL and standard_fields()[self.group_field].sensitive


def pool_small_groups(table: Cells, least: int) -> Cells:
    """The cells with groups pooled that have fewer than `least` households in the city, or in most wards.

    All groups of a place are withheld where one of them is, so a group that is small nearly everywhere would take all
    others with it. Small groups are put together; if that is still small it joins the largest, of which it changes
    least. A pool is named by all its codes; in a text field, whose words may name the few who used them, by none.
    All indicators of a round have the same groups, by all who were asked: two that do not tell the difference.
    """
    cells = table.cells
    is_household = np.array([block.round.unit == "household" for block in table.blocks], dtype=bool)[cells["block"]]
    asked = (cells["sum_w"] + cells["sum_w_unknown"]).mask(is_household, cells["n"] + cells["n_unknown"])
    keys = [cells[name] for name in ("block", "place", "ward", "group")]
    by_place = asked.groupby(keys, sort=True).sum()
    is_text = standard_fields()[table.group_field].type == "text"
    names: dict[tuple[int, str], str] = {}
    for numbers in table.rounds:
        of_round = by_place[by_place.index.isin(numbers, level="block")]
        largest = of_round.groupby(level=["place", "ward", "group"]).max()
        by_ward = largest.groupby(level=["ward", "group"]).sum().unstack("group", fill_value=0.0)
        for codes in _pools(by_ward, least):
            label = OTHER if is_text and len(codes) > 1 else " + ".join(sorted(map(_named, codes)))
            names |= {(block, code): label for code in codes for block in numbers}
    named_by = zip(cells["block"].tolist(), cells["group"].tolist(), strict=True)
    named = cells.assign(group=[names.get(key) for key in named_by]).dropna(subset="group")
    summed = named.groupby(["block", "place", "group"], sort=True)[list(SUMS)].sum()
    facts = [name for name in named.columns if name not in SUMS]
    first = named[facts].drop_duplicates(["block", "place", "group"]).set_index(["block", "place", "group"])
    cells = first.join(summed).reset_index().sort_values(["block", "place", "group"], ignore_index=True)
    return replace(table, cells=cells)


def _pools(by_ward: pd.DataFrame, least: int) -> list[list[str]]:
    """The codes in use, in pools; `by_ward` has the households of each ward (a row) and code (a column)."""
    totals = by_ward.sum()
    codes = [str(code) for code in totals[totals > 0].sort_values(kind="stable").index]
    if not codes:
        return [[UNKNOWN_GROUP]]
    # As arrays: this is asked thousands of times of a round.
    counts = dict(zip(codes, by_ward[codes].to_numpy(dtype=np.float64).T, strict=True))
    is_ward = (by_ward.index != NO_WARD) & (by_ward.sum(axis=1) > 0).to_numpy()

    def is_small(pool: list[str]) -> bool:
        of_pool = np.sum([counts[code] for code in pool], axis=0)
        of_wards = of_pool[is_ward]
        few = ((of_wards > 0) & (of_wards < least)).sum()
        return bool(of_pool.sum() < least or few * 2 > is_ward.sum())

    small = [code for code in codes if is_small([code])]
    large = [[code] for code in codes if code not in small]
    if not small:
        return large
    if not large or not is_small(small):
        return [*large, small]
    return [*large[:-1], large[-1] + small]


def _named(code: str) -> str:
    return "unknown" if code == UNKNOWN_GROUP else code


def name_unknown_group(table: Cells) -> Cells:
    """The cells with those whose group is not known under a name."""
    if table.group_field == ALL:
        return table
    return replace(table, cells=table.cells.assign(group=[_named(str(code)) for code in table.cells["group"]]))
