"""Columns about persons in an officer's file: named once, not kept, and removable where they were."""

from pathlib import Path

import pytest

from tests.support.officer import Officer, figure

PERSONAL = (
    *("Sender IP", "Mobile no. of respondent", "Interviewer name", "Name of head", "National ID number", "E-mail"),
    *("deviceid", "How to find the house"),
)
VALUES = ("192.0.2", "555 0100", "Ara Made-Up", "Dana Example", "70000", "example.org", "dev-1000", "blue door")
ROUND = ("--city", "blue", "--survey", "2025")


def _load(officer: Officer, *arguments: object) -> str:
    officer.city("blue", "settlements.geojson")
    dates = ("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")
    return officer.run("load", "survey", "households.csv", *ROUND, *dates, *arguments).stderr


def _stored(officer: Officer) -> str:
    asked = "select string_agg(coalesce(extra::text, ''), ' ' order by household_code) from household"
    return officer.run("db", "psql", "-t", "-c", asked).stdout


@pytest.mark.case("officer/B10-personal-columns")
def test_what_is_about_persons_is_named_and_not_kept(officer: Officer, tmp_path: Path) -> None:
    suggested = officer.run("suggest", "households.csv")
    told = _load(officer)
    for column in PERSONAL:
        assert column in suggested.stdout
        assert column in suggested.stderr
        assert column in told
    assert told.count("seem to be about persons") == 1
    stored = _stored(officer)
    for text in (*PERSONAL, *VALUES):
        assert text not in stored
    for text in VALUES:
        assert text not in suggested.stdout + suggested.stderr + told
    assert figure(officer.values("blue", "2025"), "electricity_access")["value"] == pytest.approx(65.82, abs=0.005)
    assert "h1" in officer.run("db", "psql", "-t", "-c", "select household_code from household").stdout


@pytest.mark.case("officer/B10-personal-columns")
def test_what_was_kept_can_be_removed(officer: Officer) -> None:
    _load(officer, "--keep", "E-mail", "--keep", "deviceid", "--leave-out", "Sender IP")
    stored = _stored(officer)
    assert ("example.org" in stored, "dev-1000" in stored, "555 0100" in stored) == (True, True, False)
    listed = officer.run("survey", "columns", *ROUND).stdout
    assert "E-mail" in listed
    assert "e-mail address" in listed
    before = officer.values("blue", "2025")
    removed = officer.run("survey", "remove-column", "E-mail", *ROUND).stdout
    assert "18 rows" in removed
    assert "households.csv" in removed
    assert "still hold" in removed
    stored = _stored(officer)
    assert ("example.org" in stored, "dev-1000" in stored) == (False, True)
    assert officer.values("blue", "2025").equals(before)
    noted = officer.run("audit").stdout
    assert "column removed" in noted
    again = officer.run("survey", "remove-column", "E-mail", *ROUND, code=3).stderr
    assert "deviceid" in again
