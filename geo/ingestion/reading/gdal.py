"""Reading shapes through GDAL: shapefile, GeoPackage, GeoJSON, KML, FlatGeobuf and file geodatabase."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import pyogrio.raw
import pyproj
import shapely
from numpy.typing import NDArray
from pyogrio._ogr import _register_drivers
from pyogrio.errors import DataLayerError, DataSourceError

from geo.base import read_crs
from geo.errors import ChoiceNeeded, UnknownCRS, UnreadableFile
from geo.ingestion.reading.archives import check_container
from geo.ingestion.reading.encodings import text_codec
from geo.ingestion.reading.geojson_lines import every_line, is_sequence_file
from geo.ingestion.reading.kml_rings import look_at_rings
from geo.ingestion.reading.layer import (
    BATCH_ROWS,
    Batch,
    Layer,
    Note,
    ReadOptions,
    choose,
    distinct_names,
    no_encoding,
    plain_column,
    reading_of,
)
from geo.ingestion.reading.shapefiles import (
    TableEncoding,
    decode_cell,
    find_part,
    recode,
    shapefile_parts,
    table_encoding,
)
from geo.messages import Message

_DRIVERS = {
    ".shp": ("ESRI Shapefile",),
    ".dbf": ("ESRI Shapefile",),
    ".gpkg": ("GPKG",),
    ".geojson": ("GeoJSON", "GeoJSONSeq"),
    ".kml": ("LIBKML",),
    ".kmz": ("LIBKML",),
    ".fgb": ("FlatGeobuf",),
    ".gdb": ("OpenFileGDB",),
}
"""Which of GDAL's drivers may read a file of this suffix."""

_FOLDERED = (".kml", ".kmz")
_FOLDER = "Folder"
"""The column that holds the name of the folder, or of the layer of a map drawn on the web, which often is a ward."""

_STYLE_TABLES = ("layer_styles", "qgis_projects", "qgis_layer_styles", "ogr_style", "gpkg_metadata")
"""Tables that programs add to a GeoPackage beside its layers."""

_CURVES = (8, 9, 10, 11, 12)
"""The WKB types of curved shapes, which differ by whole thousands where they have heights or measures."""

_GPKG_WAL_BYTE = 18

_NATIVE_CODECS = ("utf-8", "iso8859-1")
"""Encodings in which GDAL is asked for a .dbf; any other is read byte for character, and decoded by us."""


@cache
def allow_drivers_only() -> None:
    """Takes from GDAL, for this process, every driver but those above and what Vasti's own writers use.

    It is the first thing done before GDAL is handed a file, and done once.

    A file can claim to be anything: no file, whatever its name, makes GDAL follow a link, a URL or a script in it.
    """
    allowed = {name for names in _DRIVERS.values() for name in names}
    others = sorted(set(pyogrio.list_drivers()) - allowed)
    pyogrio.set_gdal_config_options({"OGR_SKIP": ",".join(others)})
    _register_drivers()


