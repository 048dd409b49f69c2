"""Settlements of 9, 10 and 11 households, on every public path: nothing tells, or gives away, the first.

The attacker asks for everything there is, in every form, and knows the published counts exactly, which they are not.
"""

import csv
import io
import json
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from geo.indicators.definitions import catalogue
from geo.indicators.figures.changes import COLUMNS as CHANGES
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure.audit import Text, audit
from geo.indicators.figures.gaps import COLUMNS as GAPS
from geo.indicators.tallies.store import group_fields
from tests.support.exact_sums import Equation, ranges
from tests.support.published_city import HOUSEHOLDS, WARDS

LEVELS = ("settlement", "ward", "city")
FORMS = ("json", "csv", "geojson")
SURVEYS = ("2019", "2024")
SECRET = {"protected"}
HIDDEN = {
    *NUMBERS,
    *{"from_value", "to_value", "change", "p_value", "n_before", "n_pairs"},
    *{"rank_unserved", "rank_coverage", "to_target", "gi_z", "gi_p", "hot_spot", "slope_per_year", "fitted"},
}
"""Every column of any list that says something about households."""


def rows_of(client: TestClient, address: str, form: str) -> list[dict[str, Any]]:
    """The rows of an answer, whatever its form; what is empty in CSV is None."""
    answer = client.get(f"{address}&format={form}")
    assert answer.status_code == 200, answer.text
    if form == "csv":
        header, *lines = csv.reader(io.StringIO(answer.text, newline=""))
        return [{name: cell or None for name, cell in zip(header, line, strict=True)} for line in lines]
    body = answer.json()
    if form == "geojson":
        return [feature["properties"] for feature in body["features"]]
    rows: list[dict[str, Any]] = next(value for value in body.values() if isinstance(value, list))
    return rows


def all_lists() -> list[tuple[str, str]]:
    """Every list of figures there is, in every form it comes in."""
    values = [f"/api/v1/values?level={level}&counted={c}" for level in LEVELS for c in ("households", "persons")]
    values += [f"/api/v1/values?level={level}&limit=10000" for level in LEVELS]
    values += [
        f"/api/v1/values?survey={survey}&indicator=household_toilet&indicator=tenure_documented&by={by}&level={level}"
        for survey in SURVEYS
        for by in group_fields()
        for level in LEVELS
    ]
    changes = [
        f"/api/v1/changes?city=khandesh&from={a}&to={b}&level={level}&allow_break=true"
        for a, b in (SURVEYS, SURVEYS[::-1])
        for level in LEVELS
    ]
    gaps = [
        f"/api/v1/gaps?city=khandesh&indicator={indicator}&level={level}&target=80"
        for indicator in ("household_toilet", "open_defecation", "tenure_documented")
        for level in LEVELS[:2]
    ]
    trends = [f"/api/v1/trends?city=khandesh&level={level}&allow_break=true" for level in LEVELS]
    return [
        *((address, form) for address in values for form in FORMS),
        *((address, form) for address in gaps for form in FORMS),
        *((address, form) for address in (*changes, *trends) for form in FORMS[:2]),
    ]


@pytest.mark.parametrize(("address", "form"), all_lists())
def test_a_withheld_figure_holds_no_number_on_any_path(client: TestClient, address: str, form: str) -> None:
    rows = rows_of(client, address, form)
    assert rows
    withheld = [row for row in rows if row["status"] == "withheld"]
    said_anyway = {"n", "n_unknown"}
    for row in withheld:
        shown = {name for name in HIDDEN & row.keys() if row[name] is not None}
        # How many do not answer is said of a figure that is withheld for that.
        assert shown <= (said_anyway if row["reason"] in ("too_many_unknown", "fewer_than_25") else set())
        assert row["reason"]
        assert row["reason_text"]
    nine = [row for row in withheld if row.get("settlement_code") == "S01"]
    assert bool(nine) == ("level=settlement" in address)


def test_what_is_withheld_is_known_of_every_column(client: TestClient) -> None:
    """A new number in a list must be held here too."""
    names = {*CHANGES, *GAPS} - {"city", "from_survey", "to_survey", "survey", "level", "indicator", "unit", "target"}
    words = {name for name in names if name.endswith(("_code", "_name", "_reason")) or name.startswith("group")}
    words |= {name for name in names if name.endswith("s_on")}  # the days of a round
    words |= {"definition_version", "counted", "direction", "method", "flags", "status", "reason", "rounded_to"}
    assert names - words <= HIDDEN


def test_the_same_is_withheld_in_every_form(client: TestClient) -> None:
    for level in LEVELS:
        address = f"/api/v1/values?level={level}&limit=10000"
        by_form = [
            [(row["indicator"], row["settlement_code"], row["status"]) for row in rows_of(client, address, form)]
            for form in FORMS
        ]
        assert by_form[0] == by_form[1] == by_form[2]


