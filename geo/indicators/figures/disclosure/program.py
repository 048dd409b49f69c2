"""Linear programs over households that are not known: the least and the largest that sums of them can be.

A program is built once and solved many times. Only what is asked of it changes, so that each solution is near the last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, vstack

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Sum = Mapping[int, float]
"""A sum of unknown numbers of households, each by its number and times a factor."""

SLACK = 1e-6
"""What a solver takes for nothing, in households."""


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

_AT_FIRST = {"solver": "ipm"}
"""There is no solution to begin from yet: an interior point method, which ends at a corner all the same."""

_SMALL = 5_000
"""Of so few unknowns the simplex method begins from nothing as fast."""

_IN_THE_MIDDLE = {"solver": "ipm", "run_crossover": "off"}
"""An interior point method that stops in the middle of all solutions, and not at a corner."""


class Program:
    """A linear program that is solved for one objective after another."""

    def __init__(self, low: Floats, high: Floats, sums: csr_array, row_low: Floats, row_high: Floats) -> None:
        """Unknowns that lie between `low` and `high`, of which `sums` lie between `row_low` and `row_high`."""
        self._ends, self._sums, self._row_ends = (low, high), sums, (row_low, row_high)
        self._solver: highspy.Highs | None = None
        self._by_unknown: csc_array | None = None
        self._asked = np.zeros(0, dtype=np.int64)
        self.size = len(low)

    def _loaded(self, options: Mapping[str, Any]) -> highspy.Highs:
        solver = highspy.Highs()
        _set_options(solver, {**_QUIET, **options})
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
        is_first = self._solver is None
        if self._solver is None:
            self._solver = self._loaded(_AT_FIRST if self.size > _SMALL else _FROM_THE_LAST)
        _change_costs(self._solver, self._asked, np.zeros(len(self._asked)))
        _change_costs(self._solver, unknowns, factors)
        self._asked = unknowns
        self._solver.run()
        if is_first:
            _set_options(self._solver, {"solver": "choose", **_FROM_THE_LAST})
        if self._solver.getModelStatus() in _GIVEN_UP:
            # What the way from the last solution does not reach is reached from the beginning.
            self._solver = self._loaded({})
            _change_costs(self._solver, unknowns, factors)
            self._solver.run()
            _set_options(self._solver, _FROM_THE_LAST)
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Impossible
        if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
            raise Unsolved(self._solver.modelStatusToString(status))
        return np.array(self._solver.getSolution().col_value)

    def narrow(self, total: Sum, low: float, high: float) -> None:
        """Holds besides that a sum lies between two numbers, as another program has shown."""
        rows = Rows.of([(total, low, high)])
        sums = csr_array((rows.factors, rows.unknowns, rows.starts), shape=(1, self.size))
        self._sums, self._by_unknown = csr_array(vstack([self._sums, sums])), None
        self._row_ends = np.append(self._row_ends[0], low), np.append(self._row_ends[1], high)
        if self._solver is not None:
            self._solver.addRow(low, high, len(total), rows.unknowns.astype(np.int32), rows.factors)

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

    def fitting(self, held: Rows, objective: Sum) -> Floats | None:
        """Unknowns that fulfil all that is held and these sums too, and make another sum largest; None: none do."""
        sums = csr_array((held.factors, held.unknowns, held.starts), shape=(len(held.low), self.size))
        row_low, row_high = (np.append(*ends) for ends in zip(self._row_ends, (held.low, held.high), strict=True))
        narrower = Program(*self._ends, csr_array(vstack([self._sums, sums])), row_low, row_high)
        narrower._solver = narrower._loaded({})
        try:
            return narrower.solve(objective)
        except (Impossible, Unsolved):
            return None

    def part(self, free: NDArray[np.int64], at: Floats) -> "Program":
        """The program of some unknowns, while all others stay what they are in a solution."""
        sums, touched = self._sums_of(free)
        of_free = sums @ at[free]
        of_others = (self._sums @ at)[touched] - of_free
        # By how little a solution misses an end is no reason to refuse it.
        row_low = np.minimum(self._row_ends[0][touched] - of_others, of_free)
        row_high = np.maximum(self._row_ends[1][touched] - of_others, of_free)
        low, high = np.minimum(self._ends[0][free], at[free]), np.maximum(self._ends[1][free], at[free])
        return Program(low, high, sums, row_low, row_high)

    def alone(self, some: NDArray[np.int64]) -> "Program":
        """The program of some unknowns, of which only that is held in which no other has a part."""
        sums, touched = self._sums_of(some)
        whole = np.diff(sums.indptr) == np.diff(self._sums.indptr)[touched]
        rows = touched[whole]
        ends = (end[rows] for end in self._row_ends)
        return Program(self._ends[0][some], self._ends[1][some], csr_array(sums[whole]), *ends)

    def _sums_of(self, unknowns: NDArray[np.int64]) -> tuple[csr_array, NDArray[np.intp]]:
        """What is held of some unknowns, as far as they have a part in it, and the numbers of these rows."""
        if self._by_unknown is None:
            self._by_unknown = csc_array(self._sums)
        sums = csr_array(self._by_unknown[:, unknowns])
        touched = np.flatnonzero(np.diff(sums.indptr))
        return csr_array(sums[touched]), touched


_GIVEN_UP = (highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kSolveError)


def _set_options(solver: highspy.Highs, options: Mapping[str, Any]) -> None:
    for option, value in options.items():
        solver.setOptionValue(option, value)


def _change_costs(solver: highspy.Highs, unknowns: NDArray[np.int64], costs: Floats) -> None:
    solver.changeColsCost(len(unknowns), unknowns.astype(np.int32), costs)
