"""Dates: ISO, with or without time and zone, or the forms a profile names."""

from collections.abc import Sequence
from datetime import date, datetime

import pyarrow as pa

from geo.ingestion.cells import Cells, NotUnderstood, translate
from geo.ingestion.profile import FieldMapping, Value, fold


def map_date(mapping: FieldMapping, table: dict[str, Value | None], cells: Cells) -> pa.Array:
    """Dates as the interviewer's calendar showed them; what is no date is unknown and reported."""
    column = cells.column
    if (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)) and not mapping.values:
        return column.cast(pa.date32(), safe=False)

    formats = mapping.formats()

    def meaning(text: str) -> date | None:
        if not formats and not mapping.values and (day := _in_iso(text.strip())) is not None:
            return day
        folded = fold(text)
        if folded in table:
            value = table[folded]
            return None if value is None else date.fromisoformat(str(value))
        return read_date(text, formats)

    return translate(cells, pa.date32(), meaning)


def read_date(text: str, formats: Sequence[str] = ()) -> date:
    """The date a text writes in one of the formats, as for strptime, or in ISO form.

    A workbook's real dates are in ISO form whatever the texts beside them are in, so that is tried last; not where a
    format begins with the year itself, which says how such dates are meant.

    Raises:
        NotUnderstood: it is in none of the forms, or in two that make different dates of it.
    """
    text = text.strip()
    read = {day for form in formats if (day := _in_format(text, form)) is not None}
    if not read and not any(form.startswith("%Y") for form in formats):
        read = {day} if (day := _in_iso(text)) is not None else set()
    if len(read) != 1:
        raise NotUnderstood("date_unreadable")
    return read.pop()


def _in_format(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 (a date has no zone)
    except ValueError:
        return None


def _in_iso(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
