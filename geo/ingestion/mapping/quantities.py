"""Quantities: numbers the way people write them, with decimal commas, thousands and other units."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.base import fold
from geo.fields import Field
from geo.indicators.tallies import arrow_type
from geo.ingestion.mapping.angles import read_angle
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, shown, texts, translate
from geo.ingestion.mapping.profile import FieldMapping, Value
from geo.ingestion.reading import as_mask

MOST_HOUSEHOLDS = 1_000_000.0
"""No household of a sample, and no settlement, stands for more households than this."""

_PLAIN = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d++)?")
# Groups of three parted by blanks or apostrophes, which are no decimal marks.
_SPACED = re.compile(r"([+-]?\d{1,3})(?:([ '\u2019\u00a0\u2009\u202f])\d{3})(?:\2\d{3})*(?:[.,]\d+)?")
_SPACES = re.compile(r"[ '\u2019\u00a0\u2009\u202f]")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_LAKHS = re.compile(_THOUSANDS.pattern + r"|[+-]?\d{1,2}(,\d{2})+,\d{3}")
# One group of three after a mark, as in 1,140: a thousand and more, or one and a bit.
_EITHER_WAY = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
# Texts in which a comma can only be decimal, or a point only part thousands: their column writes numbers so.
_SHOWS_COMMA = r"^\s*[+-]?(\d+,(\d{1,2}|\d{4,})|0,\d+|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,})\s*$"


def map_number(field: Field, mapping: FieldMapping, table: dict[str, Value | None], cells: FieldCells) -> pa.Array:
    """Numbers in the field's own unit; what is no number, or an impossible one, is unknown and reported."""
    factor = 1.0 if mapping.unit in (None, field.unit) else field.units[mapping.unit]
    # A number may stand for something else, such as 999 for unknown: values are compared as text.
    # A column of numbers, not of texts, has no marks to read.
    decimal = "." if _is_numeric(cells.column) else mapping.decimal
    numbers = None if mapping.values or decimal == "," else _plain_numbers(cells)
    if numbers is None:
        point_divides = decimal is None and _shows_comma(cells.column)

        def meaning(text: str) -> float | None:
            folded = fold(text)
            if folded in table:
                value = table[folded]
                return None if value is None else float(value)
            return read_number(text, decimal, point_divides=point_divides) * factor

        numbers = _floats(translate(cells, pa.float64(), meaning))
    elif factor != 1.0:
        numbers = numbers * factor
    return in_range(field, numbers, cells)


def in_range(field: Field, numbers: pa.Array | NDArray[np.float64], cells: FieldCells) -> pa.Array:
    """Numbers in the field's type; an impossible one is unknown and reported."""
    numbers = _floats(numbers) if isinstance(numbers, pa.Array) else numbers
    known = ~np.isnan(numbers)
    outside = known & ~np.isfinite(numbers)
    if field.type == "integer":
        outside |= known & (numbers != np.floor(numbers))
    if field.min is not None:
        outside |= known & (numbers < field.min)
    if field.max is not None:
        outside |= known & (numbers > field.max)
    if outside.any():
        cells.report("value_out_of_range", outside, shown(texts(cells.column).filter(pa.array(outside))))
    return pa.array(numbers, type=pa.float64(), mask=~known | outside).cast(arrow_type(field))


def read_coordinates(cells: FieldCells, *, are_degrees: bool = True) -> NDArray[np.float64]:
    """One of a position's columns as floats, NaN where blank; what is no number is reported.

    In a position, a comma without a point is decimal: nobody writes its thousands. Degrees may come with minutes and
    seconds.
    """
    numbers = _plain_numbers(cells)
    if numbers is not None:
        return numbers

    def meaning(text: str) -> float:
        angle = read_angle(text) if are_degrees else None
        if angle is not None:
            return angle
        is_decimal = text.count(",") == 1 and "." not in text
        return read_number(text, "," if is_decimal else None)

    return _floats(translate(cells, pa.float64(), meaning))


def read_number(text: str, decimal: str | None = None, *, point_divides: bool = False) -> float:
    """The number a text writes; without a decimal mark given, the text itself shows it.

    `point_divides` says that a point is known to part thousands near by, so that 1.140 is open as 1,140 always is.

    Raises:
        NotUnderstood: it is no number, or could be read either way.
    """
    number = text.strip().replace("\u2212", "-")
    if decimal != "," and not point_divides and _PLAIN.fullmatch(number):
        return float(number)
    spaced = _SPACED.fullmatch(number) is not None
    if spaced:
        number = _SPACES.sub("", number)
    elif decimal is None and _EITHER_WAY.fullmatch(number) and ("," in number or point_divides):
        raise NotUnderstood("number_ambiguous")
    mark = decimal or _decimal_mark(number)
    other = "," if mark == "." else "."
    whole, point, part = number.partition(mark)
    if other in whole and not spaced and _are_groups(whole, other):
        whole = whole.replace(other, "")
    plain = f"{whole}.{part}" if point else whole
    if other in whole or not _PLAIN.fullmatch(plain) or (mark == "," and number.endswith(",")):
        raise NotUnderstood("value_not_a_number")
    return float(plain)


def _decimal_mark(number: str) -> str:
    """The mark a number shows to be decimal: the last of two kinds, or the only one there is once."""
    commas, points = number.count(","), number.count(".")
    if commas and points:
        return "," if number.rindex(",") > number.rindex(".") else "."
    if commas == 1 or points > 1:
        return ","
    return "."


def _are_groups(whole: str, mark: str) -> bool:
    """Whether marks part thousands, 1,140,588, or commas lakhs and crores, 11,40,588."""
    groups = _LAKHS if mark == "," else _THOUSANDS
    return groups.fullmatch(whole.replace(mark, ",")) is not None


def _shows_comma(column: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts(column), _SHOWS_COMMA)).as_py())


def _is_numeric(column: pa.Array) -> bool:
    return bool(pa.types.is_floating(column.type) or pa.types.is_integer(column.type))


def _plain_numbers(cells: FieldCells) -> NDArray[np.float64] | None:
    """A column of numbers, or of texts that all are plain ones; None where any needs a closer look."""
    if any(_PLAIN.fullmatch(word) for word in cells.blanks):
        return None
    if _is_numeric(cells.column):
        return _floats(cells.column)
    trimmed = pc.utf8_trim_whitespace(texts(cells.column))
    numbers = _cast(trimmed)
    if numbers is None:
        numbers = _cast(pc.replace_with_mask(trimmed, pc.equal(trimmed, ""), pa.scalar(None, pa.string())))
    if numbers is None:
        return None
    # Arrow takes `nan` and `inf` for numbers.
    return _floats(numbers) if pc.all(pc.is_finite(numbers)).as_py() is not False else None


def _cast(plain: pa.Array) -> pa.Array | None:
    try:
        return plain.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:
        return None


def _floats(column: pa.Array) -> NDArray[np.float64]:
    """A column of numbers as floats, NaN where there is none."""
    # Not safe: what a float does not hold to the last digit is far from any number that is possible.
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def is_no_weight(weights: pa.Array) -> NDArray[np.bool_]:
    """Where a column of weights holds none, or one below 0."""
    return as_mask(pc.invert(pc.fill_null(pc.greater_equal(weights, 0), False)))


def is_huge_weight(weights: pa.Array) -> NDArray[np.bool_]:
    """Where a column of weights holds one above MOST_HOUSEHOLDS."""
    return as_mask(pc.fill_null(pc.greater(weights, MOST_HOUSEHOLDS), False))
