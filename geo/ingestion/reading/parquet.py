"""Reading Parquet and GeoParquet, a batch at a time."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from geo.base import read_crs
from geo.errors import UnknownCRS, UnreadableFile
from geo.ingestion.reading.layer import BATCH_ROWS, Batch, Layer, ReadOptions, distinct_names, plain_column

_LONLAT = "OGC:CRS84"
"""What a GeoParquet file that names no CRS is in."""
_DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)


def read_parquet(path: Path, _options: ReadOptions, stack: ExitStack) -> Layer:
    """A Parquet file: a layer of shapes where its `geo` metadata say so, else a table.

    Raises:
        UnreadableFile: it is damaged, or its shapes are not written as WKB.
    """
    try:
        # Column chunks are read as they are needed: a file in one row group must not come into memory whole.
        file = stack.enter_context(pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20))
        names = file.schema_arrow.names
    except _DAMAGE as error:
        raise _damaged(path) from error
    geo = _geo_metadata(file, path)
    geometry = None if geo is None else names.index(geo["primary_column"])
    columns = distinct_names([name for i, name in enumerate(names) if i != geometry])
    return Layer(
        columns=columns,
        crs=None if geo is None else _crs(geo["columns"][geo["primary_column"]]),
        has_geometry=geometry is not None,
        total_rows=file.metadata.num_rows,
        batches=_parquet_batches(file, geometry, columns, path),
    )


def _damaged(path: Path) -> UnreadableFile:
    return UnreadableFile("parquet_damaged", file=path.name)


def _geo_metadata(file: pq.ParquetFile, path: Path) -> dict[str, Any] | None:
    stored = (file.schema_arrow.metadata or {}).get(b"geo")
    if stored is None:
        return None
    try:
        geo: dict[str, Any] = json.loads(stored)
        column = geo["columns"][geo["primary_column"]]
        encoding = str(column["encoding"])
        file.schema_arrow.names.index(geo["primary_column"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if encoding.upper() != "WKB":
        raise UnreadableFile("shapes_not_wkb", file=path.name, encoding=encoding)
    return geo


def _crs(column: dict[str, Any]) -> pyproj.CRS | None:
    if "crs" not in column:
        return read_crs(_LONLAT)
    if column["crs"] is None:
        return None
    try:
        return read_crs(column["crs"] if isinstance(column["crs"], str) else json.dumps(column["crs"]))
    except UnknownCRS:
        return None


def _parquet_batches(file: pq.ParquetFile, geometry: int | None, columns: list[str], path: Path) -> Iterator[Batch]:
    first = 1
    batches = file.iter_batches(batch_size=BATCH_ROWS, use_threads=False)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile("parquet_damaged_after_row", file=path.name, row=first - 1) from error
        if batch is None:
            return
        n = batch.num_rows
        plain = [column for i, column in enumerate(batch.columns) if i != geometry]
        yield Batch(
            np.arange(first, first + n, dtype=np.int32),
            {name: plain_column(column) for name, column in zip(columns, plain, strict=True)},
            None if geometry is None else batch.column(geometry).cast(pa.binary()),
        )
        first += n
