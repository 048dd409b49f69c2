"""From a file's columns and values to standard fields: nothing becomes a silent no, nothing is lost."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from shapely.geometry import Point

from geo.errors import InputError, MissingColumn, ProfileInvalid
from geo.ingestion.findings import RULES, Findings
from geo.ingestion.loading.row_checks import Checks
from geo.ingestion.mapping import Observations, PositionColumns, Profile, read_profile
from geo.ingestion.mapping.profile import FieldMapping
from geo.messages import say_part_of_finding
from tests.support.factories import write_csv
from tests.support.mapping import field, mapped
from tests.support.project import ROOT


def test_map_code_values(tmp_path: Path) -> None:
    """A value the profile does not know is unknown with a finding; blank and `unknown` are unknown without."""
    values = {"Closed drain": "closed", "don't know": "unknown", "No": "none"}
    answers, found = field(
        tmp_path, "drainage", ["closed  DRAIN", "Nala", None, "Don't know", "no", "open"], values=values
    )
    assert answers == ["closed", None, None, None, "none", None]
    assert found == [(3, "value_unmapped", "drainage", "Nala"), (7, "value_unmapped", "drainage", "open")]


def test_map_standard_codes_without_a_table(tmp_path: Path) -> None:
    answers, found = field(tmp_path, "drainage", ["closed", " OPEN ", "none", "unknown", "yes"])
    assert answers == ["closed", "open", "none", None, None]
    assert found == [(6, "value_unmapped", "drainage", "yes")]


def test_map_yes_no(tmp_path: Path) -> None:
    answers, found = field(tmp_path, "internet", ["Yes", "n", "1", "FALSE", "unknown", None, "maybe", "2"])
    assert answers == [True, False, True, False, None, None, None, None]
    assert found == [(8, "value_unmapped", "internet", "maybe"), (9, "value_unmapped", "internet", "2")]


@pytest.mark.parametrize(
    ("name", "given", "expected", "code"),
    [
        ("members", "5", 5, None),
        ("members", " 5.0 ", 5, None),
        ("members", "0", None, "value_impossible"),
        ("members", "200", 200, None),
        ("members", "201", None, "value_out_of_range"),
        ("members", "-1", None, "value_out_of_range"),
        ("members", "4.5", None, "value_out_of_range"),
        ("members", "1e400", None, "value_out_of_range"),
        ("members", "four", None, "value_not_a_number"),
        ("members", "3,5", None, "value_out_of_range"),
        ("members", "", None, None),
        ("water_minutes", "0", 0.0, None),
        ("water_minutes", "1440", 1440.0, None),
        ("water_minutes", "1440.5", None, "value_out_of_range"),
        ("water_minutes", "-0.1", None, "value_out_of_range"),
    ],
)
def test_map_numbers(tmp_path: Path, name: str, given: str, expected: float | None, code: str | None) -> None:
    answers, found = field(tmp_path, name, [given])
    assert answers == [expected]
    assert [f[1] for f in found] == ([] if code is None else [code])


def test_map_numbers_with_words_for_unknown(tmp_path: Path) -> None:
    """99 for don't know, in a text column and in a numeric one alike."""
    values: dict[str, Any] = {"99": "unknown", "many": 12}
    assert field(tmp_path, "members", ["4", "99", "Many"], values=values) == ([4, None, 12], [])
    frame = gpd.GeoDataFrame({"q": [4, 99]}, geometry=[Point(1, 0), Point(1, 1)], crs="EPSG:4326")
    frame.to_file(tmp_path / "rows.gpkg", engine="pyogrio")
    profile = Profile(name="p", fields={"members": FieldMapping(column="q", values=values)})
    observations, found = mapped(tmp_path / "rows.gpkg", profile)
    assert observations.fields["members"].to_pylist() == [4, None]
    assert found == []


@pytest.mark.parametrize(
    ("given", "form", "expected"),
    [
        ("2024-02-29", None, date(2024, 2, 29)),
        ("2024-02-29T10:11:12.000+05:30", None, date(2024, 2, 29)),
        ("29/02/2024", "%d/%m/%Y", date(2024, 2, 29)),
        ("2023-02-29", None, None),
        ("02/29/2024", "%d/%m/%Y", None),
        ("yesterday", None, None),
    ],
)
def test_map_dates(tmp_path: Path, given: str, form: str | None, expected: date | None) -> None:
    answers, found = field(tmp_path, "interviewed_on", [given], format=form)
    assert answers == [expected]
    assert [f[1:] for f in found] == ([] if expected else [("date_unreadable", "interviewed_on", given)])


