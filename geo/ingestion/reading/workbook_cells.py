"""Cells of a workbook that a reader of values shows as blank or as 0: errors, and formulas nobody has calculated."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import xlrd

_CHUNK, _OVERLAP = 1 << 20, 64
_TELLING = re.compile(rb'<(?:\w{1,20}:)?f[ />]|[ \t\r\n]t="e"')
"""What a sheet's text holds where there is such a cell: nearly no survey's does."""
_TELLING_ODS = re.compile(rb':formula="|:value-type="error"')
_LONGEST = 1_000
_MOST_ALIKE = 1 << 20
"""The rows of a sheet, at most."""
_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ERROR = re.compile(r"#(?:N/A|[A-Z]{1,10}/?0?[!?])|Err:\d{3}")
"""As LibreOffice shows the result of a formula that has none; older ones write 0 as its value."""
OLE = b"\xd0\xcf\x11\xe0"
"""What an .xls begins with."""
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


class ErrorCells(NamedTuple):
    """Cells beside and below each other with the same error: rows and columns from 0, and the text."""

    rows: range
    columns: range
    text: str


@dataclass
class OddCells:
    """Of one sheet: its errors, and the columns with formulas and no value."""

    errors: list[ErrorCells] = field(default_factory=list)
    uncalculated: set[int] = field(default_factory=set)

    def show_errors(self, rows: Sequence[list[Any]]) -> None:
        """Writes the text of each error into the cells of a sheet, whose rows are equally long."""
        for error in self.errors:
            beside = slice(error.columns.start, error.columns.stop)
            count = len(rows[0][beside]) if rows else 0
            for row in rows[error.rows.start : error.rows.stop] if count else ():
                row[beside] = [error.text] * count


def find_odd_cells(path: Path, sheet: str) -> OddCells:
    """Looks at a sheet of an .xlsx, .ods or .xls itself. Where that cannot be looked into, nothing is found."""
    try:
        with path.open("rb") as source:
            is_old = source.read(len(OLE)) == OLE
        if is_old:
            return _odd_cells_of_xls(path, sheet)
        with zipfile.ZipFile(path) as archive:
            if "content.xml" in archive.namelist():
                return _read(archive, "content.xml", _TELLING_ODS, _OdsReader(sheet))
            member = _member_of(archive, sheet)
            return OddCells() if member is None else _read(archive, member, _TELLING, _XlsxReader())
    except _DAMAGE:
        return OddCells()


def _read(archive: zipfile.ZipFile, member: str, telling: re.Pattern[bytes], reader: "_Reader") -> OddCells:
    if _is_telling(archive, member, telling):
        with archive.open(member) as source:
            while chunk := source.read(_CHUNK):
                reader.parser.Parse(chunk, False)
            reader.parser.Parse(b"", True)
    return reader.found


def _odd_cells_of_xls(path: Path, sheet: str) -> OddCells:
    """A formula nobody has calculated has the value 0 there, like one whose result is 0: it is not found."""
    try:
        with xlrd.open_workbook(path, on_demand=True, logfile=StringIO()) as workbook:
            return OddCells(list(_errors_of_xls(workbook.sheet_by_name(sheet))))
    except Exception:  # xlrd ends in errors of any kind where a file is damaged, and we have read its values already
        return OddCells()


def _errors_of_xls(cells: xlrd.sheet.Sheet) -> Iterator[ErrorCells]:
    for row in range(cells.nrows):
        for column, kind in enumerate(cells.row_types(row)):
            if kind == xlrd.XL_CELL_ERROR:
                text = xlrd.error_text_from_code.get(cells.cell_value(row, column), "#N/A")
                yield _error_at(row, column, text)


def _error_at(row: int, column: int, text: str) -> ErrorCells:
    return ErrorCells(range(row, row + 1), range(column, column + 1), text)


def _is_telling(archive: zipfile.ZipFile, member: str, telling: re.Pattern[bytes]) -> bool:
    before = b""
    with archive.open(member) as source:
        while chunk := source.read(_CHUNK):
            if telling.search(before + chunk):
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
        self.found = OddCells()
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def _end(self, name: str) -> None:
        raise NotImplementedError

    def _text(self, text: str) -> None:
        raise NotImplementedError


class _XlsxReader(_Reader):
    """Goes through the cells of one sheet of an .xlsx."""

    def __init__(self) -> None:
        super().__init__()
        self._row, self._column = -1, -1
        self._type = ""
        self._has_formula = False
        self._is_value = False
        self._value = ""

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
            self.found.errors.append(_error_at(self._row, self._column, self._value))
        # A formula that makes an empty text says that its value is text.
        elif self._has_formula and not self._value and self._type != "str":
            self.found.uncalculated.add(self._column)


class _OdsReader(_Reader):
    """Goes through the cells of one sheet of an OpenDocument file, which says each but once where several are alike."""

    def __init__(self, sheet: str) -> None:
        super().__init__()
        self._sheet = sheet
        self._is_here = False
        self._rows, self._columns = range(0), range(0)
        self._cell: dict[str, str] = {}
        self._in_note = False
        self._seen = ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "table":
            self._is_here = attributes.get("table:name") == self._sheet
            self._rows = range(0)
        elif local == "table-row":
            self._rows = _next(self._rows, attributes.get("table:number-rows-repeated"))
            self._columns = range(0)
        elif local in _ODS_CELLS:
            self._columns = _next(self._columns, attributes.get("table:number-columns-repeated"))
            self._cell, self._seen = attributes, ""
        elif local == "annotation":
            self._in_note = True

    def _text(self, text: str) -> None:
        if not self._in_note and len(self._seen) < _LONGEST:
            self._seen += text[:_LONGEST]

    def _end(self, name: str) -> None:
        local = _local(name)
        if local == "annotation":
            self._in_note = False
        if local not in _ODS_CELLS or not self._is_here:
            return
        has_formula = "table:formula" in self._cell
        seen = self._seen.strip()
        if self._cell.get("calcext:value-type") == "error" or (has_formula and _ERROR.fullmatch(seen)):
            self.found.errors.append(ErrorCells(self._rows, self._columns, seen or "#N/A"))
        elif has_formula and not seen and "office:value-type" not in self._cell:
            # Formulas of cells that are written once for several have been calculated.
            self.found.uncalculated.add(self._columns.start)


_ODS_CELLS = ("table-cell", "covered-table-cell")


def _next(before: range, repeated: str | None) -> range:
    """The rows or columns after these: as many as an element stands for."""
    count = int(repeated) if repeated is not None and repeated.isdecimal() and len(repeated) < 8 else 1
    return range(before.stop, before.stop + min(count, _MOST_ALIKE))
