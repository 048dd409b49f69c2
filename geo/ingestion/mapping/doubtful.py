"""Doubtful numbers: what a form writes for "don't know", nothings that were blanks, and numbers far above the others.

What stands for no answer is told by the file itself: 99 among households of three to nine people is no household, and
99 among hundreds of dwellings is a number like the others.
"""

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.fields import Field
from geo.indicators.tallies import arrow_type
from geo.ingestion.mapping.cells import FieldCells, shown, texts

_NO_ANSWER = frozenset(
    float(code) for code in (77, 88, 97, 98, 99, 777, 888, 996, 997, 998, 999, 7777, 8888, 9996, 9997, 9998, 9999)
)
"""Numbers that forms write for don't know, refused, not asked; the negative ones are below any field's range."""

_APART = 2.0
"""How many times as large as all other numbers such a number must be, not to be one of them."""

_FAR, _FEWEST = 5.0, 10
"""How many times as large as three quarters of the numbers one is far above them, and how many it takes to say so."""


def is_written_for_none(number: float) -> bool:
    """Whether forms write this number for no answer."""
    return number in _NO_ANSWER


def not_answers(numbers: Iterable[float]) -> set[float]:
    """Those of a column's numbers that stand for no answer: such as forms write, and far above every other."""
    given = set(numbers)
    others = [number for number in given - _NO_ANSWER if number >= 0]
    if not others:
        return set()
    return {number for number in given & _NO_ANSWER if number > _APART * max(others)}


class NumberChecks:
    """Looks at one field's numbers, batch by batch, in the light of all those of the file so far."""

    def __init__(self, field: Field, factor: float, said: Collection[str]) -> None:
        """Begins a file; `factor` turns its unit into the field's, `said` are texts whose meaning the profile gives."""
        self._field = field
        self._factor = factor
        self._said = said
        self._counts = np.zeros(0, dtype=np.int64)
        self._coded: set[float] = set()

    def check(self, column: pa.Array, cells: FieldCells, asked: NDArray[np.bool_]) -> pa.Array:
        """The numbers without those that stand for no answer, which are reported; `asked`: rows of an interview."""
        numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
        known = ~np.isnan(numbers) & asked
        below = known & (numbers < (self._field.least or 0))
        cells.report("value_impossible", below, self._shown(cells, below))
        known &= ~below
        written = np.round(numbers / self._factor, 6)
        self._remember(written[known])
        self._coded |= {code for code in self._not_answers() if f"{code:g}" not in self._said}
        coded = known & np.isin(written, list(self._coded))
        cells.report("value_coded", coded, self._shown(cells, coded))
        far = known & ~coded & (written > self._far())
        if far.any():
            rows, values = cells.rows[far], self._shown(cells, far)
            cells.findings.add("value_far_above", rows, field=self._field.name, values=values)
        lost = below | coded
        if not lost.any():
            return column
        return pa.array(numbers, type=pa.float64(), mask=np.isnan(numbers) | lost).cast(arrow_type(self._field))

    def _remember(self, written: NDArray[np.float64]) -> None:
        seen = np.bincount(written.astype(np.int64), minlength=len(self._counts))
        seen[: len(self._counts)] += self._counts
        self._counts = seen

    def _not_answers(self) -> set[float]:
        return not_answers(np.flatnonzero(self._counts).tolist())

    def _far(self) -> float:
        """From where on a number is far above the others."""
        if self._field.large is None:
            return np.inf
        counts = self._counts.copy()
        counts[[int(code) for code in self._coded if code < len(counts)]] = 0
        total = int(counts.sum())
        if total < _FEWEST:
            return np.inf
        upper = int(np.searchsorted(np.cumsum(counts), 0.75 * total))
        return max(_FAR * upper, self._field.large / self._factor)

    @staticmethod
    def _shown(cells: FieldCells, where: NDArray[np.bool_]) -> list[str]:
        return shown(texts(cells.column).filter(pa.array(where))) if where.any() else []