@pytest.mark.parametrize("weight", ["-1", "", "heavy", "inf", "nan"])
def test_map_weight_that_cannot_count_is_rejected(tmp_path: Path, weight: str) -> None:
    """A row without a usable weight must not count as one household."""
    path = write_csv(tmp_path / "rows.csv", [{"weight": "2.5", "q": 1}, {"weight": weight, "q": 1}])
    observations, found = mapped(path)
    assert observations.rejected.tolist() == [False, True]
    assert observations.fields["weight"].to_pylist()[0] == 2.5
    assert (3, "weight_invalid") in {f[:2] for f in found}


def test_map_settlement_codes_keep_zeros_and_lose_needless_points(tmp_path: Path) -> None:
    answers, _ = field(tmp_path, "declared_settlement_code", ["007", " 12 ", None])
    assert answers == ["007", "12", None]
    frame = gpd.GeoDataFrame({"q": [205.0, 7.0]}, geometry=[Point(1, 0), Point(1, 1)], crs="EPSG:4326")
    frame.to_file(tmp_path / "rows.gpkg", engine="pyogrio")
    profile = Profile(name="p", fields={"declared_settlement_code": FieldMapping(column="q")})
    observations, _ = mapped(tmp_path / "rows.gpkg", profile)
    assert observations.fields["declared_settlement_code"].to_pylist() == ["205", "7"]


def test_map_position_columns_in_another_crs(tmp_path: Path) -> None:
    """UTM zone 43N: its central meridian is 75 east, where easting is 500 km by definition."""
    path = write_csv(tmp_path / "rows.csv", [{"e": 500_000, "n": 0}, {"e": None, "n": 0}, {"e": "x", "n": 0}])
    profile = Profile(name="p", position=PositionColumns(longitude="e", latitude="n", crs="EPSG:32643"))
    observations, _ = mapped(path, profile)
    assert observations.lon[0] == pytest.approx(75.0, abs=1e-9)
    assert observations.lat[0] == pytest.approx(0.0, abs=1e-9)
    assert pd.isna(observations.lon[1:]).all()


def test_map_keeps_degrees_outside_the_world_for_the_diagnosis(tmp_path: Path) -> None:
    """In Mexico 19 north, 99 west: swapped, a latitude of -99 is no place on Earth; placement says why."""
    path = write_csv(tmp_path / "rows.csv", [{"longitude": 19.4, "latitude": -99.1, "q": 1}])
    observations, found = mapped(path)
    assert observations.rejected.tolist() == [False]
    assert (observations.lon.tolist(), observations.lat.tolist()) == ([19.4], [-99.1])
    assert found == []


def test_map_null_geometry_has_no_position(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"q": [1, 2]}, geometry=[None, Point(1, 2)], crs="EPSG:4326")
    frame.to_file(tmp_path / "rows.gpkg", engine="pyogrio")
    observations, found = mapped(tmp_path / "rows.gpkg", Profile(name="p"))
    assert pd.isna(observations.lon[0])
    assert (observations.lon[1], observations.lat[1]) == (1, 2)
    assert found == []


HOSTILE = ['say "no"', "two\nlines", "गांधीनगर", "line\u2028separator", "\\u0000 spelt out", "C:\\new", "{}", "null"]


def test_extra_keeps_unmapped_columns(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"members": 1, "note": text, 'नोंद "x"': "y"} for text in HOSTILE])
    observations, _ = mapped(path)
    assert observations.extra is not None
    kept = [json.loads(line) for line in observations.extra.to_pylist()]
    assert [k["note"] for k in kept] == HOSTILE
    assert {k['नोंद "x"'] for k in kept} == {"y"}
    assert all("members" not in k for k in kept)


def test_extra_drops_only_the_character_nul(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"members,note\n1,a\x00b\n2,\\\x00u0000\n")
    observations, _ = mapped(path)
    assert observations.extra is not None
    assert [json.loads(line)["note"] for line in observations.extra.to_pylist()] == ["ab", "\\u0000"]


