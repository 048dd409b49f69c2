"""Shapes as people draw and export them: outlines in text, holes, zips and styles."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.officer import Officer

NAMED = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")


def areas(officer: Officer, file: str, *arguments: object) -> tuple[dict[str, float], str]:
    """The ground of each settlement of a file of boundaries, by its code, and what was printed."""
    officer.city("pune")
    done = officer.run("load", "boundaries", file, "--city", "pune", *arguments)
    return stored_areas(officer, "pune"), done.stdout + done.stderr


def stored_areas(officer: Officer, city: str) -> dict[str, float]:
    engine = create_engine(officer.url)
    statement = (
        "SELECT s.code, sum(b.area_m2) AS area FROM boundary b JOIN settlement s ON s.id = b.settlement_id "
        "JOIN city c ON c.id = s.city_id WHERE c.slug = :city GROUP BY s.code"
    )
    try:
        with engine.connect() as connection:
            return {row.code: float(row.area) for row in connection.execute(text(statement), {"city": city})}
    finally:
        engine.dispose()


@pytest.mark.case("field/18-geoshape-blank-after-semicolon")
def test_outlines_in_text_are_found_by_what_they_hold(officer: Officer) -> None:
    for file in ("geoshape.csv", "geotrace_not_closed.csv"):
        city = file.removesuffix(".csv").replace("_", "-")
        officer.city(city)
        said = officer.run("load", "boundaries", file, "--city", city, *NAMED)
        assert ("The outline does not end where it begins" in said.stdout + said.stderr) is ("not_closed" in file)
        assert stored_areas(officer, city) == pytest.approx(dict.fromkeys(("K01", "K02", "K03", "K04"), 46_720), abs=60)
    officer.city("wkt")
    officer.run("load", "boundaries", "../w1.csv", "--city", "wkt", "--code", "settlement_code")
    assert stored_areas(officer, "wkt") == pytest.approx({"K01": 46_720}, abs=60)


@pytest.mark.case("officer/B5-unclosed-outline")
def test_unclosed_outlines_are_closed_and_said(officer: Officer) -> None:
    officer.run("suggest", "outlines.csv", "--out", "p.toml")
    officer.city("lagoon")
    load = ("load", "boundaries", "outlines.csv", "--city", "lagoon", "--profile", "p.toml")
    refused = officer.run(*load, code=1)
    assert "Two points make no outline" in refused.stdout + refused.stderr
    said = officer.run(*load, "--skip-errors")
    assert "3 rows: 3, 5, 6" in said.stdout + said.stderr
    found = stored_areas(officer, "lagoon")
    assert len(found) == 13
    assert found["TB5"] == pytest.approx(108_741, abs=1)
    assert [found["TB2"], found["TB4"]] == pytest.approx([108_923] * 2, abs=1)


@pytest.mark.case("field/20-kml-multipolygon-tag")
def test_a_shape_in_a_tag_outside_the_standard_is_not_lost(officer: Officer) -> None:
    found, _ = areas(officer, "settlements.kml", "--code", "code", "--name", "Name")
    assert found["K02"] == pytest.approx(46_700, abs=60)
    assert found["K03"] == pytest.approx(58_300, abs=150)
    assert len(found) == 4


@pytest.mark.case("field/21-kml-two-holes-in-one-tag")
def test_both_holes_of_one_tag_are_holes(officer: Officer) -> None:
    found, _ = areas(officer, "settlements.kml", "--code", "Name")
    assert found["K01"] == pytest.approx(163_500, abs=300)
    assert found["K02"] == pytest.approx(46_700, abs=60)


@pytest.mark.case("field/22-gpkg-with-styles")
def test_a_table_of_styles_is_no_layer(officer: Officer) -> None:
    assert len(areas(officer, "settlements.gpkg", *NAMED)[0]) == 4


@pytest.mark.case("field/23-zip-from-a-mac")
def test_what_a_mac_adds_to_a_zip_is_no_file(officer: Officer) -> None:
    columns = _columns(officer, "settlements.zip")
    assert len(areas(officer, "settlements.zip", "--code", columns[0])[0]) == 4


@pytest.mark.case("field/24-accents-in-zip-names")
def test_accents_in_the_names_of_a_zip_do_no_harm(officer: Officer) -> None:
    columns = _columns(officer, "asentamientos.zip")
    assert len(areas(officer, "asentamientos.zip", "--code", columns[0])[0]) == 4


def _columns(officer: Officer, file: str) -> list[str]:
    """A file's columns, as reading it finds them."""
    with open_layer(officer.folder / file, ReadOptions()) as layer:
        return layer.columns


@pytest.mark.case("field/37-names-that-break-pages")
def test_names_are_kept_as_they_are(officer: Officer, case_files: Path) -> None:
    given = json.loads(case_files.joinpath("settlements.geojson").read_text(encoding="utf-8"))
    names = {str(f["properties"]["settlement_name"]).strip() for f in given["features"]}
    done, report = officer.assess("settlements.geojson", "../_base_households.csv", *NAMED, "--mode", "census")
    figures = report.joinpath("figures.csv").read_text(encoding="utf-8-sig")
    assert done.code == 0
    assert all(name.replace('"', '""') in figures for name in names)
