"""Rejected rows as a file of their own: to be corrected there and loaded again by itself.

Nothing is kept for it while a file is being loaded: the file is read a second time, and only what was rejected is
written, batch by batch.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from geo.errors import UnreadableFile
from geo.ingestion.findings import Findings, sentence
from geo.ingestion.loading.source import SourceOptions, open_source
from geo.ingestion.mapping import texts
from geo.ingestion.reading import Batch, Layer, open_layer, read_shapes, without_reasons
from geo.ingestion.reading.returned_rows import REASONS, ROW

SUFFIXES = (".csv", ".gpkg")

_SHAPE = "wkt"

# A spreadsheet runs a cell that begins so as a formula. A negative number is none, and must stay one: a longitude.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")


def check_target(target: Path, *sources: Path) -> None:
    """Holds that rejected rows can be written to a file, before anything else is done.

    Raises:
        UnreadableFile: its suffix is no format for them, or it is the very file they come from.
    """
    if target.suffix.lower() not in SUFFIXES:
        raise UnreadableFile("rejected_format_unknown", file=target.name)
    if any(target.resolve() == source.resolve() for source in sources):
        raise UnreadableFile("rejected_is_source", file=target)


def write_rejected(path: Path, options: SourceOptions, findings: Findings, target: Path) -> int:
    """Writes the rows of a file that have errors, with all their columns and the reasons; returns how many.

    `options` are those the file was read by: they say where a table's positions are.
    """
    reasons = _reasons(findings)
    rows = np.array(sorted(reasons), dtype=np.int32)
    with open_layer(path, options.read) as opened:
        layer = without_reasons(opened)
        wanted = _rejected_batches(layer, rows)
        if target.suffix.lower() == ".csv":
            _write_csv(target, layer, wanted, reasons)
        else:
            positions = None if layer.has_geometry else _positions(path, options, rows)
            _write_geopackage(target, layer, wanted, reasons, positions)
    return len(rows)


@dataclass(frozen=True)
class _Positions:
    """The positions of some rows of a table, as WKB in the order of the rows, and their CRS."""

    rows: NDArray[np.int32]
    shapes: NDArray[np.object_]
    crs: pyproj.CRS | None

    def of(self, batch: Batch) -> pa.Array:
        """The positions of a batch's rows."""
        return pa.array(self.shapes[np.searchsorted(self.rows, batch.row_numbers)].tolist(), type=pa.binary())


def _positions(path: Path, options: SourceOptions, rows: NDArray[np.int32]) -> _Positions:
    """Where the rows of a table lie, read as they were for placing them; a position that is none is no shape."""
    x, y = np.full((2, len(rows)), np.nan)
    with open_source(path, options, None) as source:
        for _, batch in source.batches(Findings()):
            where = np.isin(batch.row_numbers, rows)
            if where.any():
                at = np.searchsorted(rows, batch.row_numbers[where])
                given_x, given_y = source.mapper.given_positions(batch)
                x[at], y[at] = given_x[where], given_y[where]
        crs = source.mapper.crs
    shapes = np.full(len(rows), None, dtype=object)
    given = np.isfinite(x) & np.isfinite(y)
    shapes[given] = shapely.to_wkb(shapely.points(x[given], y[given]))
    return _Positions(rows, shapes, crs)


def _reasons(findings: Findings) -> dict[int, str]:
    """The number of each rejected row, and everything that is wrong with it in words."""
    frame = findings.frame()
    errors = frame[(frame["severity"] == "error") & frame["row_number"].notna()]
    reasons: dict[int, str] = {}
    for row, code, field, value in zip(
        errors["row_number"], errors["code"], errors["field"], errors["value"], strict=True
    ):
        said = sentence(code, field, value)
        reasons[int(row)] = f"{reasons[int(row)]} {said}" if int(row) in reasons else said
    return reasons


