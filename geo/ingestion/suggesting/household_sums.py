"""Household sums: columns that count people by age and sex, and together count everybody once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from geo.base import fold_name
from geo.ingestion.mapping import ColumnEvidence, Vocabulary
from geo.ingestion.mapping.vocabulary import People

_OLDEST = 120
_LARGEST = 60
"""More people of one age and sex than live in any household: a column that holds more counts something else."""

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OPEN, _BELOW = re.compile(r"\d\s*\+|[>≥]"), re.compile(r"[<≤]")


@dataclass(frozen=True)
class _Counted:
    """Whom a column counts: the sexes, and the ages from and to, in full years."""

    sexes: frozenset[str]
    youngest: int
    oldest: int


def columns_of_everybody(columns: Mapping[str, ColumnEvidence], words: Vocabulary) -> list[str]:
    """The columns whose sum is the household, if they count people of each sex and every age once; else none."""
    counted = {
        name: people
        for name, seen in columns.items()
        if _are_counts(seen) and (people := _counted(name, words.people)) is not None
    }
    return list(counted) if len(counted) > 1 and all(_covers(counted.values(), sex) for sex in "fm") else []


def _are_counts(seen: ColumnEvidence) -> bool:
    numbers = seen.numbers
    return 0 < len(numbers) == len(seen.counts) and all(0 <= n <= _LARGEST and n == int(n) for n in numbers)


def _counted(name: str, people: People) -> _Counted | None:
    """Whom a column's name says it counts; None where it says anything else beside."""
    spoken = fold_name(_CAMEL.sub(" ", name)).split()
    numbers = [people.numbers.get(word, int(word) if word.isdecimal() else None) for word in spoken]
    ages = [age for age in numbers if age is not None]
    rest = [word for word, age in zip(spoken, numbers, strict=True) if age is None]
    bounds = people.over | people.under
    who = [people.who[word] for word in rest if word in people.who]
    # A name such as “Under five” tells the age alone.
    if not set(rest) <= people.who.keys() | people.other | bounds or not (who or (ages and bounds & set(rest))):
        return None
    sexes, default = frozenset("fm"), (0, _OLDEST)
    for each in who:
        sexes &= each.sexes
        default = each.ages or default
    span = _span(ages, name, set(rest), people, default)
    return None if span is None or not sexes else _Counted(sexes, *span)


def _span(
    ages: list[int], name: str, spoken: set[str], people: People, default: tuple[int, int]
) -> tuple[int, int] | None:
    match ages:
        case []:
            return default
        case [age] if spoken & people.over or _OPEN.search(name):
            return age, _OLDEST
        case [age] if spoken & people.under or _BELOW.search(name):
            return 0, age - 1
        case [first, last] if first <= last:
            return first, last
        case _:
            return None


def _covers(counted: Iterable[_Counted], sex: str) -> bool:
    """Whether people of a sex are counted at every age, and none twice."""
    spans = sorted((each.youngest, each.oldest) for each in counted if sex in each.sexes)
    if not spans or spans[0][0] > 1 or spans[-1][1] < _OLDEST:
        return False
    return all(0 <= later[0] - earlier[1] <= 1 for earlier, later in pairwise(spans))
