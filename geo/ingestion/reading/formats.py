"""File formats: one table from suffix to reader. A reader yields a layer, or what an archive holds, to read next."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from geo.base import is_storable
from geo.errors import ChoiceNeeded, UnknownFormat, UnreadableFile
from geo.ingestion.reading.archives import Unpacked, unpack_gzip, unpack_zip
from geo.ingestion.reading.csv_files import read_csv
from geo.ingestion.reading.extra_rows import without_extra_rows
from geo.ingestion.reading.gdal import read_shapefile, read_vector
from geo.ingestion.reading.json_tables import read_json
from geo.ingestion.reading.layer import Batch, Layer, LimitedReadOptions, ReadAs, ReadOptions
from geo.ingestion.reading.parquet import read_parquet
from geo.ingestion.reading.shapefiles import shapefile_parts
from geo.ingestion.reading.workbooks import read_sheet

Reader = Callable[[Path, ReadOptions, ExitStack], Layer | Unpacked]

MAX_COLUMNS = 5_000
"""The longest household questionnaires, with a column for each choice, have half as many."""

_MAX_NAMES = 250_000
"""How many letters the names of all columns may have."""

_MAX_NESTED = 3
"""How many archives may lie one within the other."""


@contextmanager
def open_layer(path: Path, options: ReadOptions) -> Iterator[Layer]:
    """The layer of a file to load, open for reading once.

    Raises:
        UnknownFormat: the suffix is not one Vasti reads.
        UnreadableFile: the file is damaged, incomplete, empty, has more rows than it may, or holds several layers and
            none was chosen.
    """
    if path.suffix.lower() not in FORMATS:
        known = sorted(FORMATS)
        if not path.suffix:
            raise UnknownFormat("format_without_suffix", file=path.name, known=known)
        raise UnknownFormat("format_unknown", file=path.name, suffix=path.suffix, known=known)
    if not path.is_file():
        raise UnreadableFile("file_missing", file=path)
    name = path.name
    max_rows = options.max_rows if isinstance(options, LimitedReadOptions) else None
    with ExitStack() as stack:
        outer: ReadAs | None = None
        for _ in range(_MAX_NESTED + 1):
            try:
                read = FORMATS[path.suffix.lower()](path, options, stack)
            except ChoiceNeeded as error:
                if outer is None:
                    raise
                raise ChoiceNeeded(error.message, _names_within(outer, error.names)) from error
            if isinstance(read, Layer):
                read = without_extra_rows(read)
                _check_columns(read.columns, path.name)
                read_as = read.read_as if outer is None else _within(outer, read.read_as)
                whole = replace(read, read_as=replace(read_as, columns=tuple(read.columns)))
                yield whole if max_rows is None else _limited(whole, max_rows, name)
                return
            path, options, within = read
            outer = within if within.layers else outer
        raise UnreadableFile("archive_within_archives", file=path.name)


def _limited(layer: Layer, max_rows: int, name: str) -> Layer:
    """The layer, which breaks off where it has more rows than that: a few kilobytes can hold any number of them.

    Raises:
        UnreadableFile: it says so itself.
    """
    too_many = UnreadableFile("rows_too_many", file=name, most=max_rows)
    if (layer.total_rows or 0) > max_rows:
        raise too_many

    def batches() -> Iterator[Batch]:
        n = 0
        for batch in layer.batches:
            n += len(batch.row_numbers)
            if n + len(layer.bad_rows) > max_rows:
                raise too_many
            yield batch
        # Rows that could not be read may be all there are.
        if n + len(layer.bad_rows) > max_rows:
            raise too_many

    return replace(layer, batches=batches())


def _within(outer: ReadAs, inner: ReadAs) -> ReadAs:
    """How a layer is read of a file that is one of several in an archive, by the names --layer takes."""
    if not inner.layers:
        return replace(outer, encoding=inner.encoding)
    names = _names_within(outer, inner.layers)
    return ReadAs(f"{outer.layer}/{inner.layer}", names, inner.encoding)


def _names_within(outer: ReadAs, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{outer.layer}/{name}" for name in names)


def _check_columns(columns: list[str], name: str) -> None:
    """Refuses what is no table somebody filled in.

    Raises:
        UnreadableFile: there are more columns than that, or their names are longer, or none.
    """
    if len(columns) > MAX_COLUMNS:
        raise UnreadableFile("columns_too_many", file=name, columns=len(columns), most=MAX_COLUMNS)
    if not all(is_storable(column) for column in columns):
        raise UnreadableFile("column_name_unstorable", file=name)
    if sum(map(len, columns)) > _MAX_NAMES:
        raise UnreadableFile("column_names_too_long", file=name)


@contextmanager
def bundle(path: Path, *beside: Path) -> Iterator[Path]:
    """The single file that holds all of an upload: the path itself, or a zip of a shapefile's parts and files beside.

    The zip is the same bytes for the same parts, so that its sha256 names the upload.
    """
    if path.suffix.lower() != ".shp" and not beside:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="vasti-") as folder:
        target = Path(folder) / f"{path.stem}.zip"
        with zipfile.ZipFile(target, "w") as archive:
            for part in (*shapefile_parts(path), *beside):
                archive.writestr(zipfile.ZipInfo(part.name), part.read_bytes(), zipfile.ZIP_DEFLATED)
        yield target


def _open_zip(path: Path, options: ReadOptions, stack: ExitStack) -> Unpacked:
    return unpack_zip(path, options, stack, FORMATS.keys())


def _open_gzip(path: Path, options: ReadOptions, stack: ExitStack) -> Unpacked:
    return Unpacked(unpack_gzip(path, stack, FORMATS.keys()), options, ReadAs())


FORMATS: dict[str, Reader] = {
    ".shp": read_shapefile,
    ".dbf": read_vector,
    ".zip": _open_zip,
    ".gz": _open_gzip,
    ".gdb": read_vector,
    ".gpkg": read_vector,
    ".fgb": read_vector,
    ".kml": read_vector,
    ".kmz": read_vector,
    ".geojson": read_json,
    ".json": read_json,
    **dict.fromkeys((".geojsonl", ".geojsons", ".geojsonseq", ".ndjson", ".jsonl", ".seq"), read_json),
    ".parquet": read_parquet,
    ".geoparquet": read_parquet,
    ".csv": read_csv,
    ".tsv": read_csv,
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".ods"), read_sheet),
}
"""Suffix to reader."""
