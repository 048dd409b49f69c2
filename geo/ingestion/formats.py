"""File formats: one table from suffix to reader. A reader yields a layer."""

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from geo.errors import UnknownFormat, UnreadableFile
from geo.ingestion.layers import Layer, ReadOptions, choose
from geo.ingestion.tabular import read_csv, read_sheet
from geo.ingestion.vector import read_shapefile, read_vector, shapefile_parts

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
            for part in shapefile_parts(path):
                archive.writestr(zipfile.ZipInfo(part.name), part.read_bytes(), zipfile.ZIP_DEFLATED)
        yield target


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
    label = choose(sorted(by_label), wanted, name=path.name, noun="file")
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
        return read_vector(extracted, rest, stack, shown_as=path.name)
    return FORMATS[suffix](extracted, rest, stack)


FORMATS: dict[str, Reader] = {
    ".shp": read_shapefile,
    ".zip": _read_zip,
    ".gpkg": read_vector,
    ".geojson": read_vector,
    ".json": read_vector,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_sheet,
}
"""Suffix to reader."""

_GDAL_IN_ZIP = (".shp", ".gpkg", ".geojson")

_IN_ZIP = (*_GDAL_IN_ZIP, ".csv", ".xlsx")
