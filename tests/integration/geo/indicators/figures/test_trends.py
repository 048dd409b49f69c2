"""Trends: lines by hand through rounds of known dates; what breaks them, and what is left out."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, insert, text

from geo.base import PageRequest
from geo.database.schema.places import organisation
from geo.database.schema.tallies import own_indicator
from geo.errors import InvalidParameters
from geo.indicators.figures import TrendsQuery, find_trends
from geo.indicators.figures.trends import COLUMNS
from geo.surveys import SurveySpec
from tests.support import factories as f
from tests.support.factories import redrawn

QUERY = TrendsQuery("pune", ["drainage_any"], seen="all", page=PageRequest(limit=None))
EACH = 12
YEARS = ("2016", "2020", "2024")

DRAINED: Mapping[str, tuple[int, ...]] = {
    "2016": (3, 0, 6, 3),
    "2020": (6, 9, 6, 3),
    "2024": (11, 12, 7, 11),
}
"""How many of twelve households have a drain, by round and settlement."""


def spec(year: str, **changes: Any) -> SurveySpec:
    """A round from January to June, whose middle is the last of March."""
    days = {"starts_on": date(int(year), 1, 1), "ends_on": date(int(year), 6, 30)}
    return f.spec(year, **days | changes)


def surveyed(drained: tuple[int, ...], each: int = EACH) -> list[dict[str, Any]]:
    return [
        f.household(100 * s + i, s, drainage="open" if i < n else "none")
        for s, n in enumerate(drained)
        for i in range(each)
    ]


def trends(connection: Connection, **changes: Any) -> pd.DataFrame:
    return find_trends(connection, replace(QUERY, **changes)).figures


@pytest.fixture
def empty_city(connection: Connection, tmp_path: Path) -> Connection:
    """Four settlements in two wards: the first and third, the second and fourth."""
    f.load_city(connection, tmp_path, f.small_city())
    return connection


@pytest.fixture
def city(empty_city: Connection, tmp_path: Path) -> Connection:
    """Three rounds, four years apart to the day."""
    for year in YEARS:
        f.load(empty_city, tmp_path, surveyed(DRAINED[year]), survey=spec(year))
    return empty_city


def test_trends_by_hand(city: Connection) -> None:
    """Middles are 1461 days apart, which is four years of 365.25 days: the slope is (last - first) / 8.

    25, 50, 92 %: 8.375 a year, and 55.67 + 33.5 at the end. 0, 75, 100: 12.5, and 58.33 + 50 is held to 100.
    50, 50, 58: 1, and 52.67 + 4. 25, 25, 92: 8.375, and 47.33 + 33.5.
    """
    found = trends(city)
    assert tuple(found.columns) == COLUMNS
    assert found["settlement_code"].tolist() == [f.code(s) for s in range(4)]
    assert found["slope_per_year"].tolist() == [8.4, 12.5, 1, 8.4]
    assert found["fitted"].tolist() == [89.2, 100, 56.7, 80.8]
    assert set(found["last_survey"]) == {"2024"}
    assert list(found["rounds"].iloc[3]) == [
        {
            "survey": year,
            "on": f"{year}-03-31",
            "starts_on": f"{year}-01-01",
            "ends_on": f"{year}-06-30",
            "value": value,
        }
        for year, value in (("2016", 25.0), ("2020", 25.0), ("2024", 92.0))
    ]
    assert set(zip(found["starts_on"], found["ends_on"], strict=True)) == {("2016-01-01", "2024-06-30")}
    assert set(found["indicator_name"]) == {"Households with drainage"}
    assert set(found["status"]) == {"published"}
    assert found["flags"].tolist() == [()] * 4


def test_trends_in_full_are_finer(city: Connection) -> None:
    found = trends(city, access="full")
    assert found["slope_per_year"].tolist() == [8.33, 12.5, 1.04, 8.33]
    assert found["fitted"].tolist() == [88.89, 100, 56.94, 80.56]


@pytest.mark.parametrize(
    ("level", "values"),
    [
        # Of 24 households: 9, 12, 18 and 3, 12, 23, shown as whole per cent. Of 48: 12, 24, 41.
        ("ward", [(38, 50, 75), (12, 50, 96)]),
        ("city", [(25, 50, 85)]),
    ],
)
def test_trends_of_wards_and_cities(city: Connection, level: Any, values: list[tuple[int, ...]]) -> None:
    found = trends(city, level=level)
    assert [tuple(one["value"] for one in rounds) for rounds in found["rounds"]] == values
    assert found["slope_per_year"].tolist() == [round((v[2] - v[0]) / 8, 1) for v in values]


def test_trends_of_all_shares_come_in_pages(city: Connection) -> None:
    whole = find_trends(city, replace(QUERY, indicators=()))
    assert whole.total == len(whole.figures) == 4 * whole.figures["indicator"].nunique()
    assert {"drainage_any", "community_toilet_use"} < set(whole.figures["indicator"])
    assert "density_persons" not in set(whole.figures["indicator"])
    pages, cursor = [], None
    while True:
        page = find_trends(city, replace(QUERY, indicators=(), page=PageRequest(7, cursor)))
        pages.append(page.figures)
        cursor = page.next_cursor
        if cursor is None:
            break
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), whole.figures, check_dtype=False)


def test_trends_of_chosen_settlements(city: Connection) -> None:
    found = find_trends(city, replace(QUERY, settlements=[f.code(3), f.code(1)]))
    assert found.total == 2
    assert found.figures["slope_per_year"].tolist() == [12.5, 8.4]


def test_trends_need_three_rounds(empty_city: Connection, tmp_path: Path) -> None:
    for year in YEARS[:2]:
        f.load(empty_city, tmp_path, surveyed(DRAINED[year]), survey=spec(year))
    found = trends(empty_city)
    assert set(found["reason"]) == {"fewer_than_3_rounds"}
    assert set(found["status"]) == {"withheld"}
    assert found[["slope_per_year", "fitted", "last_survey"]].isna().all().all()
    assert found["rounds"].tolist() == [()] * 4
    # A third at the same time as one of them says nothing of time.
    f.load(empty_city, tmp_path, surveyed(DRAINED["2024"]), survey=replace(spec("2020"), slug="again"))
    assert set(trends(empty_city)["reason"]) == {"fewer_than_3_rounds"}


@pytest.mark.parametrize(("first", "status"), [(9, "withheld"), (10, "published"), (11, "published")])
def test_trends_leave_out_what_is_withheld(city: Connection, tmp_path: Path, first: int, status: str) -> None:
    """A fourth round with 9 households in one settlement: it is left out there, and where it could be worked out."""
    rows = [
        row for row in surveyed((0, 0, 0, 0)) if row["household_code"] not in {f"H{i:04}" for i in range(first, 12)}
    ]
    f.load(city, tmp_path, rows, survey=spec("2022"))
    used = [[one["survey"] for one in rounds] for rounds in trends(city)["rounds"]]
    all_four = ["2016", "2020", "2022", "2024"]
    assert used == ([list(YEARS), all_four, list(YEARS), all_four] if status == "withheld" else [all_four] * 4)
    city.execute(text("DELETE FROM tally USING survey WHERE survey.id = survey_id AND slug = '2016'"))
    reasons = trends(city)["reason"]
    assert pd.isna(reasons[1])
    assert reasons[0] == ("fewer_than_3_rounds" if status == "withheld" else None)


def broken(found: pd.DataFrame) -> dict[str, Any]:
    """The reasons by settlement; what is marked where there is none."""
    names = zip(found["settlement_code"], found["reason"], found["flags"], strict=True)
    return {code: reason if reason is not None and not pd.isna(reason) else flags for code, reason, flags in names}


def test_trends_refused_where_the_definition_changed(empty_city: Connection, tmp_path: Path) -> None:
    for year in YEARS[:2]:
        f.load(empty_city, tmp_path, surveyed(DRAINED[year]), survey=spec(year))
    # The last round is counted by a version the others have not been counted by yet.
    owner = empty_city.execute(
        insert(organisation).values(slug="o", name="O").returning(organisation.c.id)
    ).scalar_one()
    document = files("data").joinpath("catalogue/indicators/drainage_any.toml").read_text(encoding="utf-8")
    empty_city.execute(
        insert(own_indicator).values(indicator_id="drainage_any", version=2, organisation_id=owner, document=document)
    )
    f.load(empty_city, tmp_path, surveyed(DRAINED["2024"]), survey=spec("2024"))
    assert set(trends(empty_city)["reason"]) == {"definition_changed"}
    allowed = trends(empty_city, allow_break=True)
    assert allowed["slope_per_year"].tolist() == [8.4, 12.5, 1, 8.4]
    assert set(allowed["flags"]) == {("break_allowed",)}
    assert set(allowed["definition_version"]) == {2}


def test_trends_refused_where_the_boundary_changed(city: Connection, tmp_path: Path) -> None:
    f.load_city(city, tmp_path, redrawn(f.small_city(), 2), valid_from_on=date(2018, 1, 1))
    found = broken(trends(city))
    assert found == {f.code(0): (), f.code(1): (), f.code(2): "boundary_changed", f.code(3): ()}
    assert broken(trends(city, allow_break=True)) == found | {f.code(2): ("break_allowed",)}
    assert trends(city, level="city")["reason"].tolist() == ["boundary_changed"]


def test_trends_refused_where_the_mode_changed(empty_city: Connection, tmp_path: Path) -> None:
    for year in YEARS:
        mode = "sample" if year == "2024" else "census"
        f.load(empty_city, tmp_path, surveyed(DRAINED[year], each=50), survey=spec(year, mode=mode))
    found = trends(empty_city)
    assert set(found["reason"]) == {"mode_changed"}
    assert found[["slope_per_year", "fitted"]].isna().all().all()
    allowed = trends(empty_city, allow_break=True)
    assert set(allowed["flags"]) == {("break_allowed",)}
    # 6, 12 and 22 % of 50.
    assert allowed["slope_per_year"].iloc[0] == 2


def test_trends_of_drafts_only_on_request(city: Connection) -> None:
    with pytest.raises(InvalidParameters, match="pune has no published survey round yet"):
        trends(city, seen="published")
    city.execute(text("UPDATE survey SET state = 'published' WHERE slug <> '2020'"))
    assert set(trends(city, seen="published")["reason"]) == {"fewer_than_3_rounds"}
    city.execute(text("UPDATE survey SET state = 'published'"))
    assert trends(city, seen="published").equals(trends(city))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"city": "nashik"}, "city: 'nashik' is not known; choose from"),
        ({"indicators": ["happiness"]}, "happiness is not an indicator; choose from community_toilet_use, "),
        ({"indicators": ["drainage_any", "density_persons"]}, "density_persons has no trend: it is no share; choose"),
        ({"settlements": ["S99"]}, "settlement: 'S99' is not known"),
        ({"settlements": [f.code(0)], "level": "city"}, "goes with level settlement only"),
    ],
)
def test_trends_refuse(city: Connection, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidParameters, match=says):
        trends(city, **changes)


def test_trends_rounds_are_plain(city: Connection) -> None:
    """They go into JSON as they are."""
    assert json.loads(json.dumps(list(trends(city)["rounds"].iloc[0])))[0]["survey"] == "2016"
