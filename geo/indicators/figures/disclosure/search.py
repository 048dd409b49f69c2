"""The search for what follows of sums: solutions that show what they can be, and programs that show what they cannot.

Every solution shows of all sums something that they can be, and clears those that it drives far enough apart. One in
which only few unknowns change, while all others stay as they are, is found at once, and shows it as well as any other.
A program that leaves out all but some unknowns, and whatever is held of others, shows it the other way round: a sum
that is narrow there is narrow in all solutions. Only what is shown by neither is asked of the program of everything.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from scipy.sparse import csr_array

from geo.indicators.figures.disclosure.neighbours import About, Block, Name
from geo.indicators.figures.disclosure.program import SLACK, Floats, Program, Rows, Sum, Unsolved, times

Rule = Literal["range", "few"]
"""What must not follow of a sum: a range narrower than its room; or that it is not 0, and nearer to 0 than its room."""

Progress = Callable[[int, int], None]
"""Is told how many sums have been cleared, and how many there are."""


Ends = tuple[float, float]
"""Two numbers between which a sum must be."""

_TOLD_TO = 1e-5
"""How exactly a solver tells the ends of a sum."""


@dataclass(frozen=True)
class Question:
    """A sum of which not too much may follow."""

    total: Sum
    rule: Rule
    room: float
    about: About
    """Of whom it is: sums of the same people grow and shrink together."""
    none_may_be_told: bool = False
    """Whether it may follow that there are none."""
    part_of: Sum = field(default_factory=dict)
    """Another sum, of which this one is a part, and so at most as large: many are parts of the same."""

    def is_told(self, least: float, most: float) -> bool:
        """Whether too much follows, where the sum can be anything between two ends."""
        if self.none_may_be_told and max(-least, most) <= SLACK:
            return False
        if self.rule == "few":
            some = least > SLACK or most < -SLACK
            return some and max(-least, most) < self.room - SLACK
        return most - least < self.room - SLACK and max(least, -most) < self.room - SLACK


class Near(Protocol):
    """Which unknowns are near one another."""

    def together(self, still_open: Callable[[], Collection[About]]) -> Iterator[tuple[str | None, Block]]:
        """Unknowns that may change together while all others stay, given those about whom questions are still open.

        With the field by whose groups questions are that they may answer.
        """

    def with_more(self, still_open: Callable[[], Collection[About]]) -> Iterator[tuple[str | None, Block]]:
        """The same of groups, of more unknowns at once, for what is still open then."""

    def around(self, about: About) -> Iterator[Name]:
        """The names of blocks around those whom a question is about, the smallest first."""

    def block(self, name: Name) -> Block:
        """The unknowns of a name, in order."""


def find_told(
    program: Program, questions: Sequence[Question], start: Floats, near: Near, progress: Progress | None = None
) -> dict[int, Ends]:
    """The questions, by their numbers, of whose sums too much follows from what is held, beginning at a solution of it.

    Each with two numbers between which its sum must be: its ends, or wider where that is narrow enough.

    Raises:
        Unsolved: the solver gave up.
    """
    search = _Search(program, questions, start, progress)
    for by, free in near.together(search.open_about):
        search.change(by, free)
    for by, free in near.with_more(search.open_about):
        search.change(by, free)
    search.ask_nearby(near)
    search.ask_everywhere(near)
    return search.found


class _Search:
    """What has been seen of the sums that are asked about."""

    def __init__(
        self, program: Program, questions: Sequence[Question], start: Floats, progress: Progress | None
    ) -> None:
        self._program, self._questions, self._start, self._progress = program, questions, start, progress
        sums = Rows.of((each.total, 0.0, 0.0) for each in questions)
        shape = (len(questions), program.size)
        self._sums = csr_array((sums.factors, sums.unknowns, sums.starts), shape=shape)
        self._of_unknowns = csr_array(self._sums.T)
        self._room = np.array([each.room for each in questions], dtype=np.float64)
        self._of_few = np.array([each.rule == "few" for each in questions], dtype=bool)
        numbers: dict[About, int] = {}
        self._about = np.array([numbers.setdefault(each.about, len(numbers)) for each in questions], dtype=np.int64)
        self._fields = np.array([each.about[2] for each in questions], dtype=object)
        self._least, self._most = np.full(len(questions), np.inf), np.full(len(questions), -np.inf)
        self._open = np.ones(len(questions), dtype=bool)
        self.found: dict[int, Ends] = {}
        """The questions by their numbers of whose sums too much follows."""
        self._largest: dict[tuple[Name, frozenset[tuple[int, float]]], float] = {}
        self._alone: dict[Name, tuple[Block, Program]] = {}
        self._see(start)

    def open_about(self) -> set[About]:
        """Whom the questions are about that are still open."""
        return {self._questions[number].about for number in np.flatnonzero(self._open).tolist()}

    def _see(self, solution: Floats) -> Floats:
        """The sums in a solution, having noted them."""
        values = np.asarray(self._sums @ solution, dtype=np.float64)
        np.minimum(self._least, values, out=self._least)
        np.maximum(self._most, values, out=self._most)
        apart = self._most - self._least >= self._room - SLACK
        harmless = (self._least <= SLACK) & (self._most >= -SLACK)
        harmless |= np.maximum(-self._least, self._most) >= self._room - SLACK
        self._open &= ~np.where(self._of_few, harmless, apart)
        if self._progress is not None:
            self._progress(int((~self._open).sum()), len(self._open))
        return values

    def change(self, by: str | None, free: Block) -> None:
        """Drives those sums by a field apart that change with some unknowns, while all others stay.

        First many at once: those about every second place or group, every other two, and so on. Then one after another.
        """
        asked = np.zeros(len(self._open), dtype=bool)
        asked[self._of_unknowns[free].indices] = True
        asked &= self._open & (self._fields == by)
        if not asked.any():
            return
        part = self._program.part(free, self._start)
        there, number = np.unique(self._about[asked], return_inverse=True)
        place = np.zeros(len(self._open), dtype=np.int64)
        place[asked] = number

        def drive(signs: Floats) -> None:
            left = asked & self._open
            for sign in (1.0, -1.0):
                objective = np.asarray(self._of_unknowns @ (sign * signs * left), dtype=np.float64)
                if objective[free].any():
                    solution = self._start.copy()
                    solution[free] = part.solve(_as_sum(objective[free]))
                    self._see(solution)

        try:
            for bit in range(int(len(there) - 1).bit_length()):
                drive(np.where(place >> bit & 1, 1.0, -1.0))
            for each in range(len(there)):
                drive((place == each) * 1.0)
        except Unsolved:
            # Another program will tell.
            return

    def ask_nearby(self, near: Near, about: About | None = None) -> None:
        """Finds the open sums, or those about some, of which too much follows from what is held of a few unknowns."""
        for number, question in enumerate(self._questions):
            if about not in (None, question.about):
                continue
            # That there can be none but none, which may be told, only everything tells.
            some = max(-self._least[number], self._most[number]) > SLACK
            if self._open[number] and (some or not question.none_may_be_told):
                around = near.around(question.about)
                ends = next(filter(None, (self._nearby(question, name, near) for name in around)), None)
                if ends is not None:
                    self._close(number, ends)

    def _nearby(self, question: Question, name: Name, near: Near) -> Ends | None:
        """The ends of a sum in a program of a few unknowns alone, where these are near enough to tell too much."""
        if name not in self._alone:
            block = near.block(name)
            self._alone[name] = block, self._program.alone(block)
        block, program = self._alone[name]
        try:
            if question.part_of:
                part_of = _within(block, question.part_of)
                key = name, frozenset(part_of.items())
                if key not in self._largest:
                    self._largest[key] = _sum_in(program.solve(part_of), part_of)
                if question.is_told(0.0, self._largest[key]):
                    return 0.0, self._largest[key]
            total = _within(block, question.total)
            most = _sum_in(program.solve(total), total)
            least = _sum_in(program.solve(times(total, -1.0)), total)
        except Unsolved:
            return None
        return (least, most) if question.is_told(least, most) else None

    def ask_everywhere(self, near: Near) -> None:
        """Finds the sums of which too much follows, of those that are still open."""
        for number, question in enumerate(self._questions):
            if self._open[number]:
                ends = self._everywhere(number, question)
                if ends is not None:
                    self._note(question, ends, near)
                    self._close(number, ends)
                    self.ask_nearby(near, question.about)
                self._open[number] = False

    def _close(self, number: int, ends: Ends) -> None:
        self.found[number] = ends
        self._open[number] = False

    def _note(self, question: Question, ends: Ends, near: Near) -> None:
        """What follows from everything, in the programs around: it tells of others whom the question is about too."""
        for name in near.around(question.about):
            if name in self._alone:
                block, program = self._alone[name]
                program.narrow(_within(block, question.total), ends[0] - _TOLD_TO, ends[1] + _TOLD_TO)
                self._largest = {key: most for key, most in self._largest.items() if key[0] != name}

    def _everywhere(self, number: int, question: Question) -> Ends | None:
        """The ends of a sum in the program of everything, where these are near enough to tell too much."""
        least = self._see(self._program.solve(times(question.total, -1.0)))[number]
        if not self._open[number]:
            return None
        most = self._see(self._program.solve(question.total))[number]
        return (float(least), float(most)) if question.is_told(least, most) else None


def _within(block: Block, total: Sum) -> Sum:
    """A sum of unknowns by their numbers within a block."""
    at = np.searchsorted(block, np.fromiter(total, dtype=np.int64))
    return dict(zip(at.tolist(), total.values(), strict=True))


def _sum_in(solution: Floats, total: Sum) -> float:
    return float(sum(factor * solution[number] for number, factor in total.items()))


def _as_sum(factors: Floats) -> Sum:
    chosen = np.flatnonzero(factors)
    return dict(zip(chosen.tolist(), factors[chosen].tolist(), strict=True))
