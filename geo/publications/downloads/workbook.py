"""The figures of a publication as a workbook: cells of their own types, and a sheet that says what they are."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.xml.functions import tostring

from geo.indicators.figures.compute import NUMBERS
from geo.publications.canonical import COLUMNS
from geo.publications.downloads.bundle import add_file

_AS_NUMBERS = frozenset((*NUMBERS, "publication", "definition_version", "kept_from"))

_PROPERTIES = "docProps/core.xml"

Cell = str | int | float | None


def write_workbook(path: Path, figures: Path, notes: Sequence[tuple[str, str]], made_at: datetime) -> None:
    """Writes the sheets `figures`, of all households, and `notes`; its bytes depend on nothing else.

    Args:
        path: the workbook.
        figures: the canonical CSV.
        notes: what is said of the figures, as names and texts.
        made_at: when the publication was made.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet("figures")
    # Before the first row: what is written goes to the disk at once.
    sheet.freeze_panes = "A2"
    sheet.append(COLUMNS)
    with figures.open(encoding="utf-8", newline="") as file:
        for row in _of_all_households(csv.reader(file)):
            sheet.append(row)
    about = book.create_sheet("notes")
    for name, said in notes:
        about.append([_text(name), _text(said)])
    made = io.BytesIO()
    book.save(made)
    book.properties.created = book.properties.modified = made_at.astimezone(UTC).replace(tzinfo=None)
    _with_fixed_times(made, path, tostring(book.properties.to_tree()), made_at)


def _of_all_households(rows: Iterator[list[str]]) -> Iterator[list[Cell]]:
    """The rows that are of no group, each cell as what it holds."""
    header = next(rows)
    by_group = header.index("group_by")
    is_number = [name in _AS_NUMBERS for name in header]
    for row in rows:
        if row[by_group] == "":
            yield [_number(cell) if number else _text(cell) for cell, number in zip(row, is_number, strict=True)]


def _number(cell: str) -> Cell:
    if cell == "":
        return None
    return float(cell) if "." in cell else int(cell)


def _text(cell: str) -> Cell:
    """A text without the characters that no workbook can hold."""
    return ILLEGAL_CHARACTERS_RE.sub("", cell) or None


def _with_fixed_times(made: io.BytesIO, path: Path, properties: bytes, made_at: datetime) -> None:
    """The same workbook, in which nothing tells when it was written."""
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            with io.BytesIO(properties) if name == _PROPERTIES else source.open(name) as part:
                add_file(target, name, part, made_at)
