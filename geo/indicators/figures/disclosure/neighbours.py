"""Which unknowns of a round are near one another: those of a settlement, of a ward, or of all hidden under one sum."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.indicators.figures.disclosure.program import Floats

About = tuple[str, str, str | None, str | None]
"""Whom a figure is about: a level, the code of a place, the field that groups, and the group."""

Summed = tuple[int, str | None, int]
"""An unknown for a sum over settlements: its part of the households, the ward (None: the city), and what is summed."""

Name = tuple[str, str | None, str | None]
"""A block by its level, its ward (None: that of those in none, or of the city), and a field."""

Block = NDArray[np.int64]
"""Some unknowns, by their numbers."""

_TO_HIDE_AMONG = 2
"""How many settlements of a ward are enough to change together with those of others."""

_FEW_GROUPS = 4
"""So few groups of a field change together; of more, each with the largest."""


@dataclass(frozen=True)
class Layout:
    """Where the unknowns of a round stand: by part of its households, settlement, and unknown of any settlement."""

    n_parts: int
    settlements: Mapping[str, int]
    wards: Mapping[str | None, Sequence[int]]
    """The settlements of each ward, by their numbers."""
    groups: Sequence[tuple[str, str] | None]
    """Which group each unknown of a settlement is of, by its field and name; None: of everybody."""
    sums: Mapping[Summed, int]

    def block(self, settlements: Sequence[int], unknowns: NDArray[np.int64]) -> Block:
        """These unknowns of settlements, and the sums over places that change with them, in order."""
        size = len(self.groups)
        first = np.add.outer(np.arange(self.n_parts) * len(self.settlements), np.asarray(settlements, np.int64)) * size
        inside, free = {*settlements}, {*unknowns.tolist()}
        touched = {ward for ward, members in self.wards.items() if inside & {*members}} | {None}
        sums = [number for (_, ward, unknown), number in self.sums.items() if ward in touched and unknown in free]
        return np.unique(np.append(np.add.outer(first.ravel(), unknowns), np.array(sums, dtype=np.int64)))


class Neighbours:
    """The blocks of a round's unknowns."""

    def __init__(
        self,
        layout: Layout,
        hidden: Mapping[str | None, set[int]],
        hidden_wards: Mapping[str | None, set[str | None]],
        start: Floats,
    ) -> None:
        """Those around the households of a round.

        Args:
            layout: where the unknowns stand.
            hidden: the settlements that are withheld as a whole (None) or by the groups of a field.
            hidden_wards: the wards likewise.
            start: a solution.
        """
        self._layout, self._hidden_wards = layout, hidden_wards
        self._hidden = {field: set(settlements) for field, settlements in hidden.items()}
        self._ward_of = {number: ward for ward, members in layout.wards.items() for number in members}
        shape = (layout.n_parts, len(layout.settlements), len(layout.groups))
        by_settlement = start[: np.prod(shape)].reshape(shape).sum(axis=0)
        self._people, self._sizes = by_settlement.sum(axis=1), by_settlement.sum(axis=0)

    def together(self, still_open: Callable[[], Collection[About]]) -> Iterator[tuple[str | None, Block]]:
        """Unknowns that may change together while all others stay, given those about whom questions are still open.

        What is hidden of a ward, as a whole or by the groups of a field; then of several wards that are hidden too.
        """
        layout = self._layout
        for level, place, field, _ in still_open():
            settlements = self._hidden.setdefault(field, set())
            if level == "settlement":
                settlements.add(layout.settlements[place])
        enough = self._enough()
        for field in self._hidden:
            for unknowns in [enough] if field is None else self._chosen(field):
                for ward in layout.wards:
                    yield field, layout.block(self._of_ward(ward, field), unknowns)
                for ward in self._beyond(field):
                    yield field, layout.block(self._among(field, ward, still_open()), unknowns)

    def with_more(self, still_open: Callable[[], Collection[About]]) -> Iterator[tuple[str | None, Block]]:
        """The same of groups, with all that is said of settlements of which nothing is told as a whole.

        Of many groups a settlement may need all, and then changes with the largest beside it alone.
        """
        layout, whole, enough = self._layout, self._hidden.get(None, set()), self._enough()
        for field in filter(None, self._hidden):
            own = np.array([i for i, group in enumerate(layout.groups) if group and group[0] == field], dtype=np.int64)
            is_of_few = len(list(self._chosen(field))) == 1
            for ward in layout.wards:
                asked = sorted(self._asked(field, still_open()) & {*layout.wards[ward]})
                together = [self._of_ward(ward, field)] if is_of_few else [self._beside(field, each) for each in asked]
                for some in together if asked else ():
                    with_whole = layout.block([each for each in some if each in whole], enough)
                    yield field, np.union1d(with_whole, layout.block(some, own))

    def _asked(self, field: str | None, about: Collection[About]) -> set[int]:
        """The settlements that questions by a field are about."""
        return {
            self._layout.settlements[place] for level, place, by, _ in about if level == "settlement" and by == field
        }

    def _of_ward(self, ward: str | None, field: str | None) -> list[int]:
        return [each for each in self._layout.wards[ward] if each in self._hidden[field]]

    def _beyond(self, field: str | None) -> list[str | None]:
        """The wards of which settlements hide among those of others, because they are hidden themselves."""
        return [ward for ward in self._layout.wards if ward is None or ward in self._hidden_wards.get(field, ())]

    def _among(self, field: str | None, ward: str | None, about: Collection[About]) -> list[int]:
        """The settlements of a ward that are asked about, and the largest there and in other wards to hide among."""
        found = self._asked(field, about) & {*self._layout.wards[ward]}
        return sorted(found.union(*(self._largest(field, other) for other in self._beyond(field))))

    def _beside(self, field: str | None, settlement: int) -> list[int]:
        """A settlement, and the largest to hide among."""
        ward, beyond = self._ward_of[settlement], self._beyond(field)
        there = [one for each in (beyond if ward in beyond else [ward]) for one in self._of_ward(each, field)]
        return sorted({settlement, *sorted(there, key=lambda each: -self._people[each])[:_TO_HIDE_AMONG]})

    def _largest(self, field: str | None, ward: str | None) -> list[int]:
        return sorted(self._of_ward(ward, field), key=lambda each: -self._people[each])[:_TO_HIDE_AMONG]

    def _groups_of(self, field: str) -> list[list[int]]:
        """The unknowns of each group of a field, those of the largest first."""
        of_group: dict[str, list[int]] = {}
        for number, group in enumerate(self._layout.groups):
            if group is not None and group[0] == field:
                of_group.setdefault(group[1], []).append(number)
        return sorted(of_group.values(), key=lambda numbers: -self._sizes[numbers].sum())

    def _chosen(self, field: str) -> Iterator[NDArray[np.int64]]:
        """The unknowns of all groups of a field, or where there are many of each with those of the largest."""
        largest, *others = self._groups_of(field)
        if len(others) < _FEW_GROUPS:
            others = [[each for numbers in others for each in numbers]]
        for numbers in others:
            yield np.array(sorted([*largest, *numbers]), dtype=np.int64)

    def _enough(self) -> NDArray[np.int64]:
        """The unknowns of everybody, and of the two largest groups of each field, which can follow them."""
        found = [number for number, group in enumerate(self._layout.groups) if group is None]
        for field in {group[0]: None for group in self._layout.groups if group is not None}:
            found += [number for numbers in self._groups_of(field)[:2] for number in numbers]
        return np.array(sorted(found), dtype=np.int64)

    def around(self, about: About) -> Iterator[Name]:
        """The names of blocks around those whom a question is about: the ward's, then the city's."""
        level, place, field, _ = about
        if level == "settlement":
            yield "ward", self._ward_of[self._layout.settlements[place]], field
        elif level == "ward":
            yield "ward", place, field
        if any(group is not None and group[0] != field for group in self._layout.groups):
            yield "city", None, field

    def block(self, name: Name) -> Block:
        """The unknowns of a name: those of everybody and of the groups of its field."""
        level, place, field = name
        near = [i for i, group in enumerate(self._layout.groups) if group is None or group[0] == field]
        settlements = self._layout.wards[place] if level == "ward" else list(self._layout.settlements.values())
        return self._layout.block(settlements, np.array(near, dtype=np.int64))
