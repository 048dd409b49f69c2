"""Dates: ISO, with or without time and zone, or the forms a profile names."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, texts, translate
from geo.ingestion.mapping.profile import FieldMapping, Value
from geo.ingestion.reading import as_mask

_EXCEL_ZERO = date(1899, 12, 30)
_FIRST_DAY = date(1990, 1, 1)
"""No survey Vasti is for was made before."""
_DIGITS, _LONGEST_NUMBER = 5, 24


def map_date(mapping: FieldMapping, table: dict[str, Value | None], cells: FieldCells) -> pa.Array:
    """Dates as the interviewer's calendar showed them; what is no date is unknown and reported."""
    column = cells.column
    if (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)) and not mapping.values:
        return column.cast(pa.date32(), safe=False)

    formats = mapping.formats()
    numbers: dict[str, date] = {}

    def meaning(text: str) -> date | None:
        if not formats and not mapping.values and (day := _in_iso(text.strip())) is not None:
            return day
        folded = fold(text)
        if folded in table:
            value = table[folded]
            return None if value is None else date.fromisoformat(str(value))
        try:
            return read_date(text, formats)
        except NotUnderstood:
            day = day_of_number(text)
            if day is None:
                raise
            numbers[text] = day
            return day

    days = translate(cells, pa.date32(), meaning)
    if numbers:
        given = texts(cells.column)
        where = as_mask(pc.fill_null(pc.is_in(given, value_set=pa.array(list(numbers))), False))
        told = [f"{text} = {numbers[text]}" for text in given.filter(pa.array(where)).to_pylist()]
        cells.findings.add("date_from_number", cells.rows[where], field=cells.field, values=told)
    return days


def day_of_number(text: str) -> date | None:
    """The day that Excel keeps as this number, with the time of day after its point; None where it can be none."""
    number = text.strip()
    whole, _, part = number.partition(".")
    if (
        len(number) > _LONGEST_NUMBER
        or len(whole) != _DIGITS
        or not whole.isdecimal()
        or (part and not part.isdecimal())
    ):
        return None
    day = _EXCEL_ZERO + timedelta(days=int(whole))
    return day if _FIRST_DAY <= day <= datetime.now(UTC).date() + timedelta(days=1) else None


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
