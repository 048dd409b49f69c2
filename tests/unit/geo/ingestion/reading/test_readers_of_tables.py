"""What readers of tables make of a spreadsheet's marks, of rows that are no records, and of cells shown as blank."""

import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from geo.errors import UnreadableFile
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.dates import day_of_number
from geo.ingestion.mapping.years import Years
from geo.ingestion.mapping.yes_no import yes_or_no
from geo.ingestion.reading import Note, ReadOptions, open_layer
from geo.ingestion.reading.workbook_cells import ErrorCells, OddCells, find_odd_cells


def read(path: Path) -> tuple[dict[str, list[object]], list[int], list[Note]]:
    """The columns of a table, its row numbers and its notes."""
    columns: dict[str, list[object]] = {}
    rows: list[int] = []
    with open_layer(path, ReadOptions()) as layer:
        for batch in layer.batches:
            rows += batch.row_numbers.tolist()
            for name, column in batch.columns.items():
                columns.setdefault(name, []).extend(column.to_pylist())
        return columns, rows, layer.notes


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_blanks_before_quotation_marks(tmp_path: Path) -> None:
    text = '"code", "name", "n"\n"001", "Nagar, East", 5\n\n"002",  "with ""marks""", 6\n'
    columns, rows, notes = read(written(tmp_path, text))
    assert columns == {"code": ["001", "002"], "name": ["Nagar, East", 'with "marks"'], "n": ["5", "6"]}
    assert (rows, notes) == ([2, 4], [])
    # What stands in a cell that is quoted well stays as it is.
    columns, _, _ = read(written(tmp_path, 'code,said\n1,"he said, ""no"""\n'))
    assert columns["said"] == ['he said, "no"']


def test_text_kept_by_an_equals_sign(tmp_path: Path) -> None:
    columns, _, _ = read(written(tmp_path, '="code";n\n="001";5\n"=""002""";6\n=1+1;7\n'))
    assert columns == {"code": ["001", "002", "=1+1"], "n": ["5", "6", "7"]}


def test_rows_that_are_no_records(tmp_path: Path) -> None:
    head = "code,water,n\n#loc+code,#indicator +water,#population+hh+num\n"
    text = f"{head}K1,tap,5\ncode, Water ,n\ncode,water,n\nK2,water,n\n"
    columns, rows, notes = read(written(tmp_path, text))
    assert columns["code"] == ["K1", "code", "K2"]
    assert rows == [3, 4, 6]
    assert notes == [Note("header_repeated", row=5), Note("hxl_row", row=2)]


def test_a_code_that_begins_with_a_hash_is_no_hashtag(tmp_path: Path) -> None:
    columns, _, notes = read(written(tmp_path, "code,n\n#12,5\n#13,6\n"))
    assert (columns["code"], notes) == (["#12", "#13"], [])


def test_a_second_table_in_another_order_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Row 3 holds the column names again, in another order"):
        read(written(tmp_path, "code,water,n\nK1,tap,5\nn,code,water\n6,K2,tap\n"))


def test_errors_of_a_workbook_are_the_text_a_person_sees(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["code", "members", "sum", "said"])
    book.active.append(["K1", 5, "=B2+1", '=IF(1=1,"","x")'])
    book.active.append(["K2", "#N/A", 3, "x"])
    book.active["B3"].data_type = "e"
    path = tmp_path / "t.xlsx"
    book.save(path)
    columns, _, notes = read(path)
    assert columns["members"] == ["5", "#N/A"]
    assert notes == [Note("formulas_without_values", "sum, said")]


def test_a_formula_that_makes_an_empty_text_is_calculated(tmp_path: Path) -> None:
    rows = '<row r="2"><c t="str"><f>A1</f><v></v></c><c r="C2" t="e"><v>#REF!</v></c></row>'
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<workbook><sheets><sheet name="S" r:id="r1"/></sheets></workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", '<R><Relationship Id="r1" Target="worksheets/a.xml"/></R>')
        archive.writestr("xl/worksheets/a.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
    assert find_odd_cells(path, "S") == OddCells([ErrorCells(range(1, 2), range(2, 3), "#REF!")], set())
    assert find_odd_cells(path, "T") == OddCells()
    assert find_odd_cells(written(tmp_path, "no zip", "t.xls"), "S") == OddCells()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *(
            (text, True)
            for text in ("VRAI", "Wahr", "VERDADERO", "Sí", "हाँ", "1.0", "1", "1,00", "Verdadeiro", "ndiyo")
        ),
        *((text, False) for text in ("FAUX", "falsch", "FALSO", "Não", "नहीं", "0.0", "0", "hapana")),
        *((text, None) for text in ("", "2", "-1", "1.5", "maybe", "own")),
    ],
)
def test_yes_or_no(text: str, answer: bool | None) -> None:
    assert yes_or_no(text) is answer


def test_no_word_means_both() -> None:
    from geo.ingestion.mapping.yes_no import yes_and_no_words  # noqa: PLC0415

    assert {yes_or_no(word) for word in yes_and_no_words()} == {True, False}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("45301", date(2024, 1, 10)),
        ("45301.75", date(2024, 1, 10)),
        (" 45301 ", date(2024, 1, 10)),
        *((text, None) for text in ("12345", "99999", "2024", "20240110", "45301.x", "-45301", "")),
    ],
)
def test_day_of_number(text: str, day: date | None) -> None:
    assert day_of_number(text) == day


def test_years() -> None:
    def said(columns: dict[str, pa.Array], fields: dict[str, pa.Array]) -> list[tuple[str, ...]]:
        years, findings = Years(columns), Findings()
        years.add(columns, fields)
        years.report(findings)
        return [(group.field or "", *group.values) for group in findings.groups()]

    assert said({"Año": pa.array(["2018", "2024", None])}, {}) == [("Año", "2018, 2024")]
    assert said({"year": pa.array([2024, 2024])}, {}) == []
    assert said({"year": pa.array(["first", "second"])}, {}) == []
    assert said({"year built": pa.array(["1990", "2004"])}, {}) == []
    winter = pa.array([date(2023, 11, 3), date(2024, 2, 2)])
    assert said({}, {"interviewed_on": winter}) == []
    apart = pa.array([date(2018, 11, 3), None, date(2024, 2, 2)])
    assert said({}, {"interviewed_on": apart}) == [("interviewed_on", "2018 to 2024")]
