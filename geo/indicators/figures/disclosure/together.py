"""What is withheld in one round, decided for all its indicators at once.

First for the households asked, which all indicators of a base share: n and n_unknown are told wherever an indicator is
published, so that one published in a place tells how many were asked there for all. Places with few are withheld for
all indicators, and what else must be with them. Then for each narrower base, and then for each family of indicators:
what too few answered though many were asked, and sensitive answers. Each step adds to what is withheld before it, so
that nothing it hides is shown by another.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.indicators.figures.disclosure.protection import MIN_RANGE, Withheld, protect
from geo.indicators.figures.disclosure.room import Column, Rooms
from geo.indicators.figures.disclosure.ties import Family

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Level = str

FEWEST_ALIKE = 5
"""A sensitive answer given, or not given, by fewer households than this points at them."""

_BOTH_FEW = 2 * MIN_RANGE
"""Of fewer asked, either those who answered or those who did not are fewer than 10."""

_ANY = np.inf

_MOST_TRIED = 5


@dataclass(frozen=True)
class Plan:
    """How the blocks of one round hang together; a block is its number among them."""

    bases: tuple[Hashable, ...]
    """Of each block, who is asked: blocks of the same base ask the same households."""
    of_few: Bools
    """Of each block, whether its answers are those of a part that another indicator counts, as of the deprived: that
    they are few is no secret, but what they say is."""
    sensitive: Bools
    """Of each block, whether its answers could harm who gave them."""
    group_is_sensitive: bool
    """Whether it could harm somebody to be known to be in a group, so that it must not be told that there is nobody."""
    families: tuple[Family, ...]


@dataclass(frozen=True)
class Counts:
    """A round's households at one level, by block, place and group."""

    answering: Floats
    asked: Floats
    yes: Floats
    secret: Bools
    """Which places are withheld for a reason of their own, by block and place."""
    loose: Bools
    """Which places are withheld as a whole, by block and place. True where the counts are not of groups."""


Hidden = Mapping[Level, Bools]
"""Of each place of each level, whether it is withheld."""


def decide(levels: Mapping[Level, Counts], ward: NDArray[np.intp], plan: Plan, *, grouped: bool) -> dict[Level, Bools]:
    """Which places of each level are withheld, by block and place.

    Args:
        levels: `settlement`, `ward` and `city`.
        ward: the ward of each settlement, as an index of the level's places, or NO_WARD.
        plan: how the blocks hang together.
        grouped: whether the counts are of groups.
    """
    withheld = np.zeros(levels["settlement"].asked.shape[1], dtype=bool)
    found: list[dict[Level, Bools]] = []
    while len(found) < _MOST_TRIED:
        decision = _Decision(levels, ward, plan, withheld, grouped=grouped)
        found.append(decision.by_block())
        if not decision.blamed.any():
            break
        # Who did not answer is hidden among others who did not, or the place for all indicators: what costs less.
        withheld = withheld | decision.blamed
    return min(found, key=lambda hidden: sum(int(places.sum()) for places in hidden.values()))