def read_vector(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """One layer of a file GDAL reads."""
    allow_drivers_only()
    name, suffix = path.name, _gdal_suffix(path)
    _check_content(path, suffix)
    notes: list[Note] = []
    parts = shapefile_parts(path)
    is_dbf = suffix in (".shp", ".dbf")
    text = table_encoding(parts, options.encoding) if is_dbf else TableEncoding("utf-8")
    if options.encoding is not None and not is_dbf:
        _known_encoding(options.encoding)
    if text.note:
        notes.append(text.note)
    if suffix == ".shp" and find_part(parts, ".shx") is None:
        notes.append(Note("index_rebuilt"))
    codec = _native(text.codec) if is_dbf else None
    safe: Path | str = _under_own_name(*_with_every_ring(path, suffix, notes, stack), parts, stack)
    is_sequence = suffix == ".geojson" and is_sequence_file(path)
    if is_sequence:
        safe = f"GeoJSONSeq:{safe}"
    opening: dict[str, Any] = {"IMMUTABLE": "YES"} if suffix == ".gpkg" else {}
    try:
        with warnings.catch_warnings():
            # What GDAL has to say while opening is no news to a data officer; what matters is checked here.
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)
            if Note("index_rebuilt") in notes:
                _rebuild_index(safe)
            names = [str(row[0]) for row in pyogrio.list_layers(safe) if str(row[0]) not in _STYLE_TABLES]
            only = len(names) == 1 and options.layer in (path.stem, path.name)
            layer = _choose_layer(safe, names, None if only else options.layer, path)
            info = pyogrio.read_info(safe, layer=layer, encoding=codec, **opening)
            if info["driver"] not in _DRIVERS[suffix]:
                raise UnreadableFile("file_misnamed", file=name, driver=info["driver"])
            meta, reader = stack.enter_context(
                pyogrio.open_arrow(
                    safe, layer=layer, encoding=codec, batch_size=BATCH_ROWS, use_pyarrow=True, **opening
                )
            )
    except UnicodeDecodeError as error:
        raise ChoiceNeeded("encoding_declared_wrong", file=name) from error
    except (DataSourceError, DataLayerError) as error:
        raise _cannot_open(name) from error
    # Of a file that is one layer, GDAL gives the name it was linked under.
    read_as = reading_of(
        layer if len(names) > 1 or suffix == ".gpkg" else path.stem, names, text.codec if is_dbf else None
    )
    geometry = meta["geometry_name"] or "wkb_geometry"
    has_geometry = meta["geometry_type"] is not None and geometry in reader.schema.names
    if has_geometry:
        reader = _Peeked(reader, name)
        if _holds_curves(reader.first, geometry):
            return replace(_linearised(safe, layer, info, name, [*notes, Note("geometry_linearised")]), read_as=read_as)
    places = [i for i, column in enumerate(reader.schema.names) if not (has_geometry and column == geometry)]
    columns = distinct_names([reader.schema.names[i] for i in places])
    batches = _vector_batches(
        reader,
        reader.schema.get_field_index(geometry) if has_geometry else None,
        dict(zip(columns, places, strict=True)),
        name,
        text.codec if is_dbf else None,
    )
    read_layer = Layer(
        columns=columns,
        crs=_file_crs(meta["crs"]) if has_geometry else None,
        has_geometry=has_geometry,
        total_rows=int(info["features"]) if info["features"] >= 0 else None,
        batches=every_line(path, batches) if is_sequence else batches,
        notes=notes,
        read_as=read_as,
    )
    return _with_folder(read_layer, layer) if suffix in _FOLDERED and len(names) > 1 else read_layer


def _with_every_ring(path: Path, suffix: str, notes: list[Note], stack: ExitStack) -> tuple[Path, str]:
    """The file to open and its suffix: of a KML file that holds rings GDAL would lose, a copy that keeps them."""
    if suffix not in _FOLDERED:
        return path, suffix
    whole, has_two_outlines = look_at_rings(path, stack)
    if has_two_outlines:
        notes.append(Note("outline_left_out"))
    return whole, suffix if whole == path else ".kml"


def _choose_layer(safe: Path | str, names: list[str], wanted: str | None, path: Path) -> str:
    if path.suffix.lower() in _FOLDERED and len(names) > 1 and wanted is None:
        raise _which_folder(safe, names, path.name)
    return choose(names, wanted, name=path.name, noun="layer")


def _which_folder(safe: Path | str, names: list[str], file_name: str) -> ChoiceNeeded:
    """What to say of a map of several folders, of which each may be a ward and another no settlements at all."""
    layers = [_contents(safe, layer) for layer in names]
    return ChoiceNeeded("folders_several", names, file=file_name, layers=layers, folder=_FOLDER)


