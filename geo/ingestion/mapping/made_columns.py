"""Made columns: one that is made of several columns of a file, such as a code of ward and number."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from geo.ingestion.mapping.cells import texts
from geo.ingestion.reading import Layer

PLUS = " + "
"""What stands between the names of the columns that one is made of."""

_BETWEEN = "_"
"""What stands between their values. A spreadsheet takes neither `12_1` for a date nor for a number."""


def part_names(name: str) -> list[str]:
    """The columns that `Ward + Number` names; nothing where a name names one column only."""
    parts = [part.strip() for part in name.split(PLUS)]
    return parts if len(parts) > 1 and all(parts) else []


def made_name(parts: Sequence[str]) -> str:
    """The name of a column made of others."""
    return PLUS.join(parts)


def make_column(parts: Sequence[pa.Array]) -> pa.Array:
    """The values of several columns as one; blank where one of them is."""
    given = [pc.utf8_trim_whitespace(texts(part)) for part in parts]
    given = [pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part) for part in given]
    return pc.binary_join_element_wise(*given, _BETWEEN)


def add_made_column(layer: Layer, name: str, parts: Sequence[str]) -> None:
    """Has every batch of a layer hold a column made of others; the layer's own columns stay as they are."""
    plain = layer.batches
    layer.batches = (
        replace(batch, columns={**batch.columns, name: make_column([batch.columns[part] for part in parts])})
        for batch in plain
    )
