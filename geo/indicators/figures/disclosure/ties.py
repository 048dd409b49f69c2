"""Ties: which indicators of a round tell of one another, read from their definitions.

Indicators about the same fields are tied, and so are the rungs of a ladder: a ladder's rungs share out the same
households, an improved toilet is a basic or a limited one, and a mean of deprivations is their headcount times their
intensity. A tied family is withheld in the same places, or what one of it shows would give away what another hides.

An indicator whose fields are another's and more is made of it, as a count of deprivations is of each deprivation. It is
withheld wherever one of its parts is, and in more places where that is needed; its parts do not depend on it. So is one
that uses a field of a sensitive indicator, however many others it uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.indicators.definitions import Definition


@dataclass(frozen=True)
class Family:
    """Indicators that are withheld in the same places, by their numbers; `parts`, the families they are made of."""

    members: tuple[int, ...]
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Head:
    """What of an indicator ties it to others."""

    fields: frozenset[str]
    ladder: str | None
    is_sensitive: bool

    def tells_of(self, other: "_Head") -> bool:
        """Whether something of the other follows from this one, so that it is withheld where the other is."""
        if self.ladder is not None and self.ladder == other.ladder:
            return True
        if other.is_sensitive and self.fields & other.fields:
            return not self.fields < other.fields
        return bool(other.fields) and other.fields <= self.fields


def find_families(definitions: Sequence[Definition]) -> tuple[Family, ...]:
    """The families of a round's indicators, each after those it is made of."""
    return _families(tuple(map(_head, definitions)))


def _head(definition: Definition) -> _Head:
    # How many live on its land is no answer, though a density counts those whose number of members is known.
    fields = frozenset[str]() if definition.measure == "density" else definition.answer_fields
    return _Head(fields, definition.ladder, definition.is_sensitive)


@lru_cache(maxsize=256)
def _families(heads: tuple[_Head, ...]) -> tuple[Family, ...]:
    tells = np.array([[one.tells_of(other) for other in heads] for one in heads], dtype=bool).reshape(-1, len(heads))
    n_found, of = connected_components(csr_array(tells), connection="strong")
    made_of: dict[int, set[int]] = {family: set() for family in range(n_found)}
    for one, other in np.argwhere(tells):
        made_of[int(of[one])].add(int(of[other]))
    order = list(TopologicalSorter({family: parts - {family} for family, parts in made_of.items()}).static_order())
    place = {family: number for number, family in enumerate(order)}
    return tuple(
        Family(
            tuple(np.flatnonzero(of == family).tolist()),
            tuple(sorted(place[part] for part in made_of[family] if part != family)),
        )
        for family in order
    )
