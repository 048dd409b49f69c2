"""The attacker: what can be worked out of withheld counts from everything that is published of a round.

Every published number is an inequality, with the room its rounding leaves, over what a reader does not know: how many
households were asked in each settlement, and how many of them answered yes, no, or not at all. What indicators have to
do with one another is read from their definitions, by trying which answers a household can have to all of them
together. A linear program then tells the least and the largest number that each withheld count can be.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from geo.indicators.definitions import Definition
from geo.indicators.definitions.expressions.check import Expression
from geo.indicators.definitions.outcomes import NO, UNKNOWN, YES, alternatives, outcomes
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.disclosure.protection import MIN_RANGE
from geo.indicators.figures.disclosure.together import FEWEST_ALIKE

What = Literal["answering", "yes", "no", "unserved", "density"]

Sum = dict[int, float]
"""A sum of unknown numbers of households, each by its number and times a factor."""


@dataclass(frozen=True)
class Finding:
    """What could be learnt of a withheld figure, in households; of an unserved or a density, that it tells too much."""

    level: str
    place: str
    indicator: str
    counted: str
    group_by: str | None
    group: str | None
    what: What
    least: float
    most: float


class Impossible(ValueError):
    """No survey could have these figures: they are not of one round, or not what the definitions say."""


def audit(
    figures: pd.DataFrame,
    wards: Mapping[str, str | None],
    definitions: Iterable[Definition],
    hectares: Mapping[str, float] | None = None,
) -> list[Finding]:
    """What can be learnt from a round's figures that are withheld so that no household can be identified.

    A count of fewer than 10 answering households must not be told to within 10, and of sensitive answers neither those
    who gave them nor those who did not to within 5 where they are fewer than that. How many answered an
    indicator that is made of others is left aside: whose answer to one of these decides has, and that is told of each.

    Args:
        figures: all that is published of one round, with the columns VALUE_COLUMNS, of the levels settlement, ward and
            city, of everybody and of groups.
        wards: the ward of each settlement by its code; None where it is in none.
        definitions: those of the indicators.
        hectares: the land of each settlement, by which densities are held.

    Raises:
        Impossible: no survey could have these figures.
    """
    rows = [_Row.of(row) for row in figures.to_dict("records")]
    told = [_told_by_unserved(row) for row in rows] + [_told_by_density(row, hectares or {}) for row in rows]
    return [*filter(None, told), *_Round(rows, wards, {d.id: d for d in definitions}).findings()]


_MAY_LACK = ("group_by", "group", "reason")


@dataclass(frozen=True)
class _Row:
    """A published or withheld figure."""

    level: str
    place: str
    indicator: str
    counted: str
    group_by: str | None
    group: str | None
    reason: str | None
    method: str
    unit: str
    numbers: Mapping[str, float]

    @classmethod
    def of(cls, row: Mapping[Hashable, Any]) -> "_Row":
        level = str(row["level"])
        place = {"settlement": row["settlement_code"], "ward": row["ward_code"], "city": ""}[level]
        group_by, group, reason = (None if pd.isna(row[name]) else str(row[name]) for name in _MAY_LACK)
        indicator, counted, method, unit = (str(row[name]) for name in ("indicator", "counted", "method", "unit"))
        numbers = {str(name): float(n) for name, n in row.items() if isinstance(n, int | float) and not pd.isna(n)}
        return cls(level, str(place), indicator, counted, group_by, group, reason, method, unit, numbers)

    @property
    def is_secret(self) -> bool:
        return self.reason in (d.PROTECTED, *d.SECRET)

    def finding(self, what: What, least: float, most: float) -> Finding:
        return Finding(
            self.level, self.place, self.indicator, self.counted, self.group_by, self.group, what, least, most
        )


class _System:
    """Inequalities over unknown numbers, none of which is below 0."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._rows: list[tuple[Sum, float, float]] = []
        self._solved: dict[tuple[tuple[int, float], ...], tuple[float, float]] = {}

    def unknown(self, *key: Hashable) -> Sum:
        """The unknown of this name."""
        return {self._numbers.setdefault(key, len(self._numbers)): 1.0}

    def hold(self, total: Sum, low: float, high: float) -> None:
        """That a sum lies between two numbers."""
        self._rows.append((total, low, high))

    def compile(self) -> None:
        """Makes what programs are solved with, of all that holds."""
        ends = np.array([row[1:] for row in self._rows], dtype=np.float64).reshape(-1, 2)
        equal = ends[:, 0] == ends[:, 1]
        matrix = self._matrix()
        above, below = np.isfinite(ends[:, 0]) & ~equal, np.isfinite(ends[:, 1]) & ~equal
        self._held: dict[str, Any] = {
            "A_ub": vstack([matrix[below], -matrix[above]], format="csr"),
            "b_ub": np.concatenate([ends[below, 1], -ends[above, 0]]),
            "A_eq": matrix[equal],
            "b_eq": ends[equal, 0],
        }

    def _matrix(self) -> csr_array:
        totals = [total for total, *_ in self._rows]
        rows = np.repeat(np.arange(len(totals)), [len(total) for total in totals])
        columns = np.array([number for total in totals for number in total], dtype=np.intp)
        factors = np.array([factor for total in totals for factor in total.values()], dtype=np.float64)
        return csr_array((factors, (rows, columns)), shape=(len(totals), len(self._numbers)))

    def ends(self, total: Sum) -> tuple[float, float]:
        """The least and the largest that a sum can be."""
        key = tuple(sorted(total.items()))
        if key not in self._solved:
            self._solved[key] = (self._end(total, 1.0), -self._end(total, -1.0))
        return self._solved[key]

    def _end(self, total: Sum, sign: float) -> float:
        objective = np.zeros(len(self._numbers))
        for number, factor in total.items():
            objective[number] = sign * factor
        found = linprog(objective, bounds=(0, None), method="highs", **self._held)
        if found.status == _INFEASIBLE:
            raise Impossible
        return float(found.fun or 0.0) if found.status == 0 else -np.inf


