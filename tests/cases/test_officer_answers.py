"""Answers that are understood without being asked, on the page and by the API, as an officer's file has them."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from fastapi.testclient import TestClient

from tests.support import factories as f
from tests.support.browsing import cookie, token
from tests.support.office import Office, client, office, settings
from tests.support.office import officer as header
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "header", "office", "settings"]

COMMUNAL = "Communal toilet of the compound"


def _city(case_files: Path) -> str:
    """The city of a case, in the database that the tests of this module share."""
    return case_files.name.lower()


@pytest.fixture
def office_of_case(client: TestClient, two: TwoOrganisations, settings: Any, case_files: Path) -> Office:
    """North's data officer, with the case's city and a round of it."""
    contributor = {"authorization": f"Bearer {two.token('contributor')}"}
    with two.owner.begin() as connection:
        f.load_city(connection, case_files, gpd.read_file(case_files / "settlements.geojson"), slug=_city(case_files))
    new = {
        "city": _city(case_files),
        "slug": "round",
        "starts_on": "2024-01-01",
        "ends_on": "2024-12-31",
        "mode": "census",
    }
    assert client.post("/api/v1/own/surveys", headers=contributor, json=new).status_code == 201
    return Office(client, contributor, two, settings)


def _figure(upload: dict[str, Any], indicator: str) -> float:
    return next(float(each["after"]) for each in upload["preview"]["figures"] if each["indicator"] == indicator)


def _answers(upload: dict[str, Any]) -> dict[str, tuple[Any, str, int]]:
    return {each["text"]: (each["means"], each["confidence"], each["rows"]) for each in upload["read_as"]["answers"]}


@pytest.mark.case("officer/A4-answers-not-shown")
def test_a_guessed_answer_is_shown_and_changed(
    office_of_case: Office, client: TestClient, two: TwoOrganisations, case_files: Path
) -> None:
    office = office_of_case
    sent = office.sent(case_files / "households.csv", "round", city=_city(case_files))
    told = office.decided(sent["id"], "recheck", columns={"Arrangement": "toilet_users"})
    matched = {each["field"]: each for each in told["understood"]["matched"]}["toilet_users"]
    assert matched["confidence"] == "likely"
    assert COMMUNAL in matched["why"]
    assert _answers(told) == {
        COMMUNAL: ("community", "likely", 20),
        "Only our household": ("own", "sure", 10),
        "Public": ("public", "sure", 2),
    }
    who = cookie(two, "contributor")
    page = unescape(client.get(f"/uploads/{told['id']}", headers=who).text)
    for answer in (COMMUNAL, "Only our household", "Public"):
        assert f"<bdi>{answer}</bdi>" in page
    row = next(line for line in page.split("<tr>") if COMMUNAL in line and 'name="means"' in line)
    assert "look at it" in row
    assert re.search(r'value="community" selected', row)

    form = {"field": "toilet_users", "text": COMMUNAL, "means": "shared", "was": "community", "kind": "guessed"}
    said = client.post(
        f"/uploads/{told['id']}/answers", headers=who, data=token(two, "contributor") | form, follow_redirects=False
    )
    assert said.status_code == 303
    office.work()
    changed = office.look(told["id"])
    assert changed["choices"]["answers"] == {"toilet_users": {COMMUNAL: "shared"}}
    assert _answers(changed)[COMMUNAL] == ("shared", "sure", 20)
    assert {e["field"]: e["confidence"] for e in changed["understood"]["matched"]}["toilet_users"] == "sure"
    assert _figure(changed, "community_toilet_use") == pytest.approx(6.25)
    # What was looked at is known the next time.
    office.decided(told["id"], "accept")
    rows = (case_files / "households.csv").read_text(encoding="utf-8").replace("\nN", "\nM")
    (case_files / "again.csv").write_text(rows, encoding="utf-8")
    again = office.sent(case_files / "again.csv", "round", city=_city(case_files))
    assert _answers(again)[COMMUNAL] == ("shared", "sure", 20)


@pytest.mark.case("officer/A5-flush-destination-column")
def test_a_second_column_is_read_with_its_question_until_somebody_says_otherwise(
    office_of_case: Office, client: TestClient, two: TwoOrganisations, case_files: Path
) -> None:
    office = office_of_case
    told = office.sent(case_files / "households.csv", "round", city=_city(case_files))
    column = "If flushed: where does the waste run to"
    assert _figure(told, "sanitation_unimproved") == pytest.approx(33.33, abs=0.005)
    taken = {(each["is_detail"], each["text"]): each for each in told["read_as"]["answers"]}
    assert taken[True, "Gutter or creek"]["means"] == "flush_open"
    assert taken[True, "Gutter or creek"]["confidence"] == "likely"
    assert taken[False, "Pour flush"]["confidence"] == "likely"
    page = unescape(client.get(f"/uploads/{told['id']}", headers=cookie(two, "contributor")).text)
    assert f"told in <bdi>{column}</bdi>" in page
    assert re.search(rf'name="column" value="{column}"><input type="hidden" name="was" value="detail"', page)

    details = {"toilet_type": {"Gutter or creek": "flush_septic"}}
    changed = office.decided(told["id"], "recheck", details=details)
    assert _figure(changed, "sanitation_unimproved") == 0
    apart = office.decided(told["id"], "recheck", columns={column: ""})
    assert _figure(apart, "sanitation_unimproved") == 0
    assert not any(each["is_detail"] for each in apart["read_as"]["answers"])
    assert "when" not in apart["choices"]["profile"]
    together = office.decided(told["id"], "recheck", columns={column: "detail"})
    assert _figure(together, "sanitation_unimproved") == pytest.approx(33.33, abs=0.005)
    office.decided(told["id"], "accept")
    again = (case_files / "households.csv").read_text(encoding="utf-8").replace("\n1", "\n2")
    (case_files / "again.csv").write_text(again, encoding="utf-8")
    remembered = office.sent(case_files / "again.csv", "round", city=_city(case_files))
    assert remembered["understood"]["is_remembered"]
    assert "[[fields.toilet_type.when]]" in remembered["choices"]["profile"]
