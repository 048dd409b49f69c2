"""Field cases of whom the API serves in a browser: a dashboard of another site, and a double click in Excel."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.database import service_url
from geo.settings import Settings
from service.app import create_app
from tests.support.officer import YEAR, Officer

ELSEWHERE = {"origin": "https://portal.example.org"}


@pytest.fixture
def asking(officer: Officer) -> Iterator[TestClient]:
    """Asks the API over the officer's database."""
    engine = database.create_engine(service_url(officer.url, None))
    with TestClient(create_app(engine, Settings())) as client:
        yield client
    engine.dispose()


def _publish(officer: Officer, boundaries: Path, households: Path) -> None:
    officer.city("town", boundaries)
    officer.run("load", "survey", households, "--city", "town", "--survey", "2024", *YEAR, "--mode", "census")
    officer.run("publish", "--city", "town", "--survey", "2024")


@pytest.mark.case("field/39-api-csv-in-excel")
def test_39_names_show_rightly_in_excel(officer: Officer, asking: TestClient) -> None:
    officer.city("town", officer.folder / "settlements.geojson")
    told = asking.get("/api/v1/settlements?city=town").json()["settlements"]
    assert any(not row["name"].isascii() for row in told)
    answer = asking.get("/api/v1/settlements?city=town&format=csv&excel=true")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "charset=utf-8" in answer.headers["content-type"]
    assert answer.headers["content-disposition"] == 'attachment; filename="settlements-town.csv"'
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert [row["name"].removeprefix("'") for row in rows] == [row["name"] for row in told]
    plain = asking.get("/api/v1/settlements?city=town&format=csv")
    assert plain.content == answer.content.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.case("field/40-dashboard-on-another-host")
def test_40_a_page_of_another_site_reads_figures(officer: Officer, asking: TestClient) -> None:
    here = officer.folder.parent
    _publish(officer, here / "_base_boundaries.geojson", here / "_base_households.csv")
    address = "/api/v1/values?city=town&survey=2024&format=geojson"
    answer = asking.get(address, headers=ELSEWHERE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    assert answer.json()["numberMatched"] == len(answer.json()["features"]) > 0
    again = asking.get(address, headers=ELSEWHERE | {"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, "*")
    beforehand = {"access-control-request-method": "GET", "access-control-request-headers": "if-none-match"}
    allowed = asking.options(address, headers=ELSEWHERE | beforehand)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "if-none-match" in allowed.headers["access-control-allow-headers"].lower()
    for private in ("/api/v1/own/surveys", f"{address}&access=full", "/surveys"):
        assert "access-control-allow-origin" not in asking.get(private, headers=ELSEWHERE).headers
