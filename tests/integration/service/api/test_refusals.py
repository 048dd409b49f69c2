"""What the API refuses, and how it says so."""

import base64
import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.messages import Message
from geo.settings import Settings
from service.app import create_app
from service.http.bodies import Problem

GOOD_CHANGES = "/api/v1/changes?city=khandesh&from=2019&to=2024"
GOOD_GAPS = "/api/v1/gaps?city=khandesh&indicator=household_toilet"
GOOD_TRENDS = "/api/v1/trends?city=khandesh"


def _cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _refused(client: TestClient, address: str) -> dict[str, str]:
    answer = client.get(address)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "etag" not in answer.headers
    assert "public" not in answer.headers["cache-control"]
    Problem.model_validate_json(answer.content)
    body = answer.json()
    assert (body["status"], body["title"], body["instance"]) == (400, "Bad Request", address.partition("?")[0])
    # The words can be made again of what is sent with them.
    assert (body["code"], body["params"]["names"]) == (
        "parameters_invalid",
        [p["name"] for p in body["invalid_params"]],
    )
    for one in body["invalid_params"]:
        assert Message.of_json(one["code"], one["params"]).say("api") == one["reason"]
    return {one["name"]: one["reason"] for one in body["invalid_params"]}


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/api/v1/cities", "/api/v1/settlements", "/api/v1/surveys", "/api/v1/indicators"),
        *("/api/v1/values", GOOD_CHANGES, GOOD_GAPS, GOOD_TRENDS),
        "/maps/coverage?city=khandesh&survey=2024&indicator=household_toilet",
    ],
)
def test_an_unknown_parameter_is_refused_with_the_known_ones(client: TestClient, path: str) -> None:
    reason = _refused(client, f"{path}{'&' if '?' in path else '?'}indicatr=household_toilet")["indicatr"]
    assert reason.startswith("is not a parameter; this address takes ")
    if path == "/api/v1/values":
        assert "indicator" in reason