def _plus(*sums: Sum) -> Sum:
    found: Sum = {}
    for total in sums:
        for number, factor in total.items():
            found[number] = found.get(number, 0.0) + factor
    return found


def _times(total: Sum, factor: float) -> Sum:
    return {number: factor * each for number, each in total.items()}


def _less(one: Sum, other: Sum) -> Sum:
    return _plus(one, _times(other, -1.0))


@dataclass(frozen=True)
class _Answers:
    """How many households of a settlement, or of a group there, say yes, no, and nothing that is known."""

    yes: Sum
    no: Sum
    unknown: Sum
    score: Sum
    """The sum of their scores, where the indicator is of those."""

    @property
    def known(self) -> Sum:
        return _plus(self.yes, self.no)

    @property
    def all(self) -> Sum:
        return _plus(self.yes, self.no, self.unknown)

    def and_(self, *others: "_Answers") -> "_Answers":
        everybody = (self, *others)
        parts = (_plus(*(getattr(each, name) for each in everybody)) for name in ("yes", "no", "unknown", "score"))
        return _Answers(*parts)


class _Round:
    """Everything that is said of a round, as inequalities."""

    def __init__(
        self, rows: Sequence[_Row], wards: Mapping[str, str | None], definitions: Mapping[str, Definition]
    ) -> None:
        self._rows, self._wards, self._definitions = rows, wards, definitions
        self._system = _System()
        self._there = {
            row.indicator: definitions[row.indicator] for row in rows if definitions[row.indicator].is_tallied
        }
        self._registers = {row.indicator for row in rows if row.method == "register"}
        self._answers: dict[tuple[Hashable, ...], _Answers] = {}
        groups: dict[tuple[str, str, str], list[str]] = {}
        for row in rows:
            if row.group_by is not None and row.group is not None:
                named = groups.setdefault((row.group_by, row.indicator, row.counted), [])
                if row.group not in named:
                    named.append(row.group)
        self._groups = groups
        for settlement in wards:
            self._define(settlement)
        for row in rows:
            if row.indicator in self._there:
                self._tell(row)
        self._system.compile()

    def findings(self) -> Iterator[Finding]:
        """What can be learnt of figures that are withheld for it."""
        for row in self._rows:
            if row.indicator not in self._there or not row.is_secret:
                continue
            answers = self._of(row)
            asked: list[tuple[What, Sum, int]] = []
            if not self._is_made_of_others(self._there[row.indicator]):
                asked.append(("answering", answers.known, MIN_RANGE))
            if self._there[row.indicator].is_sensitive and row.counted == "households":
                asked += [("yes", answers.yes, FEWEST_ALIKE), ("no", answers.no, FEWEST_ALIKE)]
            for what, total, room in asked:
                least, most = self._system.ends(total)
                # That there are none may be told of answers that are not sensitive.
                if most - least < room - _SLACK and least < room - _SLACK and (most > _SLACK or what != "answering"):
                    yield row.finding(what, round(least, 3), round(most, 3))

    def _is_made_of_others(self, definition: Definition) -> bool:
        fields = definition.answer_fields
        return not definition.deprivations and any(
            other.measure != "density" and other.answer_fields and other.answer_fields < fields
            for other in self._there.values()
        )

    def _of(self, row: _Row) -> _Answers:
        """The answers a figure counts: those of all settlements of its place."""
        inside = [
            settlement
            for settlement, ward in self._wards.items()
            if row.level == "city" or row.place == (settlement if row.level == "settlement" else ward)
        ]
        parts = [self._at(row.indicator, row.counted, settlement, row.group_by, row.group) for settlement in inside]
        return parts[0].and_(*parts[1:])

    def _asked(self, indicator: str, settlement: str) -> Sum:
        """How many were asked: the same unknown for all indicators of a base."""
        definition = self._there[indicator]
        asked = definition.asked_fields if indicator in self._registers else None
        return self._system.unknown("asked", definition.base, asked, settlement)

    def _at(
        self, indicator: str, counted: str, settlement: str, by: str | None = None, group: str | None = None
    ) -> _Answers:
        key = (indicator, counted, settlement, by, group)
        if key not in self._answers:
            parts = (self._system.unknown(*key, name) for name in ("yes", "no", "unknown", "score"))
            self._answers[key] = _Answers(*parts)
        return self._answers[key]

    def _define(self, settlement: str) -> None:
        """What the definitions say of the answers of a settlement."""
        hold = self._system.hold
        for definition in self._there.values():
            answers = self._at(definition.id, "households", settlement)
            if definition.score != "intensity":
                hold(_less(answers.all, self._asked(definition.id, settlement)), 0, 0)
            if definition.base is not None:
                everybody = self._system.unknown("asked", None, None, settlement)
                hold(_less(answers.all, everybody), -np.inf, 0)
            of_persons = self._at(definition.id, "persons", settlement)
            # Of persons, a household of unknown size is unknown too.
            hold(_less(of_persons.all, answers.all), 0, 0)
            hold(_less(of_persons.known, answers.known), -np.inf, 0)
        plain = [each for each in self._there.values() if each.base is None and each.id not in self._registers]
        self._define_types(plain, settlement)
        self._define_scores([each for each in plain if each.deprivations], settlement)
        for (by, indicator, counted), names in self._groups.items():
            if indicator not in self._there:
                continue
            whole = self._at(indicator, counted, settlement)
            parts = [self._at(indicator, counted, settlement, by, name) for name in names]
            together = parts[0].and_(*parts[1:])
            for one, other in ((whole.yes, together.yes), (whole.no, together.no), (whole.unknown, together.unknown)):
                hold(_less(one, other), 0, 0)
            definition = self._there[indicator]
            if definition.score != "intensity":
                for name, part in zip(names, parts, strict=True):
                    asked = self._system.unknown("asked", definition.base, by, tuple(names), name, settlement)
                    hold(_less(part.all, asked), 0, 0)

    def _define_types(self, definitions: Sequence[Definition], settlement: str) -> None:
        """That each household has one of the answers it can have to all conditions together."""
        for number, (conditions, answers) in enumerate(_together(definitions)):
            types = [self._system.unknown("type", number, i, settlement) for i in range(len(answers))]
            for column, (_, named) in enumerate(conditions):
                found = self._named(named, settlement)
                for value, total in ((YES, found.yes), (NO, found.no), (UNKNOWN, found.unknown)):
                    having = _plus(*(t for t, row in zip(types, answers, strict=True) if row[column] == value))
                    self._system.hold(_less(total, having), 0, 0)
        for definition in definitions:
            for part in _parts(definition, definitions):
                # One of the parts is enough, and that none holds must be known of all.
                whole, one = self._at(definition.id, "households", settlement), self._named(part, settlement)
                self._system.hold(_less(whole.yes, one.yes), 0, np.inf)
                self._system.hold(_less(whole.no, one.no), -np.inf, 0)
            parts = [self._named(part, settlement).yes for part in _parts(definition, definitions)]
            if parts:
                whole = self._at(definition.id, "households", settlement)
                self._system.hold(_less(whole.yes, _plus(*parts)), -np.inf, 0)

    def _named(self, named: Hashable, settlement: str) -> _Answers:
        """The answers to an indicator, or to a condition that is none."""
        if isinstance(named, str):
            return self._at(named, "households", settlement)
        parts = (self._system.unknown("part", named, settlement, name) for name in ("yes", "no", "unknown", "score"))
        return _Answers(*parts)

    def _define_scores(self, definitions: Sequence[Definition], settlement: str) -> None:
        """What scores over the same deprivations have to do with one another."""
        hold = self._system.hold
        for definition in definitions:
            answers = self._at(definition.id, "households", settlement)
            key = tuple((each.expression, each.weight) for each in definition.deprivations)
            known = self._system.unknown("known", key, settlement)
            if definition.score != "intensity":
                hold(_less(answers.known, known), 0, 0)
            all_ = self._system.unknown("score", key, settlement)
            weights = [
                (each.weight, self._named(("deprivation", each.expression), settlement))
                for each in definition.deprivations
            ]
            summed = _plus(*(_times(each.yes, weight) for weight, each in weights))
            not_known = _less(self._system.unknown("asked", None, None, settlement), known)
            hold(_less(all_, summed), -np.inf, 0)
            hold(_plus(_less(all_, summed), _times(not_known, definition.total_weight)), 0, np.inf)
            if definition.score == "count":
                hold(_less(answers.score, all_), 0, 0)
                continue
            cutoff, most = definition.cutoff or 0.0, definition.total_weight
            poor = self._system.unknown("poor", key, cutoff, settlement)
            of_poor = self._system.unknown("score of poor", key, cutoff, settlement)
            hold(_less(of_poor, _times(poor, cutoff)), 0, np.inf)
            hold(_less(of_poor, _times(poor, most)), -np.inf, 0)
            hold(_less(all_, of_poor), 0, np.inf)
            hold(_less(poor, known), -np.inf, 0)
            if definition.score == "headcount":
                hold(_less(answers.yes, poor), 0, 0)
            else:
                hold(_less(_times(answers.score, most), of_poor), 0, 0)
            if definition.score == "intensity":
                hold(_less(answers.known, poor), 0, 0)

    def _tell(self, row: _Row) -> None:
        """What a figure says."""
        answers, numbers = self._of(row), row.numbers
        if row.reason == d.NO_ANSWERS:
            self._system.hold(answers.known, 0, 0)
        if row.reason in (d.FEWER_THAN_10, d.NEARLY_ALL_ALIKE, d.PROTECTS_ANOTHER):
            # Where only some of what is withheld is told to be few, the rest is not. Of groups there may be none.
            few = row.reason == d.FEWER_THAN_10
            least = 0 if row.group_by else 1 if few else MIN_RANGE
            self._system.hold(answers.known, least, MIN_RANGE - 1 if few else np.inf)
        if "value" in numbers and numbers.get("n"):
            # Nothing is published of fewer.
            self._system.hold(answers.known, MIN_RANGE, np.inf)
        whole = row.method != "register"
        for name, total in (("n", answers.known), ("n_unknown", answers.unknown)):
            if name in numbers:
                self._system.hold(total, *_count_ends(numbers[name], whole=whole))
        if "value" in numbers:
            self._tell_value(row, answers)

    def _tell_value(self, row: _Row, answers: _Answers) -> None:
        definition, numbers = self._there[row.indicator], row.numbers
        equal = row.method in ("enumeration", "register") or (row.level == "settlement" and numbers.get("deff") == 1)
        if row.counted != "households" or definition.measure not in ("share", "mean") or not equal:
            return
        factor = 100.0 if definition.unit == "%" else 1.0
        inside = answers.score if definition.score in ("count", "adjusted", "intensity") else answers.yes
        base = answers.all if definition.unknown == "unserved" else answers.known
        told = {"value": (inside, base), "bound_low": (inside, answers.all)}
        if definition.measure == "share":
            told["bound_high"] = (_plus(inside, answers.unknown), answers.all)
        for name, (part, of) in told.items():
            if name in numbers:
                half = _half_step(definition, numbers["n"], numbers[name])
                for end, low, high in ((-half, 0.0, np.inf), (half, -np.inf, 0.0)):
                    self._system.hold(_less(_times(part, factor), _times(of, numbers[name] + end)), low, high)


