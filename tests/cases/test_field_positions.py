"""Positions as telephones, handheld GPS, total stations and spreadsheets write them."""

import csv
from collections.abc import Callable
from pathlib import Path

import pyproj
import pytest

from tests.support.officer import Officer, figure, read_figures

HERE = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name", "--mode", "census")
BASE = "../_base_boundaries.geojson"


def assert_whole(officer: Officer, file: str, *arguments: object, boundaries: str = BASE) -> str:
    """All 60 households count, 15 in each settlement, and 80 % of them have a drain; what was printed."""
    done, report = officer.assess(boundaries, file, *HERE, *arguments)
    figures = read_figures(report)
    for code in ("K01", "K02", "K03", "K04"):
        found = figure(figures, "drainage_any", code)
        assert (found["value"], found["n"]) == (80, 15)
    return done.stdout + done.stderr


def assert_profile_agrees(officer: Officer, file: str, *arguments: object) -> str:
    """The same with the profile that is proposed for the file."""
    officer.run("suggest", file, "--out", "proposed.toml")
    return assert_whole(officer, file, "--profile", "proposed.toml", *arguments)


@pytest.mark.case("field/01-decimal-point-lost")
@pytest.mark.parametrize("form", ["digits_only", "two_dots"])
def test_a_lost_decimal_point_is_said_and_the_place_a_row_names_counts(officer: Officer, form: str) -> None:
    said = assert_profile_agrees(officer, f"{form}.csv")
    assert said.count("with its lost decimal point put back it lies in K01") == 1
    refused, _ = officer.assess(BASE, f"{form}_no_code.csv", *HERE, code=1)
    assert "its decimal point is lost; put back, it lies in “K01”" in refused.stderr + refused.stdout
    assert "60 rows" in refused.stderr + refused.stdout
    assert_whole(officer, f"{form}_no_code.csv", "--fix")


@pytest.mark.case("field/02-degrees-minutes-seconds")
@pytest.mark.parametrize("file", ["degrees_decimal_minutes.csv", "dms.csv", "one_column.csv"])
def test_degrees_with_minutes_are_read(officer: Officer, file: str) -> None:
    assert "0 with warnings" in assert_whole(officer, file)
    assert_profile_agrees(officer, file)


@pytest.mark.case("field/03-utm-columns")
@pytest.mark.parametrize("file", ["utm.csv", "utm_xy.csv"])
def test_easting_and_northing_name_their_crs(officer: Officer, file: str) -> None:
    refused, _ = officer.assess(BASE, file, *HERE, code=1)
    assert "would lie in the city with EPSG:32643" in refused.stderr
    assert_whole(officer, file, "--crs", "EPSG:32643")
    assert_profile_agrees(officer, file, "--crs", "EPSG:32643")


@pytest.mark.case("field/03-utm-columns")
def test_the_column_of_zones_says_which_crs_it_is(officer: Officer) -> None:
    refused, _ = officer.assess(BASE, "utm.csv", *HERE, code=1)
    assert "EPSG:32643 (WGS 84 / UTM zone 43N); name the right one" in refused.stderr
    assert "the UTM zone that the column Zone names" in officer.run("suggest", "utm.csv", "--out", "zone.toml").stdout
    assert_whole(officer, "utm.csv", "--profile", "zone.toml")


@pytest.mark.case("field/04-plus-codes")
def test_plus_codes_are_positions(officer: Officer) -> None:
    assert_whole(officer, "plus_codes.csv")
    assert_profile_agrees(officer, "plus_codes.csv")


@pytest.mark.case("field/05-null-island")
@pytest.mark.parametrize("file", ["households.csv", "households_geopoint.csv"])
def test_zero_zero_is_no_fix(officer: Officer, file: str) -> None:
    refused, _ = officer.assess(BASE, file, *HERE, code=1)
    said = refused.stdout + refused.stderr
    assert "The position is 0, 0, which a device writes when it has no fix" in said
    assert "same household twice" not in said
    figures = officer.figures(BASE, file, *HERE, "--skip-errors")
    assert figure(figures, "drainage_any", "K01")["n"] == 14
    assert figure(figures, "drainage_any")["n"] == 59


