"""Numbers and dates as people write them: read where there is one way to read them, reported where there are two."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import PositionColumns, Profile
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood
from geo.ingestion.mapping.dates import read_date
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.mapping.quantities import read_coordinates, read_number
from tests.support.factories import write_csv
from tests.support.mapping import field, mapped


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        ("3,5", None, 3.5),
        ("-3,5", None, -3.5),
        ("1234,567", None, 1234.567),
        ("0,140", None, 0.14),
        ("1,140.588", None, 1140.588),
        ("1.140,588", None, 1140.588),
        ("1,140,588", None, 1_140_588),
        ("1.140.588", None, 1_140_588),
        ("11,40,588", None, 1_140_588),
        ("1 140", None, 1140),
        ("1'140", None, 1140),
        ("1\u2019140", None, 1140),
        ("1\u00a0140\u00a0588", None, 1_140_588),
        ("1\u202f140,5", None, 1140.5),
        ("1 140.5", None, 1140.5),
        ("1.140", None, 1.14),
        ("1e3", None, 1000),
        (".5", None, 0.5),
        ("\u22123", None, -3),
        ("१२", None, 12),
        ("1,140", ".", 1140),
        ("1,140", ",", 1.14),
        ("1.140", ",", 1140),
        ("1.140,5", ",", 1140.5),
        ("1,140.5", ".", 1140.5),
        ("12", ",", 12),
    ],
)
def test_read_number(text: str, decimal: str | None, expected: float) -> None:
    assert read_number(text, decimal) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "code"),
    [
        ("1,140", None, "number_ambiguous"),
        ("-12,000", None, "number_ambiguous"),
        ("50%", None, "value_not_a_number"),
        ("30 min", None, "value_not_a_number"),
        ("Ksh5 per can", None, "value_not_a_number"),
        ("200-300", None, "value_not_a_number"),
        ("12 5", None, "value_not_a_number"),
        ("1'14", None, "value_not_a_number"),
        ("1,14,5", None, "value_not_a_number"),
        ("1.14.588", None, "value_not_a_number"),
        ("1,140.588,2", None, "value_not_a_number"),
        ("3,5", ".", "value_not_a_number"),
        ("3.5", ",", "value_not_a_number"),
        ("nan", None, "value_not_a_number"),
        ("inf", None, "value_not_a_number"),
        (",", None, "value_not_a_number"),
        ("3,", None, "value_not_a_number"),
        ("0x10", None, "value_not_a_number"),
        ("1_000", None, "value_not_a_number"),
    ],
)
def test_read_number_refuses(text: str, decimal: str | None, code: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        read_number(text, decimal)
    assert raised.value.code == code


def test_map_numbers_point_beside_decimal_commas(tmp_path: Path) -> None:
    """Alone, 1.140 is a little over one; among decimal commas it may as well be a thousand."""
    assert field(tmp_path, "weight", ["1.140", "2"]) == ([1.14, 2], [])
    for other in ("2,5", "1.140,5", "1.140.588"):
        weights, found = field(tmp_path, "weight", ["1.140", other, "12.5"])
        assert weights[0] is None
        assert weights[2] == 12.5
        assert {f[1] for f in found if f[0] == 2} == {"number_ambiguous", "weight_invalid"}


@pytest.mark.parametrize(
    ("name", "unit", "given", "expected"),
    [
        ("water_minutes", "hours", "0,5", 30),
        ("water_minutes", "seconds", "90", 1.5),
        ("water_minutes", "minutes", "90", 90),
        ("waste_per_week", "per_day", "1", 7),
        ("waste_per_week", "per_fortnight", "1", 0.5),
    ],
)
def test_map_numbers_in_other_units(tmp_path: Path, name: str, unit: str, given: str, expected: float) -> None:
    answers, found = field(tmp_path, name, [given, None], unit=unit)
    assert answers == [pytest.approx(expected), None]
    assert found == []


def test_map_numbers_units_hold_for_the_file_and_ranges_for_the_field(tmp_path: Path) -> None:
    """What `values` says is in the field's own unit; a day and a bit in hours is out of range, shown as it stands."""
    answers, found = field(tmp_path, "water_minutes", ["1", "far", "25"], unit="hours", values={"far": 45})
    assert answers == [60, 45, None]
    assert found == [(4, "value_out_of_range", "water_minutes", "25")]


@pytest.mark.parametrize(
    "column",
    [pa.array(["-58,4", " -34.6 ", "", None, "1.140,5"]), pa.array([-58.4, -34.6, None, None, 1140.5])],
    ids=["texts", "numbers"],
)
def test_read_coordinates(column: pa.Array) -> None:
    findings = Findings()
    cells = FieldCells("longitude", column, np.arange(5, dtype=np.int32), findings)
    np.testing.assert_array_equal(read_coordinates(cells), [-58.4, -34.6, np.nan, np.nan, 1140.5])
    assert findings.counts["warning"] == 0