def _rejected_batches(layer: Layer, rows: NDArray[np.int32]) -> Iterator[Batch]:
    for batch in layer.batches:
        where = np.isin(batch.row_numbers, rows)
        if where.any():
            mask = pa.array(where)
            columns = {name: batch.columns[name].filter(mask) for name in layer.columns}
            geometry = None if batch.geometry is None else batch.geometry.filter(mask)
            yield Batch(batch.row_numbers[where], columns, geometry)
    # What could not be split into columns has nothing to show but its number.
    broken = np.array([bad.row_number for bad in layer.bad_rows], dtype=np.int32)
    if len(broken):
        nothing = {name: pa.nulls(len(broken), pa.string()) for name in layer.columns}
        yield Batch(broken, nothing, pa.nulls(len(broken), pa.binary()) if layer.has_geometry else None)


def _write_csv(target: Path, layer: Layer, batches: Iterator[Batch], reasons: Mapping[int, str]) -> None:
    shape = [_unlike(_SHAPE, layer.columns)] if layer.has_geometry else []
    # Spreadsheets take a file for UTF-8 only where it begins with a byte order mark.
    with target.open("w", encoding="utf-8-sig", newline="") as handle:
        out = csv.writer(handle, lineterminator="\r\n")
        out.writerow([ROW, REASONS, *(_harmless(name) for name in layer.columns), *shape])
        for batch in batches:
            cells = [[_harmless(text) for text in _as_text(column).to_pylist()] for column in batch.columns.values()]
            if batch.geometry is not None:
                cells.append(shapely.to_wkt(read_shapes(batch.geometry), rounding_precision=-1).tolist())
            numbers = batch.row_numbers.tolist()
            out.writerows(zip(numbers, (_harmless(reasons[row]) for row in numbers), *cells, strict=True))


def _harmless(text: str | None) -> str | None:
    return f"'{text}" if text is not None and _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], type=pa.string())
    return texts(column)


def _write_geopackage(
    target: Path, layer: Layer, batches: Iterator[Batch], reasons: Mapping[int, str], positions: _Positions | None
) -> None:
    """The rows with their shapes, in the file's own CRS; a position that is none has no shape."""
    names: list[str] = []
    for name in (ROW, REASONS, *layer.columns):
        names.append(_unlike(name, names))
    shape = _unlike("geom", names)

    def table(batch: Batch) -> pa.RecordBatch:
        columns = [column if _is_plain(column.type) else _as_text(column) for column in batch.columns.values()]
        said = pa.array([reasons[row] for row in batch.row_numbers.tolist()], type=pa.string())
        shapes = positions.of(batch) if positions else batch.geometry.cast(pa.binary())  # type: ignore[union-attr]
        return pa.RecordBatch.from_arrays([pa.array(batch.row_numbers), said, *columns, shapes], names=[*names, shape])

    target.unlink(missing_ok=True)
    first = next(batches, None)
    tables: Iterator[pa.RecordBatch]
    if first is None:
        tables, schema = iter(()), pa.schema([(name, pa.string()) for name in names] + [(shape, pa.binary())])
    else:
        head = table(first)
        schema = head.schema
        # A row that could not be split into columns has text everywhere, all of it missing.
        tables = (head if b is first else table(b).cast(schema) for b in chain([first], batches))
    crs = positions.crs if positions else layer.crs
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, tables),
        target,
        layer="rejected",
        driver="GPKG",
        geometry_name=shape,
        geometry_type="Unknown",
        crs=None if crs is None else _as_wkt(crs),
        FID=_unlike("vasti_fid", names),
    )


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
        or pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    )  # fmt: skip


def _as_wkt(crs: pyproj.CRS) -> str:
    code = crs.to_epsg()
    return crs.to_wkt() if code is None else f"EPSG:{code}"


def _unlike(name: str, others: list[str]) -> str:
    """A name none of the others is, upper case or lower: to a GeoPackage those are the same."""
    taken = {other.casefold() for other in others}
    label, number = name, 2
    while label.casefold() in taken:
        label, number = f"{name}_{number}", number + 1
    return label
