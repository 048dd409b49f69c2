"""Evidence: what the first rows of a file show of each column, as far as a proposal needs it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely
from numpy.typing import NDArray

from geo.base import positions_to_storage
from geo.errors import UnknownCRS
from geo.ingestion.mapping.angles import read_angle
from geo.ingestion.mapping.cells import texts
from geo.ingestion.mapping.made_columns import made_name, make_column
from geo.ingestion.mapping.text_shapes import hold_outlines, hold_positions
from geo.ingestion.mapping.ticks import nothing_ticked, options_by_question
from geo.ingestion.reading import Layer, Note, ReadOptions, open_layer, read_shapes

ROWS_READ = 50_000
"""How many rows a proposal looks at; the load looks at every one."""

_VALUES_KEPT = 2_000
_DATES_TRIED = 400
_TEXTS_TRIED = 20
"""Reading a shape costs more than looking at a number."""
_DATE_FORMATS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y",
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y",
)  # fmt: skip
_YEARS = range(1950, 2101)

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_PLAIN_NUMBER = re.compile(rf"{_NUMBER}(?:[eE][-+]?\d+)?")
_COMMA_NUMBER = re.compile(r"[-+]?\d+,\d+")


@dataclass(frozen=True)
class Dates:
    """How a column's dates are written. `format` is None for ISO; `other` is a second form that fits as well."""

    share: float
    format: str | None
    other: str | None


@dataclass(frozen=True)
class ColumnEvidence:
    """What one column holds in the rows read."""

    name: str
    n_rows: int
    n_given: int
    n_distinct: int
    counts: Sequence[tuple[str, int]]
    """Values as a person sees them and how often, the most frequent first; the first few thousand of them."""
    is_choice: bool = False
    """Whether `counts` are the choices of a question with a column of 0 and 1 for each."""

    @property
    def may_be_code(self) -> bool:
        """Whether each row has a short value of its own, and none that was measured."""
        is_measured = self.number_share > 0.9 and self.share_where(lambda t: "." in t) > 0
        is_each_its_own = 0 < self.n_rows == self.n_given == self.n_distinct
        return is_each_its_own and not is_measured and self.share_where(lambda t: len(t) < 40) == 1

    def share_where(self, holds: Callable[[str], object]) -> float:
        """The share of different values for which something holds."""
        return sum(1 for text, _ in self.counts if holds(text)) / len(self.counts) if self.counts else 0.0

    def without(self, is_unknown: Callable[[str], bool]) -> "ColumnEvidence":
        """The same without the values that stand for no answer."""
        known = [(text, n) for text, n in self.counts if not is_unknown(text)]
        left_out = len(self.counts) - len(known)
        given = self.n_given - sum(n for text, n in self.counts if is_unknown(text))
        return ColumnEvidence(self.name, self.n_rows, given, self.n_distinct - left_out, known, self.is_choice)

    @cached_property
    def numbers(self) -> list[float]:
        """The values that are plain numbers."""
        return [float(text) for text, _ in self.counts if _PLAIN_NUMBER.fullmatch(text)]

    @cached_property
    def comma_numbers(self) -> list[float]:
        """The values that are numbers with a decimal comma."""
        return [float(text.replace(",", ".")) for text, _ in self.counts if _COMMA_NUMBER.fullmatch(text)]

    @property
    def number_share(self) -> float:
        """The share of different values that are numbers."""
        return (len(self.numbers) + len(self.comma_numbers)) / len(self.counts) if self.counts else 0.0

    @cached_property
    def dates(self) -> Dates | None:
        """How dates are written here, if most values are dates."""
        tried = [text for text, _ in self.counts[:_DATES_TRIED]]
        iso = sum(map(_is_iso, tried)) / max(len(tried), 1)
        if iso > 0.5:
            return Dates(iso, None, None)
        shares = sorted(
            ((sum(_is_date(t, form) for t in tried) / max(len(tried), 1), form) for form in _DATE_FORMATS),
            key=lambda s: -s[0],
        )
        (share, form), (second, other) = shares[:2]
        return Dates(share, form, other if second == share else None) if share > 0.5 else None

    @cached_property
    def angles(self) -> list[float]:
        """The values that are degrees with minutes, or with the letter of a hemisphere."""
        return [angle for text, _ in self.counts if (angle := read_angle(text)) is not None]

    @cached_property
    def holds_positions(self) -> bool:
        """Whether values are positions written as text, as a load reads them."""
        return not self.holds_polygons and hold_positions(self._first_texts)

    @cached_property
    def holds_polygons(self) -> bool:
        """Whether values are outlines written as text, as a load reads them."""
        return hold_outlines(self._first_texts)

    @property
    def _first_texts(self) -> list[str]:
        return [text for text, _ in self.counts[:_TEXTS_TRIED]]


