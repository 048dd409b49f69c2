"""Linear programs over households that are not known: the least and the largest that sums of them can be.

A program is built once and solved many times. Only what is asked of it changes, so that each solution is near the last.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Sum = Mapping[int, float]
"""A sum of unknown numbers of households, each by its number and times a factor."""

Rule = Literal["range", "few"]
"""What must not follow of a sum: a range narrower than its room; or that it is not 0, and nearer to 0 than its room."""

SLACK = 1e-6
"""What a solver takes for nothing, in households."""


Progress = Callable[[int, int], None]
"""Is told how many sums have been cleared, and how many there are."""


class Impossible(ValueError):
    """No survey could have these figures: they are not of one round, or not what the definitions say."""


class Unsolved(RuntimeError):
    """The solver gave up on a program."""


def plus(*sums: Sum) -> Sum:
    """The sum of sums."""
    found: dict[int, float] = {}
    for total in sums:
        for number, factor in total.items():
            found[number] = found.get(number, 0.0) + factor
    return {number: factor for number, factor in found.items() if factor}


def times(total: Sum, factor: float) -> Sum:
    """A multiple of a sum."""
    return {number: factor * each for number, each in total.items()}


def less(one: Sum, other: Sum) -> Sum:
    """The difference of two sums."""
    return plus(one, times(other, -1.0))


@dataclass(frozen=True)
class Question:
    """A sum of which not too much may follow."""

    total: Sum
    rule: Rule
    room: float
    about: Hashable
    """Of whom it is: sums of the same people grow and shrink together."""
    none_may_be_told: bool = False
    """Whether it may follow that there are none."""

    def is_told(self, least: float, most: float) -> bool:
        """Whether too much follows, where the sum can be anything between two ends."""
        if self.none_may_be_told and max(-least, most) <= SLACK:
            return False
        if self.rule == "few":
            some = least > SLACK or most < -SLACK
            return some and max(-least, most) < self.room - SLACK
        return most - least < self.room - SLACK and max(least, -most) < self.room - SLACK


@dataclass(frozen=True)
class Rows:
    """Sums that lie between two numbers each: a sparse matrix by rows, and its ends."""

    starts: NDArray[np.int64]
    unknowns: NDArray[np.int64]
    factors: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, held: Iterable[tuple[Sum, float, float]]) -> "Rows":
        """The rows of sums, each with the numbers it lies between."""
        rows = list(held)
        return cls(
            np.cumsum([0, *(len(total) for total, *_ in rows)], dtype=np.int64),
            np.array([number for total, *_ in rows for number in total], dtype=np.int64),
            np.array([factor for total, *_ in rows for factor in total.values()], dtype=np.float64),
            np.array([low for _, low, _ in rows], dtype=np.float64),
            np.array([high for *_, high in rows], dtype=np.float64),
        )

    def repeated(self, n: int, width: int) -> "Rows":
        """The same rows for each of `n` blocks of so many unknowns, one block after another."""
        shift = np.arange(n, dtype=np.int64)[:, None]
        starts = (self.starts[None, :-1] + shift * len(self.factors)).ravel()
        return Rows(
            np.append(starts, n * len(self.factors)),
            (self.unknowns[None] + shift * width).ravel(),
            *(np.tile(values, n) for values in (self.factors, self.low, self.high)),
        )


class System:
    """Unknown numbers, none of which is below 0, and what is held of their sums."""

    def __init__(self) -> None:
        self._most: list[Floats] = []
        self._rows: list[Rows] = []
        self._held: dict[frozenset[tuple[int, float]], tuple[float, float]] = {}
        self.size = 0
        """How many unknowns there are."""

    def add_unknowns(self, n: int, most: float = np.inf) -> int:
        """Adds unknowns, none of which is larger than `most`; the number of the first."""
        self._most.append(np.full(n, most))
        self.size += n
        return self.size - n

    def hold_rows(self, rows: Rows) -> None:
        """That each sum lies between its two numbers."""
        self._rows.append(rows)

    def hold(self, total: Sum, low: float, high: float) -> None:
        """That a sum lies between two numbers, ends included."""
        key = frozenset(total.items())
        before = self._held.get(key, (-np.inf, np.inf))
        self._held[key] = max(before[0], low), min(before[1], high)

    def program(self) -> "Program":
        """The program of all that is held.

        Raises:
            Impossible: of one unknown or sum alone two things are held that cannot both be.
        """
        low, high = np.zeros(self.size), np.concatenate([*self._most, np.zeros(0)])
        rows = []
        for key, (least, most) in self._held.items():
            # What is held of one unknown alone is a bound of it, which costs the solver nothing.
            if len(key) == 1:
                ((number, factor),) = key
                ends = sorted((least / factor, most / factor))
                low[number], high[number] = max(low[number], ends[0]), min(high[number], ends[1])
            else:
                rows.append((dict(key), least, most))
        every = [*self._rows, Rows.of(rows)]
        lows, highs = (np.concatenate([getattr(each, end) for each in every]) for end in ("low", "high"))
        if (low > high).any() or (lows > highs).any():
            raise Impossible
        sizes = np.cumsum([0, *(len(each.factors) for each in every)])
        starts = [each.starts[:-1] + size for each, size in zip(every, sizes, strict=False)]
        unknowns, factors = (
            np.concatenate([getattr(each, name) for each in every]) for name in ("unknowns", "factors")
        )
        where = np.append(np.concatenate(starts), sizes[-1])
        return Program(low, high, csr_array((factors, unknowns, where), shape=(len(lows), self.size)), lows, highs)


_QUIET = {"output_flag": False, "threads": 1}

_FROM_THE_LAST = {"simplex_strategy": 4}
"""After another objective the last solution is still one: from there on, the primal simplex method."""

_IN_THE_MIDDLE = {"solver": "ipm", "run_crossover": "off"}
"""An interior point method that stops in the middle of all solutions, and not at a corner."""

_SMALL = 5_000
"""Of so few unknowns, programs are solved as a whole."""


class Program:
    """A linear program that is solved for one objective after another."""

    def __init__(self, low: Floats, high: Floats, sums: csr_array, row_low: Floats, row_high: Floats) -> None:
        """Unknowns that lie between `low` and `high`, of which `sums` lie between `row_low` and `row_high`."""
        self._ends, self._sums, self._row_ends = (low, high), sums, (row_low, row_high)
        self._solver: highspy.Highs | None = None
        self._asked = np.zeros(0, dtype=np.int64)
        self.size = len(low)

    def _loaded(self, options: Mapping[str, Any]) -> highspy.Highs:
        solver = highspy.Highs()
        for option, value in {**_QUIET, **options}.items():
            solver.setOptionValue(option, value)
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = self._sums.shape
        lp.sense_, lp.col_cost_ = highspy.ObjSense.kMaximize, np.zeros(self.size)
        (lp.col_lower_, lp.col_upper_), (lp.row_lower_, lp.row_upper_) = self._ends, self._row_ends
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = self._sums.indptr, self._sums.indices
        lp.a_matrix_.value_ = self._sums.data
        solver.passModel(lp)
        return solver

    def solve(self, objective: Sum) -> Floats:
        """Unknowns for which a sum is largest, of those that fulfil all that is held.

        Raises:
            Impossible: there are none.
            Unsolved: the solver gave up.
        """
        unknowns = np.fromiter(objective, dtype=np.int64, count=len(objective))
        factors = np.fromiter(objective.values(), dtype=np.float64, count=len(objective))
        if self._solver is None:
            self._solver = self._loaded(_FROM_THE_LAST)
        _change_costs(self._solver, self._asked, np.zeros(len(self._asked)))
        _change_costs(self._solver, unknowns, factors)
        self._asked = unknowns
        self._solver.run()
        if self._solver.getModelStatus() in _GIVEN_UP:
            # What the way from the last solution does not reach is reached from the beginning.
            self._solver = self._loaded({})
            _change_costs(self._solver, unknowns, factors)
            self._solver.run()
            self._solver.setOptionValue(*next(iter(_FROM_THE_LAST.items())))
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Impossible
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
            raise Unsolved(self._solver.modelStatusToString(status))
        return np.array(self._solver.getSolution().col_value)

    def middle(self) -> Floats:
        """Unknowns in the middle of those that fulfil all that is held, away from their ends where that can be.

        Raises:
            Impossible: there are none.
            Unsolved: the solver gave up.
        """
        solver = self._loaded(_IN_THE_MIDDLE)
        solver.run()
        found = np.array(solver.getSolution().col_value)
        return found if len(found) == self.size and self._fulfils(found) else self.solve({})

    def _fulfils(self, unknowns: Floats) -> bool:
        pairs = ((unknowns, self._ends), (self._sums @ unknowns, self._row_ends))
        return all(bool(((values >= low - SLACK) & (values <= high + SLACK)).all()) for values, (low, high) in pairs)

    def part(self, free: NDArray[np.int64], at: Floats) -> "Program":
        """The program of some unknowns, while all others stay what they are in a solution."""
        others = at.copy()
        others[free] = 0.0
        sums = self._sums[:, free]
        touched = np.flatnonzero(np.diff(sums.indptr))
        of_free, of_others = sums[touched] @ at[free], self._sums[touched] @ others
        # By how little a solution misses an end is no reason to refuse it.
        row_low = np.minimum(self._row_ends[0][touched] - of_others, of_free)
        row_high = np.maximum(self._row_ends[1][touched] - of_others, of_free)
        low, high = np.minimum(self._ends[0][free], at[free]), np.maximum(self._ends[1][free], at[free])
        return Program(low, high, sums[touched], row_low, row_high)

    def learnt(
        self,
        questions: Sequence[Question],
        parts: Iterable[NDArray[np.int64]] = (),
        progress: Progress | None = None,
    ) -> dict[int, tuple[float, float]]:
        """The questions, by their numbers, of whose sums too much follows from what is held, with their ends.

        Every solution shows of all sums something that they can be. Most sums are cleared by a few solutions that
        drive many of them apart at once. In a large program only some unknowns change at first, those of each of
        `parts`. For the sums that are left programs of their own are solved, in which all unknowns can change.

        Raises:
            Impossible: nothing fulfils all that is held.
            Unsolved: the solver gave up.
        """
        is_small = self.size <= _SMALL
        search = _Search(self, questions, self.solve({}) if is_small else self.middle(), progress)
        for free in () if is_small else parts:
            search.look_at_part(free)
        search.look_at_all()
        return search.look_at_each()


_GIVEN_UP = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kSolveError)


def _change_costs(solver: highspy.Highs, unknowns: NDArray[np.int64], costs: Floats) -> None:
    solver.changeColsCost(len(unknowns), unknowns.astype(np.int32), costs)


_WORTH_IT = 0.02
"""Solutions that clear a smaller share of the sums are in vain."""

_PATIENCE = 3
"""After so many in vain, sums are driven apart no longer."""

_CHOSEN = 0.2
"""Of how many of those whom sums are of, the sums are made large at once; all others are made small."""

_LESS = 0.2
"""How much less the others count: there are more of them."""


class _Search:
    """What has been seen of the sums that are asked about."""

    def __init__(
        self, program: Program, questions: Sequence[Question], middle: Floats, progress: Progress | None
    ) -> None:
        self._program, self._questions, self._middle, self._progress = program, questions, middle, progress
        sums = Rows.of((each.total, 0.0, 0.0) for each in questions)
        shape = (len(questions), program.size)
        self._sums = csr_array((sums.factors, sums.unknowns, sums.starts), shape=shape)
        self._of_unknowns = csr_array(self._sums.T)
        self._room = np.array([each.room for each in questions], dtype=np.float64)
        self._of_few = np.array([each.rule == "few" for each in questions], dtype=bool)
        numbers: dict[Hashable, int] = {}
        self._about = np.array([numbers.setdefault(each.about, len(numbers)) for each in questions], dtype=np.int64)
        self._least, self._most = np.full(len(questions), np.inf), np.full(len(questions), -np.inf)
        self._open = np.ones(len(questions), dtype=bool)
        self._random = np.random.default_rng(0)
        self._see(middle)

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

    def look_at_part(self, free: NDArray[np.int64]) -> None:
        """Drives those sums apart that change with some unknowns, while all others stay in the middle."""
        asked = self._open & (np.diff(self._sums[:, free].indptr) > 0)
        if not asked.any():
            return
        part = self._program.part(free, self._middle)

        def solve(objective: Floats) -> Floats:
            solution = self._middle.copy()
            solution[free] = part.solve(_as_sum(objective[free]))
            return solution

        self._drive_apart(asked, solve)

    def look_at_all(self) -> None:
        """Drives all sums apart that are still open."""
        self._drive_apart(self._open.copy(), lambda objective: self._program.solve(_as_sum(objective)))

    def _drive_apart(self, asked: Bools, solve: Callable[[Floats], Floats]) -> None:
        """Makes some sums large and the others small, and then the other way round, as long as that clears some."""
        in_vain = 0
        while (left := asked & self._open).any() and in_vain < _PATIENCE:
            there = np.unique(self._about[left])
            chosen = self._random.choice(there, max(1, int(_CHOSEN * len(there))), replace=False)
            signs = np.where(np.isin(self._about, chosen), 1.0, -_LESS) * self._random.uniform(0.5, 1.0, len(left))
            objective = np.asarray(self._of_unknowns @ (signs * left), dtype=np.float64)
            try:
                self._see(solve(objective))
                self._see(solve(-objective))
            except Unsolved:
                return
            cleared = int((left & ~self._open).sum())
            in_vain = in_vain + 1 if cleared <= _WORTH_IT * left.sum() else 0

    def look_at_each(self) -> dict[int, tuple[float, float]]:
        """The ends of the sums that are still open, of those of which too much follows."""
        found = {}
        for number, question in enumerate(self._questions):
            if self._open[number]:
                least = self._see(self._program.solve(times(question.total, -1.0)))[number]
            if self._open[number]:
                most = self._see(self._program.solve(question.total))[number]
                if question.is_told(least, most):
                    found[number] = (float(least), float(most))
                self._open[number] = False
        return found


def _as_sum(factors: Floats) -> Sum:
    chosen = np.flatnonzero(factors)
    return dict(zip(chosen.tolist(), factors[chosen].tolist(), strict=True))