def _contents(safe: Path | str, layer: str) -> Message:
    """How many shapes a layer has and, where they are of one kind, of which."""
    _, _, shapes, _ = pyogrio.raw.read(safe, layer=layer, columns=[], force_2d=True)
    kinds = {shape.geom_type.removeprefix("Multi") for shape in read_shapes(pa.array(shapes)) if shape is not None}
    return Message(_CONTENTS.get("".join(kinds), "layer_shapes"), layer=layer, n=len(shapes))


_CONTENTS = {"Polygon": "layer_polygons", "Point": "layer_points", "LineString": "layer_lines"}


def _with_folder(layer: Layer, folder: str) -> Layer:
    """A layer of a map of several, with the layer's name as a column."""
    if _FOLDER in layer.columns:
        return layer
    batches = (
        replace(b, columns={**b.columns, _FOLDER: pa.array([folder] * len(b.row_numbers), pa.string())})
        for b in layer.batches
    )
    return replace(layer, columns=[*layer.columns, _FOLDER], batches=batches)


def _cannot_open(name: str) -> UnreadableFile:
    return UnreadableFile("file_damaged", file=name)


def _gdal_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in _DRIVERS else ".geojson"


def _check_content(path: Path, suffix: str) -> None:
    """Refuses what GDAL would misread or read in part.

    Raises:
        UnreadableFile: the file is not what its name says, or another program still holds some of its rows.
    """
    if path.is_dir():
        return
    with path.open("rb") as source:
        head = source.read(1024)
    if not head:
        raise UnreadableFile("file_empty", file=path.name)
    if suffix == ".kmz":
        check_container(path)
    if suffix == ".gpkg":
        pending = path.with_name(f"{path.name}-wal")
        if pending.is_file() and pending.stat().st_size:
            raise UnreadableFile("file_open_elsewhere", file=path.name, pending=pending.name)
    if suffix in (".kml", ".geojson") and head.startswith((b"PK\x03\x04", b"SQLite format")):
        raise _cannot_open(path.name)


def _under_own_name(path: Path, suffix: str, parts: list[Path], stack: ExitStack) -> Path:
    """The file by a name GDAL takes for nothing else, in a folder where it may write an index.

    GDAL takes "!" and some prefixes in a path for an archive or a virtual file.
    """
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-")))
    safe = folder / f"file{suffix}"
    if suffix not in (".shp", ".dbf"):
        if suffix == ".gpkg" and _writes_ahead(path):
            # SQLite would write its journal beside the file itself.
            shutil.copyfile(path, safe)
        else:
            safe.symlink_to(path.absolute())
        return safe
    for part in parts:
        # The encoding is settled already; and who names the table alone means the table, without the shapes.
        if part.suffix.lower() not in (".cpg", ".cst") and suffix in (".shp", part.suffix.lower()):
            (folder / f"file{part.suffix.lower()}").symlink_to(part.absolute())
    return safe


def _rebuild_index(safe: Path | str) -> None:
    """Lets GDAL write the missing .shx beside the links to the user's files; on for good, it breaks reading zips."""
    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
    try:
        pyogrio.list_layers(safe)
    finally:
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": None})


class _Peeked:
    """A reader whose first batch has been looked at."""

    def __init__(self, reader: pa.RecordBatchReader, name: str) -> None:
        self.schema = reader.schema
        self._reader = reader
        try:
            self.first: pa.RecordBatch | None = reader.read_next_batch()
        except StopIteration:
            self.first = None
        except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
            raise _cannot_open(name) from error
        self._is_new = self.first is not None

    def read_next_batch(self) -> pa.RecordBatch:
        """The first batch again, then those that follow."""
        if self._is_new:
            self._is_new = False
            return self.first
        return self._reader.read_next_batch()


def _holds_curves(batch: pa.RecordBatch | None, geometry: str) -> bool:
    if batch is None:
        return False
    types = pc.binary_slice(batch.column(geometry).drop_null().cast(pa.binary()), 1, 5)
    kinds = np.frombuffer(b"".join(t for t in types.unique().to_pylist() if len(t) == 4), dtype="<u4")
    return bool(np.isin(kinds % 1000, _CURVES).any())