def test_extra_keeps_types_of_a_vector_file(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {
            "whole": pd.array([9_007_199_254_740_993, None], dtype="Int64"),
            "half": [0.1234567890123, None],
            "day": pd.Series([date(2024, 1, 5), None], dtype=object),
            "flag": [True, False],
        },
        geometry=[Point(0, 0), Point(1, 1)],
        crs="EPSG:4326",
    )
    frame.to_file(tmp_path / "rows.gpkg", engine="pyogrio")
    observations, _ = mapped(tmp_path / "rows.gpkg", Profile(name="p"))
    assert observations.extra is not None
    first, second = (json.loads(line) for line in observations.extra.to_pylist())
    assert first == {"whole": 9_007_199_254_740_993, "half": 0.1234567890123, "day": "2024-01-05", "flag": True}
    assert second == {"whole": None, "half": None, "day": None, "flag": False}


def test_text_fields_lose_the_character_nul(tmp_path: Path) -> None:
    """PostgreSQL cannot hold it; neither in a code nor in what a finding quotes."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"household_code,drainage\nA\x001,o\x00pen\n")
    observations, found = mapped(path)
    assert observations.fields["household_code"].to_pylist() == ["A1"]
    assert "\x00" not in str(found[0][3])


def test_mapper_missing_column_names_what_there_is(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"a": 1, "b": 2}])
    with pytest.raises(MissingColumn, match=r"rows\.csv has no column 'q'.*it has a, b"):
        mapped(path, Profile(name="p", fields={"drainage": FieldMapping(column="q")}))


FIELD = 'name = "x"\n[fields.{}]\ncolumn = "a"\n{}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 1", "name must be a text"),
        ('name = ""', "name is empty"),
        ("name =", "is not valid TOML"),
        ('name = "x"\ncolour = "red"', "colour is no key of a profile; here it may have name, title"),
        ('name = "x"\nblank = "n/a"', "blank must be a list"),
        ('name = "x"\n[fields]\ndrainage = "DRAIN"', "fields.drainage must be a table"),
        (
            'name = "x"\n[fields.drainage]\ncolum = "a"',
            "fields.drainage.colum is no key of a profile; the nearest is column",
        ),
        ('name = "x"\n[fields.drainage]\nvalues = {}', "fields.drainage does not say its column"),
        ('name = "x"\n[position]\nlongitude = "x"', "position: name either longitude and latitude"),
        (
            'name = "x"\n[shares.w]\nkind = "count"\nparts = [{ column = "a", answer = {} }]',
            "shares.w.parts.1.answer is no",
        ),
        (FIELD.format("roof", ""), "roof is not a standard field; the nearest is rooms"),
        (
            FIELD.format("drainage", 'values = { A = "clsoed" }'),
            "'clsoed' stands where a code of drainage (closed, open",
        ),
        (FIELD.format("drainage", "values = { A = [] }"), "values.A must be a text, a number or true or false"),
        (FIELD.format("drainage", 'values = { A = "open", "a " = "none" }'), "values says two things of 'a '"),
        (FIELD.format("drainage", 'format = "%d"'), "format is for dates"),
        (FIELD.format("drainage", 'multiple = { prefer = ["opn"] }'), "'opn' stands where a code"),
        (FIELD.format("drainage", 'multiple = { others = "opn" }'), "'opn' stands where a code"),
        (FIELD.format("internet", "multiple = { prefer = [true] }"), "prefer is for coded fields"),
        (FIELD.format("internet", 'values = { A = "yes" }'), "'yes' stands where true, false or 'unknown' belongs"),
        (FIELD.format("internet", "values = { A = 1 }"), "1 stands where true, false"),
        (FIELD.format("household_code", "multiple = {}"), "multiple is for coded and yes/no fields"),
        (FIELD.format("members", "values = { A = true }"), "True stands where a whole number"),
        (FIELD.format("members", "values = { A = inf }"), "inf stands where a whole number"),
        (FIELD.format("members", "values = { A = 1.5 }"), "1.5 stands where a whole number"),
        (FIELD.format("weight", 'unit = "kg"'), "weight has no unit 'kg'; it counts no unit"),
        (FIELD.format("weight", 'decimal = ";"'), "fields.weight.decimal must be '.' or ','"),
        (FIELD.format("water_minutes", 'unit = "hrs"'), "no unit 'hrs'; it has minutes, seconds, hours"),
        (FIELD.format("water_source", 'decimal = ","'), "decimal is for numbers"),
        (FIELD.format("interviewed_on", 'format = "dd/mm/yyyy"'), "'dd/mm/yyyy' is no format of dates"),
        (FIELD.format("interviewed_on", 'format = ["%d/%m/%Y", "%d"]'), "'%d' is no format of dates"),
        (FIELD.format("interviewed_on", "format = []"), "fields.interviewed_on.format is empty"),
        (FIELD.format("interviewed_on", 'values = { A = "soon" }'), "'soon' stands where a date"),
    ],
)
def test_read_profile_refuses_in_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ProfileInvalid) as raised:
        read_profile(str(path))
    sentence = str(raised.value)
    assert says in sentence
    assert sentence.startswith(f"The profile {path}")
    assert ("\n" in sentence, sentence.endswith(".")) == (False, True)


def test_read_profile_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'name = "S\xe3o"')
    with pytest.raises(InputError, match=r"mine\.toml"):
        read_profile(str(path))


def observations_of(first_row: int, codes: list[str | None]) -> Observations:
    n = len(codes)
    rows = np.arange(first_row, first_row + n, dtype=np.int32)
    nowhere = np.full(n, np.nan)
    fields = {"household_code": pa.array(codes, type=pa.string())}
    return Observations(rows, fields, None, nowhere, nowhere, np.zeros(n, dtype=bool))


def test_checks_repeated_codes_within_and_across_batches() -> None:
    checks, findings = Checks(), Findings()
    first, second = observations_of(2, ["A", "B", "A", None, None]), observations_of(7, ["C", "B", "D"])
    for batch in (first, second):
        checks.check_rows(batch, findings)
    assert first.rejected.tolist() == [False, False, True, False, False]
    assert second.rejected.tolist() == [False, True, False]
    repeated = findings.frame().query("code == 'household_code_duplicate'")
    assert list(zip(repeated["row_number"], repeated["value"], strict=True)) == [(4, "A (row 2)"), (8, "B (row 3)")]


def test_checks_dates_outside_the_round() -> None:
    checks, findings = Checks(starts_on=date(2024, 1, 1), ends_on=date(2024, 1, 31)), Findings()
    batch = observations_of(2, ["A", "B", "C", "D"])
    days = [date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 1), None]
    batch.fields["interviewed_on"] = pa.array(days, type=pa.date32())
    checks.check_rows(batch, findings)
    assert findings.frame()[["row_number", "code", "value"]].to_numpy().tolist() == [
        [4, "date_outside_survey", "2024-02-01"]
    ]
    assert not batch.rejected.any()


def test_checks_dates_no_survey_was_made_on() -> None:
    """Told once, also where the round's dates say the same."""
    checks, findings = Checks(starts_on=date(2024, 1, 1), ends_on=date(2024, 1, 31)), Findings()
    batch = observations_of(2, ["A", "B", "C", "D"])
    days = [date(1989, 12, 31), date(1990, 1, 1), date(9999, 1, 1), date(2024, 1, 2)]
    batch.fields["interviewed_on"] = pa.array(days, type=pa.date32())
    checks.check_rows(batch, findings)
    assert findings.frame()[["row_number", "code", "value"]].to_numpy().tolist() == [
        [2, "date_implausible", "1989-12-31"],
        [3, "date_outside_survey", "1990-01-01"],
        [4, "date_implausible", "9999-01-01"],
    ]
    assert not batch.rejected.any()


@pytest.mark.parametrize("code", list(RULES))
def test_findings_say_what_and_what_to_do(code: str) -> None:
    findings = Findings()
    rows = np.array([2, 3, 4], dtype=np.int32)
    findings.add(code, rows, field="drainage", values=["<b>", "<b>", None])
    (group,) = findings.groups()
    assert (group.code, group.count, group.rows) == (code, 3, (2, 3, 4))
    assert group.sentence().endswith(f"What to do: {say_part_of_finding(code, 'do', group.params())}.")
    assert ("{" in group.sentence()) is False
    assert (findings.rejected_rows(), findings.warned_rows()) == ((3, 0) if group.severity == "error" else (0, 3))


@pytest.mark.parametrize("code", list(RULES))
def test_documents_list_every_kind_of_finding(code: str) -> None:
    rule = RULES[code]
    about = {"field": "the field", "values": ["…"], "n_values": 1}
    says, do = (say_part_of_finding(code, part, about) for part in ("says", "do"))
    says = says.replace("“…”", "…")
    documents = (ROOT / "docs" / "loading-data.md").read_text(encoding="utf-8")
    assert f"| `{code}` | {rule.severity} | {says} | {do} |\n" in documents