@pytest.mark.case("field/25-geojson-in-utm-without-crs")
def test_geojson_in_metres_is_refused_with_its_likely_crs(officer: Officer) -> None:
    officer.city("pune")
    load = ("load", "boundaries", "settlements.geojson", "--city", "pune", *HERE[:6])
    assert "EPSG:32643" in officer.run(*load, code=1).stderr
    assert "4 settlements added" in officer.run(*load, "--crs", "EPSG:32643").stdout


@pytest.mark.case("field/26-coordinates-as-text")
def test_quoted_coordinates_are_read(officer: Officer) -> None:
    done, _ = officer.assess("settlements.geojson", "households.geojson", *HERE, "--placement", "position")
    assert "60 counted, 0 with warnings" in done.stdout
    assert_whole(officer, "households.geojson", "--placement", "position", boundaries="settlements.geojson")


@pytest.mark.case("field/27-nan-and-null-coordinates")
def test_features_without_a_place_are_said_one_by_one(officer: Officer) -> None:
    assert_whole(officer, "households_null.geojson")
    for file in ("settlements_null.geojson", "settlements_nan.geojson"):
        city = file.removesuffix(".geojson")
        officer.city(city)
        load = ("load", "boundaries", file, "--city", city, *HERE[:6])
        refused = officer.run(*load, code=1)
        assert "The row has no shape" in refused.stdout + refused.stderr
        assert "settlements added" in officer.run(*load, "--skip-errors").stdout


@pytest.mark.case("officer/B1-decimal-comma-pair")
def test_a_number_with_a_decimal_comma_is_no_pair(officer: Officer, case_files: Path) -> None:
    proposed = officer.run("suggest", "places.csv", "--out", "p.toml")
    assert case_files.joinpath("p.toml").read_text().count('= "X coord"') == 1, proposed
    done, _ = officer.assess("outlines.geojson", "places.csv", "--profile", "p.toml", "--mode", "census", code=0)
    assert "12 counted" in done.stdout


def rewritten(officer: Officer, file: str, change: Callable[[int, dict[str, str]], dict[str, str]]) -> str:
    """A file of the case with every row changed; the name of the new one."""
    with (officer.folder / file).open(encoding="utf-8", newline="") as source:
        rows = [change(i, row) for i, row in enumerate(csv.DictReader(source))]
    with (officer.folder / "rewritten.csv").open("w", encoding="utf-8", newline="") as target:
        table = csv.DictWriter(target, rows[0])
        table.writeheader()
        table.writerows(rows)
    return "rewritten.csv"


@pytest.mark.case("field/03-utm-columns")
def test_rows_of_several_zones_are_each_read_in_theirs(officer: Officer) -> None:
    to_44 = pyproj.Transformer.from_crs("EPSG:32643", "EPSG:32644", always_xy=True)

    def moved(i: int, row: dict[str, str]) -> dict[str, str]:
        if i % 3:
            return row
        x, y = to_44.transform(float(row["Easting"]), float(row["Northing"]))
        return row | {"Easting": f"{x:.1f}", "Northing": f"{y:.1f}", "Zone": "44Q"}

    file = rewritten(officer, "utm.csv", moved)
    said = assert_whole(officer, file, "--crs", "EPSG:32643")
    assert said.count("The column Zone names UTM zone “44Q (EPSG:32644)”") == 1
    # The CRS that is named need not be the one most rows are in.
    assert "“43Q (EPSG:32643)”" in assert_whole(officer, file, "--crs", "EPSG:32644")
    suggested = officer.run("suggest", file, "--out", "zones.toml").stdout
    assert "metres of EPSG:32643 and EPSG:32644, the UTM zones that the column Zone names" in suggested
    assert_whole(officer, file, "--profile", "zones.toml")


@pytest.mark.case("field/04-plus-codes")
@pytest.mark.parametrize("town", ["", " Pune, Maharashtra"])
def test_short_plus_codes_are_found_near_the_city(officer: Officer, town: str) -> None:
    (given,) = officer.folder.glob("*.csv")
    file = rewritten(officer, given.name, lambda _, row: row | {"plus_code": row["plus_code"][4:] + town})
    said = assert_profile_agrees(officer, file)
    assert said.count("The column plus_code holds short plus codes") == 1
    # A city that has no outlines yet is near to nothing.
    officer.city("pune")
    listed = officer.run("load", "boundaries", file, "--city", "pune", "--code", "household_code", "--dry-run")
    assert "short plus codes, which say where a place lies only near a city" in " ".join(
        (listed.stdout + listed.stderr).split()
    )