class _Decision:
    def __init__(
        self,
        levels: Mapping[Level, Counts],
        ward: NDArray[np.intp],
        plan: Plan,
        withheld: Bools,
        *,
        grouped: bool,
    ) -> None:
        self._levels, self._ward, self._plan, self._grouped = levels, ward, plan, grouped
        self._withheld = withheld
        self.blamed = np.zeros(len(withheld), dtype=bool)
        """The settlements in which so few answered, and so few did not, that a family is withheld in whole wards."""
        self._answered = levels["city"].answering.sum(axis=(1, 2)) > 0
        self._in_base = levels["city"].asked.sum(axis=(1, 2)) > 0
        self._asked: dict[Level, Floats] = {level: counts.asked.max(axis=0) for level, counts in levels.items()}
        self._everybody = self._of_everybody()
        self._of_base = {base: self._narrowed(base) for base in dict.fromkeys(plan.bases)}

    def by_block(self) -> dict[Level, Bools]:
        """Which places are withheld, by block.

        Nothing is of an indicator that nobody answered anywhere, unless it is made of others: that nobody is known to
        lack anything says something of each thing.
        """
        found = {level: counts.secret.copy() for level, counts in self._levels.items()}
        decided: list[Hidden] = []
        for family in self._plan.families:
            decided.append(self._of_family(family, [decided[part] for part in family.parts]))
            told = self._in_base if family.parts else self._answered
            members = [block for block in family.members if told[block]]
            for level, places in decided[-1].items():
                found[level][members] |= places
        return found

    def _of_everybody(self) -> Hidden:
        """The places in which few were asked, and what else must be withheld for all indicators."""
        own: dict[Level, Bools] = {}
        for level, counts in self._levels.items():
            asked = self._asked[level]
            somebody = (
                asked.sum(axis=1, keepdims=True) > 0 if self._grouped and self._plan.group_is_sensitive else asked > 0
            )
            few = (asked < MIN_RANGE) & somebody
            own[level] = np.asarray(few.any(axis=1))
            if self._grouped and self._answered.any():
                own[level] |= counts.secret[self._answered].all(axis=0)
        own["settlement"] |= self._withheld
        return self._protected(own, self._asked["settlement"])

    def _blocks_of(self, base: Hashable) -> list[int]:
        return [block for block, of_block in enumerate(self._plan.bases) if of_block == base]

    def _narrowed(self, base: Hashable) -> Hidden:
        """The places withheld for all indicators of a base: those of everybody, and what few of the base are in."""
        blocks = [block for block in self._blocks_of(base) if not self._plan.of_few[block]]
        asked = {level: counts.asked[blocks].max(axis=0, initial=0.0) for level, counts in self._levels.items()}
        if all(np.array_equal(asked[level], self._asked[level]) or not asked[level].any() for level in asked):
            return self._everybody
        own = {}
        for level, of_base in asked.items():
            few = (of_base > 0) & (of_base < MIN_RANGE)
            own[level] = few.any(axis=1) | self._everybody[level]
        inside, all_ = asked["settlement"], self._asked["settlement"]
        loose = np.asarray(self._levels["settlement"].loose[blocks].all(axis=0))
        column = Column(inside, all_ - inside, loose, MIN_RANGE, MIN_RANGE)
        return self._protected(own, inside, [column])

    def _of_family(self, family: Family, parts: Sequence[Hidden]) -> Hidden:
        blocks = [block for block in family.members if self._answered[block]]
        own = {}
        for level, counts in self._levels.items():
            before = [self._of_base[self._plan.bases[block]][level] for block in blocks] or [self._everybody[level]]
            secret = counts.secret[list(family.members)].any(axis=0)
            own[level] = np.any([secret, *before, *(part[level] for part in parts)], axis=0)
        if not blocks:
            return own
        answering = self._levels["settlement"].answering[blocks]
        found = self._protected(own, answering.max(axis=0), self._columns(blocks))
        if any((found[level] & ~own[level]).any() for level in ("ward", "city")):
            few = (answering > 0) & (answering < MIN_RANGE) & (self._asked["settlement"] < _BOTH_FEW)
            self.blamed |= few.any(axis=(0, 2)) & ~self._everybody["settlement"]
        return found

    def _columns(self, blocks: Iterable[int]) -> list[Column]:
        """What must have room in a family: how many answered, and who said yes and who said no to what is sensitive."""
        counts, found = self._levels["settlement"], dict[tuple[object, ...], Column]()
        for block in blocks:
            asked, answering, loose = self._container(block), counts.answering[block], counts.loose[block]
            columns = [Column(answering, asked - answering, loose, MIN_RANGE, MIN_RANGE)]
            if self._plan.sensitive[block]:
                # A whole is shown where five say so: what its groups make of them cannot be told less closely.
                least = FEWEST_ALIKE if self._grouped else MIN_RANGE
                for part in (counts.yes[block], answering - counts.yes[block]):
                    columns.append(Column(part, asked - part, loose, least, _ANY))
            for column in columns:
                key = (column.inside.tobytes(), column.outside.tobytes(), loose.tobytes(), column.below, column.least)
                found.setdefault(key, column)
        return list(found.values())

    def _container(self, block: int) -> Floats:
        """How many were asked of whom a block is a part: those of its base, or all where the former are withheld."""
        all_: Floats = self._asked["settlement"]
        if self._plan.of_few[block]:
            return all_
        hidden = self._of_base[self._plan.bases[block]]["settlement"]
        return np.asarray(np.where(hidden[:, None], all_, self._levels["settlement"].asked[block]))

    def _protected(self, own: Hidden, present: Floats, columns: Sequence[Column] | None = None) -> Hidden:
        """What is withheld, with what else must be. `columns` is None where all who were asked are protected."""
        if not any(places.any() for places in own.values()):
            return own
        rooms = None if columns is None else Rooms(columns, self._everybody["settlement"]).is_safe
        # That nobody answered where others hide is not known.
        present = np.where(own["settlement"][:, None], self._asked["settlement"], present)
        size = self._asked["settlement"].sum(axis=1)
        out = protect(self._ward, present, own["settlement"], own["ward"], bool(own["city"].any()), size, rooms)
        return _by_level(out)


def _by_level(withheld: Withheld) -> Hidden:
    return {"settlement": withheld.settlements, "ward": withheld.wards, "city": np.array([withheld.city])}