_SLACK = 1e-6
_INFEASIBLE = 2


def _count_ends(shown: float, *, whole: bool) -> tuple[float, float]:
    """What a count can be that is shown rounded."""
    if shown == 0:
        return 0.0, 0.0
    half = (d.COUNT_STEP - 1) / 2 if whole else d.COUNT_STEP / 2
    return (float(whole) if shown == d.COUNT_STEP else shown - half), shown + half


def _half_step(definition: Definition, n: float, value: float) -> float:
    """How far a figure can be from what is shown."""
    few = n < d.MANY or (n < d.MANY + d.COUNT_STEP and value == round(value))
    if definition.unit == "%":
        return 0.5 if few else 0.05
    return float(0.5 * 10.0 ** -max(definition.decimals - few, 0))


Named = Sequence[tuple[Expression, Hashable]]


def _together(definitions: Sequence[Definition]) -> list[tuple[Named, Sequence[Sequence[int]]]]:
    """The conditions that have fields in common, each with its name, and the answers a household can have to them."""
    groups: list[tuple[frozenset[str], list[tuple[Expression, Hashable]]]] = []
    for condition, named in _conditions(definitions):
        fields = condition.attributes
        touching = [group for group in groups if group[0] & fields]
        groups = [group for group in groups if not group[0] & fields]
        members = [*(member for _, of in touching for member in of), (condition, named)]
        groups.append((fields.union(*(of for of, _ in touching)), members))
    found: list[tuple[Named, Sequence[Sequence[int]]]] = []
    for _, members in groups:
        answers = outcomes([condition for condition, _ in members])
        if answers is not None:
            found.append((members, answers.tolist()))
    return found


