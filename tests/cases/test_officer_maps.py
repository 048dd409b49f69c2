"""Cases of maps that say something else than the figures they show."""

import re

import pytest

from tests.support.officer import Officer, figure

ROUND = ("--city", "hill", "--survey", "2025")
DATES = ("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")


@pytest.fixture
def loaded(officer: Officer) -> Officer:
    officer.city("hill", "settlements.geojson")
    officer.run("load", "survey", "households.csv", *ROUND, *DATES)
    return officer


def drawn(officer: Officer, *arguments: object) -> str:
    officer.run("map", "coverage", *ROUND, "--indicator", "sanitation_basic", *arguments, "--out", "map.html")
    return (officer.folder / "map.html").read_text(encoding="utf-8")


@pytest.mark.case("officer/A3-counted-households-label")
def test_a_map_of_households_speaks_of_households(loaded: Officer) -> None:
    html = drawn(loaded, "--counted", "households")
    assert "people" not in html.casefold()
    for text in ("Households with basic sanitation", "% of households", "About 62 of every 100 households"):
        assert text in html
    assert "Share of households that use an improved toilet" in html


@pytest.mark.case("officer/A3-counted-households-label")
def test_a_map_of_people_speaks_of_people(loaded: Officer) -> None:
    html = drawn(loaded)
    for text in ("People with basic sanitation", "% of people", "About 38 of every 100 people"):
        assert text in html


@pytest.mark.case("officer/A3-counted-households-label")
def test_the_number_beside_the_map_is_the_citys_own(loaded: Officer) -> None:
    html = drawn(loaded, "--counted", "households")
    of_city = loaded.table("values", *ROUND, "--level", "city", "--counted", "households").set_index("indicator")
    said = re.search(r'class="sum"><b>([\d,]+)</b>', html)
    assert said is not None
    assert int(said[1].replace(",", "")) == of_city.loc["sanitation_basic", "unserved"]
    assert "Counts are rounded to the nearest 5" in html
    exact = figure(loaded.values("hill", "2025", "--counted", "households"), "sanitation_basic")
    assert of_city.loc["sanitation_basic", "rounded_to"] == 5
    assert abs(of_city.loc["sanitation_basic", "unserved"] - exact["unserved"]) <= 5


@pytest.mark.case("officer/A3-counted-households-label")
def test_tables_say_what_is_counted(loaded: Officer) -> None:
    asked = ("values", *ROUND, "--indicator", "sanitation_basic", "--level", "city")
    assert "counted in households" in loaded.run(*asked, "--counted", "households").stdout
    assert "counted in persons" in loaded.run(*asked).stdout


@pytest.mark.case("officer/A3-counted-households-label")
@pytest.mark.parametrize("counted", ["households", "persons"])
def test_circles_of_a_map_without_a_database_count_households(officer: Officer, counted: str) -> None:
    files = ("settlements.geojson", "households.csv", "--mode", "census")
    _, out = officer.assess(*files, "--counted", counted, "--indicator", "sanitation_basic")
    html = (out / "coverage.html").read_text(encoding="utf-8")
    assert f"% of {'households' if counted == 'households' else 'people'}" in html
    # 6 of 16 households and 6 of 12 go without, however many live in them.
    assert 'class="sum"><b>12</b> households without this service in the whole city' in html
