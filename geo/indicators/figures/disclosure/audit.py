"""The attacker: what can be worked out of withheld counts from everything that is published of a round.

Every published number is an inequality, with the room its rounding leaves, over what a reader does not know: how many
households were asked in each settlement, and how many of them answered yes, no, or not at all (`unknowns`). A linear
program (`program`) then tells the least and the largest number that each withheld count can be.

Of two publications of a round the later has the households of the former and others that were added: it is held
against the former, so that neither what the two withhold nor the few that were added can be worked out of both.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from geo.fields import standard_fields
from geo.indicators.definitions import Definition
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.disclosure.neighbours import About, Layout, Neighbours
from geo.indicators.figures.disclosure.program import (
    SLACK,
    Floats,
    Impossible,
    Rows,
    Sum,
    System,
    less,
    plus,
    times,
)
from geo.indicators.figures.disclosure.protection import MIN_RANGE
from geo.indicators.figures.disclosure.search import Progress, Question, Rule, find_told
from geo.indicators.figures.disclosure.together import FEWEST_ALIKE
from geo.indicators.figures.disclosure.unknowns import OF_SCORES, Answers, Cell, Groups, Unknowns

What = Literal["answering", "yes", "no", "unserved", "density", "changed", "changed yes", "changed no"]


@dataclass(frozen=True)
class Finding:
    """What could be learnt of a figure, in households; of an unserved or a density, that it tells too much.

    `changed`: how many were added to those who answered since a former publication, or taken back; where both must
    have been, how many more answer now.
    """

    level: str
    place: str
    indicator: str
    counted: str
    group_by: str | None
    group: str | None
    what: What
    least: float
    most: float


Named = tuple[str, str, str, str, str | None, str | None]
"""A figure's level, the code of its place, indicator, what is counted, the field that groups, and its group."""


class Counts(NamedTuple):
    """What a figure of a settlement is made from, in households, and the sum of their scores."""

    answering: float
    yes: float
    asked: float
    score: float


@dataclass(frozen=True)
class Text:
    """All that one publication says of a round, and its number among the round's publications.

    `figures` has the columns VALUE_COLUMNS, of the levels settlement, ward and city, of everybody and of groups. In a
    column `kept_from`, where there is one, is the number of the publication of which a figure still speaks.
    """

    figures: pd.DataFrame
    number: int = 1
    not_few: Collection[Named] = ()
    """The figures that nobody answered, or 10 households and more, as who publishes knows: how many may be told."""
    of_nobody: Collection[Named] = ()
    """The figures of groups that nobody answered, of a field that is not sensitive: nobody's answers can be told."""
    made_from: Mapping[Named, Counts] = field(default_factory=dict)
    """What figures of settlements were made from, as who publishes knows. It adds nothing to what is learnt: it is a
    solution from which others are found."""


