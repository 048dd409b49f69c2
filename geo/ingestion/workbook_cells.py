"""Cells of an .xlsx that a reader of values shows as blank: errors, and formulas nobody has calculated."""

import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat

_CHUNK, _OVERLAP = 1 << 20, 64
_TELLING = re.compile(rb'<(?:\w{1,20}:)?f[ />]|[ \t\r\n]t="e"')
"""What a sheet's text holds where there is such a cell: nearly no survey's does."""
_LONGEST = 1_000
_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    KeyError,
    OSError,
    expat.ExpatError,
    NotImplementedError,
    RuntimeError,
)


@dataclass
class OddCells:
    """Of one sheet: the text of each error by row and column, from 0, and the columns with formulas and no value."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncalculated: set[int] = field(default_factory=set)


def find_odd_cells(path: Path, sheet: str) -> OddCells:
    """Looks at a sheet's own text. Of a file that is no .xlsx, or one that cannot be looked into, nothing is found."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member_of(archive, sheet)
            if member is None or not _is_telling(archive, member):
                return OddCells()
            with archive.open(member) as source:
                return _Reader().read(source)
    except _DAMAGE:
        return OddCells()


def _is_telling(archive: zipfile.ZipFile, member: str) -> bool:
    before = b""
    with archive.open(member) as source:
        while chunk := source.read(_CHUNK):
            if _TELLING.search(before + chunk):
                return True
            before = chunk[-_OVERLAP:]
    return False


def _member_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The member of the archive that holds a sheet."""
    if "xl/workbook.xml" not in archive.namelist():
        return None
    targets = {a["Id"]: a["Target"] for a in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship")}
    for attributes in _elements(archive, "xl/workbook.xml", "sheet"):
        if attributes.get("name") == sheet:
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            target = targets.get(key, "")
            return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    return None


def _elements(archive: zipfile.ZipFile, member: str, wanted: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == wanted:
            found.append(attributes)

    parser = _parser()
    parser.StartElementHandler = start
    parser.Parse(archive.read(member), True)
    return found


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise OSError("a workbook declares no entities")

    parser.EntityDeclHandler = refuse
    return parser


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Reader:
    """Goes through the cells of one sheet."""

    def __init__(self) -> None:
        self._found = OddCells()
        self._row, self._column = -1, -1
        self._type = ""
        self._has_formula = False
        self._is_value = False
        self._value = ""

    def read(self, source: IO[bytes]) -> OddCells:
        parser = _parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        while chunk := source.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
        return self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "row":
            self._row = int(attributes["r"]) - 1 if attributes.get("r", "").isdecimal() else self._row + 1
            self._column = -1
        elif local == "c":
            self._at(attributes.get("r", ""))
            self._type, self._has_formula, self._value = attributes.get("t", ""), False, ""
        elif local == "f":
            self._has_formula = True
        self._is_value = local in ("v", "t")

    def _at(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None:
            self._column += 1
            return
        column = 0
        for letter in match[1]:
            column = column * 26 + ord(letter) - ord("A") + 1
        self._column = column - 1

    def _text(self, text: str) -> None:
        # What an error or a formula's value begins with is enough.
        if self._is_value and len(self._value) < _LONGEST:
            self._value += text[:_LONGEST]

    def _end(self, name: str) -> None:
        self._is_value = False
        if _local(name) != "c":
            return
        if self._type == "e" and self._value:
            self._found.errors[self._row, self._column] = self._value
        # A formula that makes an empty text says that its value is text.
        elif self._has_formula and not self._value and self._type != "str":
            self._found.uncalculated.add(self._column)
