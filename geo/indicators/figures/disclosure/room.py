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
        members = list(units.values())
        rows = np.concatenate([np.asarray(of_unit, dtype=np.intp) for of_unit in members])
        starts = np.cumsum([0, *(len(of_unit) for of_unit in members[:-1])])
        several = len(rows) > len(units)
        free = self.free[rows]
        for column in self.columns:
            inside, outside, loose = column.inside[rows], column.outside[rows], column.loose[rows]
            if not _has_room(column, inside, outside, loose, free):
                return False
            if several and not _has_room(
                column,
                np.add.reduceat(inside, starts, axis=0),
                np.add.reduceat(outside, starts, axis=0),
                np.logical_and.reduceat(loose, starts),
                np.logical_and.reduceat(free, starts),
            ):
                return False
        return True


def _has_room(column: Column, inside: Floats, outside: Floats, loose: Bools, free: Bools) -> bool:
    needing = column.needing(inside)
    return not needing.any() or bool((room(inside, outside, loose, free)[needing] >= column.least).all())


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
