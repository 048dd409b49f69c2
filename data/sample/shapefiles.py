"""Zipped shapefiles, the same to the byte each time they are written."""

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from data.sample.terrain import UTM_CRS, Floats

# A file's own time says when the sample was made, not what it holds; a fixed one keeps the bytes equal.
ZIP_TIME = (2024, 6, 1, 0, 0, 0)
GEOMETRY = "geometry"
_WKB_POINT_BYTES = 21
ArrowArray = Any  # pyarrow's arrays are generic for type checkers, but not when the program runs


def point_array(x: Floats, y: Floats) -> ArrowArray:
    """Points as WKB, laid out in one block of memory without a Python object for any of them."""
    points = np.empty(len(x), dtype=[("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    points["order"], points["type"], points["x"], points["y"] = 1, 1, x, y
    offsets = np.arange(len(x) + 1, dtype=np.int32) * _WKB_POINT_BYTES
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(points.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(x), buffers)


def shape_array(shapes: Sequence[Any] | NDArray[np.object_]) -> ArrowArray:
    """Any geometries as WKB."""
    return pa.array(shapely.to_wkb(np.asarray(shapes, dtype=object)), type=pa.binary())


def write_zipped_shapefile(
    path: Path,
    rows: pa.Table | pa.RecordBatchReader,
    geometry_type: Literal["Point", "Polygon"],
    *,
    trimmed: bool = True,
) -> Path:
    """Rows with a WKB geometry column as a zipped shapefile with .prj and .cpg, in the city's UTM zone.

    Trimmed, texts take no more room than the longest of them; that rewrites the table once a column.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        pyogrio.write_arrow(
            rows,
            Path(folder, f"{path.stem}.shp"),
            driver="ESRI Shapefile",
            geometry_name=GEOMETRY,
            geometry_type=geometry_type,
            crs=CRS.from_user_input(UTM_CRS).to_wkt(),
            encoding="UTF-8",
            layer_options={"RESIZE": "YES" if trimmed else "NO"},
        )
        _zip_files(path, sorted(Path(folder).iterdir()))
    return path


def _zip_files(path: Path, sources: list[Path]) -> None:
    """The files in one zip, without folders."""
    with zipfile.ZipFile(path, "w") as archive:
        for source in sources:
            entry = zipfile.ZipInfo(source.name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with source.open("rb") as content, archive.open(entry, "w", force_zip64=True) as target:
                while block := content.read(1 << 20):
                    target.write(block)
