"""Mapping: from a file's columns and values to the standard fields. What is not mapped is kept in `extra`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely
from numpy.typing import NDArray

from geo.crs import positions_to_storage, read_crs
from geo.errors import UnknownCRS
from geo.fields import Field, standard_fields
from geo.indicators.tally_frame import arrow_type
from geo.ingestion.findings import Findings
from geo.ingestion.layers import Batch, Layer, ReadOptions
from geo.ingestion.profile import UNKNOWN, FieldMapping, Profile, check_columns, fold, value_table
from geo.ingestion.vector import read_shapes

NO_CRS = (
    "{name} does not say which coordinate reference system its positions use (a shapefile says it in its .prj); "
    "name it with --crs, such as --crs EPSG:4326 for longitude and latitude or --crs EPSG:32643 for UTM zone 43N."
)

_WKB_POINT = np.dtype([("byte_order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
_WKB_POINT_TYPE = 1


_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass
class Observations:
    """Rows of a file in standard fields: positions are longitude and latitude in degrees, NaN where there is none."""

    row_numbers: NDArray[np.int32]
    fields: dict[str, pa.Array]
    extra: pa.Array | None
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    rejected: NDArray[np.bool_]


class Mapper:
    """Applies one profile to the batches of one layer."""

    def __init__(self, layer: Layer, profile: Profile, options: ReadOptions, file_name: str) -> None:
        """Checks that the profile fits the layer.

        Raises:
            MissingColumn: the profile names a column the layer lacks.
            UnknownCRS: the layer has positions but nothing says in which CRS.
        """
        self.profile = profile
        self._position = None if layer.has_geometry else profile.position
        named = [mapping.column for mapping in profile.fields.values()]
        if self._position:
            named += self._position.columns()
        check_columns(profile, named, layer.columns, file_name)
        self._unmapped = [column for column in layer.columns if column not in named]
        self.crs = _layer_crs(layer, self._position.crs if self._position else None, options, file_name)
        self.has_position = layer.has_geometry or self._position is not None

    def map(self, batch: Batch, findings: Findings) -> Observations:
        """The batch in standard fields; what cannot be understood becomes a finding."""
        n = len(batch.row_numbers)
        rejected = np.zeros(n, dtype=bool)
        fields = {}
        for name, mapping in self.profile.fields.items():
            column = batch.columns[mapping.column]
            fields[name] = _map_field(standard_fields()[name], mapping, column, batch.row_numbers, findings)
            if name == "weight":
                rejected |= _reject_weights(fields[name], column, batch.row_numbers, findings)
        lon, lat = self._positions(batch, findings, rejected)
        return Observations(batch.row_numbers, fields, self._extra(batch), lon, lat, rejected)

    def _positions(
        self, batch: Batch, findings: Findings, rejected: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = self.given_positions(batch)
        given = ~(np.isnan(x) | np.isnan(y))
        lon, lat = x, y
        if self.crs is not None:
            lon, lat = positions_to_storage(x, y, self.crs)
        # Degrees outside the world may be swapped: placement finds out.
        impossible = given & ~(np.isfinite(lon) & np.isfinite(lat))
        if impossible.any():
            shown = [f"{a:.6g}, {b:.6g}" for a, b in zip(x[impossible], y[impossible], strict=True)]
            findings.add("position_impossible", batch.row_numbers[impossible], values=shown)
            rejected |= impossible
        unknown = ~given | impossible
        return np.where(unknown, np.nan, lon), np.where(unknown, np.nan, lat)

    def given_positions(self, batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The positions as the file has them, in its own CRS; NaN where there is none."""
        if batch.geometry is not None:
            return _points(batch.geometry)
        if self._position:
            x, y = (_numbers(batch.columns[column]) for column in self._position.columns())
            return x, y
        nowhere = np.full(len(batch.row_numbers), np.nan)
        return nowhere, nowhere

    def _extra(self, batch: Batch) -> pa.Array | None:
        if not self._unmapped:
            return None
        frame = pd.DataFrame({name: _json_ready(batch.columns[name]) for name in self._unmapped})
        lines = frame.to_json(orient="records", lines=True, date_format="iso", double_precision=15, force_ascii=False)
        if "\\u0000" in lines:
            # PostgreSQL has no way to store the character U+0000; spelt out after a backslash, it is plain text.
            lines = _ESCAPED_NUL.sub(r"\1", lines)
        return pa.array(lines.removesuffix("\n").split("\n"), type=pa.string())


