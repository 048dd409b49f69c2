"""Details: answers of which a second column tells more, such as where a toilet flushes to or what "other" is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold
from geo.fields import Field
from geo.indicators.tallies import arrow_type
from geo.ingestion.mapping.answers import map_answer
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, texts, translate
from geo.ingestion.mapping.profile import FieldMapping, Value
from geo.ingestion.reading import Batch


@dataclass(frozen=True)
class DetailColumn:
    """A column that tells more of some answers, under the file's own name; answers and texts are folded."""

    answers: frozenset[str]
    column: str
    table: dict[str, Value | None]
    blanks: frozenset[str]

    def read(self, field: Field, cells: FieldCells, batch: Batch) -> pa.Array:
        """What it says of each row whose answer it tells more of; null where it says nothing or is not understood."""
        detail = self.asked(cells.column, batch)

        def meaning(text: str) -> Value | None:
            try:
                return self.table[fold(text)]
            except KeyError as error:
                raise NotUnderstood("detail_unmapped") from error

        # The column is kept as it stands anyway: what was not understood there is no fault of the answer's.
        return translate(
            FieldCells(field.name, detail, cells.rows, cells.findings, self.blanks), arrow_type(field), meaning
        )

    def asked(self, answers: pa.Array, batch: Batch) -> pa.Array:
        """Its texts in the rows whose answer it tells more of; null in others."""
        coded = texts(answers).dictionary_encode()
        told = pa.array([fold(text) in self.answers for text in coded.dictionary.to_pylist()], pa.bool_())
        where = pc.fill_null(told.take(coded.indices), False)
        return pc.if_else(where, texts(batch.columns[self.column]), pa.scalar(None, pa.string()))


def map_with_details(
    field: Field,
    mapping: FieldMapping,
    table: dict[str, Value | None],
    cells: FieldCells,
    details: Sequence[DetailColumn],
    batch: Batch,
) -> pa.Array:
    """Standard codes, or yes and no, as map_answer gives them; where a detail says more, what it says."""
    told = pa.nulls(len(cells.rows), arrow_type(field))
    for detail in details:
        told = pc.coalesce(told, detail.read(field, cells, batch))
    # An answer that only its detail explains needs no meaning of its own.
    rest = replace(cells, column=pc.if_else(told.is_valid(), pa.scalar(None, pa.string()), texts(cells.column)))
    alone = map_answer(field, mapping, table, rest)
    cells.misread = rest.misread
    return pc.coalesce(told, alone)
