"""Reading tables: CSV and workbooks. Everything stays the text a person sees, with the row numbers they see."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray
from python_calamine import CalamineError, CalamineWorkbook

from geo.errors import UnreadableFile
from geo.ingestion.layers import BATCH_ROWS, BadRow, Batch, Layer, ReadOptions, choose, no_encoding

_HEAD = 1 << 20

_POINTS_AT_PARENT = frozenset({"_parent_index", "_parent_table_name", "PARENT_KEY"})

_UNREADABLE_ROW = "the {} does not end within the file; look for a quotation mark that is not closed."


def read_csv(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """A text table: comma, semicolon or tab, in UTF-8 unless the options say otherwise."""
    encoding = options.encoding or "utf-8-sig"
    try:
        with path.open(encoding=encoding, newline="") as handle:
            head = handle.read(_HEAD)
    except UnicodeDecodeError as error:
        raise UnreadableFile(_not_encoded(path, encoding)) from error
    except LookupError as error:
        raise UnreadableFile(no_encoding(encoding)) from error
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


def _broken(path: Path, encoding: str, error: Exception) -> str:
    """What to say of a CSV that Arrow gave up on."""
    if "straddl" in str(error):
        return f"{path.name}: {_UNREADABLE_ROW.format('text of a cell')}"
    return _not_encoded(path, encoding)


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


def read_sheet(path: Path, options: ReadOptions, _stack: ExitStack) -> Layer:
    """One sheet of a workbook."""
    try:
        workbook = CalamineWorkbook.from_path(path)
        names = workbook.sheet_names
        if options.layer is None and len(names) > 1:
            names = [name for name in names if workbook.get_sheet_by_name(name).end]
            names = _without_repeats(workbook, names)
        sheet = workbook.get_sheet_by_name(choose(names, options.layer, name=path.name, noun="sheet"))
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise UnreadableFile(
            f"{path.name} cannot be opened as a workbook; save it again as .xlsx and retry."
        ) from error
    if not rows or not any(str(cell).strip() for cell in rows[0]):
        raise UnreadableFile(f"{path.name}: the first row of the sheet holds no column names.")
    columns = _distinct([" ".join((cell_text(cell) or "").split()) for cell in rows[0]])
    return Layer(columns, None, has_geometry=False, total_rows=len(rows) - 1, batches=_sheet_batches(rows[1:], columns))


def _without_repeats(workbook: CalamineWorkbook, names: list[str]) -> list[str]:
    """The sheets of an export but those of its repeated questions, whose rows point at a row of the main sheet."""
    heads = {name: workbook.get_sheet_by_name(name).to_python(nrows=1) for name in names}
    main = [name for name in names if not _POINTS_AT_PARENT.intersection(*heads[name])]
    return main if len(main) == 1 else names


def _sheet_batches(rows: Sequence[Sequence[object]], columns: list[str]) -> Iterator[Batch]:
    for start in range(0, len(rows), BATCH_ROWS):
        chunk = rows[start : start + BATCH_ROWS]
        cells = {
            name: pa.array([cell_text(row[i]) for row in chunk], type=pa.string()) for i, name in enumerate(columns)
        }
        yield _without_blank_rows(np.arange(start + 2, start + 2 + len(chunk), dtype=np.int32), cells)


def cell_text(cell: object) -> str | None:
    """A spreadsheet's cell as the text a person sees: 205 for 205.0, ISO for dates."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)