def _layer_crs(layer: Layer, table_crs: str | None, options: ReadOptions, file_name: str) -> pyproj.CRS | None:
    if options.crs is not None:
        return read_crs(options.crs)
    if not layer.has_geometry:
        return None if table_crs is None else read_crs(table_crs)
    if layer.crs is None:
        raise UnknownCRS(NO_CRS.format(name=file_name))
    return layer.crs


def _points(wkb: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of point shapes; a shape that is no point stands for a point on it, a missing one for NaN."""
    if wkb.null_count:
        x, y = np.full((2, len(wkb)), np.nan)
        given = wkb.is_valid().to_numpy(zero_copy_only=False)
        x[given], y[given] = _points(wkb.drop_null())
        return x, y
    plain = _plain_points(wkb)
    if plain is not None:
        return plain["x"].copy(), plain["y"].copy()
    shapes = read_shapes(wkb)
    shapes[shapely.is_empty(shapes)] = None
    not_points = ~shapely.is_missing(shapes) & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    if not_points.any():
        shapes[not_points] = shapely.point_on_surface(shapes[not_points])
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _plain_points(wkb: pa.Array) -> NDArray[np.void] | None:
    """The shapes where they lie, if all are plain 2D points, as in nearly every file: no object is made of each."""
    if not pa.types.is_binary(wkb.type):
        return None
    _, offsets, shapes = wkb.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[wkb.offset : wkb.offset + len(wkb) + 1]
    if len(wkb) == 0 or (np.diff(starts) != _WKB_POINT.itemsize).any():
        return None
    points = np.frombuffer(shapes, dtype=_WKB_POINT, count=len(wkb), offset=int(starts[0]))
    is_plain = (points["byte_order"] == 1) & (points["type"] == _WKB_POINT_TYPE)
    return points if is_plain.all() else None


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    """A column as floats; what is no number is NaN."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    as_text = texts(column)
    try:
        numbers = pc.utf8_trim_whitespace(as_text).cast(pa.float64())
    except pa.ArrowInvalid:
        frame = pd.to_numeric(pd.Series(as_text.to_pylist(), dtype=object), errors="coerce")
        return np.asarray(frame, dtype=np.float64)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def texts(column: pa.Array) -> pa.Array:
    """A column as text, the way a person sees it: 205 for 205.0."""
    if pa.types.is_floating(column.type):
        whole = pc.equal(pc.floor(column), column)
        if pc.all(pc.fill_null(whole, True)).as_py():
            return column.cast(pa.int64(), safe=False).cast(pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _map_field(
    field: Field, mapping: FieldMapping, column: pa.Array, rows: NDArray[np.int32], findings: Findings
) -> pa.Array:
    match field.type:
        case "code" | "boolean":
            if pa.types.is_boolean(column.type) and field.type == "boolean" and not mapping.values:
                return column
            return _map_values(field, mapping, column, rows, findings)
        case "integer" | "number":
            return _map_number(field, mapping, column, rows, findings)
        case "date":
            return _map_date(field, mapping, column, rows, findings)
        case "text":
            return _map_text(mapping, column)


def _translate(
    column: pa.Array, arrow: pa.DataType, meaning: Callable[[str], Any]
) -> tuple[pa.Array, pa.Array, list[str]]:
    """Each distinct text translated once: the column of meanings, where it failed, and the texts that failed there.

    `meaning` gives the standard value, None for unknown, or raises ValueError. Blank is unknown without asking.
    """
    given = texts(column)
    coded = given.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    meanings, failed = [], []
    for text in distinct:
        try:
            meanings.append(meaning(text) if text.strip() else None)
            failed.append(False)
        except ValueError:
            meanings.append(None)
            failed.append(True)
    # A file in standard codes says what is meant already.
    translated = (
        given if meanings == distinct and given.type == arrow else pa.array(meanings, type=arrow).take(coded.indices)
    )
    if not any(failed):
        return translated, pa.array([], type=pa.bool_()), []
    where = pc.fill_null(pa.array(failed).take(coded.indices), False)
    return (
        translated,
        where,
        [text.strip().replace("\x00", "") for text in coded.filter(where).dictionary_decode().to_pylist()],
    )


def _report(
    code: str, field: Field, where: pa.Array, texts: list[str], rows: NDArray[np.int32], findings: Findings
) -> None:
    if texts:
        findings.add(code, rows[where.to_numpy(zero_copy_only=False)], field=field.name, values=texts)


def _map_values(
    field: Field, mapping: FieldMapping, column: pa.Array, rows: NDArray[np.int32], findings: Findings
) -> pa.Array:
    table = value_table(field.name, mapping)

    def meaning(text: str) -> Any:
        try:
            return table[fold(text)]
        except KeyError as error:
            raise ValueError(text) from error

    translated, where, texts = _translate(column, arrow_type(field), meaning)
    _report("value_unmapped", field, where, texts, rows, findings)
    return translated


def _map_number(
    field: Field, mapping: FieldMapping, column: pa.Array, rows: NDArray[np.int32], findings: Findings
) -> pa.Array:
    if not mapping.values and (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        numbers = _numbers(column)
    else:
        # A number may stand for something else, such as 999 for unknown: values are compared as text.
        table = value_table(field.name, mapping)

        def meaning(text: str) -> Any:
            folded = fold(text)
            return table[folded] if folded in table else float(folded)

        translated, where, texts = _translate(column, pa.float64(), meaning)
        _report("value_not_a_number", field, where, texts, rows, findings)
        numbers = _numbers(translated)
    known = ~np.isnan(numbers)
    outside = known & ~np.isfinite(numbers)
    if field.type == "integer":
        outside |= known & (numbers != np.floor(numbers))
    if field.min is not None:
        outside |= known & (numbers < field.min)
    if field.max is not None:
        outside |= known & (numbers > field.max)
    if outside.any():
        shown = [f"{value:g}" for value in numbers[outside]]
        findings.add("value_out_of_range", rows[outside], field=field.name, values=shown)
    return pa.array(numbers, type=pa.float64(), mask=~known | outside).cast(arrow_type(field))


def _reject_weights(
    weights: pa.Array, column: pa.Array, rows: NDArray[np.int32], findings: Findings
) -> NDArray[np.bool_]:
    """A household without a usable weight cannot count, and must not count as one."""
    bad = ~(_numbers(weights) > 0)
    if bad.any():
        shown = texts(column.filter(pa.array(bad))).to_pylist()
        findings.add("weight_invalid", rows[bad], field="weight", values=shown)
    return bad


def _map_date(
    field: Field, mapping: FieldMapping, column: pa.Array, rows: NDArray[np.int32], findings: Findings
) -> pa.Array:
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return column.cast(pa.date32(), safe=False)

    def meaning(text: str) -> date:
        if mapping.format:
            return datetime.strptime(text.strip(), mapping.format).date()  # noqa: DTZ007 (a date has no zone)
        return date.fromisoformat(text.strip()[:10])

    translated, where, texts = _translate(column, pa.date32(), meaning)
    _report("date_unreadable", field, where, texts, rows, findings)
    return translated


def _map_text(mapping: FieldMapping, column: pa.Array) -> pa.Array:
    # PostgreSQL has no way to store the character U+0000.
    trimmed = pc.utf8_trim_whitespace(pc.replace_substring(texts(column), "\x00", ""))
    trimmed = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    if not mapping.values:
        return trimmed
    table = {fold(text): None if value == UNKNOWN else str(value) for text, value in mapping.values.items()}
    return _translate(trimmed, pa.string(), lambda text: table.get(fold(text), text))[0]


def _json_ready(column: pa.Array) -> pd.Series:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pd.Series([None] * len(column), dtype=object)
    if pa.types.is_date(column.type) or pa.types.is_time(column.type):
        column = column.cast(pa.string())
    # A whole number stays whole where others of its column are missing.
    return column.to_pandas(integer_object_nulls=True)