def test_no_filter_changes_what_is_withheld(client: TestClient) -> None:
    """Two queries, one less the other: a settlement alone, with others, and among all."""
    everything = rows_of(client, "/api/v1/values?survey=2024&indicator=household_toilet", "json")
    for row in everything:
        (alone,) = rows_of(
            client,
            f"/api/v1/values?survey=2024&indicator=household_toilet&settlement={row['settlement_code']}",
            "json",
        )
        assert alone == row
    page, rows = "/api/v1/values?survey=2024&indicator=household_toilet&limit=1", []
    while page:
        body = client.get(page).json()
        rows += body["values"]
        page = next((link["href"] for link in body["links"] if link["rel"] == "next"), "")
    assert rows == everything


@pytest.mark.parametrize("survey", SURVEYS)
@pytest.mark.parametrize("indicator", ["household_toilet", "drainage_any", "tenure_documented", "sanitation_basic"])
def test_parents_less_children_leave_ten_households_of_room(client: TestClient, survey: str, indicator: str) -> None:
    """Each published ward and city less its published settlements, of every rung of the ladder."""
    codes = list(HOUSEHOLDS)
    ladder = catalogue()[indicator].ladder
    family = [i for i, d in catalogue().items() if i == indicator or (ladder and d.ladder == ladder)]
    patterns = []
    for each in family:
        equations: list[Equation] = []
        hidden: list[list[int]] = []
        for level in LEVELS:
            for row in rows_of(client, f"/api/v1/values?survey={survey}&indicator={each}&level={level}", "json"):
                members = {
                    "settlement": [codes.index(row["settlement_code"])] if row["settlement_code"] else [],
                    "ward": [i for i, code in enumerate(codes) if WARDS[code] == row["ward_code"]],
                    "city": list(range(len(codes))),
                }[level]
                households = sum(HOUSEHOLDS[codes[i]] for i in members)
                if row["reason"] in SECRET:
                    hidden.append(members)
                else:
                    equations.append((members, float(households)))
        assert [0] in hidden
        assert all(room >= 10 for room in ranges(equations, hidden, len(codes)))
        patterns.append(sorted(hidden))
    # Three rungs tell the fourth: all are withheld in the same places.
    assert all(pattern == patterns[0] for pattern in patterns)


@pytest.mark.parametrize("survey", SURVEYS)
def test_nothing_can_be_learnt_from_all_that_is_published_of_a_round(client: TestClient, survey: str) -> None:
    """Every indicator, at both levels that are counted, of settlements, wards and the city, held against each other."""
    rows = [
        row
        for level in LEVELS
        for counted in ("households", "persons")
        for row in rows_of(
            client, f"/api/v1/values?survey={survey}&level={level}&counted={counted}&limit=10000", "json"
        )
    ]
    assert {row["reason"] for row in rows} >= SECRET
    assert audit(Text(pd.DataFrame(rows)), WARDS, catalogue().values()) == []


def test_two_rounds_tell_no_more_than_each(client: TestClient) -> None:
    """What is withheld in either round has no change, and a change is the difference of what is published."""
    rows = rows_of(client, "/api/v1/changes?city=khandesh&from=2019&to=2024&indicator=household_toilet", "json")
    for row in rows:
        published = [
            rows_of(
                client,
                f"/api/v1/values?survey={survey}&indicator=household_toilet&settlement={row['settlement_code']}",
                "json",
            )[0]
            for survey in SURVEYS
        ]
        if "withheld" in {figure["status"] for figure in published}:
            assert row["status"] == "withheld"
        else:
            assert row["change"] == published[1]["value"] - published[0]["value"]


def test_no_count_of_uploads_or_errors_is_exact(client: TestClient) -> None:
    surveys = client.get("/api/v1/surveys").json()["surveys"]
    assert {survey["rows_loaded"] for survey in surveys} == {95}
    # One file a settlement is usual: its rows would be the households of one that is withheld.
    assert all(set(upload) == {"id", "uploaded_at"} for survey in surveys for upload in survey["uploads"])
    refused = client.get("/api/v1/values?settlement=S99&indicator=nothing&by=height").text
    assert "97" not in refused
    assert "households" not in json.loads(refused)["detail"].lower().split("choose from")[0]


@pytest.mark.parametrize("indicator", ["household_toilet", "open_defecation", "density_persons", "tenure_documented"])
def test_the_map_holds_nothing_of_a_withheld_settlement(client: TestClient, indicator: str) -> None:
    """Popups, tooltips, circles and the table, as the page's own data."""
    html = client.get(f"/maps/coverage?city=khandesh&survey=2024&indicator={indicator}").text
    shown = rows_of(client, f"/api/v1/values?survey=2024&indicator={indicator}", "json")
    withheld = [row["settlement_name"] for row in shown if row["status"] == "withheld"]
    assert "Indira Nagar" in withheld
    start = html.index('"settlements":')
    features = json.JSONDecoder().raw_decode(html[start + len('"settlements":') :].lstrip())[0]
    drawn = {feature["properties"]["name"]: feature["properties"] for feature in features}
    for name in withheld:
        text = drawn[name]["popup"] + drawn[name]["tooltip"]
        assert "%" not in text.replace("95 %", "")
        assert "answered" not in text
