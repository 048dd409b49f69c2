"""The coverage map as a page."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.indicators.figures import ValuesQuery, find_values
from maps import coverage
from service.drawing.coverage import coverage_map
from tests.support.published_city import FORMULA_NAME, SmallCity

PAGE = "/maps/coverage?city=khandesh&survey=2024&indicator="


@pytest.mark.parametrize(
    "asked",
    [
        *("household_toilet", "open_defecation", "density_persons", "community_toilet_use", "internet_home"),
        *("household_toilet&counted=persons", "open_defecation&counted=households", "density_persons&counted=persons"),
    ],
)
def test_the_map_is_a_page_that_may_load_nothing(client: TestClient, asked: str) -> None:
    answer = client.get(PAGE + asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    # Leaflet styles what it draws; of scripts, the page's own alone may run, whatever browser it is.
    assert policy["style-src"] == "'unsafe-inline'"
    assert re.fullmatch(r"('sha256-[A-Za-z0-9+/]{43}=' ?)+", policy["script-src"])
    assert answer.headers["etag"]
    assert "Khandesh" in answer.text
    assert "Round of 2024" in answer.text
    assert "शांती नगर" in answer.text
    assert FORMULA_NAME in answer.text
    assert not re.search(r"""src=["']|<link [^>]*href=["']?http|@import|url\(["']?(?:https?:)?//""", answer.text)


def test_circles_are_households_where_the_figure_counts_persons(
    small_city: SmallCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {}

    def keep(frame: object, *_: object, **__: object) -> str:
        drawn["frame"] = frame
        return ""

    monkeypatch.setattr(coverage, "draw", keep)
    engine = database.create_engine(small_city.url)
    with database.snapshot(engine) as connection:
        coverage_map(connection, "khandesh", "2024", "open_defecation", counted=None, seen="published")
        households = find_values(
            connection, ValuesQuery(surveys=["2024"], indicators=["open_defecation"], counted="households")
        ).figures
        persons = find_values(
            connection, ValuesQuery(surveys=["2024"], indicators=["open_defecation"], counted="persons")
        ).figures
    engine.dispose()
    frame = drawn["frame"]
    assert frame["value"].round(2).tolist()[2:] == persons["value"].round(2).tolist()[2:]  # type: ignore[index]
    assert frame["unserved"].tolist()[2:] == households["unserved"].tolist()[2:]  # type: ignore[index]
    assert households["unserved"].tolist()[2:] != persons["unserved"].tolist()[2:]
    assert json.loads(frame.to_json())["features"]  # type: ignore[attr-defined]


def test_a_draft_is_drawn_for_its_own_people_only(small_city: SmallCity) -> None:
    engine = database.create_engine(small_city.url)
    with database.snapshot(engine) as connection:
        html = coverage_map(connection, "khandesh", "secret-draft", "household_toilet", counted=None, seen="all")
    engine.dispose()
    assert "SECRET-DRAFT" in html