def audit(
    text: Text,
    wards: Mapping[str, str | None],
    definitions: Iterable[Definition],
    hectares: Mapping[str, float] | None = None,
    *,
    former: Text | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """What can be learnt from a round's figures so that households could be identified.

    A count of fewer than 10 answering households that is withheld must not be told to within 10, and of sensitive
    answers neither those who gave them nor those who did not to within 5 where they are fewer than that. How many
    answered an indicator that is made of others is left aside: whose answer to one of these decides has, and that is
    told of each.

    With a former publication of the same round, what either withholds is held against both. Of no figure, published or
    not, may it follow that somebody was added who answered and that they were fewer than 10; nor, where answers are
    sensitive, that somebody was who said yes, or no, and that they were fewer than 5. How many were added to a figure
    that still speaks of a former publication must not be told to within 10.

    Args:
        text: what is published of the round.
        wards: the ward of each settlement by its code; None where it is in none.
        definitions: those of the indicators, in all versions that the texts have.
        hectares: the land of each settlement, by which densities are held.
        former: what an earlier publication said.
        progress: told of how many counts have been cleared, and how many there are.

    Raises:
        Impossible: no survey could have these figures.
        Unsolved: the solver gave up.
    """
    by_name = {_name(each.id, each.version): each for each in definitions if each.is_tallied}
    texts = {each.number: _rows_of(each) for each in (former, text) if each is not None}
    told = ((_told_by_unserved(row), _told_by_density(row, hectares or {})) for row in texts[text.number])
    found = [finding for finding in chain.from_iterable(told) if finding is not None]
    answered = {number: [row for row in rows if row.name in by_name] for number, rows in texts.items()}
    made_from = {each.number: each.made_from for each in (former, text) if each is not None}
    return [*found, *_linked(answered, wards, by_name, made_from).findings(progress)]


def find_of_nobody(answering: Mapping[Named, float]) -> set[Named]:
    """The figures of groups that nobody answered, of a field that is not sensitive."""
    fields = standard_fields()
    return {key for key, n in answering.items() if n == 0 and key[4] is not None and not fields[key[4]].sensitive}


Texts = Mapping[int, Sequence["_Row"]]
"""The figures of publications, by their numbers, the former one first."""


def _linked(
    texts: Texts,
    wards: Mapping[str, str | None],
    definitions: Mapping[str, Definition],
    made_from: Mapping[int, Mapping[Named, Counts]],
) -> "_Round":
    """The texts as inequalities: from one to the next households were added, or taken back, or both."""
    if len(texts) > 1:
        for link in ("added", "taken back"):
            found = _Round(texts, wards, definitions, made_from, link)
            if found.is_possible():
                return found
    return _Round(texts, wards, definitions, made_from, "apart")


_MAY_LACK = ("group_by", "group", "reason")


@dataclass(frozen=True)
class _Row:
    """A published or withheld figure."""

    level: str
    place: str
    indicator: str
    name: str
    """The indicator with the version of its definition."""
    counted: str
    group_by: str | None
    group: str | None
    reason: str | None
    method: str
    unit: str
    numbers: Mapping[str, float]
    state: int
    """The number of the publication of which it speaks."""
    is_kept: bool
    """Whether that is a former one."""
    is_not_few: bool = False
    is_of_nobody: bool = False

    @classmethod
    def of(cls, row: Mapping[Hashable, Any], number: int) -> "_Row":
        level = str(row["level"])
        place = {"settlement": row["settlement_code"], "ward": row["ward_code"], "city": ""}[level]
        group_by, group, reason = (None if pd.isna(row[name]) else str(row[name]) for name in _MAY_LACK)
        indicator, counted, method, unit = (str(row[name]) for name in ("indicator", "counted", "method", "unit"))
        numbers = {str(name): float(n) for name, n in row.items() if isinstance(n, int | float) and not pd.isna(n)}
        name, state = _name(indicator, int(row["definition_version"])), int(numbers.pop("kept_from", number))
        figure = (level, str(place), indicator, name, counted, group_by, group, reason, method, unit, numbers)
        return cls(*figure, state, state != number)

    @property
    def key(self) -> Named:
        """What it is a figure of."""
        return (self.level, self.place, self.indicator, self.counted, self.group_by, self.group)

    @property
    def is_secret(self) -> bool:
        return self.reason in (d.PROTECTED, *d.SECRET)

    def finding(self, what: What, least: float, most: float) -> Finding:
        return Finding(
            self.level, self.place, self.indicator, self.counted, self.group_by, self.group, what, least, most
        )


def _name(indicator: str, version: int) -> str:
    return f"{indicator} {version}"


def _rows_of(text: Text) -> list[_Row]:
    rows = [_Row.of(row, text.number) for row in text.figures.to_dict("records")]
    not_few, of_nobody = {*text.not_few}, {*text.of_nobody}
    return [
        replace(row, is_not_few=True, is_of_nobody=row.key in of_nobody) if row.key in not_few else row for row in rows
    ]


_Link = Literal["added", "taken back", "apart"]
"""How one state of a round becomes the next: households are added, or taken back, or both."""


class _Round:
    """Everything that is said of a round, as inequalities.

    The households of a state of the round are those of its first one and those added for each later one; where some
    were taken back, those of its last one and those there were before. Of each of these parts, and of each settlement,
    the same is unknown.
    """

    def __init__(
        self,
        texts: Texts,
        wards: Mapping[str, str | None],
        definitions: Mapping[str, Definition],
        made_from: Mapping[int, Mapping[Named, Counts]],
        link: _Link,
    ) -> None:
        rows = [row for text in texts.values() for row in text]
        self._texts, self._made_from, self._link = texts, made_from, link
        self._settlements = {code: number for number, code in enumerate(wards)}
        self._wards: dict[str | None, list[int]] = {}
        for code, ward in wards.items():
            self._wards.setdefault(ward, []).append(self._settlements[code])
        self._states = {number: i for i, number in enumerate(sorted({*texts, *(row.state for row in rows)}))}
        self._there = {row.name: definitions[row.name] for row in rows}
        self._registers = {row.name for row in rows if row.method == "register"}
        self._of_everybody = {row.method for row in rows} <= {"enumeration", "measurement"}
        self._cells: dict[int, Cell] = {}
        for text in texts.values():
            groups = _groups_of(text)
            self._cells |= {id(row): _cell(row, groups) for row in text}
        self._unknowns = Unknowns(self._there, self._registers, dict.fromkeys(self._cells.values()))
        self._system = System()
        self._tell_definitions(_MOST * max((row.numbers.get("n", 0.0) for row in rows), default=0.0) + _MOST)
        self._sums: dict[tuple[int, str | None, int], int] = {}
        for row in rows:
            self._tell(row)
        self._asked = [*self._of_withheld(), *self._of_changes()]
        self._program = self._system.program()

    def is_possible(self) -> bool:
        """Whether some survey could have these figures."""
        try:
            return self._start is not None
        except Impossible:
            return False

    @cached_property
    def _start(self) -> Floats:
        """A survey that could have these figures: one that is as it was when they were made, where that is known.

        Raises:
            Impossible: there is none.
        """
        made_from = self._made_from[min(self._texts)]
        if made_from:
            # Of what changed since then as little as can be.
            later = [part for part in range(len(self._states)) if part not in self._parts(min(self._states.values()))]
            asked = {
                self._number(part, s, u): -1.0
                for part in later
                for s in self._settlements.values()
                for u in self._unknowns.asked()
            }
            found = self._program.fitting(Rows.of(self._as_made(made_from)), asked)
            if found is not None:
                return found
        return self._program.middle()

    def _as_made(self, made_from: Mapping[Named, Counts]) -> Iterator[tuple[Sum, float, float]]:
        for row in self._texts[min(self._texts)]:
            counts = made_from.get(row.key)
            if row.level == "settlement" and counts is not None:
                answers = self._answers(row)
                pairs = [(answers.known, counts.answering)]
                if row.counted == "households":
                    pairs += [(answers.yes, counts.yes), (answers.all, counts.asked), (answers.score, counts.score)]
                yield from ((total, n, n) for total, n in pairs if total)

    def findings(self, progress: Progress | None = None) -> Iterator[Finding]:
        """What can be learnt of figures that are withheld for it, and of what changed between publications."""
        hidden: dict[str | None, set[int]] = {}
        hidden_wards: dict[str | None, set[str | None]] = {}
        for row in chain.from_iterable(self._texts.values()):
            if row.is_secret or row.is_kept:
                if row.level == "settlement":
                    hidden.setdefault(row.group_by, set()).add(self._settlements[row.place])
                elif row.level == "ward":
                    hidden_wards.setdefault(row.group_by, set()).add(row.place)
        layout = Layout(len(self._states), self._settlements, self._wards, self._unknowns.groups, self._sums)
        near = Neighbours(layout, hidden, hidden_wards, self._start)
        told = find_told(self._program, [question for *_, question in self._asked], self._start, near, progress)
        for number, (least, most) in sorted(told.items()):
            row, what, _ = self._asked[number]
            yield row.finding(what, round(least, 3), round(most, 3))

    def _of_withheld(self) -> Iterator[tuple[_Row, What, Question]]:
        for row in chain.from_iterable(self._texts.values()):
            if not row.is_secret:
                continue
            definition, answers = self._there[row.name], self._answers(row)
            about, everybody = _about(row), answers.all
            if not row.is_not_few and not self._is_made_of_others(definition):
                # That there are none may be told of answers that are not sensitive.
                yield row, "answering", Question(answers.known, "range", MIN_RANGE, about, True, everybody)
            if definition.is_sensitive and row.counted == "households" and not row.is_of_nobody:
                yield row, "yes", Question(answers.yes, "range", FEWEST_ALIKE, about, part_of=everybody)
                yield row, "no", Question(answers.no, "range", FEWEST_ALIKE, about, part_of=everybody)

    def _of_changes(self) -> Iterator[tuple[_Row, What, Question]]:
        """How many more answered since the former publication, or fewer, of all figures of the last one."""
        if len(self._texts) == 1:
            return
        former, last = (self._states[number] for number in sorted(self._texts))
        for row in self._texts[max(self._texts)]:
            before, now = (self._answers(row, self._parts(state)) for state in (former, last))
            rule: Rule = "range" if row.is_kept else "few"
            more = self._more(before.known, now.known)
            yield row, "changed", Question(more, rule, MIN_RANGE, _about(row), none_may_be_told=True)
            if self._there[row.name].is_sensitive and row.counted == "households":
                yes, no = self._more(before.yes, now.yes), self._more(before.no, now.no)
                yield row, "changed yes", Question(yes, "few", FEWEST_ALIKE, _about(row))
                yield row, "changed no", Question(no, "few", FEWEST_ALIKE, _about(row))

    def _more(self, before: Sum, now: Sum) -> Sum:
        """How many were added, or taken back; where both must have been, how many more there are now."""
        return less(before, now) if self._link == "taken back" else less(now, before)

    def _is_made_of_others(self, definition: Definition) -> bool:
        fields = definition.answer_fields
        return not definition.deprivations and any(
            other.measure != "density" and other.answer_fields and other.answer_fields < fields
            for other in self._there.values()
        )

    def _parts(self, state: int) -> range:
        """Of which parts the households of a state are."""
        if self._link == "apart":
            return range(state, state + 1)
        return range(state + 1) if self._link == "added" else range(state, len(self._states))

    def _answers(self, row: _Row, parts: Iterable[int] | None = None) -> Answers:
        """The answers a figure counts: those of its place, in the state of which it speaks or of these parts."""
        answers = self._unknowns.of(self._cells[id(row)])
        parts = self._parts(self._states[row.state]) if parts is None else parts
        return Answers(
            *(self._at(row, total, parts) for total in (answers.yes, answers.known, answers.unknown, answers.score))
        )

    def _at(self, row: _Row, total: Sum, parts: Iterable[int]) -> Sum:
        """A sum of unknowns of any settlement, over those of a place."""
        if row.level == "settlement":
            settlement = self._settlements[row.place]
            return {self._number(part, settlement, each): factor for part in parts for each, factor in total.items()}
        ward = None if row.level == "city" else row.place
        return {self._summed(part, ward, each): factor for part in parts for each, factor in total.items()}

    def _number(self, part: int, settlement: int, unknown: int) -> int:
        return (part * len(self._settlements) + settlement) * self._unknowns.size + unknown

    def _summed(self, part: int, ward: str | None, unknown: int) -> int:
        """An unknown for the sum over the settlements of a ward, or of the city, so that it is added up once."""
        key = (part, ward, unknown)
        if key not in self._sums:
            members = [self._number(part, settlement, unknown) for settlement in self._wards.get(ward, ())]
            if ward is None:
                members += [self._summed(part, each, unknown) for each in self._wards if each is not None]
            self._sums[key] = members[0] if len(members) == 1 else self._system.add_unknowns(1)
            if len(members) > 1:
                self._system.hold({self._sums[key]: -1.0, **dict.fromkeys(members, 1.0)}, 0.0, 0.0)
        return self._sums[key]

    def _tell_definitions(self, most: float) -> None:
        """What the definitions say of each part of the households of each settlement."""
        n, size = len(self._states) * len(self._settlements), self._unknowns.size
        self._system.add_unknowns(n * size)
        self._system.hold_rows(Rows.of(self._unknowns.rows).repeated(n, size))
        for block in range(n):
            for unknown in self._unknowns.asked():
                self._system.hold({block * size + unknown: 1.0}, 0.0, most)

    def _tell(self, row: _Row) -> None:
        """What a figure says."""
        answers, numbers, hold = self._answers(row), row.numbers, self._system.hold
        if row.reason == d.NO_ANSWERS:
            hold(answers.known, 0, 0)
        if row.reason in d.SECRET:
            # Where only some of what is withheld is told to be few, the rest is not. Of groups there may be none.
            few = row.reason == d.FEWER_THAN_10
            least = 0 if row.group_by else 1 if few else MIN_RANGE
            hold(answers.known, least, MIN_RANGE - 1 if few else np.inf)
        if "value" in numbers and numbers.get("n"):
            # Nothing is published of fewer.
            hold(answers.known, MIN_RANGE, np.inf)
        whole = row.method != "register"
        for name, total in (("n", answers.known), ("n_unknown", answers.unknown)):
            if name in numbers:
                hold(total, *_count_ends(numbers[name], whole=whole))
        self._tell_population(row, answers)
        if "value" in numbers:
            self._tell_value(row, answers)

    def _tell_population(self, row: _Row, answers: Answers) -> None:
        """Where everybody was asked, a figure speaks for those who were, in the settlements where somebody answered."""
        has_frame = row.group_by is None and "response_rate" in row.numbers
        if row.counted != "households" or "population" not in row.numbers or not self._of_everybody or has_frame:
            return
        low, high = _count_ends(row.numbers["population"], whole=True)
        everywhere = row.level == "settlement" or self._there[row.name].unknown == "unserved"
        self._system.hold(answers.all, low, high if everywhere else np.inf)
        self._system.hold(answers.known, 0, high)

    def _tell_value(self, row: _Row, answers: Answers) -> None:
        definition, numbers = self._there[row.name], row.numbers
        equal = row.method in ("enumeration", "register") or (row.level == "settlement" and numbers.get("deff") == 1)
        if row.counted != "households" or definition.measure not in ("share", "mean") or not equal:
            return
        factor = 100.0 if definition.unit == "%" else 1.0
        inside = answers.score if definition.score in OF_SCORES else answers.yes
        base = answers.all if definition.unknown == "unserved" else answers.known
        told = {"value": (inside, base), "bound_low": (inside, answers.all)}
        if definition.measure == "share":
            told["bound_high"] = (plus(inside, answers.unknown), answers.all)
        for name, (part, of) in told.items():
            if name in numbers:
                half = _half_step(definition, numbers["n"], numbers[name])
                share = times(part, factor)
                self._system.hold(less(share, times(of, numbers[name] - half)), 0.0, np.inf)
                self._system.hold(less(share, times(of, numbers[name] + half)), -np.inf, 0.0)


def _about(row: _Row) -> About:
    return row.level, row.place, row.group_by, row.group


_MOST = 100.0
"""As many times as many households as are told of, and so many more, are more than any settlement has."""


def _cell(row: _Row, groups: Mapping[tuple[str, str, str], Groups]) -> Cell:
    if row.group_by is None:
        return row.name, row.counted, None, None
    return row.name, row.counted, groups[row.group_by, row.name, row.counted], row.group


def _groups_of(rows: Iterable[_Row]) -> dict[tuple[str, str, str], Groups]:
    """The groups by a field that one text tells apart, of each indicator and of households or persons."""
    names: dict[tuple[str, str, str], dict[str, None]] = {}
    for row in rows:
        if row.group_by is not None and row.group is not None:
            names.setdefault((row.group_by, row.name, row.counted), {})[row.group] = None
    return {key: Groups(key[0], tuple(sorted(named))) for key, named in names.items()}


def _count_ends(shown: float, *, whole: bool) -> tuple[float, float]:
    """What a count can be that is shown rounded."""
    if shown == 0:
        return 0.0, 0.0
    half = (d.COUNT_STEP - 1) / 2 if whole else d.COUNT_STEP / 2
    return (float(whole) if shown == d.COUNT_STEP else shown - half), shown + half


def _half_step(definition: Definition, n: float, value: float) -> float:
    """How far a figure can be from what is shown."""
    decimals = 1 if definition.unit == "%" else definition.decimals
    coarse = max(decimals - 1, 0)
    # Of those shown as 100 there may be fewer, whose figures have a decimal less.
    few = n < d.MANY or (n < d.MANY + d.COUNT_STEP and bool(np.isclose(value, round(value, coarse), rtol=0, atol=1e-9)))
    return float(0.5 * 10.0 ** -(coarse if few else decimals))


def _told_by_unserved(row: _Row) -> Finding | None:
    """Where the unserved say more than the shown share of the shown people."""
    needed = ("value", "unserved", "population")
    if row.unit != "%" or not all(name in row.numbers for name in needed):
        return None
    value, shown, people = (row.numbers[name] for name in needed)
    # Half-way between two multiples either may be shown; and what is not 0 is never shown as 0.
    half = d.COUNT_STEP / 2 + SLACK
    follows = [people * share / 100 for share in (value, 100 - value)]
    if any(abs(shown - each) <= half for each in follows) or (shown == d.COUNT_STEP and min(follows) <= half):
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