@pytest.mark.parametrize(
    ("address", "name", "reason"),
    [
        ("/api/v1/values?limit=0", "limit", "must be at least 1"),
        ("/api/v1/values?limit=-5", "limit", "must be at least 1"),
        ("/api/v1/values?limit=ten", "limit", "must be a whole number"),
        ("/api/v1/values?limit=", "limit", "must be a whole number"),
        ("/api/v1/values?limit=1&limit=2", "limit", "is given more than once"),
        ("/api/v1/values?format=xml", "format", "must be 'json', 'csv' or 'geojson'"),
        (f"{GOOD_CHANGES}&format=geojson", "format", "must be 'json' or 'csv'"),
        ("/api/v1/values?level=street", "level", "must be 'settlement', 'ward' or 'city'"),
        ("/api/v1/values?counted=dogs", "counted", "must be 'households' or 'persons'"),
        ("/api/v1/values?hxl=perhaps", "hxl", "must be true or false"),
        ("/api/v1/values?city=atlantis", "city", "'atlantis' is not known; choose from khandesh"),
        ("/api/v1/values?city=", "city", "'' is not known; choose from khandesh"),
        ("/api/v1/values?survey=1999", "survey", "'1999' is not known; choose from 2019, 2024"),
        ("/api/v1/values?settlement=S99", "settlement", "choose from S01, S02, S03, S04, S05, S06"),
        ("/api/v1/values?indicator=happiness", "indicator", "is not an indicator; choose from community_toilet_use"),
        ("/api/v1/values?level=city&settlement=S02&settlement=S03", "settlement", "goes with level settlement only"),
        (f"{GOOD_CHANGES}&level=ward&settlement=S02", "settlement", "figures by ward are of all settlements"),
        ("/api/v1/settlements?ward=Z", "ward", "'Z' is not known; choose from A, B"),
        ("/api/v1/settlements?code=S99", "code", "choose from S01"),
        ("/api/v1/surveys?city=atlantis", "city", "choose from khandesh"),
        ("/api/v1/changes?city=khandesh", "from", "is required"),
        ("/api/v1/changes?city=khandesh&from=2019&to=2025", "to", "'2025' is not known; choose from 2019, 2024"),
        ("/api/v1/changes?city=khandesh&from=2025&to=2019", "from", "'2025' is not known; choose from 2019, 2024"),
        ("/api/v1/changes?city=khandesh&from=2019&to=2019", "to", "names the same round as from; choose two rounds"),
        ("/api/v1/changes?city=khandesh&city=khandesh&from=2019&to=2024", "city", "is given more than once"),
        ("/api/v1/changes?city=atlantis&from=2019&to=2024", "city", "choose from khandesh"),
        ("/api/v1/gaps?city=khandesh", "indicator", "is required"),
        ("/api/v1/gaps?indicator=household_toilet", "city", "is required"),
        ("/api/v1/gaps?city=atlantis&indicator=household_toilet", "city", "choose from khandesh"),
        (
            "/api/v1/gaps?city=khandesh&indicator=happiness",
            "indicator",
            "is not an indicator; choose from drainage_any",
        ),
        ("/api/v1/gaps?city=khandesh&indicator=density_persons", "indicator", "choose from drainage_any"),
        (f"{GOOD_GAPS}&survey=1999", "survey", "'1999' is not known; choose from 2019, 2024"),
        (f"{GOOD_GAPS}&level=city", "level", "must be 'settlement' or 'ward'"),
        (f"{GOOD_GAPS}&counted=dogs", "counted", "must be 'households' or 'persons'"),
        (f"{GOOD_GAPS}&target=-1", "target", "must be at least 0"),
        (f"{GOOD_GAPS}&target=100.1", "target", "must be at most 100"),
        (f"{GOOD_GAPS}&target=most", "target", "must be a number"),
        (f"{GOOD_GAPS}&target=", "target", "must be a number"),
        (f"{GOOD_GAPS}&target=nan", "target", "must be a number"),
        (f"{GOOD_GAPS}&target=inf", "target", "must be a number"),
        (f"{GOOD_GAPS}&cursor=abc", "cursor", "is not a cursor this list gave"),
        ("/api/v1/trends?indicator=household_toilet", "city", "is required"),
        (f"{GOOD_TRENDS}&indicator=density_persons", "indicator", "it is no share; choose from community_toilet_use"),
        (f"{GOOD_TRENDS}&level=ward&settlement=S02", "settlement", "figures by ward are of all settlements"),
        (f"{GOOD_TRENDS}&format=geojson", "format", "must be 'json' or 'csv'"),
        (f"{GOOD_TRENDS}&cursor=abc", "cursor", "is not a cursor this list gave"),
        ("/maps/coverage?survey=2024&indicator=household_toilet", "city", "is required"),
        ("/maps/coverage?city=khandesh&survey=1999&indicator=household_toilet", "survey", "choose from 2019, 2024"),
        ("/maps/coverage?city=khandesh&survey=2024&indicator=happiness", "indicator", "choose from"),
        (
            "/maps/coverage?city=khandesh&survey=2024&indicator=density_persons&counted=households",
            "counted",
            "density_persons does not count households; choose persons",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(client: TestClient, address: str, name: str, reason: str) -> None:
    assert reason in _refused(client, address)[name]


@pytest.mark.parametrize(
    "cursor",
    [
        *("abc", "%00", "é", "%ED%A0%80", "=" * 7, quote("[" * 1_300), "A" * 5),
        _cursor("khandesh", "no date", "2024", "household_toilet", "S01"),
        _cursor("khandesh", "2024-01-01", "2024", "household_toilet"),
        _cursor("khandesh", "2024-01-01", "2024", "household_toilet", "S01", "", "S02"),
        _cursor("khandesh", "2024-01-01", "2024", "household_toilet", "S01", "\0"),
        _cursor("khandesh", "2024-01-01", "2024", "household_toilet", "S01", "\ud800"),
        _cursor("khandesh", 5, "2024", "household_toilet", None, ""),
        base64.urlsafe_b64encode(b"[" * 2_900).decode(),
        base64.urlsafe_b64encode(b'"khandesh"').decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_forged_cursor_is_refused(client: TestClient, cursor: str) -> None:
    assert set(_refused(client, f"/api/v1/values?cursor={cursor}")) == {"cursor"}


@pytest.mark.parametrize("name", ["city", "survey", "indicator", "settlement"])
@pytest.mark.parametrize("value", ["%00", "x%00", "'; DROP TABLE tally; --", "%ED%A0%80", "%F0%9F%8F%9A", "x" * 5_000])
def test_odd_text_in_a_filter_is_refused(client: TestClient, name: str, value: str) -> None:
    assert set(_refused(client, f"/api/v1/values?{name}={value}")) == {name}


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/values/", "/api/v1/household", "/api/v2/values", "/%00"])
def test_an_address_where_nothing_is_answers_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert (answer.json()["code"], answer.json()["params"]) == ("address_unknown", {})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_answers_405(client: TestClient, method: str) -> None:
    answer = client.request(method, "/api/v1/values")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert "GET" in answer.headers["allow"]


def test_a_fault_answers_a_number_and_nothing_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Mrs. Secret"

    def fail(*_: object) -> Iterator[None]:
        raise RuntimeError(f"the household of {secret}")

    monkeypatch.setattr("service.api.places.cities.find_cities", fail)
    with caplog.at_level(logging.ERROR, "vasti"):
        answer = client.get("/api/v1/cities?limit=77")
    assert answer.status_code == 500
    body = answer.json()
    mark = body["instance"].removeprefix("urn:uuid:")
    assert mark in body["detail"]
    assert secret not in answer.text
    (line,) = (record.facts for record in caplog.records if hasattr(record, "facts") and record.message == "fault")
    assert line["id"] == mark
    assert "RuntimeError" in line["where"][0]
    assert "in cities" in line["where"][0]
    assert secret not in str(line)


def test_a_database_that_is_away_answers_503() -> None:
    engine = database.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with TestClient(create_app(engine, Settings())) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/api/v1/cities", "/api/v1/values?city=khandesh"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            assert "127.0.0.1" not in answer.text
    engine.dispose()


def test_a_database_without_tables_is_not_ready(database_url: str) -> None:
    engine = database.create_engine(database_url)
    with TestClient(create_app(engine, Settings())) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/api/v1/cities").status_code == 503
    engine.dispose()


def test_logs_hold_no_parameter_values(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "vasti"):
        client.get("/api/v1/values?settlement=secret-answer")
    facts = [record.facts for record in caplog.records if hasattr(record, "facts")]
    assert {"parameters": ["settlement"], "status": 400}.items() <= facts[-1].items()
    assert "secret-answer" not in str(facts)
