"""Files from the field that were read rightly, and stay so."""

import pytest

from tests.support.officer import Officer, figure, read_figures

NAMED = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")
CENSUS = ("--mode", "census")
BASE = "../_base_boundaries.geojson"
CODES = ("K01", "K02", "K03", "K04")


@pytest.mark.case("field/13-asterisks-in-dbf")
def test_asterisks_of_a_dbf_are_no_numbers(officer: Officer) -> None:
    done, report = officer.assess(BASE, "households.zip", *NAMED, *CENSUS)
    (warning,) = [line for line in (done.stdout + done.stderr).splitlines() if "warning: " in line or "error: " in line]
    assert "The number of household members is not known" in warning
    assert "(3 rows: 2, 3, 4)" in warning
    assert figure(read_figures(report), "drainage_any")["n"] == 60


@pytest.mark.case("field/17-question-became-multiple")
def test_several_answers_are_proposed_as_several(officer: Officer) -> None:
    officer.run("suggest", "export.csv", "--out", "p.toml")
    profile = officer.folder.joinpath("p.toml").read_text(encoding="utf-8")
    assert 'multiple = { separator = " ", prefer = ["own", "community"] }' in profile


@pytest.mark.case("field/30-parent-kept-beside-its-parts")
def test_a_settlement_kept_beside_its_parts_counts_nobody_twice(officer: Officer) -> None:
    done, report = officer.assess("settlements.geojson", "households_by_position.csv", *NAMED, *CENSUS)
    assert "The boundary lies inside that of settlement “182”" in done.stdout + done.stderr
    figures = read_figures(report)
    assert (figure(figures, "drainage_any", "951")["value"], figure(figures, "drainage_any", "952")["value"]) == (
        100,
        0,
    )
    city = figure(figures, "drainage_any")
    assert (city["value"], city["n"]) == (50, 30)
    done, _ = officer.assess("settlements.geojson", "households_declare_parent.csv", *NAMED, *CENSUS)
    assert "“Jeza B (182) named, Jeza B1 (951) found; it lies in both”" in done.stdout + done.stderr


@pytest.mark.case("field/32-abidjan-latrines")
def test_a_survey_as_it_came_from_the_field(officer: Officer) -> None:
    profile = """name = "abidjan"
[fields.declared_settlement_code]
column = "area_name"
[fields.interviewed_on]
column = "date"
format = "%Y-%d-%m"
[fields.drainage]
column = "household_wastewater"
[fields.drainage.values]
"open drain" = "open"
"street" = "none"
"courtyard" = "none"
"NA" = "unknown"
"""
    officer.folder.joinpath("p.toml").write_text(profile, encoding="utf-8")
    figures = officer.figures("communes.geojson", "Survey_base.xlsx", "--code", "name", "--profile", "p.toml", *CENSUS)
    for place, value, n in (("Abobo", 13, 100), ("Yopougon", 5, 106), ("", 8.7, 206)):
        found = figure(figures, "drainage_any", place)
        assert (round(found["value"], 1), found["n"]) == (pytest.approx(value, abs=0.4), n)


@pytest.mark.case("field/38-settlement-without-data-on-the-map")
def test_a_settlement_without_households_has_no_figure(officer: Officer) -> None:
    _, report = officer.assess(BASE, "households.csv", *NAMED, *CENSUS)
    figures = read_figures(report)
    drains = figures[(figures["indicator"] == "drainage_any") & (figures["level"] == "settlement")]
    assert drains.set_index("settlement_code")["value"].dropna().index.tolist() == ["K01", "K02", "K04"]


@pytest.mark.case("field/41-dhs-996-minutes")
def test_codes_of_dhs_are_no_minutes(officer: Officer) -> None:
    said = officer.run("suggest", "dhs.csv", "--out", "p.toml").stdout
    assert "996 stands for water on the premises" in said
    done, _ = officer.assess(BASE, "dhs.csv", *NAMED, *CENSUS, "--profile", "p.toml")
    assert "60 counted" in done.stdout


@pytest.mark.case("field/42-names-with-invisible-characters")
def test_names_join_whatever_nobody_sees_in_them(officer: Officer) -> None:
    figures = officer.figures("settlements.geojson", "households.csv", *NAMED, *CENSUS)
    assert [figure(figures, "drainage_any", code)["n"] for code in CODES] == [15] * 4
