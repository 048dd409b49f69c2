"""Rows of a table that are no records: hashtags under the column names, and the column names once more."""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.errors import UnreadableFile
from geo.ingestion.reading.layer import Batch, Layer, Note, as_mask

_HASHTAG = re.compile(r"#[A-Za-z][\w ]*(?:\+ *\w+ *)*")
_HASHTAG_ROWS = 25
"""The HXL standard looks for hashtags so far down."""
_MOST_HEADERS = 1_000
"""Nobody pastes so many exports together, and each is told by itself."""
_TELLING_NAMES = 2
"""So many cells of a row must be column names before it is a header: one may be an answer."""


def without_extra_rows(layer: Layer) -> Layer:
    """A table without rows of hashtags and without its header where that comes again, which its notes say."""
    if layer.has_geometry:
        return layer
    return replace(layer, batches=_records(layer))


def _records(layer: Layer) -> Iterator[Batch]:
    for nth, batch in enumerate(layer.batches):
        names = _texts_alone(batch)
        extra = _header_rows(names, layer, len(batch.row_numbers))
        if np.count_nonzero(extra) > _MOST_HEADERS:
            raise UnreadableFile("names_on_many_rows", most=_MOST_HEADERS)
        for at in np.flatnonzero(extra):
            layer.notes.append(Note("header_repeated", row=int(batch.row_numbers[at])))
        if nth == 0:
            for i in range(min(_HASHTAG_ROWS, len(batch.row_numbers))):
                if _holds_hashtags(names, i):
                    layer.notes.append(Note("hxl_row", row=int(batch.row_numbers[i])))
                    extra[i] = True
        _refuse_other_header(names, extra, batch, layer)
        yield _kept(batch, ~extra) if extra.any() else batch


def _texts_alone(batch: Batch) -> dict[str, pa.Array]:
    """The columns of text: in one of numbers or dates no name can stand."""
    return {name: column for name, column in batch.columns.items() if pa.types.is_string(column.type)}


def _header_rows(columns: dict[str, pa.Array], layer: Layer, n: int) -> NDArray[np.bool_]:
    """Where every cell that is filled is the name of its own column."""
    same, filled = np.zeros((2, n), dtype=np.int32)
    may_be = None
    for name, column in columns.items():
        if may_be is None:
            # Nearly always the first column settles it.
            may_be = _is_text(column, name) | as_mask(column.is_null())
            if not may_be.any():
                return np.zeros(n, dtype=bool)
        same += _is_text(column, name)
        filled += as_mask(column.is_valid())
    return np.asarray((same == filled) & (same >= min(_TELLING_NAMES, len(layer.columns))), dtype=bool)


def _is_text(column: pa.Array, text: str) -> NDArray[np.bool_]:
    return as_mask(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), text), False))


def _holds_hashtags(columns: dict[str, pa.Array], row: int) -> bool:
    cells = [str(cell).strip() for column in columns.values() if (cell := column[row].as_py()) is not None]
    told = [cell for cell in cells if cell]
    return bool(told) and all(len(cell) < 200 and _HASHTAG.fullmatch(cell) for cell in told)


def _refuse_other_header(columns: dict[str, pa.Array], known: NDArray[np.bool_], batch: Batch, layer: Layer) -> None:
    """Refuses a file in which another table begins, whose columns stand in another order.

    Raises:
        UnreadableFile: a row holds the column names, but not each in its own column.
    """
    names = set(layer.columns)
    if len(columns) <= _TELLING_NAMES:
        return
    wanted = pa.array(layer.columns)
    first = next(iter(columns.values()))
    for i in np.flatnonzero(as_mask(pc.is_in(first, value_set=wanted)) & ~known):
        cells = [cell for column in columns.values() if (cell := column[int(i)].as_py()) is not None]
        if len(cells) > _TELLING_NAMES and len(set(cells)) == len(cells) and set(cells) <= names:
            raise UnreadableFile("names_in_other_order", row=batch.row_numbers[i])


def _kept(batch: Batch, where: NDArray[np.bool_]) -> Batch:
    mask = pa.array(where)
    return Batch(
        batch.row_numbers[where], {name: column.filter(mask) for name, column in batch.columns.items()}, batch.geometry
    )