@dataclass(frozen=True)
class FileEvidence:
    """What the rows read show of a file."""

    columns: dict[str, ColumnEvidence]
    rows_read: int
    is_whole: bool
    has_geometry: bool
    is_polygons: bool
    lacks_crs: bool = False
    """Whether it has shapes, and nothing says truly in which CRS."""
    cells: Mapping[str, Sequence[pa.Array]] = field(default_factory=dict, repr=False, compare=False)
    """The values of the file's own columns, batch by batch."""
    notes: tuple[Note, ...] = ()
    """What reading it brought up about the file as a whole, or about rows that are none."""

    def tells_apart(self, columns: Sequence[str]) -> bool:
        """Whether every row has values in these columns, and no other row the same ones."""
        given = self.made_of(columns)
        return 0 < given.n_rows == given.n_given == given.n_distinct

    def made_of(self, columns: Sequence[str]) -> ColumnEvidence:
        """What a column made of these would hold."""
        if any(name not in self.cells for name in columns):
            return ColumnEvidence("", self.rows_read, 0, 0, [])
        batches = zip(*(self.cells[name] for name in columns), strict=True)
        made = [make_column(batch) for batch in batches]
        return column_evidence(made_name(columns), made, self.rows_read)

    def pairs(self, one: str, other: str) -> "pd.Series[int]":
        """How often a text of one column stands beside one of another, both without blanks around; "" for none."""
        given = [_trimmed(self.cells[name]) for name in (one, other)]
        return pd.DataFrame({"one": given[0], "other": given[1]}).value_counts()


def read_evidence(path: Path, options: ReadOptions) -> FileEvidence:
    """Looks at the first rows of a file.

    Raises:
        InputError: the file cannot be read; the message says what to do.
    """
    with open_layer(path, options) as layer:
        return evidence_of(layer, options)


def evidence_of(layer: Layer, options: ReadOptions) -> FileEvidence:
    """The same of a file that is open: its batches are read until there is enough."""
    parts: dict[str, list[pa.Array]] = {name: [] for name in layer.columns}
    rows, is_whole, is_polygons = 0, True, False
    lacks_crs = layer.has_geometry and options.crs is None and not _is_of_earth(layer.crs)
    for batch in layer.batches:
        wanted = min(len(batch.row_numbers), ROWS_READ - rows)
        if batch.geometry is not None and rows == 0:
            first = read_shapes(batch.geometry.slice(0, 200).drop_null())
            is_polygons = _are_polygons(first)
            lacks_crs |= options.crs is None and _lie_nowhere(first, layer.crs)
        for name, column in batch.columns.items():
            parts[name].append(column.slice(0, wanted))
        rows += wanted
        if wanted < len(batch.row_numbers):
            is_whole = False
            break
    _blank_unasked(parts)
    columns = {name: column_evidence(name, arrays, rows) for name, arrays in parts.items()}
    notes = tuple(layer.notes)
    return FileEvidence(columns, rows, is_whole, layer.has_geometry, is_polygons, lacks_crs, parts, notes)


def on_one_line(text: str) -> str:
    """A text of a file as a sentence names it: on one line, without characters a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _blank_unasked(parts: dict[str, list[pa.Array]]) -> None:
    """Takes the 0 of options for no answer in rows that were not asked their question."""
    for members in options_by_question(parts).values():
        whole = [pa.chunked_array(parts[member]).combine_chunks() for member in members if parts[member]]
        nothing = nothing_ticked(whole) if len(whole) == len(members) else None
        if nothing is not None and nothing.any():
            for member, column in zip(members, whole, strict=True):
                parts[member] = [pc.if_else(pa.array(nothing), pa.scalar(None, column.type), column)]


def _is_of_earth(crs: pyproj.CRS | None) -> bool:
    if crs is None:
        return False
    try:
        positions_to_storage(np.zeros(1), np.zeros(1), crs)
    except UnknownCRS:
        return False
    return True


def _lie_nowhere(shapes: NDArray[np.object_], crs: pyproj.CRS | None) -> bool:
    """Whether all shapes are said to be in degrees, and lie outside the world."""
    bounds = shapely.bounds(shapes)
    given = bounds[np.isfinite(bounds).all(axis=1)]
    outside = (np.abs(given) > (180, 90, 180, 90)).any(axis=1)
    return crs is not None and crs.is_geographic and len(given) > 0 and bool(outside.all())


def _are_polygons(shapes: NDArray[np.object_]) -> bool:
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    return bool(kinds) and kinds <= {"Polygon", "MultiPolygon"}


def column_evidence(name: str, arrays: list[pa.Array], n_rows: int) -> ColumnEvidence:
    """What some arrays of a column show of it."""
    shown = [texts(array) for array in arrays if not _is_no_text(array.type)]
    if not shown:
        return ColumnEvidence(name, n_rows, 0, 0, [])
    trimmed = pc.utf8_trim_whitespace(pa.chunked_array(shown, type=pa.string()))
    given = trimmed.filter(pc.fill_null(pc.not_equal(trimmed, ""), False))
    counted = pc.value_counts(given)
    table = pa.table({"text": counted.field("values"), "n": counted.field("counts")})
    first = table.sort_by([("n", "descending"), ("text", "ascending")]).slice(0, _VALUES_KEPT)
    counts = list(zip(first["text"].to_pylist(), first["n"].to_pylist(), strict=True))
    return ColumnEvidence(name, n_rows, len(given), len(counted), counts)


def _trimmed(arrays: Sequence[pa.Array]) -> list[str]:
    whole = pa.chunked_array([texts(array) for array in arrays], type=pa.string())
    trimmed: list[str] = pc.fill_null(pc.utf8_trim_whitespace(whole), "").to_pylist()
    return trimmed


def _is_no_text(kind: pa.DataType) -> bool:
    """Whether a column holds what a person cannot read in a cell: bytes, or lists."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind))


def _is_iso(text: str) -> bool:
    try:
        return date.fromisoformat(text[:10]).year in _YEARS and "-" in text[:10]
    except ValueError:
        return False


def _is_date(text: str, form: str) -> bool:
    try:
        return datetime.strptime(text, form).year in _YEARS  # noqa: DTZ007 (a date has no zone)
    except ValueError:
        return False
