"""Gaps and trends over HTTP: by hand, in every form, and nothing of what is withheld."""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from geo import database
from geo.settings import Settings
from geo.surveys import SurveySpec
from service.api.figures import gaps
from service.app import create_app
from tests.support import factories as f
from tests.support.planted import PLANTED, planted_z, squares, surveyed
from tests.support.published_city import HOUSEHOLDS, OWN_TOILETS, SmallCity, load_round, write_households
from tests.support.publishing import publish

GAPS = "/api/v1/gaps?city=khandesh&indicator=household_toilet&target=80"
TRENDS = "/api/v1/trends?city=khandesh&indicator=household_toilet"

WITHHELD = {"S01": "protected", "S02": "protected"}
"""Nine households, and the ten that would give them away as the rest of their ward."""


def _gaps(client: TestClient, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(query).json()["gaps"]
    return rows


def _csv(client: TestClient, query: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    header, tags, *rows = csv.reader(io.StringIO(client.get(f"{query}&hxl=true").text, newline=""))
    return dict(zip(header, tags, strict=True)), [dict(zip(header, row, strict=True)) for row in rows]


def test_gaps_by_hand(client: TestClient) -> None:
    """7 of 11, 20 of 30, 15 of 25 and 12 of 12 have a toilet; counts are shown rounded to five.

    To 80 %: 30 * 13 % = 3.9, 25 * 20 % = 5, 10 * 16 % = 1.6.
    """
    shown = {
        row["settlement_code"]: (
            row["value"],
            row["unserved"],
            row["rank_unserved"],
            row["rank_coverage"],
            row["to_target"],
        )
        for row in _gaps(client, GAPS)
    }
    nothing = (None, None, None, None, None)
    assert shown == {
        "S04": (67, 10, 1, 3, 5),
        "S05": (60, 10, 1, 1, 5),
        "S03": (64, 5, 3, 2, 5),
        "S06": (100, 0, 4, 4, 0),
        "S01": nothing,
        "S02": nothing,
    }
    assert list(shown) == ["S04", "S05", "S03", "S06", "S01", "S02"]


def test_gaps_are_of_the_newest_published_round(client: TestClient) -> None:
    assert {row["survey"] for row in _gaps(client, GAPS)} == {"2024"}
    assert {row["survey"] for row in _gaps(client, f"{GAPS}&survey=2019")} == {"2019"}


@pytest.mark.parametrize("form", ["json", "csv", "geojson"])
def test_gaps_say_nothing_of_what_is_withheld(client: TestClient, form: str) -> None:
    address = f"{GAPS}&format={form}"
    rows: list[dict[str, Any]]
    if form == "csv":
        rows = [{name: cell or None for name, cell in row.items()} for row in _csv(client, address)[1]]
    elif form == "geojson":
        rows = [feature["properties"] for feature in client.get(address).json()["features"]]
    else:
        rows = _gaps(client, address)
    found = {row["settlement_code"]: row for row in rows}
    assert list(found) == ["S04", "S05", "S03", "S06", "S01", "S02"]
    for code, row in found.items():
        said = {name for name in ("value", "n", "population", "unserved", "to_target") if row[name] is not None}
        ranked = {
            name for name in ("rank_unserved", "rank_coverage", "gi_z", "gi_p", "hot_spot") if row[name] is not None
        }
        assert row["reason"] == row["hot_spot_reason"] == WITHHELD[code] if code in WITHHELD else row["reason"] is None
        assert (row["status"], bool(said), bool(ranked)) == (
            ("withheld", False, False) if code in WITHHELD else ("published", True, True)
        )


def test_gaps_say_why_there_are_no_hot_spots(client: TestClient) -> None:
    body = client.get(GAPS).json()
    assert body["hot_spots"] == {
        "settlements": 4,
        "band_m": None,
        "p_cutoff": None,
        "reason": "fewer_than_30_settlements",
        "reason_text": "fewer than 30 settlements have a published figure and a boundary",
    }
    wards = client.get(f"{GAPS}&level=ward").json()
    assert wards["hot_spots"]["reason"] == "settlements_only"
    assert [row["ward_code"] for row in wards["gaps"]] == ["B", "A"]


def test_gaps_csv_has_hxl_tags_and_a_file_name(client: TestClient) -> None:
    answer = client.get(f"{GAPS}&survey=2024&format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="gaps-khandesh-2024-household_toilet.csv"'
    tags, rows = _csv(client, f"{GAPS}&format=csv")
    assert tags["unserved"] == "#inneed+hh"
    assert tags["to_target"] == "#inneed+hh+to_target"
    assert tags["value"] == "#indicator+num+pct"
    assert (rows[0]["rank_unserved"], rows[0]["to_target"], rows[0]["target"]) == ("1", "5", "80.0")


@pytest.mark.parametrize("address", [GAPS, TRENDS])
def test_priorities_are_kept_until_something_changes(client: TestClient, address: str) -> None:
    first = client.get(address)
    assert first.headers["etag"].startswith(f'"{first.json()["data_version"]}-')
    assert client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_trends_need_three_published_rounds(client: TestClient) -> None:
    """There are two, and a draft that nobody sees."""
    rows = client.get(TRENDS).json()["trends"]
    assert [row["settlement_code"] for row in rows] == list(HOUSEHOLDS)
    for row in rows:
        assert (row["status"], row["reason"], row["rounds"]) == ("withheld", "fewer_than_3_rounds", [])
        assert row["slope_per_year"] is row["fitted"] is row["last_survey"] is None
    assert rows[0]["reason_text"] == "fewer than three rounds, at different times, have a published figure"


def test_trends_by_hand(changing_city: SmallCity, changing_client: TestClient, tmp_path: Path) -> None:
    """Between 2019 and 2024 a round halfway, with as many as in the middle.

    S04: 6, 13 and 20 of 30 are 20, 43 and 67 %; S06: 3, 8 and 12 of 12 are 25, 67 and 100 %.
    """
    days = {"starts_on": date(2021, 7, 1), "ends_on": date(2021, 9, 30)}
    spec = SurveySpec("2021", "shelter", **days, unit="household", mode="census")  # type: ignore[arg-type]
    own = {code: (OWN_TOILETS["2019"][code] + OWN_TOILETS["2024"][code] + 1) // 2 for code in HOUSEHOLDS}
    engine = database.create_engine(changing_city.url)
    with database.transaction(engine) as connection:
        load_round(connection, changing_city, write_households(tmp_path, "2021", own), spec, publish=True)
    engine.dispose()
    answer = changing_client.get(TRENDS)
    rows = {row["settlement_code"]: row for row in answer.json()["trends"]}
    assert {code: row["reason"] for code, row in rows.items() if row["status"] == "withheld"} == {
        "S01": "fewer_than_3_rounds",
        "S02": "fewer_than_3_rounds",
    }
    points = [("2019", "2019-02-14", 20.0), ("2021", "2021-08-15", 43.0), ("2024", "2024-02-15", 67.0)]
    assert [(r["survey"], r["on"], r["value"]) for r in rows["S04"]["rounds"]] == points
    # 913 and 914 days: years of -5.0, -2.5 and 0 less their mean.
    assert rows["S04"]["slope_per_year"] == pytest.approx((67 - 20) / (1827 / 365.25), abs=0.05)
    assert rows["S04"]["fitted"] == pytest.approx(43.33 + 9.396 * 2.5, abs=0.1)
    assert rows["S06"]["fitted"] == 100
    tags, told = _csv(changing_client, f"{TRENDS}&format=csv&settlement=S04&settlement=S01")
    assert tags["slope_per_year"] == "#indicator+num+slope"
    assert tags["fitted"] == "#indicator+num+pct+fitted"
    assert [row["rounds"] for row in told] == ["", "2019=20.0 2021=43.0 2024=67.0"]


def test_gaps_find_a_planted_cluster(fresh_engine: Engine, tmp_path: Path) -> None:
    """36 settlements, four of which beside each other go without: hot in every form, and no other is."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, squares(36))
        lacking = {s: 9 if s in PLANTED else 1 for s in range(36)}
        f.load(connection, tmp_path, surveyed(dict.fromkeys(range(36), 10), lacking))
        publish(connection, "pune", "2024")
    address = "/api/v1/gaps?city=pune&indicator=household_toilet"
    with TestClient(create_app(fresh_engine, Settings())) as client:
        body = client.get(address).json()
        features = client.get(f"{address}&format=geojson").json()["features"]
        _, told = _csv(client, f"{address}&format=csv")
    gaps.KIND.body.model_validate(body)
    planted = {f.code(s) for s in PLANTED}
    for rows in (body["gaps"], [feature["properties"] for feature in features], told):
        assert {row["settlement_code"] for row in rows if row["hot_spot"]} == planted
        assert {row["hot_spot"] for row in rows if row["settlement_code"] in planted} == {"hot"}
    assert {row["gi_z"] for row in body["gaps"] if row["hot_spot"]} == {round(planted_z(36), 1)}
    assert body["hot_spots"]["settlements"] == 36
    assert body["hot_spots"]["band_m"] in range(1040, 1070)
    assert body["hot_spots"]["reason"] is None
