"""What an officer's answers and rounds are worth: nothing is taken for granted, and nothing lost without a word."""

import pandas as pd
import pytest

from tests.cases.officer import YEAR, Officer, figure, read_figures

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
