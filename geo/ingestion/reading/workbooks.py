"""Reading workbooks: one sheet, as the text a person sees, its dates as dates."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from geo.errors import UnreadableFile
from geo.ingestion.reading.archives import check_container
from geo.ingestion.reading.csv_files import read_csv, without_blank_rows
from geo.ingestion.reading.layer import BATCH_ROWS, Batch, Layer, Note, ReadOptions, choose, distinct_names, reading_of
from geo.ingestion.reading.workbook_cells import OLE, find_odd_cells

_ZIP = b"PK"

_POINTS_AT_PARENT = frozenset({"_parent_index", "_parent_table_name", "PARENT_KEY"})

_TITLE_ROWS = 15
"""How far down the column names are looked for, where the first row is none."""


def read_sheet(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """One sheet of a workbook.

    Raises:
        UnreadableFile: it is damaged, no workbook at all, or its first row does not hold the column names.
    """
    with path.open("rb") as source:
        start = source.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t")
    if start and not start.startswith((OLE, _ZIP)) and path.suffix.lower() == ".xls":
        if start.startswith(b"<"):
            raise UnreadableFile("workbook_is_web_page", file=path.name)
        return read_csv(path, options, stack)
    check_container(path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        names = workbook.sheet_names
        if options.layer is None and len(names) > 1:
            shown = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
            names = [name for name in shown if workbook.get_sheet_by_name(name).end]
            names = _without_repeats(workbook, names)
        chosen = choose(names, options.layer, name=path.name, noun="sheet")
        sheet = workbook.get_sheet_by_name(chosen)
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFile("workbook_damaged", file=path.name) from error
    odd = find_odd_cells(path, chosen)
    odd.show_errors(rows)
    _check_header(rows, path.name)
    columns = distinct_names([" ".join((cell_text(cell) or "").split()) for cell in rows[0]])
    batches = _sheet_batches(rows[1:], columns)
    read_as = reading_of(chosen, workbook.sheet_names)
    layer = Layer(columns, None, has_geometry=False, total_rows=len(rows) - 1, batches=batches, read_as=read_as)
    uncalculated = [columns[column] for column in sorted(odd.uncalculated) if column < len(columns)]
    if uncalculated:
        layer.notes.append(Note("formulas_without_values", ", ".join(uncalculated)))
    return layer


def _without_repeats(workbook: CalamineWorkbook, names: list[str]) -> list[str]:
    """The sheets of an export but those of its repeated questions, whose rows point at a row of the main sheet."""
    heads = {name: workbook.get_sheet_by_name(name).to_python(nrows=1) for name in names}
    main = [name for name in names if not _POINTS_AT_PARENT.intersection(*heads[name])]
    return main if len(main) == 1 else names


def _check_header(rows: Sequence[Sequence[object]], name: str) -> None:
    """Holds the first row against what a row of column names looks like: a title above the table is none."""
    if not rows:
        raise UnreadableFile("sheet_without_names", file=name)
    filled = [sum(1 for cell in row if str(cell).strip()) for row in rows[:_TITLE_ROWS]]
    widest = max(filled)
    likely = next((i for i, n in enumerate(filled) if n == widest or n > max(2, widest // 2)), 0)
    is_text = all(isinstance(cell, str) for cell in rows[likely] if str(cell).strip())
    if likely and is_text and widest > 2 and filled[0] <= 1:
        raise UnreadableFile("sheet_names_further_down", file=name, row=likely + 1)
    if not filled[0]:
        raise UnreadableFile("sheet_without_names", file=name)


def _sheet_batches(rows: Sequence[Sequence[object]], columns: list[str]) -> Iterator[Batch]:
    for start in range(0, len(rows), BATCH_ROWS):
        chunk = rows[start : start + BATCH_ROWS]
        cells = {name: _column([row[i] for row in chunk]) for i, name in enumerate(columns)}
        yield without_blank_rows(np.arange(start + 2, start + 2 + len(chunk), dtype=np.int32), cells)


def _column(cells: Sequence[object]) -> pa.Array:
    """A column of dates alone stays dates, whatever form a profile expects of text; any other is text."""
    kinds = {type(cell) for cell in cells if cell != "" and cell is not None}
    if kinds in ({date}, {datetime}):
        arrow = pa.date32() if kinds == {date} else pa.timestamp("s")
        return pa.array([None if cell == "" else cell for cell in cells], type=arrow)
    return pa.array([cell_text(cell) for cell in cells], type=pa.string())


def cell_text(cell: object) -> str | None:
    """A spreadsheet's cell as the text a person sees: 205 for 205.0, ISO for dates."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)