def _writes_ahead(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(_GPKG_WAL_BYTE + 1)[_GPKG_WAL_BYTE:] == b"\x02"


def _linearised(safe: Path | str, layer: str, info: dict[str, Any], name: str, notes: list[Note]) -> Layer:
    """A layer of curved shapes: GDAL draws them with straight segments where it makes no Arrow of them."""
    columns = distinct_names([str(field) for field in info["fields"]])

    def batches() -> Iterator[Batch]:
        first = 1
        while True:
            try:
                _, _, shapes, fields = pyogrio.raw.read(
                    safe, layer=layer, skip_features=first - 1, max_features=BATCH_ROWS, force_2d=True
                )
            except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
                raise _cannot_open(name) from error
            n = len(shapes)
            if n:
                cells = {c: plain_column(pa.array(v, from_pandas=True)) for c, v in zip(columns, fields, strict=True)}
                yield Batch(np.arange(first, first + n, dtype=np.int32), cells, pa.array(shapes, type=pa.binary()))
            first += n
            if n < BATCH_ROWS:
                return

    return Layer(columns, _file_crs(info["crs"]), True, int(info["features"]), batches(), notes=notes)


def read_shapes(wkb: pa.Array) -> NDArray[Any]:
    """Shapes from a batch's WKB: a ring left open is closed, and what is no shape at all is None.

    Raises:
        UnreadableFile: the shapes are curves.
    """
    try:
        return np.asarray(shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="fix"))
    except NotImplementedError as error:
        raise UnreadableFile("shapes_curved") from error


def _known_encoding(encoding: str) -> None:
    try:
        text_codec(encoding)
    except LookupError as error:
        raise ChoiceNeeded(no_encoding(encoding)) from error


def _native(codec: str) -> str:
    """What to ask GDAL for: UTF-8, or each byte as the character of its number."""
    return "UTF-8" if codec == "utf-8" else "ISO-8859-1"


def _file_crs(text: str | None) -> pyproj.CRS | None:
    """The CRS a file names; one that does not say where on Earth is none."""
    try:
        return None if text is None else read_crs(text)
    except UnknownCRS:
        return None


def _vector_batches(
    reader: pa.RecordBatchReader | _Peeked, geometry: int | None, columns: dict[str, int], name: str, codec: str | None
) -> Iterator[Batch]:
    first = 1
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
            raise UnreadableFile("file_damaged_after_row", file=name, row=first - 1) from error
        n = batch.num_rows
        try:
            # GDAL hands on the bytes of a text column as they stand, whatever encoding was declared.
            cells = {c: plain_column(_valid(batch.column(i), is_cut=codec == "utf-8")) for c, i in columns.items()}
            if codec not in (None, *_NATIVE_CODECS):
                cells = {c: recode(v, codec) if pa.types.is_string(v.type) else v for c, v in cells.items()}
        except (pa.ArrowInvalid, UnicodeError) as error:
            raise ChoiceNeeded("encoding_declared_wrong", file=name) from error
        yield Batch(
            np.arange(first, first + n, dtype=np.int32), cells, None if geometry is None else batch.column(geometry)
        )
        first += n


def _valid(column: pa.Array, *, is_cut: bool) -> pa.Array:
    """The column, its text being valid; a last character that a .dbf has cut off is left out."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        if not is_cut:
            raise
        cells = column.cast(pa.binary()).to_pylist()
        return pa.array([None if c is None else decode_cell(c, "utf-8") for c in cells], type=pa.string())
    return column


def read_shapefile(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """A shapefile with its other parts beside it."""
    if find_part(shapefile_parts(path), ".dbf") is None:
        raise UnreadableFile("shapefile_without_table", file=path.name, stem=path.stem)
    return read_vector(path, options, stack)