def _conditions(definitions: Sequence[Definition]) -> Iterator[tuple[Expression, Hashable]]:
    """The conditions that are not made of others: of indicators, of deprivations, and of what a choice is between."""
    seen = set()
    for definition in definitions:
        for each, (condition, _) in zip(definition.deprivations, definition.terms, strict=True):
            if each.expression not in seen:
                seen.add(each.expression)
                yield condition, ("deprivation", each.expression)
        if "numerator" in definition.parts:
            parts = _parts(definition, definitions)
            if parts:
                yield from zip(_split(definition, definitions), parts, strict=True)
            else:
                yield definition.parts["numerator"], definition.id


def _parts(definition: Definition, definitions: Sequence[Definition]) -> list[tuple[str, str, int]]:
    """The names of the conditions of which an indicator is a choice; none where it is no choice between others."""
    split = _split(definition, definitions)
    return [("choice", definition.id, i) for i in range(len(split))] if len(split) > 1 else []


def _split(definition: Definition, definitions: Sequence[Definition]) -> list[Expression]:
    """What a condition is a choice between, as others keep the fields apart."""
    if "numerator" not in definition.parts:
        return []
    condition = definition.parts["numerator"]
    beside = [d.answer_fields for d in definitions if d.answer_fields < definition.answer_fields]
    return alternatives(condition, beside) if beside else [condition]


