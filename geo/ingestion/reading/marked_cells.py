"""Cells of a text table that carry a spreadsheet's marks: ="001", and quotation marks after a blank."""

import csv
import io
import re
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

_AS_TEXT = r'(?s)^\s*="(.*)"\s*$'
"""How a program writes a cell so that a spreadsheet keeps its leading zeros."""


def without_marks(column: pa.Array) -> pa.Array:
    """A column of text whose cells are what ="..." stands for."""
    if not pc.any(pc.match_substring(column, '="')).as_py():
        return column
    return pc.replace_substring_regex(column, _AS_TEXT, r"\1")


def without_mark(text: str) -> str:
    """One text as what ="..." stands for."""
    return re.sub(_AS_TEXT, r"\1", text)


def has_blanks_before_quotes(head: str, delimiter: str) -> bool:
    """Whether cells in quotation marks stand after a blank, where the marks would be taken for text."""
    if re.search(rf'[{re.escape(delimiter)}\r\n] +"', head) is None:
        return False
    lines = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    return any(_is_quoted_late(cell) for row in _until_broken(lines) for cell in row)


def _is_quoted_late(cell: str) -> bool:
    inner = cell.strip()
    return cell[:1] == " " and len(inner) > 1 and inner[0] == inner[-1] == '"'


def _until_broken(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    try:
        yield from rows
    except csv.Error:
        return


def quoted_plainly(path: Path, encoding: str, delimiter: str, stack: ExitStack) -> Path:
    """A copy of a text table, in UTF-8, in which no blank stands before a quotation mark; its rows are the same ones.

    Raises:
        csv.Error: a row does not end.
    """
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vasti-"))) / path.name
    with path.open(encoding=encoding, newline="") as source, copy.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
        writer.writerows(csv.reader(source, delimiter=delimiter, skipinitialspace=True))
    return copy
