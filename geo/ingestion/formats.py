"""File formats: one table from suffix to reader. A reader yields a layer as a stream of Arrow batches."""

import codecs
import csv
import io
import re
import shutil
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from python_calamine import CalamineError, CalamineWorkbook

from geo.crs import read_crs
from geo.errors import UnknownCRS, UnknownFormat, UnreadableFile

BATCH_ROWS = 65_536

_WRONG_ENCODING = (
    "{} holds text that is not in the encoding it declares; name the right one with --encoding, such as cp1252 or "
    "latin-1."
)

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: their numbers as the spreadsheet or attribute table shows them, columns, and WKB."""

    row_numbers: NDArray[np.int32]
    columns: dict[str, pa.Array]
    geometry: pa.Array | None


@dataclass(frozen=True)
class BadRow:
    """A row that could not even be split into columns."""

    row_number: int
    n_cells: int
    n_columns: int


@dataclass
class Layer:
    """One table of a file. `total_rows` is None where it is known only at the end."""

    columns: list[str]
    crs: pyproj.CRS | None
    has_geometry: bool
    total_rows: int | None
    batches: Iterator[Batch]
    bad_rows: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True)
class ReadOptions:
    """What a person may say about a file that the file does not say, or says wrongly."""

    encoding: str | None = None
    layer: str | None = None
    crs: str | None = None


Reader = Callable[[Path, ReadOptions, ExitStack], Layer]


@contextmanager
def open_layer(path: Path, options: ReadOptions) -> Iterator[Layer]:
    """The layer of a file to load, open for reading once.

    Raises:
        UnknownFormat: the suffix is not one Vasti reads.
        UnreadableFile: the file is damaged, incomplete, empty, or holds several layers and none was chosen.
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(FORMATS))
        raise UnknownFormat(
            f"{path.name}: Vasti does not read {path.suffix or 'a file without suffix'}; it reads {known}."
        )
    if not path.is_file():
        raise UnreadableFile(f"{path} does not exist or is not a file.")
    with ExitStack() as stack:
        yield reader(path, options, stack)


@contextmanager
def bundle(path: Path) -> Iterator[Path]:
    """The single file that holds all of an upload: the path itself, or for a bare shapefile a zip of its parts.

    The zip is the same bytes for the same parts, so that its sha256 names the upload.
    """
    if path.suffix.lower() != ".shp":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="vasti-") as folder:
        target = Path(folder) / f"{path.stem}.zip"
        with zipfile.ZipFile(target, "w") as archive:
            for part in _parts(path):
                archive.writestr(zipfile.ZipInfo(part.name), part.read_bytes(), zipfile.ZIP_DEFLATED)
        yield target


def _read_vector(path: Path, options: ReadOptions, stack: ExitStack, *, shown_as: str | None = None) -> Layer:
    name = shown_as or path.name
    # GDAL takes "!" and some prefixes in a path for an archive or a virtual file: it gets a name of our own.
    encoding = _gdal_encoding(options.encoding)
    safe = path
    if not shown_as and "!" in str(path.absolute()):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-")))
        safe = folder / f"file{path.suffix.lower()}"
        for part in _parts(path):
            shutil.copyfile(part, folder / f"file{part.suffix.lower()}")
    try:
        with warnings.catch_warnings():
            # Only longitude and latitude are kept of a shape; that a measure is dropped is no news.
            warnings.filterwarnings("ignore", message="Measured")
            layers = [str(row[0]) for row in pyogrio.list_layers(safe)]
            layer = _choose(layers, options.layer, name=name, noun="layer")
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
        raise UnreadableFile(_no_encoding(encoding)) from error
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


def _read_shapefile(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    missing = [s for s in (".dbf",) if not _sibling(path, s)]
    if missing:
        raise UnreadableFile(
            f"{path.name} has no {path.stem}{missing[0]} beside it; a shapefile is several files "
            "(.shp, .shx, .dbf, .prj): bring them together, best as one .zip."
        )
    return _read_vector(path, options, stack)


def _parts(path: Path) -> list[Path]:
    """The files a vector file consists of: the parts of a shapefile, or the file alone."""
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in SHAPEFILE_PARTS)


def _sibling(path: Path, suffix: str) -> Path | None:
    return next((p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() == suffix), None)


