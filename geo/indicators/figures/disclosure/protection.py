"""Complementary suppression: what else must be withheld so that a withheld figure cannot be worked out.

A city's figures add up: settlements to wards, wards and settlements without a ward to the city, groups to everybody.
A reader who knows a sum and all but one of its parts knows that one too. So each published sum that has withheld parts
must leave them room: from what is published, no withheld count may be known to within 10.

In a tree this can be told by looking, with no search. Every published place gives one equation: the counts of the
settlements it alone covers (those withheld, under it and under no published place below it) have a known total. They
are exposed to it. A count in an equation of two or more can be anything from 0 to that total, and a withheld place's
anything that those exposed under it can add up to.

With groups, each equation is a table of which the margins are known. A count in a row r and a column c of a table of T
can be anything from max(0, r + c - T) to min(r, c): room enough, where two or more rows and two or more columns have 10
households each. A row has them, or is withheld as a whole, and then its margin is not known.

A person who owns one of the numbers knows more than a reader of the published ones; that is not defended against.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MIN_RANGE = 10
"""How far apart the least and the largest possible value of a withheld count must be."""

NO_WARD = -1

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


IsSafe = Callable[[Mapping[int, list[int]]], bool]
"""Whether nothing can be worked out from one published place, given the settlements exposed to it by unit."""


@dataclass(frozen=True)
class Withheld:
    """Which figures of a city are withheld: by settlement, by ward, and the city's own."""

    settlements: Bools
    wards: Bools
    city: bool


@dataclass
class _Exposed:
    """The settlements one published place gives an equation for.

    They are kept by unit: what stands directly under the place, a ward that is withheld itself or a settlement. A unit
    alone in its equation is known.
    """

    safe: IsSafe
    units: dict[int, list[int]] = field(default_factory=dict)

    def add(self, unit: int, settlements: Iterable[int]) -> None:
        self.units.setdefault(unit, []).extend(settlements)

    @property
    def is_safe(self) -> bool:
        """Whether none of the counts can be worked out."""
        return self.safe(self.units)


def sums_are_safe(counts: Floats) -> IsSafe:
    """Two units or more, and ten households in every column."""

    def is_safe(units: Mapping[int, list[int]]) -> bool:
        if not units:
            return True
        members = [settlement for of_unit in units.values() for settlement in of_unit]
        return len(units) > 1 and bool(counts[members].sum(axis=0).min() >= MIN_RANGE)

    return is_safe


def protect(
    ward: NDArray[np.intp],
    counts: Floats,
    settlements: Bools,
    wards: Bools,
    city: bool,
    size: Floats,
    safe: IsSafe | None = None,
) -> Withheld:
    """Adds to the figures that are withheld for themselves those that would give them away.

    Args:
        ward: the ward of each settlement as an index from 0, or NO_WARD.
        counts: what is to be protected, one row a settlement: the households that answered; or, each to be protected by
            itself, those that said yes and those that said no; or those of each group, of which there are two or more,
            all of one place published or withheld together.
        settlements, wards, city: what is withheld for itself. Of a ward withheld so, every settlement with anybody in
            it is; of a city, every ward. Of groups: whatever is withheld as a whole, too.
        safe: when an equation is safe, where that is not told by the sums of `counts`.
        size: of each settlement, by which the smallest that will do is withheld, and then the smallest ward.

    The same sizes choose the same settlements. So `size` is best what no answer changes, as how many were asked: were
    one settlement withheld for households and another for persons, each could be told from where it is published.
    """
    out = Withheld(settlements.copy(), wards.copy(), bool(city))
    safe = safe or sums_are_safe(counts)
    by_size = np.argsort(size, kind="stable")
    by_size = by_size[counts[by_size].sum(axis=1) > 0]
    for number in range(len(wards)):
        if not out.wards[number]:
            _settle_ward(number, safe, out, by_size[ward[by_size] == number])
    return out if out.city else _settle_city(ward, safe, out, by_size, size)


def _settle_ward(number: int, safe: IsSafe, out: Withheld, by_size: NDArray[np.intp]) -> None:
    """Makes the equation of a published ward safe, by withholding more of its settlements or the ward itself."""
    exposed = _Exposed(safe)
    for settlement in by_size[out.settlements[by_size]]:
        exposed.add(int(settlement), [int(settlement)])
    for settlement in by_size[~out.settlements[by_size]]:
        if exposed.is_safe:
            return
        exposed.add(int(settlement), [int(settlement)])
        out.settlements[settlement] = True
    out.wards[number] = not exposed.is_safe


def _settle_city(
    ward: NDArray[np.intp], safe: IsSafe, out: Withheld, by_size: NDArray[np.intp], size: Floats
) -> Withheld:
    """Makes the city's equation safe: its units are withheld wards, and withheld settlements without a ward."""
    exposed = _Exposed(safe)
    for settlement in by_size[out.settlements[by_size]]:
        number = int(ward[settlement])
        if number == NO_WARD or out.wards[number]:
            # A ward's number is told from a settlement's by its sign.
            exposed.add(int(settlement) if number == NO_WARD else -1 - number, [int(settlement)])
    for unit in _candidates(ward, size, out, by_size):
        if exposed.is_safe:
            return out
        if unit >= 0:
            out.settlements[unit] = True
            exposed.add(unit, [unit])
            continue
        out.wards[-1 - unit] = True
        of_ward = by_size[ward[by_size] == -1 - unit]
        if not out.settlements[of_ward].any():
            # All of them published would add up to the ward.
            out.settlements[of_ward[0]] = True
        exposed.add(unit, (int(s) for s in of_ward[out.settlements[of_ward]]))
    return out if exposed.is_safe else Withheld(out.settlements, out.wards, True)


def _candidates(ward: NDArray[np.intp], size: Floats, out: Withheld, by_size: NDArray[np.intp]) -> list[int]:
    """What more could be withheld under a city, the least loss first.

    First settlements without a ward and wards that hide a settlement already, then other wards, each by size.
    """
    found = [(False, float(size[s]), int(s)) for s in by_size if ward[s] == NO_WARD and not out.settlements[s]]
    for number in np.flatnonzero(~out.wards):
        of_ward = by_size[ward[by_size] == number]
        if len(of_ward):
            is_whole = not out.settlements[of_ward].any()
            found.append((is_whole, float(size[of_ward].sum()), -1 - int(number)))
    return [unit for *_, unit in sorted(found)]
