"""Reasons: the columns a file of rejected rows has more than the file they come from, and reading it without them."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from geo.ingestion.reading.layer import Batch, Layer

ROW, REASONS = "vasti_row", "vasti_reasons"
"""The columns that are added: the number of the row in the file it comes from, and why it was rejected."""

_KEPT_FROM_RUNNING = r"^'('*[=+\-@\t\r])"


def without_reasons(layer: Layer) -> Layer:
    """A layer as it was before its rows were rejected: without the columns added to it, and text as it stood."""
    if not {ROW, REASONS} <= set(layer.columns):
        return layer
    columns = [name for name in layer.columns if name not in (ROW, REASONS)]
    return replace(layer, columns=columns, batches=(_restored(batch, columns) for batch in layer.batches))


def _restored(batch: Batch, columns: list[str]) -> Batch:
    restored = {
        name: pc.replace_substring_regex(batch.columns[name], _KEPT_FROM_RUNNING, r"\1")
        if pa.types.is_string(batch.columns[name].type)
        else batch.columns[name]
        for name in columns
    }
    return Batch(batch.row_numbers, restored, batch.geometry)
