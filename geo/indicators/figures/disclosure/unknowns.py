"""What the definitions of a round's indicators say of the households of one settlement.

A household has one answer to each indicator, and those to several hang together: who has no toilet has none of their
own. Of the households of a settlement it is not known how many have which answers. What must hold of these numbers in
any settlement is said here once. All of it is said of sums that are at least, at most or exactly 0, so it holds of any
two kinds of households together where it holds of each.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geo.indicators.definitions import Definition
from geo.indicators.definitions.expressions.check import Expression
from geo.indicators.definitions.outcomes import NO, YES, alternatives, outcomes
from geo.indicators.figures.disclosure.program import Sum, less, plus, times


@dataclass(frozen=True)
class Groups:
    """The groups that figures of an indicator tell apart, by their names."""

    by: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """How many households say yes, how many say yes or no, and of how many nothing is known."""

    yes: Sum
    known: Sum
    unknown: Sum
    score: Sum
    """The sum of their scores, where the indicator is of those."""

    @property
    def no(self) -> Sum:
        """How many say no."""
        return less(self.known, self.yes)

    @property
    def all(self) -> Sum:
        """How many were asked."""
        return plus(self.known, self.unknown)


OF_SCORES = ("count", "adjusted", "intensity")
"""What is made of scores, and is their mean."""

_ASKED = "asked"

Cell = tuple[str, str, Groups | None, str | None]
"""An indicator, whether households or persons are counted, and a group, or None for everybody."""


class Unknowns:
    """The unknowns of one settlement, each a number of households, and what is held of them."""

    def __init__(
        self, definitions: Mapping[str, Definition], registers: Collection[str], cells: Collection[Cell]
    ) -> None:
        """Those of some indicators, by their names.

        Args:
            definitions: those of the indicators, all of which rest on answers.
            registers: the names of those that come from a register.
            cells: what is asked for later.
        """
        self.rows: list[tuple[Sum, float, float]] = []
        """Sums with the numbers each lies between: 0, or nothing on one side."""
        self._numbers: dict[tuple[Hashable, ...], int] = {}
        self._definitions, self._registers = definitions, registers
        self._answers: dict[Cell, Answers] = {}
        self._conditions: dict[Hashable, Answers] = {}
        for name, definition in definitions.items():
            self._define(name, definition)
        plain = {name: each for name, each in definitions.items() if each.base is None and name not in registers}
        typed = self._define_types(plain)
        self._define_scores(plain)
        for answers in (each for named, each in self._conditions.items() if named not in typed):
            self._hold(answers.no, 0, np.inf)
            self._hold(answers.unknown, 0, np.inf)
        for indicator, counted, groups, _ in cells:
            if counted == "persons":
                self._define_persons(indicator)
            if groups is not None:
                self._define_groups(indicator, counted, groups)

    @property
    def size(self) -> int:
        """How many unknowns there are."""
        return len(self._numbers)

    def of(self, cell: Cell) -> Answers:
        """The answers that a figure counts."""
        return self._answers[cell]

    @property
    def groups(self) -> list[tuple[str, str] | None]:
        """Which group each unknown is of, by its field and name; None for those of everybody."""
        found: list[tuple[str, str] | None] = []
        for key in self._numbers:
            at = next((i for i, part in enumerate(key) if isinstance(part, Groups)), None)
            found.append(None if at is None else (key[at].by, str(key[at + 1])))  # type: ignore[attr-defined]
        return found

    def asked(self) -> list[int]:
        """The unknowns that no other holds down: how many were asked."""
        return [number for key, number in self._numbers.items() if key[0] == _ASKED]

    def _unknown(self, *key: Hashable) -> Sum:
        return {self._numbers.setdefault(key, len(self._numbers)): 1.0}

    def _hold(self, total: Sum, low: float, high: float) -> None:
        if total:
            self.rows.append((total, low, high))

    def _asked(self, indicator: str) -> Sum:
        """How many were asked: the same unknown for all indicators of a base."""
        definition = self._definitions[indicator]
        asked = definition.asked_fields if indicator in self._registers else None
        return self._unknown(_ASKED, definition.base, asked)

    def _everybody(self) -> Sum:
        return self._unknown(_ASKED, None, None)

    def _define(self, name: str, definition: Definition) -> None:
        yes, known = self._unknown(name, "yes"), self._unknown(name, "known")
        score = self._unknown(name, "score") if definition.score in OF_SCORES else {}
        # An intensity is of the deprived, who are not among those of whom it is not known.
        unknown = self._unknown(_ASKED, name) if definition.score == "intensity" else less(self._asked(name), known)
        answers = Answers(yes, known, unknown, score)
        self._answers[name, "households", None, None] = self._conditions[name] = answers
        if definition.base is not None:
            self._hold(less(answers.all, self._everybody()), -np.inf, 0)

    def _define_persons(self, name: str) -> None:
        """That of persons a household of unknown size is unknown too; what persons say is not what households do."""
        if (name, "persons", None, None) not in self._answers:
            of_households = self._conditions[name]
            known = self._unknown(name, "persons")
            self._hold(less(known, of_households.known), -np.inf, 0)
            self._answers[name, "persons", None, None] = Answers({}, known, less(of_households.all, known), {})

    def _define_groups(self, name: str, counted: str, groups: Groups) -> None:
        """That each household is in one group, and in the same one whatever it is asked."""
        if (name, counted, groups, groups.names[0]) in self._answers:
            return
        definition, whole = self._definitions[name], self._answers[name, counted, None, None]
        parts = []
        for group in groups.names:
            yes, no = (self._unknown(name, counted, groups, group, answer) for answer in ("yes", "no"))
            if counted == "persons":
                yes = {}
            known = plus(yes, no)
            score: Sum = {}
            if definition.score == "intensity":
                unknown = self._unknown(name, counted, groups, group, "unknown")
            else:
                unknown = less(self._asked_of_group(definition.base, groups, group), known)
                self._hold(unknown, 0, np.inf)
            if yes and whole.score:
                score = self._score_of_group(definition, known, name, groups, group)
            parts.append(Answers(yes, known, unknown, score))
            self._answers[name, counted, groups, group] = parts[-1]
        told = ("yes", "known", "score", *(["unknown"] if definition.score == "intensity" else []))
        for each in told:
            self._hold(less(plus(*(getattr(part, each) for part in parts)), getattr(whole, each)), 0, 0)

    def _asked_of_group(self, base: str | None, groups: Groups, group: str) -> Sum:
        """How many of a group were asked, of those who are asked for a base."""
        key = ("group", base, groups)
        if (*key, group) not in self._numbers:
            asked = {each: self._unknown(*key, each) for each in groups.names}
            self._hold(less(plus(*asked.values()), self._unknown(_ASKED, base, None)), 0, 0)
        return self._unknown(*key, group)

    def _score_of_group(self, definition: Definition, known: Sum, *key: Hashable) -> Sum:
        score = self._unknown(*key, "score")
        most = definition.total_weight if definition.score == "count" else 1.0
        self._hold(less(score, times(known, most)), -np.inf, 0)
        if definition.score == "intensity":
            self._hold(less(score, times(known, (definition.cutoff or 0.0) / definition.total_weight)), 0, np.inf)
        return score

    def _define_types(self, definitions: Mapping[str, Definition]) -> set[Hashable]:
        """That each household has one of the answers it can have to all conditions together; which those are."""
        typed: set[Hashable] = set()
        for number, (conditions, answers) in enumerate(_together(definitions)):
            types = [self._unknown("type", number, i) for i in range(len(answers))]
            self._hold(less(plus(*types), self._everybody()), 0, 0)
            for column, (_, named) in enumerate(conditions):
                found = self._named(named)
                typed.add(named)
                for values, total in (((YES,), found.yes), ((YES, NO), found.known)):
                    having = plus(*(t for t, row in zip(types, answers, strict=True) if row[column] in values))
                    self._hold(less(total, having), 0, 0)
        for name, definition in definitions.items():
            whole = self._conditions[name]
            parts = [self._named(part) for part in _parts(name, definition, definitions)]
            for one in parts:
                # One of the parts is enough, and that none holds must be known of all.
                self._hold(less(whole.yes, one.yes), 0, np.inf)
                self._hold(less(whole.no, one.no), -np.inf, 0)
            if parts:
                self._hold(less(whole.yes, plus(*(one.yes for one in parts))), -np.inf, 0)
        return typed

    def _named(self, named: Hashable) -> Answers:
        """The answers to an indicator, or to a condition that is none."""
        if named not in self._conditions:
            yes, known = self._unknown(named, "yes"), self._unknown(named, "known")
            self._conditions[named] = Answers(yes, known, less(self._everybody(), known), {})
        return self._conditions[named]

    def _define_scores(self, definitions: Mapping[str, Definition]) -> None:
        """What scores over the same deprivations have to do with one another."""
        hold = self._hold
        for name, definition in definitions.items():
            if not definition.deprivations:
                continue
            answers = self._conditions[name]
            key = tuple((each.expression, each.weight) for each in definition.deprivations)
            known = self._unknown("known", key)
            if definition.score != "intensity":
                hold(less(answers.known, known), 0, 0)
            all_ = self._unknown("score", key)
            lacking = [
                times(self._named(("deprivation", each.expression)).yes, each.weight)
                for each in definition.deprivations
            ]
            beyond = less(plus(*lacking), all_)
            hold(beyond, 0, np.inf)
            # Those of whom something is not known may lack all.
            hold(less(beyond, times(less(self._everybody(), known), definition.total_weight)), -np.inf, 0)
            if definition.score == "count":
                hold(less(answers.score, all_), 0, 0)
                continue
            cutoff, most = definition.cutoff or 0.0, definition.total_weight
            poor = self._unknown("poor", key, cutoff)
            of_poor = self._unknown("score of poor", key, cutoff)
            hold(less(of_poor, times(poor, cutoff)), 0, np.inf)
            hold(less(of_poor, times(poor, most)), -np.inf, 0)
            hold(less(all_, of_poor), 0, np.inf)
            hold(less(poor, known), -np.inf, 0)
            if definition.score == "headcount":
                hold(less(answers.yes, poor), 0, 0)
            else:
                hold(less(times(answers.score, most), of_poor), 0, 0)
            if definition.score == "intensity":
                hold(less(answers.known, poor), 0, 0)


Named = Sequence[tuple[Expression, Hashable]]


def _together(definitions: Mapping[str, Definition]) -> list[tuple[Named, Sequence[Sequence[int]]]]:
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


def _conditions(definitions: Mapping[str, Definition]) -> Iterator[tuple[Expression, Hashable]]:
    """The conditions that are not made of others: of indicators, of deprivations, and of what a choice is between."""
    seen = set()
    for name, definition in definitions.items():
        for each, (condition, _) in zip(definition.deprivations, definition.terms, strict=True):
            if each.expression not in seen:
                seen.add(each.expression)
                yield condition, ("deprivation", each.expression)
        if "numerator" in definition.parts:
            parts = _parts(name, definition, definitions)
            if parts:
                yield from zip(_split(definition, definitions), parts, strict=True)
            else:
                yield definition.parts["numerator"], name


def _parts(name: str, definition: Definition, definitions: Mapping[str, Definition]) -> list[tuple[str, str, int]]:
    """The names of the conditions of which an indicator is a choice; none where it is no choice between others."""
    split = _split(definition, definitions)
    return [("choice", name, i) for i in range(len(split))] if len(split) > 1 else []


def _split(definition: Definition, definitions: Mapping[str, Definition]) -> list[Expression]:
    """What a condition is a choice between, as others keep the fields apart."""
    if "numerator" not in definition.parts:
        return []
    condition = definition.parts["numerator"]
    beside = [d.answer_fields for d in definitions.values() if d.answer_fields < definition.answer_fields]
    return alternatives(condition, beside) if beside else [condition]