def _read_zip(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except (zipfile.BadZipFile, NotImplementedError, OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{path.name} is not a zip file or is damaged; zip it again and retry.") from error
    members = {
        name: PurePosixPath(name)
        for name in archive.namelist()
        if not name.endswith("/") and "__MACOSX" not in name and not PurePosixPath(name).name.startswith(".")
    }
    inner = {name: member for name, member in members.items() if member.suffix.lower() in _IN_ZIP}
    if not inner:
        raise UnreadableFile(
            f"{path.name} holds no file Vasti reads; it should hold a shapefile (.shp, .shx, .dbf, .prj) "
            "or a .gpkg, .geojson, .csv or .xlsx."
        )
    by_label = {str(member): name for name, member in inner.items()}
    short = {PurePosixPath(label).stem: label for label in by_label}
    wanted = short.get(options.layer, options.layer) if options.layer else None
    label = _choose(sorted(by_label), wanted, name=path.name, noun="file")
    chosen = members[by_label[label]]
    # Extracted under a name of our own: odd member names, upper-case suffixes and inner folders no longer matter.
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-")))
    suffix = chosen.suffix.lower()
    stem = "layer" if suffix in _GDAL_IN_ZIP else chosen.stem
    try:
        for name, member in members.items():
            if member.parent == chosen.parent and member.stem == chosen.stem:
                with archive.open(name) as source, (folder / f"{stem}{member.suffix.lower()}").open("wb") as target:
                    shutil.copyfileobj(source, target)
    except (NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(
            f"{path.name} is encrypted or compressed in a way Vasti does not read; zip it again, plainly and without "
            "a password."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise UnreadableFile(f"{path.name} is damaged at {chosen.name}; zip it again and retry.") from error
    extracted = folder / f"{stem}{suffix}"
    rest = ReadOptions(options.encoding, None, options.crs)
    if suffix == ".shp" and not (folder / f"{stem}.dbf").exists():
        raise UnreadableFile(
            f"{path.name} holds {chosen.name} but no {chosen.stem}.dbf; a shapefile is several files: "
            "put .shp, .shx, .dbf and .prj into the zip."
        )
    if suffix in _GDAL_IN_ZIP:
        return _read_vector(extracted, rest, stack, shown_as=path.name)
    return FORMATS[suffix](extracted, rest, stack)


def _choose(names: list[str], wanted: str | None, *, name: str, noun: str) -> str:
    listed = ", ".join(names)
    if wanted is not None:
        if wanted not in names:
            raise UnreadableFile(f"{name} has no {noun} {wanted!r}; it has {listed}.")
        return wanted
    if not names:
        raise UnreadableFile(f"{name} holds no {noun} to read.")
    if len(names) > 1:
        raise UnreadableFile(f"{name} holds several {noun}s ({listed}); choose one with --layer.")
    return names[0]


def _read_csv(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    encoding = options.encoding or "utf-8-sig"
    try:
        with path.open(encoding=encoding, newline="") as handle:
            head = handle.read(_HEAD)
    except UnicodeDecodeError as error:
        raise UnreadableFile(_not_encoded(path, encoding)) from error
    except LookupError as error:
        raise UnreadableFile(_no_encoding(encoding)) from error
    # A byte order mark stays in the text where UTF-8 was named by hand.
    head = head.removeprefix("\ufeff")
    first_line = re.sub(r'"[^"]*"', "", head.split("\n", 1)[0])
    delimiter = max((",", ";", "\t"), key=first_line.count)
    try:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        header = next(rows, [])
    except csv.Error as error:
        raise UnreadableFile(f"{path.name}: {_UNREADABLE_ROW.format('first row')}") from error
    if not any(cell.strip() for cell in header):
        raise UnreadableFile(f"{path.name} is empty or its first row holds no column names.")
    columns = _distinct([" ".join(cell.split()) for cell in header])
    layer = Layer(columns, None, has_geometry=False, total_rows=None, batches=iter(()))

    def on_bad_row(row: pa.csv.InvalidRow) -> str:
        if row.text.strip():
            layer.bad_rows.append(BadRow(row.number, row.actual_columns, row.expected_columns))
        else:
            blank.append(row.number)
        return "skip"

    blank: list[int] = []
    if len(head) < _HEAD and rows.line_num >= len(head.splitlines()):
        return layer
    try:
        reader = pa.csv.open_csv(
            stack.enter_context(path.open("rb")),
            read_options=pa.csv.ReadOptions(
                column_names=columns,
                skip_rows_after_names=1,
                use_threads=False,
                encoding=encoding,
                block_size=1 << 23,
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=on_bad_row,
            ),
            # Everything stays text: a leading zero in a code is part of it.
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise UnreadableFile(_broken(path, encoding, error)) from error
    layer.batches = _csv_batches(reader, layer, blank, path, encoding)
    return layer


_HEAD = 1 << 20

_UNREADABLE_ROW = "the {} does not end within the file; look for a quotation mark that is not closed."


def _broken(path: Path, encoding: str, error: Exception) -> str:
    """What to say of a CSV that Arrow gave up on."""
    if "straddl" in str(error):
        return f"{path.name}: {_UNREADABLE_ROW.format('text of a cell')}"
    return _not_encoded(path, encoding)


def _no_encoding(encoding: str | None) -> str:
    return f"{encoding!r} is not a text encoding; try utf-8, cp1252 or latin-1."


def _not_encoded(path: Path, encoding: str) -> str:
    shown = "UTF-8" if encoding == "utf-8-sig" else encoding
    return f"{path.name} is not {shown} text; name its encoding with --encoding, such as cp1252 or latin-1."


def _distinct(names: list[str]) -> list[str]:
    """Column names as given, with `_2`, `_3` after repeats and a name for the nameless."""
    distinct: list[str] = []
    taken = set(names)
    for position, name in enumerate(names, start=1):
        label = plain = name or f"column {position}"
        repeat = 2
        while label in distinct or (label != name and label in taken):
            label, repeat = f"{plain}_{repeat}", repeat + 1
        distinct.append(label)
    return distinct


def _csv_batches(
    reader: pa.csv.CSVStreamingReader, layer: Layer, blank: list[int], path: Path, encoding: str
) -> Iterator[Batch]:
    first = 2
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise UnreadableFile(_broken(path, encoding, error)) from error
        n = batch.num_rows
        skipped = np.array(blank + [bad.row_number for bad in layer.bad_rows], dtype=np.int32)
        numbers = np.arange(first, first + n + np.count_nonzero(skipped >= first), dtype=np.int32)
        numbers = np.setdiff1d(numbers, skipped, assume_unique=True)[:n]
        if n:
            first = int(numbers[-1]) + 1
        yield _without_blank_rows(numbers, dict(zip(layer.columns, batch.columns, strict=True)))


def _without_blank_rows(numbers: NDArray[np.int32], columns: dict[str, pa.Array]) -> Batch:
    filled = np.zeros(len(numbers), dtype=bool)
    for column in columns.values():
        if column.null_count == 0:
            return Batch(numbers, columns, None)
        filled |= pc.is_valid(column).to_numpy(zero_copy_only=False)
    mask = pa.array(filled)
    return Batch(numbers[filled], {name: column.filter(mask) for name, column in columns.items()}, None)


def _read_sheet(path: Path, options: ReadOptions, _stack: ExitStack) -> Layer:
    try:
        workbook = CalamineWorkbook.from_path(path)
        names = workbook.sheet_names
        if options.layer is None and len(names) > 1:
            names = [name for name in names if workbook.get_sheet_by_name(name).end]
        sheet = workbook.get_sheet_by_name(_choose(names, options.layer, name=path.name, noun="sheet"))
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise UnreadableFile(
            f"{path.name} cannot be opened as a workbook; save it again as .xlsx and retry."
        ) from error
    if not rows or not any(str(cell).strip() for cell in rows[0]):
        raise UnreadableFile(f"{path.name}: the first row of the sheet holds no column names.")
    columns = _distinct([" ".join((_cell_text(cell) or "").split()) for cell in rows[0]])
    return Layer(columns, None, has_geometry=False, total_rows=len(rows) - 1, batches=_sheet_batches(rows[1:], columns))


def _sheet_batches(rows: Sequence[Sequence[object]], columns: list[str]) -> Iterator[Batch]:
    for start in range(0, len(rows), BATCH_ROWS):
        chunk = rows[start : start + BATCH_ROWS]
        cells = {
            name: pa.array([_cell_text(row[i]) for row in chunk], type=pa.string()) for i, name in enumerate(columns)
        }
        yield _without_blank_rows(np.arange(start + 2, start + 2 + len(chunk), dtype=np.int32), cells)


def _cell_text(cell: object) -> str | None:
    """A spreadsheet's cell as the text a person sees: 205 for 205.0, ISO for dates."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


FORMATS: dict[str, Reader] = {
    ".shp": _read_shapefile,
    ".zip": _read_zip,
    ".gpkg": _read_vector,
    ".geojson": _read_vector,
    ".json": _read_vector,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_sheet,
}
"""Suffix to reader."""

_GDAL_IN_ZIP = (".shp", ".gpkg", ".geojson")
_IN_ZIP = (*_GDAL_IN_ZIP, ".csv", ".xlsx")