def _told_by_unserved(row: _Row) -> Finding | None:
    """Where the unserved say more than the shown share of the shown people."""
    needed = ("value", "unserved", "population")
    if row.unit != "%" or not all(name in row.numbers for name in needed):
        return None
    value, shown, people = (row.numbers[name] for name in needed)
    follows = [max(d.COUNT_STEP * np.round(people * share / 100 / d.COUNT_STEP), 0) for share in (value, 100 - value)]
    if shown in follows or (shown == d.COUNT_STEP and 0 in follows):
        return None
    return row.finding("unserved", shown, shown)


def _told_by_density(row: _Row, hectares: Mapping[str, float]) -> Finding | None:
    """Where a settlement's density says more than that people rounded to 5 live on its land."""
    per = {"households/ha": 1.0, "people/km²": 0.01}.get(row.unit)
    value = row.numbers.get("value")
    if per is None or not value or row.group_by is not None or row.level != "settlement" or row.place not in hectares:
        return None
    land = per * hectares[row.place]
    people = max(float(d.COUNT_STEP * np.round(value * land / d.COUNT_STEP)), d.COUNT_STEP)
    digits = 2 if row.numbers["n"] < d.MANY + d.COUNT_STEP else 3
    shown = d.significant(np.array([people / land]), np.array([digits]))[0]
    return None if np.isclose(shown, value, rtol=10.0**-digits) else row.finding("density", people, people)
