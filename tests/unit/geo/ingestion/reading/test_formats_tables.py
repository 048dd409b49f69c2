"""Reading CSV and XLSX: rows numbered as a spreadsheet shows them, text as it was written."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from geo.errors import UnreadableFile
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.reading.layer import BadRow
from tests.support.factories import write_sheet

Rows = list[tuple[int, dict[str, Any]]]


def read(path: Path, **options: Any) -> tuple[Rows, list[BadRow]]:
    """Every row with its number, and the rows that could not be split."""
    rows: Rows = []
    with open_layer(path, ReadOptions(**options)) as layer:
        for batch in layer.batches:
            columns = {name: column.to_pylist() for name, column in batch.columns.items()}
            for i, number in enumerate(batch.row_numbers):
                rows.append((int(number), {name: values[i] for name, values in columns.items()}))
        return rows, layer.bad_rows


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n", [(2, {"a": "1", "b": "2"})]),
        ("\ufeffa,b\r\n1,2\r\n", [(2, {"a": "1", "b": "2"})]),
        ("a;b\n1;2,5\n", [(2, {"a": "1", "b": "2,5"})]),
        ("a\tb\n1\t2\n", [(2, {"a": "1", "b": "2"})]),
        ('"a,x,y";b\n1;2\n', [(2, {"a,x,y": "1", "b": "2"})]),
        ("a,b\n007,1.50\n", [(2, {"a": "007", "b": "1.50"})]),
        ("a,b\n,2\n", [(2, {"a": None, "b": "2"})]),
        ('a,b\n"","x ""y"" z"\n', [(2, {"a": None, "b": 'x "y" z'})]),
        ("a,b\r1,2\r", [(2, {"a": "1", "b": "2"})]),
        ('"a\nb",c\n1,2\n', [(2, {"a b": "1", "c": "2"})]),
        ("a,a,,a\n1,2,3,4\n", [(2, {"a": "1", "a_2": "2", "column 3": "3", "a_3": "4"})]),
        ("a,a_2,a\n1,2,3\n", [(2, {"a": "1", "a_2": "2", "a_3": "3"})]),
        ("a,b\n1,2", [(2, {"a": "1", "b": "2"})]),
        ("a,b\n", []),
        ("a,b", []),
        ("a,b\n\n\n", []),
    ],
)
def test_csv_cells(tmp_path: Path, content: str, expected: Rows) -> None:
    assert read(written(tmp_path, content)) == (expected, [])


def test_csv_row_numbers_past_newlines_and_blanks(tmp_path: Path) -> None:
    """A cell with a line break is one spreadsheet row; a blank row is one too, and is left out."""
    path = written(tmp_path, 'a,b\n"x\ny",2\n\n3,4\n,\n5,6\n\n')
    rows, bad = read(path)
    assert [(number, row["b"]) for number, row in rows] == [(2, "2"), (4, "4"), (6, "6")]
    assert bad == []


def test_csv_row_with_other_number_of_cells(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"x\ny",2\n3,4,5\n\n6,7\n8\n9,1\n')
    rows, bad = read(path)
    assert [number for number, _ in rows] == [2, 5, 7]
    assert bad == [BadRow(3, 3, 2), BadRow(6, 1, 2)]


def test_csv_row_numbers_in_later_blocks(tmp_path: Path) -> None:
    """Past the first block of the reader, eight megabytes, rows are still counted from the top."""
    lines = ["a,b", *(f"{number},{'y' * 60}" for number in range(2, 300_002))]
    lines[1000], lines[200_000], lines[250_000] = "1,2,3", "1,2,3", ""
    rows, bad = read(written(tmp_path, "\n".join(lines)))
    assert all(row["a"] == str(number) for number, row in rows)
    assert [b.row_number for b in bad] == [1001, 200_001]
    assert len(rows) == 300_000 - 3


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "UTF-8"])
def test_csv_named_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "nome,x\nSão João,1\n".encode(encoding))
    assert read(path, encoding=encoding)[0] == [(2, {"nome": "São João", "x": "1"})]


def test_csv_byte_order_mark_with_named_utf8(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffnome,x\nSão,1\n")
    assert read(path, encoding="utf-8")[0] == [(2, {"nome": "São", "x": "1"})]


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("", {}, "empty"),
        ("\n\n", {}, "no column names"),
        ("\n1,2\n", {}, "no column names"),
        ("nome,x\nSão,1\n".encode("cp1252"), {"encoding": "utf-8"}, "--encoding"),
        (b"a,b\n" + b"1,2\n" * 600_000 + b"\xe3,1\n", {"encoding": "utf-8"}, "--encoding"),
        ("nome,x\nSão,1\n".encode("utf-16"), {"encoding": "utf-8"}, "--encoding"),
        ("a,b\n1,2\n", {"encoding": "klingon"}, "not a text encoding"),
        ('"a,b\n' + "1,2\n" * 100_000, {}, "quotation mark"),
        ('a,b\n1,"2\n' + "1,2\n" * 5_000_000, {}, "quotation mark"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", {}, "--encoding"),
    ],
    ids=["empty", "newlines", "no-header", "cp1252", "late-byte", "utf-16", "unknown", "header", "cell", "picture"],
)
def test_csv_unreadable(tmp_path: Path, content: str | bytes, options: dict[str, str], says: str) -> None:
    with pytest.raises(UnreadableFile) as raised:
        read(written(tmp_path, content), **options)
    assert says in str(raised.value)
    assert "rows.csv" in str(raised.value) or "klingon" in str(raised.value)


def test_sheet_cells(tmp_path: Path) -> None:
    """Numbers without a needless point, dates in ISO, rows numbered past blank ones."""
    header: list[Any] = ["code", 2018, None, "day", "is_own"]
    rows: list[list[Any]] = [
        header,
        ["01", 5, 1.5, date(2024, 1, 5), True],
        [None] * 5,
        ["2", 2.0, 3, datetime(2024, 1, 5, 3, 4), False],
    ]
    path = write_sheet(tmp_path / "rows.xlsx", {"Households": rows})
    assert read(path)[0] == [
        (2, {"code": "01", "2018": "5", "column 3": "1.5", "day": "2024-01-05", "is_own": "true"}),
        (4, {"code": "2", "2018": "2", "column 3": "3", "day": "2024-01-05 03:04:00", "is_own": "false"}),
    ]


def test_sheet_chosen_by_layer(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "rows.xlsx", {"First": [["a"], [1]], "Second": [["a"], [2]]})
    with pytest.raises(UnreadableFile, match=r"First, Second.*--layer"):
        read(path)
    assert read(path, layer="Second")[0] == [(2, {"a": "2"})]
    with pytest.raises(UnreadableFile, match=r"no sheet 'Third'; it has First, Second"):
        read(path, layer="Third")


def test_sheet_beside_empty_ones(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "rows.xlsx", {"Notes": [], "Rows": [["a"], [1]]})
    assert read(path)[0] == [(2, {"a": "1"})]


def test_sheet_unreadable(tmp_path: Path) -> None:
    whole = write_sheet(tmp_path / "whole.xlsx", {"S": [["a", "b"], [1, "x"]]}).read_bytes()
    for cut in (0, 10, 100, len(whole) // 2, len(whole) - 10):
        with pytest.raises(UnreadableFile, match=r"rows\.xlsx"):
            read(written(tmp_path, whole[:cut], "rows.xlsx"))
    with pytest.raises(UnreadableFile, match="no column names"):
        read(write_sheet(tmp_path / "empty.xlsx", {"S": []}))