def test_read_coordinates_three_digits_after_a_comma_are_no_thousands() -> None:
    cells = FieldCells("latitude", pa.array(["18,614", "18.6 X"]), np.array([2, 3], dtype=np.int32), Findings())
    np.testing.assert_array_equal(read_coordinates(cells), [18.614, np.nan])
    assert cells.findings.frame()[["row_number", "field", "value"]].to_numpy().tolist() == [[3, "latitude", "18.6 X"]]


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2024-02-29", [], date(2024, 2, 29)),
        ("2017-11-07T10:34:29.000+03:00", [], date(2017, 11, 7)),
        ("2017-11-07T23:34:29Z", [], date(2017, 11, 7)),
        ("2024-01-05 00:00:00", [], date(2024, 1, 5)),
        ("05/01/2024", ["%d/%m/%Y"], date(2024, 1, 5)),
        ("5 Jan 2024", ["%d/%m/%Y", "%d %b %Y"], date(2024, 1, 5)),
        ("2024-01-05 00:00:00", ["%d/%m/%Y"], date(2024, 1, 5)),
        ("05/05/2024", ["%d/%m/%Y", "%m/%d/%Y"], date(2024, 5, 5)),
        ("05/01/2024", ["%d/%m/%Y", "%m/%d/%Y"], None),  # two dates
        ("2024-31-05", ["%Y-%d-%m"], date(2024, 5, 31)),
        ("2024-05-31", ["%Y-%d-%m"], None),
        ("2017-11-07T10:34:29.000+03:778", [], None),
        ("2024-02-30", [], None),
        ("2024-02-29 about noon", [], None),
        ("29/02/2024", [], None),
    ],
)
def test_read_date(text: str, formats: list[str], expected: date | None) -> None:
    if expected is not None:
        assert read_date(text, formats) == expected
        return
    with pytest.raises(NotUnderstood):
        read_date(text, formats)


def test_map_dates_with_values(tmp_path: Path) -> None:
    answers, found = field(tmp_path, "interviewed_on", ["1900-01-01", "2024-01-05"], values={"1900-01-01": "unknown"})
    assert (answers, found) == ([None, date(2024, 1, 5)], [])


BLANKS = ["n/a", "-", "Sin  dato"]


@pytest.mark.parametrize(
    ("name", "good", "expected"),
    [
        ("drainage", "open", "open"),
        ("internet", "yes", True),
        ("members", "4", 4),
        ("weight", "1,5", 1.5),
        ("interviewed_on", "2024-01-05", date(2024, 1, 5)),
        ("declared_settlement_code", "007", "007"),
    ],
)
def test_blank_words_hold_for_every_field(tmp_path: Path, name: str, good: str, expected: Any) -> None:
    given = [good, "N/A", " - ", "sin dato", None]
    path = write_csv(tmp_path / "rows.csv", [{"q": value, "other": "-"} for value in given])
    profile = Profile(name="p", blank=BLANKS, fields={name: FieldMapping(column="q")})
    observations, found = mapped(path, profile)
    assert observations.fields[name].to_pylist() == [expected, None, None, None, None]
    assert {f[1] for f in found} == ({"weight_invalid"} if name == "weight" else set())
    assert json.loads(observations.extra.to_pylist()[0]) == {"other": "-"}  # type: ignore[union-attr]


def test_blank_words_give_way_to_values(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"q": "-", "r": "-"}])
    fields = {
        "drainage": FieldMapping(column="q", values={"-": "none"}),
        "internet": FieldMapping(column="r"),
    }
    observations, found = mapped(path, Profile(name="p", blank=["-"], fields=fields))
    assert [observations.fields[name].to_pylist() for name in fields] == [["none"], [None]]
    assert found == []


def test_blank_words_in_positions(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"x": "73,8", "y": "18.6"}, {"x": "n/a", "y": "18.6"}])
    profile = Profile(name="p", blank=["n/a"], position=PositionColumns(longitude="x", latitude="y"))
    observations, found = mapped(path, profile)
    np.testing.assert_array_equal(observations.lon, [73.8, np.nan])
    assert found == []


def test_extra_keeps_what_was_not_understood(tmp_path: Path) -> None:
    """Each mapped cell with a finding stays under its column's own name; those without are not kept twice."""
    rows: list[dict[str, Any]] = [
        {"Toilet": "Sewer", "min": "30 min", "on": "2024-01-05", "x": "73.8", "y": "18.6", "note": 'a "b"'},
        {"Toilet": "Nala", "min": "1,140", "on": "5/1/24", "x": "east", "y": "18.6", "note": "c"},
        {"Toilet": "Sewer", "min": "9999", "on": None, "x": "73.8", "y": "18.6", "note": None},
        {"Toilet": None, "min": "5", "on": None, "x": "73.8", "y": "18.6", "note": "d"},
    ]
    profile = Profile(
        name="p",
        position=PositionColumns(longitude="x", latitude="y"),
        fields={
            "toilet_type": FieldMapping(column="toilet", values={"Sewer": "flush_sewer"}),
            "toilet_working": FieldMapping(column="toilet", values={"Sewer": True}),
            "water_minutes": FieldMapping(column="min"),
            "interviewed_on": FieldMapping(column="on"),
        },
    )
    observations, _ = mapped(write_csv(tmp_path / "rows.csv", rows), profile)
    assert [json.loads(line) for line in observations.extra.to_pylist()] == [  # type: ignore[union-attr]
        {"note": 'a "b"', "min": "30 min"},
        {"note": "c", "Toilet": "Nala", "min": "1,140", "on": "5/1/24", "x": "east"},
        {"note": None, "min": "9999"},
        {"note": "d"},
    ]
    without = [{key: value for key, value in row.items() if key != "note"} for row in rows]
    observations, _ = mapped(write_csv(tmp_path / "rows.csv", without), profile)
    kept = observations.extra.to_pylist()  # type: ignore[union-attr]
    assert [None if line is None else json.loads(line) for line in kept][2:] == [{"min": "9999"}, None]
