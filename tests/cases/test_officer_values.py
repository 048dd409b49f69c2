"""What an officer's answers and rounds are worth: nothing is taken for granted, and nothing lost without a word."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from geo.ingestion.mapping import read_profile
from tests.support.officer import YEAR, Officer, figure, read_figures

DRAWN = ("settlements.geojson", "drawn_households.csv", "--indicator", "electricity_access")
WEIGHTED = ("settlements.geojson", "drawn_households_weighted.csv", "--indicator", "electricity_access")


def interval(found: "pd.Series[float]") -> tuple[float, float, float]:
    """A figure and its interval, as reports show them."""
    return round(found["value"], 2), round(found["low"], 2), round(found["high"], 2)


@pytest.mark.case("officer/A7-census-by-default")
def test_how_a_round_was_surveyed_is_asked(officer: Officer) -> None:
    """Who says nothing is asked whether every household was visited."""
    question = "was every household visited (census), or a sample of them"
    refused, out = officer.assess(*DRAWN, code=1)
    assert question in refused.stderr
    assert not out.exists()
    officer.city("glade", "settlements.geojson")
    into = ("--city", "glade", "--survey", "2024", *YEAR)
    for asked in ((), ("--dry-run",)):
        assert question in officer.run("load", "survey", "drawn_households.csv", *into, *asked, code=1).stderr
    officer.run("load", "survey", "drawn_households.csv", *into, "--mode", "sample")
    # A round that is there keeps what it was opened with.
    officer.run("load", "survey", "drawn_households_weighted.csv", "--city", "glade", "--survey", "2024")
    assert figure(officer.values("glade", "2024"), "electricity_access")["method"] != "enumeration"


@pytest.mark.case("officer/A7-census-by-default")
def test_a_sample_has_intervals_and_no_population(officer: Officer) -> None:
    drawn = figure(officer.figures(*DRAWN, "--mode", "sample"), "electricity_access")
    assert interval(drawn) == (51.39, 34.41, 68.05)
    assert {"uncertain", "unweighted"} <= set(drawn["flags"].split())
    weighted = figure(officer.figures(*WEIGHTED, "--mode", "sample"), "electricity_access")
    assert interval(weighted) == (45.80, 27.94, 64.82)
    for found in (drawn, weighted):
        assert found[["population", "unserved"]].isna().all()


@pytest.mark.case("officer/A7-census-by-default")
def test_weights_contradict_a_census(officer: Officer) -> None:
    officer.city("glade", "settlements.geojson")
    into = ("--city", "glade", "--survey", "2024", *YEAR, "--mode", "census", "--dry-run")
    said = "weights other than 1"
    for file, told in (("drawn_households_weighted.csv", True), ("drawn_households.csv", False)):
        assert (said in officer.run("load", "survey", file, *into).stderr) == told
        done, out = officer.assess("settlements.geojson", file, "--mode", "census")
        assert (said in done.stderr) == told
        assert figure(read_figures(out), "electricity_access")["method"] == "enumeration"


BASE = "../_base_boundaries.geojson"
ROUND = ("--city", "pune", "--survey", "2024", *YEAR, "--mode", "census")


def findings(path: Path) -> Counter[tuple[str, str]]:
    """How many rows have a finding, by kind and field."""
    frame = pd.read_csv(path, dtype=str)
    return Counter(zip(frame["code"], frame["field"], strict=True))


@pytest.mark.case("field/11-dont-know-as-99")
@pytest.mark.parametrize(
    ("file", "codes", "drained"),
    [("households.csv", {"99", "-99", "999", "88"}, 83.33), ("only_99.csv", {"99"}, 83.57)],
)
def test_numbers_for_no_answer_are_no_household_sizes(
    officer: Officer, file: str, codes: set[str], drained: float
) -> None:
    officer.city("pune", BASE)
    told = 6 if len(codes) > 1 else 3
    officer.run("load", "survey", file, *ROUND, "--findings", "findings.csv")
    found = findings(officer.folder / "findings.csv")
    assert found["value_coded", "members"] + found["value_out_of_range", "members"] == told
    figures = officer.values("pune", "2024", "--counted", "persons")
    assert round(figure(figures, "drainage_any")["value"], 2) == drained
    here = figure(figures, "drainage_any", "K01")
    assert (here["n"], here["n_unknown"]) == (15 - told, told)
    # Nothing is said of fifteen households of which six are not known.
    assert here["reason"] == "too_many_unknown" if told == 6 else here["value"] == 100
    officer.run("suggest", file, "--out", "p.toml")
    assert read_profile(str(officer.folder / "p.toml")).fields["members"].values == dict.fromkeys(codes, "unknown")


@pytest.mark.case("field/12-null-became-zero")
def test_a_blank_that_became_nothing_is_unknown(officer: Officer) -> None:
    figures = officer.figures(BASE, "households.zip", "--mode", "census")
    found = findings(officer.folder / "report" / "findings.csv")
    assert found["value_impossible", "members"] == 4
    assert found["value_impossible", "rooms"] == 2
    crowded = figure(figures, "overcrowded", "K01")
    assert (crowded["n"], crowded["n_unknown"], crowded["reason"]) == (9, 6, "too_many_unknown")


@pytest.mark.case("officer/B4-members-by-age")
def test_members_are_the_sum_of_columns(officer: Officer) -> None:
    officer.run("suggest", "households.csv", "--out", "p.toml")
    figures = officer.figures("settlements.geojson", "households.csv", "--profile", "p.toml", "--mode", "census")
    found = findings(officer.folder / "report" / "findings.csv")
    assert (found["part_missing", "members"], found["members_missing", "members"]) == (1, 2)
    for place, people, basic in (("OR-1", 71, 59.15), ("OR-2", 55, 60.00), ("", 126, 59.52)):
        served = figure(figures, "sanitation_basic", place)
        assert (served["counted"], round(served["value"], 2)) == ("persons", basic)
        assert figure(figures, "density_persons", place)["population"] in (people, pytest.approx(people, abs=12))
    assert figure(figures, "sanitation_basic")["n_unknown"] == 2


RAIL = ("--city", "rail", "--survey", "2025", "--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")
SANITATION = {
    "sanitation_basic": 31.25,
    "sanitation_limited": 15.63,
    "sanitation_improved": 46.88,
    "sanitation_unimproved": 28.13,
    "open_defecation": 25.00,
}


@pytest.mark.case("officer/B4-no-household-size")
def test_without_sizes_households_are_counted_and_it_is_said(officer: Officer) -> None:
    said = "does not say how many live in most of its households"
    done, report = officer.assess("settlements.geojson", "households.csv", "--mode", "census")
    assert done.stderr.count(said) == 1
    officer.city("rail", "settlements.geojson")
    assert officer.run("load", "survey", "households.csv", *RAIL).stderr.count(said) == 1
    for figures in (read_figures(report), officer.values("rail", "2025")):
        for indicator, share in SANITATION.items():
            found = figure(figures, indicator)
            assert (found["counted"], found["value"]) == ("households", pytest.approx(share, abs=0.011)), indicator
            assert "sizes_unknown" in found["flags"].split()
    told = officer.run("values", "--city", "rail", "--survey", "2025", "--level", "city", "--full")
    assert "households are counted, not people" in told.stderr
    # People, where somebody insists on them, cannot be counted.
    insisted = officer.values("rail", "2025", "--counted", "persons")
    assert figure(insisted, "sanitation_basic")["reason"] == "no_members"
    officer.assess("settlements.geojson", "households.csv", "--mode", "census", "--counted", "persons")
    assert figure(read_figures(report), "sanitation_basic")["reason"] == "no_members"


@pytest.mark.case("officer/B3-register-key-not-taken")
def test_a_register_with_outlines_is_both(officer: Officer) -> None:
    officer.run("suggest", "cadastro.csv", "--out", "p.toml")
    assert read_profile(str(officer.folder / "p.toml")).fields["declared_settlement_code"].column == "Código"
    officer.city("ilha", "cadastro.csv", "--profile", "p.toml")
    year = ("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")
    into = ("--city", "ilha", "--survey", "2025", *year, "--unit", "settlement", "--profile", "p.toml")
    assert "5 read, 5 loaded" in officer.run("load", "survey", "cadastro.csv", *into).stdout
    figures = officer.values("ilha", "2025")
    connected = figure(figures, "internet_home")
    assert (round(connected["value"], 2), connected["population"]) == (81.04, 617)
    in_the_open = figure(figures, "open_defecation")
    # A register says nothing of people, so households are counted.
    assert (in_the_open["counted"], round(in_the_open["value"], 2)) == ("households", 12.16)


@pytest.mark.case("field/48-sample-weights-of-zero-and-comma")
def test_weights_with_a_decimal_comma(officer: Officer) -> None:
    """1,25 is 1.25 and never 125, as the file stands and with the proposed profile."""
    officer.run("suggest", "households.csv", "--out", "p.toml")
    for profile in ((), ("--profile", "p.toml")):
        figures = officer.figures(BASE, "households.csv", "--mode", "sample", *profile)
        drained = figure(figures, "drainage_any")
        assert (round(drained["value"], 2), drained["n"]) == (75.49, 48)
