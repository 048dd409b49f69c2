"""Reading JSON: GeoJSON goes to GDAL; a list of objects, or of rows, is a table."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from geo.errors import UnreadableFile
from geo.ingestion.reading.csv_files import without_blank_rows
from geo.ingestion.reading.encodings import look_at_text
from geo.ingestion.reading.gdal import read_vector
from geo.ingestion.reading.geojson_text import unquoted
from geo.ingestion.reading.layer import BATCH_ROWS, Batch, Layer, ReadOptions, choose, distinct_names, reading_of

MAX_TABLE_BYTES = 256 << 20
"""A JSON table is read whole; a larger one comes as CSV or Parquet, which are not."""

_HEAD = 1 << 20

# A string goes to its end or to that of the head, and nothing is looked at twice.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"\s*+:?|\\?\Z)|[\[\]{}]', re.DOTALL)
_LIST = re.compile(r"\s*\[")

_GEOMETRIES = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")
_GEOJSON_TYPE = re.compile(rf'\s*"(Feature|FeatureCollection|{"|".join(_GEOMETRIES)})"')

_MAX_DEPTH = 3
"""How deep below the top the list of rows is looked for."""


def read_json(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """GeoJSON, whole or a feature a line, or a table.

    Raises:
        UnreadableFile: it is neither, damaged, or a table too large to read whole.
    """
    with path.open("rb") as source:
        head = source.read(_HEAD)
    if not head:
        raise UnreadableFile("file_empty", file=path.name)
    if _is_geojson(head):
        return read_vector(unquoted(path, stack), options, stack)
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise UnreadableFile("json_table_too_large", file=path.name, most_mb=MAX_TABLE_BYTES >> 20)
    tables = _find_tables(_parsed(path, options), ())
    if not tables:
        raise UnreadableFile("json_neither_table_nor_geojson", file=path.name)
    wanted = None if options.layer in (path.stem, path.name) and len(tables) == 1 else options.layer
    name = choose(list(tables), wanted, name=path.name, noun="table")
    chosen = tables[name]
    first = 1
    if isinstance(chosen[0], list):
        header, *rows = chosen
        columns = distinct_names([" ".join((_text(cell) or "").split()) for cell in header])
        flat = [dict(zip(columns, row, strict=False)) for row in rows if isinstance(row, list)]
    else:
        flat = [_flattened(row) for row in chosen if isinstance(row, dict)]
        columns = list(dict.fromkeys(name for row in flat for name in row))
    if len(flat) != len(chosen) - isinstance(chosen[0], list):
        raise UnreadableFile("json_unlike_things", file=path.name)
    if not columns:
        raise UnreadableFile("json_table_without_columns", file=path.name)
    batches = _batches(flat, columns, first)
    return Layer(
        columns, None, has_geometry=False, total_rows=len(flat), batches=batches, read_as=reading_of(name, list(tables))
    )


def _is_geojson(head: bytes) -> bool:
    """Whether the first object of the file is GeoJSON by its own `type`, or by its list of features."""
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff\x1e \r\n\t")
    if not text.startswith("{"):
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
            if depth == 0:
                return False
        elif depth == 1 and mark.endswith(":"):
            key = mark.rstrip(": \r\n\t")
            if key == '"type"' and _GEOJSON_TYPE.match(text, token.end()):
                return True
            if key == '"features"' and _LIST.match(text, token.end()):
                return True
    return False


def _parsed(path: Path, options: ReadOptions) -> Any:
    form = look_at_text(path, options.encoding)
    whole = path.read_bytes().decode(form.encoding).lstrip("\ufeff")
    try:
        return orjson.loads(whole)
    except orjson.JSONDecodeError as error:
        try:
            return [orjson.loads(line) for line in whole.replace("\x1e", "").splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            if error.lineno > 1:
                raise UnreadableFile("json_invalid_in_line", file=path.name, line=error.lineno) from error
            raise UnreadableFile("json_invalid_at_character", file=path.name, character=error.colno) from error


def _find_tables(value: Any, keys: tuple[str, ...]) -> dict[str, list[Any]]:
    """The lists of objects, or of rows, in the file, by the keys that lead to them."""
    if isinstance(value, list):
        is_table = len(value) > 0 and isinstance(value[0], dict | list)
        if is_table and isinstance(value[0], list):
            is_table = len(value[0]) > 0 and all(isinstance(cell, str) for cell in value[0])
        return {"/".join(keys) or "rows": value} if is_table else {}
    if not isinstance(value, dict) or len(keys) >= _MAX_DEPTH:
        return {}
    return {name: table for key, inner in value.items() for name, table in _find_tables(inner, (*keys, key)).items()}


def _flattened(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    """An object as one level of columns: `{"a": {"b": 1}}` has the column `a/b`."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and value and not _is_shape(value):
            flat |= _flattened(value, f"{before}{key}/")
        else:
            flat[f"{before}{key}"] = value
    return flat


def _is_shape(value: dict[str, Any]) -> bool:
    return value.get("type") in _GEOMETRIES


def _batches(rows: Sequence[dict[str, Any]], columns: list[str], first: int) -> Iterator[Batch]:
    for start in range(0, len(rows), BATCH_ROWS):
        chunk = rows[start : start + BATCH_ROWS]
        cells = {name: pa.array([_text(row.get(name)) for row in chunk], type=pa.string()) for name in columns}
        numbers = np.arange(start + first, start + first + len(chunk), dtype=np.int32)
        yield without_blank_rows(numbers, cells)


def _text(value: Any) -> str | None:
    """A JSON value as the text a person sees."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
