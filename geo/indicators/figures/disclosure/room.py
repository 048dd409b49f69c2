"""Room: how far a withheld count can be moved without anything that is published changing.

A reader who knows how many households were asked in a place, and how many of them a count holds in all, still does not
know which place they are in, as long as households inside the count can change places with households outside it. How
many can is a count's room: no published number tells it more closely.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """A count to be protected, in each settlement (a row) and group (a column; one where all are counted together)."""

    inside: Floats
    outside: Floats
    """Those asked who are not inside it."""
    loose: Bools
    """Of each settlement, whether it is withheld what all its groups make together. True where there are no groups."""
    least: float
    """The room it needs."""
    below: float
    """Only counts above 0 and below this need it."""

    def needing(self, inside: Floats) -> Bools:
        """Which counts need room."""
        return (inside > 0) & (inside < self.below)


@dataclass(frozen=True)
class Rooms:
    """The counts of a family of indicators."""

    columns: Sequence[Column]
    free: Bools
    """Of each settlement, whether even how many were asked there is withheld."""

    def is_safe(self, units: Mapping[int, list[int]]) -> bool:
        """Whether what is withheld under one published place, in units, has the room it needs.

        A unit is a withheld settlement, or a withheld ward with those withheld in it: its sum is withheld too.
        """
        if len(units) < 2:
            return not units
        members = [np.asarray(of_unit, dtype=np.intp) for of_unit in units.values()]
        rows = np.concatenate(members)
        starts = np.cumsum([0, *map(len, members[:-1])])
        are_wards = len(rows) > len(units)
        for column in self.columns:
            inside, outside, loose = column.inside[rows], column.outside[rows], column.loose[rows]
            needing = column.needing(inside)
            if needing.any() and (room(inside, outside, loose, self.free[rows])[needing] < column.least).any():
                return False
            needing = column.needing(np.add.reduceat(inside, starts, axis=0))
            if are_wards and needing.any():
                found = _room_of_units(inside, outside, loose, self.free[rows], starts)
                if (found[needing] < column.least).any():
                    return False
        return True


def _room_of_units(inside: Floats, outside: Floats, loose: Bools, free: Bools, starts: NDArray[np.intp]) -> Floats:
    """The room of the sums of units, which begin at `starts`: what some of their rows can move will do."""
    found = np.zeros((len(starts), inside.shape[1]))
    for some in (np.ones_like(free), free, loose, free & loose):
        parts = (np.add.reduceat(counts * some[:, None], starts, axis=0) for counts in (inside, outside))
        kinds = (np.logical_and.reduceat(holds | ~some, starts) for holds in (loose, free))
        found = np.maximum(found, room(*parts, *kinds))
    return found


def room(inside: Floats, outside: Floats, loose: Bools, free: Bools) -> Floats:
    """How far apart the least and the largest value of each count inside are, at least.

    Four ways to move households, each of which keeps all that is published; the best counts.
    """
    found = _between_places_and_groups(inside, outside)
    if loose.any():
        found[loose] = np.maximum(found[loose], _between_places(inside[loose], outside[loose]))
    if free.any():
        found[free] = np.maximum(found[free], _among_free(inside[free]))
    both = loose & free
    if both.sum() > 1:
        # Anybody may be in any of them; and what they hold together may grow by exchange with the others.
        together = np.minimum(inside[both].sum(), inside[free].sum(axis=0))
        grown = np.minimum(outside[both].sum(axis=0), inside[loose & ~free].sum(axis=0))
        found[both] = np.maximum(found[both], np.maximum(together, inside[both].sum(axis=0) + grown))
    return found


def _between_places(inside: Floats, outside: Floats) -> Floats:
    """One inside goes from a place to another, one outside goes back: both places have as many asked as before."""
    up = np.minimum(outside, inside.sum(axis=0) - inside)
    down = np.minimum(inside, outside.sum(axis=0) - outside)
    return np.asarray(up + down)


def _among_free(inside: Floats) -> Floats:
    """Places keep what all their groups make, groups what all places make: a table of which the margins are known."""
    of_place, of_group, all_ = inside.sum(axis=1, keepdims=True), inside.sum(axis=0, keepdims=True), inside.sum()
    return np.asarray(np.minimum(np.minimum(of_place, of_group), np.minimum(all_ - of_place, all_ - of_group)))


def _between_places_and_groups(inside: Floats, outside: Floats) -> Floats:
    """As between places, and in another group the other way round, so that each place keeps what its groups make."""
    one, other = inside[:, :, None], outside[:, None, :]
    given = np.minimum(one, other)  # by place, group and other group: inside the one, outside the other
    taken = np.minimum(outside[:, :, None], inside[:, None, :])
    up = np.minimum(taken, given.sum(axis=0) - given)
    down = np.minimum(given, taken.sum(axis=0) - taken)
    n_groups = inside.shape[1]
    found = (up + down) * ~np.eye(n_groups, dtype=bool)
    return np.asarray(found.max(axis=2))
