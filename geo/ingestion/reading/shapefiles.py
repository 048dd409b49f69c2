"""Shapefiles: their parts found, set side by side under names of our own, and the encoding of their table."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from geo.errors import UnreadableFile
from geo.ingestion.reading.encodings import codec_named, language_codec
from geo.ingestion.reading.layer import Note, no_encoding

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".cst")

_SINGLE_BYTE = re.compile(r"cp(125\d|437|850|852|865)|iso8859-\d+")

_CHUNK_ROWS = 65_536
_LANGUAGE_BYTE = 29


@dataclass(frozen=True)
class TableEncoding:
    """The encoding of a .dbf by Python's name, and whether its owner should know how it was found."""

    codec: str
    note: Note | None = None


def shapefile_parts(path: Path) -> list[Path]:
    """The files a vector file consists of: the parts of a shapefile, or the file alone."""
    if path.suffix.lower() not in (".shp", ".dbf"):
        return [path]
    stem = path.stem.casefold()
    near = [p for p in path.parent.iterdir() if p.stem.casefold() == stem and p.suffix.lower() in SHAPEFILE_PARTS]
    # Where two files differ in case alone, those written exactly like the one named belong to it.
    by_suffix = {p.suffix.lower(): p for p in sorted(near, key=lambda p: (p.stem == path.stem, p.name))}
    return sorted({**by_suffix, path.suffix.lower(): path}.values())


def find_part(parts: list[Path], suffix: str) -> Path | None:
    """The part with this suffix, in lower or upper case."""
    return next((part for part in parts if part.suffix.lower() == suffix), None)


def table_encoding(parts: list[Path], named: str | None) -> TableEncoding:
    """The encoding of a .dbf: as a person named it, as the file declares it where that is true, or as its bytes show.

    Raises:
        UnreadableFile: a person named an encoding that does not exist.
    """
    dbf = find_part(parts, ".dbf")
    if named is not None:
        codec = codec_named(named)
        if codec is None:
            raise UnreadableFile(no_encoding(named))
        return TableEncoding(codec)
    cells = None if dbf is None else _Cells(dbf)
    if cells is None or cells.are_ascii():
        return TableEncoding("utf-8")
    says = find_part(parts, ".cpg") or find_part(parts, ".cst")
    declared = None if says is None else codec_named(says.read_bytes()[:4096].decode("latin-1"))
    stated = declared or language_codec(cells.language)
    # Accents in UTF-8 are no accident. Programs that write a language byte, or latin-1 by habit, often mean UTF-8.
    likely = ["utf-8"] if declared is None or _SINGLE_BYTE.fullmatch(declared) else []
    tried = [*likely, *([stated] if stated else []), "utf-8", "cp1252", "latin-1"]
    found = next(codec for codec in tried if cells.are(codec))
    return TableEncoding(found, None if found == stated else Note("encoding_guessed", found))


class _Cells:
    """The text cells of a .dbf as they lie in the file, read a piece at a time."""

    def __init__(self, dbf: Path) -> None:
        with dbf.open("rb") as source:
            head = source.read(32)
            head_bytes = int.from_bytes(head[8:10], "little")
            descriptors = source.read(max(head_bytes - 32, 0))
        self.language = head[_LANGUAGE_BYTE] if len(head) == 32 else 0
        self._fields: list[slice] = []
        width = 1
        for at in range(0, len(descriptors) - 31, 32):
            if descriptors[at] == 0x0D:
                break
            length = descriptors[at + 16]
            if descriptors[at + 11 : at + 12] == b"C":
                length += descriptors[at + 17] << 8
                self._fields.append(slice(width, width + length))
            width += length
        self._dbf, self._head_bytes, self._width = dbf, head_bytes, int.from_bytes(head[10:12], "little")

    def are_ascii(self) -> bool:
        """Whether every cell is plain ASCII, so that the encoding does not matter."""
        return all(not (chunk >= 0x80).any() for chunk in self._chunks())

    def are(self, codec: str) -> bool:
        """Whether every cell is text in this encoding, but for a last character cut off by the column's width."""
        for chunk in self._chunks():
            high = chunk[(chunk >= 0x80).any(axis=1)]
            for field in self._fields:
                cells = np.ascontiguousarray(high[:, field])
                for cell in cells[(cells >= 0x80).any(axis=1)]:
                    try:
                        decode_cell(cell.tobytes().rstrip(b" \x00"), codec)
                    except UnicodeError:
                        return False
        return True

    def _chunks(self) -> list[np.ndarray]:
        size = self._dbf.stat().st_size - self._head_bytes
        rows = size // self._width if self._width > 1 else 0
        if rows <= 0:
            return []
        table = np.memmap(self._dbf, np.uint8, "r", self._head_bytes, (rows, self._width))
        return [table[start : start + _CHUNK_ROWS] for start in range(0, rows, _CHUNK_ROWS)]


def decode_cell(cell: bytes, codec: str) -> str:
    """A cell's text. A character of several bytes that the column's width cut through is left out.

    Raises:
        UnicodeError: the cell is not in this encoding.
    """
    try:
        return cell.decode(codec)
    except UnicodeDecodeError as error:
        if error.end == len(cell) and error.start >= len(cell) - 3 and "unexpected end" in error.reason:
            return cell[: error.start].decode(codec)
        if error.start == len(cell) - 1 and "incomplete" in error.reason:
            return cell[: error.start].decode(codec)
        raise


def recode(column: pa.Array, codec: str) -> pa.Array:
    """Text that was read byte for character, as the text it is.

    Raises:
        UnicodeError: a cell is not in this encoding.
    """
    coded = column.dictionary_encode()
    decoded = [decode_cell(text.encode("latin-1"), codec) for text in coded.dictionary.to_pylist()]
    return pa.array(decoded, type=pa.string()).take(coded.indices)
