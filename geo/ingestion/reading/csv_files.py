"""Reading text tables. Everything stays the text a person sees, with the row numbers they see."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from geo.errors import UnreadableFile
from geo.ingestion.reading.encodings import TextForm, look_at_text
from geo.ingestion.reading.layer import BadRow, Batch, Layer, Note, ReadAs, ReadOptions, distinct_names
from geo.ingestion.reading.marked_cells import has_blanks_before_quotes, quoted_plainly, without_mark, without_marks

_HEAD = 1 << 20

_BLOCK_BYTES = 8 << 20
"""Arrow reads so much at once; a row that is longer it cannot read."""

_MAX_CELL_LINES = 100
_TELLING_COLUMNS = 3
"""From so many columns on, a line of a cell that divides like a row is one."""


def read_csv(path: Path, options: ReadOptions, stack: ExitStack) -> Layer:
    """A text table: comma, semicolon or tab, in the encoding the options say or its bytes show."""
    if path.stat().st_size == 0:
        raise UnreadableFile("table_without_names", file=path.name)
    form = look_at_text(path, options.encoding)
    encoding = form.encoding
    with path.open(encoding=encoding, newline="") as handle:
        head = handle.read(_HEAD)
    # A byte order mark stays in the text where UTF-8 was named by hand.
    head = head.removeprefix("\ufeff")
    first_line = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", head), maxsplit=1)[0]
    delimiter = max((",", ";", "\t"), key=first_line.count)
    if has_blanks_before_quotes(head, delimiter):
        return _read_quoted_late(path, form, delimiter, stack)
    try:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        header = next(rows, [])
    except csv.Error as error:
        raise UnreadableFile("first_row_endless", file=path.name) from error
    if not any(cell.strip() for cell in header):
        raise UnreadableFile("table_without_names", file=path.name)
    columns = distinct_names([" ".join(without_mark(cell).split()) for cell in header])
    layer = Layer(
        columns,
        None,
        has_geometry=False,
        total_rows=None,
        batches=iter(()),
        read_as=ReadAs(encoding=encoding),
    )
    if form.is_guessed:
        layer.notes.append(Note("encoding_guessed", encoding))

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
                block_size=_BLOCK_BYTES,
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
        raise _broken(path, encoding, delimiter, error) from error
    layer.batches = _csv_batches(reader, layer, blank, path, form, delimiter)
    return layer


def _read_quoted_late(path: Path, form: TextForm, delimiter: str, stack: ExitStack) -> Layer:
    """A text table with a blank before its quotation marks, read as if there was none."""
    try:
        copy = quoted_plainly(path, form.encoding, delimiter, stack)
    except csv.Error as error:
        raise _broken(path, form.encoding, delimiter, error) from error
    layer = read_csv(copy, ReadOptions(encoding="utf-8"), stack)
    if form.is_guessed:
        layer.notes.append(Note("encoding_guessed", form.encoding))
    return replace(layer, read_as=ReadAs(encoding=form.encoding))


def _broken(path: Path, encoding: str, delimiter: str, error: Exception) -> UnreadableFile:
    """What to say of a CSV that Arrow gave up on."""
    if "straddl" not in str(error):
        return UnreadableFile("table_unreadable", file=path.name)
    row = 0
    # The cell is longer than Python's reader takes, which therefore stops at the row where it begins.
    with path.open(encoding=encoding, newline="") as handle, suppress(csv.Error):
        for _ in csv.reader(handle, delimiter=delimiter):
            row += 1
    return UnreadableFile("cell_too_long", file=path.name, row=row + 1, most_mb=_BLOCK_BYTES >> 20)


def _csv_batches(
    reader: pa.csv.CSVStreamingReader, layer: Layer, blank: list[int], path: Path, form: TextForm, delimiter: str
) -> Iterator[Batch]:
    first = 2
    swallowing: list[BadRow] = []
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            layer.bad_rows += swallowing
            return
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise _broken(path, form.encoding, delimiter, error) from error
        n = batch.num_rows
        skipped = np.array(blank + [bad.row_number for bad in layer.bad_rows], dtype=np.int32)
        numbers = np.arange(first, first + n + np.count_nonzero(skipped >= first), dtype=np.int32)
        numbers = np.setdiff1d(numbers, skipped, assume_unique=True)[:n]
        if n:
            first = int(numbers[-1]) + 1
        plain = map(without_marks, batch.columns)
        whole = without_blank_rows(numbers, dict(zip(layer.columns, plain, strict=True)))
        swallowed = _swallowed_lines(whole, delimiter, form.n_quotes)
        if swallowed.any():
            at = np.flatnonzero(swallowed)
            swallowing += [
                BadRow(int(whole.row_numbers[i]), 1, len(layer.columns), "quote_unclosed", int(swallowed[i]))
                for i in at
            ]
            keep = pa.array(swallowed == 0)
            columns = {name: column.filter(keep) for name, column in whole.columns.items()}
            whole = Batch(whole.row_numbers[swallowed == 0], columns, None)
        yield whole


def _swallowed_lines(batch: Batch, delimiter: str, n_quotes: int) -> NDArray[np.int32]:
    """For each row with a cell that took in the rows after it, because its quote is not closed, that cell's lines.

    Such a cell has lines that divide into cells as rows do, or more lines than anybody writes, or runs to the end of
    a file with an odd number of quotation marks.
    """
    lines = np.zeros(len(batch.row_numbers), dtype=np.int32)
    if n_quotes == 0:
        return lines
    likely = len(batch.columns) - 1
    has_open_quote = n_quotes % 2 == 1
    for column in batch.columns.values():
        where = pc.fill_null(pc.match_substring(column, "\n"), False).to_numpy(zero_copy_only=False)
        for i in np.flatnonzero(where):
            inner = column[int(i)].as_py().splitlines()
            like_rows = sum(line.count(delimiter) >= likely for line in inner[1:])
            last = int(i) == len(lines) - 1
            if (
                len(inner) > _MAX_CELL_LINES
                or (likely >= _TELLING_COLUMNS and like_rows)
                or (has_open_quote and (last or like_rows))
            ):
                lines[i] = max(lines[i], len(inner))
    return lines


def without_blank_rows(numbers: NDArray[np.int32], columns: dict[str, pa.Array]) -> Batch:
    """A batch without the rows that hold nothing at all."""
    filled = np.zeros(len(numbers), dtype=bool)
    for column in columns.values():
        if column.null_count == 0:
            return Batch(numbers, columns, None)
        filled |= pc.is_valid(column).to_numpy(zero_copy_only=False)
    mask = pa.array(filled)
    return Batch(numbers[filled], {name: column.filter(mask) for name, column in columns.items()}, None)
