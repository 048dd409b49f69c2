"""Reading shapes: shapefile, GeoPackage and GeoJSON, through GDAL."""

import codecs
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from geo.crs import read_crs
from geo.errors import UnknownCRS, UnreadableFile
from geo.ingestion.layers import BATCH_ROWS, Batch, Layer, ReadOptions, choose, no_encoding

_WRONG_ENCODING = (
    "{} holds text that is not in the encoding it declares; name the right one with --encoding, such as cp1252 or "
    "latin-1."
)

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def read_vector(path: Path, options: ReadOptions, stack: ExitStack, *, shown_as: str | None = None) -> Layer:
    """One layer of a file GDAL reads; errors name the file `shown_as`, where it is not under its own name."""
    name = shown_as or path.name
    # GDAL takes "!" and some prefixes in a path for an archive or a virtual file: it gets a name of our own.
    encoding = _gdal_encoding(options.encoding)
    safe = path
    if not shown_as and "!" in str(path.absolute()):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-")))
        safe = folder / f"file{path.suffix.lower()}"
        for part in shapefile_parts(path):
            shutil.copyfile(part, folder / f"file{part.suffix.lower()}")
    try:
        with warnings.catch_warnings():
            # Only longitude and latitude are kept of a shape; that a measure is dropped is no news.
            warnings.filterwarnings("ignore", message="Measured")
            layers = [str(row[0]) for row in pyogrio.list_layers(safe)]
            layer = choose(layers, options.layer, name=name, noun="layer")
            info = pyogrio.read_info(safe, layer=layer, encoding=encoding)
            # The declared encoding decides how a .dbf is read; for other formats GDAL knows it itself.
            meta, reader = stack.enter_context(
                pyogrio.open_arrow(
                    safe,
                    layer=layer,
                    encoding=encoding,
                    batch_size=BATCH_ROWS,
                    use_pyarrow=True,
                )
            )
    except UnicodeDecodeError as error:
        raise UnreadableFile(_WRONG_ENCODING.format(name)) from error
    except (DataSourceError, DataLayerError) as error:
        raise UnreadableFile(
            f"{name} cannot be opened: the file is damaged, incomplete or not what its name says. "
            "Export it again and retry."
        ) from error
    geometry = meta["geometry_name"] or "wkb_geometry"
    has_geometry = meta["geometry_type"] is not None and geometry in reader.schema.names
    return Layer(
        columns=meta["fields"].tolist(),
        crs=_file_crs(meta["crs"]) if has_geometry else None,
        has_geometry=has_geometry,
        total_rows=int(info["features"]) if info["features"] >= 0 else None,
        batches=_vector_batches(reader, geometry if has_geometry else None, meta["fields"].tolist(), name),
    )


def read_shapes(wkb: pa.Array) -> NDArray[Any]:
    """Shapes from a batch's WKB: a ring left open is closed, and what is no shape at all is None.

    Raises:
        UnreadableFile: the shapes are curves.
    """
    try:
        return np.asarray(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="fix"))
    except NotImplementedError as error:
        raise UnreadableFile(
            "The file holds curved shapes, which Vasti does not read; save them with straight segments and retry."
        ) from error


def _gdal_encoding(encoding: str | None) -> str | None:
    """The encoding by the name GDAL knows it under: ISO-8859-1 for latin-1."""
    if encoding is None:
        return None
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise UnreadableFile(no_encoding(encoding)) from error
    return re.sub(r"^iso8859-", "ISO-8859-", name).replace("_", "-")


def _file_crs(text: str | None) -> pyproj.CRS | None:
    """The CRS a file names; one that does not say where on Earth is none."""
    try:
        return None if text is None else read_crs(text)
    except UnknownCRS:
        return None


def _vector_batches(
    reader: pa.RecordBatchReader, geometry: str | None, columns: list[str], name: str
) -> Iterator[Batch]:
    first = 1
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
            raise UnreadableFile(
                f"{name} breaks off or is damaged after row {first - 1}; export it again and retry."
            ) from error
        n = batch.num_rows
        try:
            # GDAL hands on the bytes of a text column as they stand, whatever encoding was declared.
            batch.validate(full=True)
        except pa.ArrowInvalid as error:
            raise UnreadableFile(_WRONG_ENCODING.format(name)) from error
        yield Batch(
            np.arange(first, first + n, dtype=np.int32),
            {c: batch.column(c) for c in columns},
            None if geometry is None else batch.column(geometry),
        )
        first += n


def read_shapefile(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """A shapefile with its other parts beside it."""
    missing = [s for s in (".dbf",) if not _sibling(path, s)]
    if missing:
        raise UnreadableFile(
            f"{path.name} has no {path.stem}{missing[0]} beside it; a shapefile is several files "
            "(.shp, .shx, .dbf, .prj): bring them together, best as one .zip."
        )
    return read_vector(path, options, stack)


def shapefile_parts(path: Path) -> list[Path]:
    """The files a vector file consists of: the parts of a shapefile, or the file alone."""
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in SHAPEFILE_PARTS)


def _sibling(path: Path, suffix: str) -> Path | None:
    return next((p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() == suffix), None)
