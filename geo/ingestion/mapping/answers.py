"""Answers: what the words of a file mean in standard codes, yes and no, and texts."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold
from geo.fields import Field
from geo.indicators.tallies import arrow_type
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, is_blank, texts, translate
from geo.ingestion.mapping.profile import FieldMapping, Value
from geo.ingestion.mapping.yes_no import yes_or_no


def map_answer(field: Field, mapping: FieldMapping, table: dict[str, Value | None], cells: FieldCells) -> pa.Array:
    """Standard codes, or yes and no; an answer the profile does not know is unknown and reported."""
    if pa.types.is_boolean(cells.column.type) and field.type == "boolean" and not mapping.values:
        return cells.column

    def meaning(text: str) -> Any:
        try:
            return table[fold(text)]
        except KeyError as error:
            answer = yes_or_no(text) if field.type == "boolean" and not mapping.values else None
            if answer is None:
                raise NotUnderstood("value_unmapped") from error
            return answer

    return translate(cells, arrow_type(field), meaning)


def map_text(table: dict[str, Value | None], cells: FieldCells) -> pa.Array:
    """Texts as they stand; only blanks around them go, and the character U+0000, which PostgreSQL cannot store."""
    trimmed = pc.utf8_trim_whitespace(pc.replace_substring(texts(cells.column), "\x00", ""))
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    if not table and not cells.blanks:
        return trimmed
    distinct = trimmed.dictionary_encode()
    meanings = [None if is_blank(t, cells.blanks) else _worded(table, t) for t in distinct.dictionary.to_pylist()]
    return pa.array(meanings, type=pa.string()).take(distinct.indices)


def _worded(table: dict[str, Value | None], text: str) -> str | None:
    value = table.get(fold(text), text)
    return None if value is None else str(value)
