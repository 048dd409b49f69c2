"""Cells: one column of a batch on its way to a standard field, and which of them could not be understood."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.base import fold
from geo.ingestion.findings import Findings
from geo.ingestion.reading import as_mask


class NotUnderstood(ValueError):
    """A cell's text has no meaning for its field; the code says what is wrong."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class FieldCells:
    """One column of a batch, the standard field it is read for, and the rows it stands in."""

    field: str
    column: pa.Array
    rows: NDArray[np.int32]
    findings: Findings
    blanks: frozenset[str] = frozenset()
    """Words that stand for a blank cell, folded."""
    misread: NDArray[np.bool_] | None = None
    """The cells a finding was reported of, if any; what stands there must not be lost."""

    def report(self, code: str, where: NDArray[np.bool_], values: list[str]) -> None:
        """Reports a finding of some cells."""
        if not where.any():
            return
        self.findings.add(code, self.rows[where], field=self.field, values=values)
        self.mark(where)

    def mark(self, where: NDArray[np.bool_]) -> None:
        """Notes of some cells that what stands there must not be lost."""
        self.misread = where if self.misread is None else self.misread | where


def texts(column: pa.Array) -> pa.Array:
    """A column as text, the way a person sees it: 205 for 205.0."""
    if pa.types.is_floating(column.type):
        whole = pc.equal(pc.floor(column), column)
        if pc.all(pc.fill_null(whole, True)).as_py():
            return column.cast(pa.int64(), safe=False).cast(pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def shown(texts_there: pa.Array) -> list[str]:
    """Texts as a finding quotes them. PostgreSQL has no way to store the character U+0000."""
    return [text.strip().replace("\x00", "") for text in texts_there.to_pylist()]


def translate(cells: FieldCells, arrow: pa.DataType, meaning: Callable[[str], Any]) -> pa.Array:
    """Each distinct text translated once; those that have no meaning are unknown and reported.

    `meaning` gives the standard value, None for unknown, or raises NotUnderstood. Blank is unknown without asking.
    """
    given = texts(cells.column)
    coded = given.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    meanings: list[Any] = []
    failed: list[str | None] = []
    for text in distinct:
        try:
            meanings.append(None if is_blank(text, cells.blanks) else meaning(text))
            failed.append(None)
        except NotUnderstood as error:
            meanings.append(None)
            failed.append(error.code)
    for code in sorted({code for code in failed if code is not None}):
        where = pc.fill_null(pa.array([f == code for f in failed]).take(coded.indices), False)
        cells.report(code, as_mask(where), shown(given.filter(where)))
    # A file in standard codes says what is meant already.
    if meanings == distinct and given.type == arrow:
        return given
    return pa.array(meanings, type=arrow).take(coded.indices)


def is_blank(text: str, blanks: frozenset[str]) -> bool:
    """Whether a cell's text says nothing: it is empty, or a word the profile takes for a blank."""
    return not text.strip() or (bool(blanks) and fold(text) in blanks)
