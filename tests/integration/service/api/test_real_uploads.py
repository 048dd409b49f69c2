"""Real files, sent by an officer who says nothing of them."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from fastapi.testclient import TestClient

from geo.places import add_city
from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support import factories as f
from tests.support.office import API, Office, bearer
from tests.support.two_organisations import TwoOrganisations, rows


@pytest.fixture(scope="module")
def office(two: TwoOrganisations, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """North's officer."""
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    with TestClient(create_app(two.service, settings), base_url="https://testserver") as client:
        yield Office(client, bearer(two, "contributor"), two, settings)


def open_city(office: Office, two: TwoOrganisations, folder: Path, slug: str, areas: list[object]) -> None:
    """A city of these areas, and a round in it that north's officer opens."""
    frame = gpd.GeoDataFrame({"settlement_code": [f"A{i}" for i in range(len(areas))]}, geometry=areas, crs="EPSG:4326")
    with two.owner.begin() as connection:
        f.load_city(connection, folder, frame, slug=slug)
    body = {"city": slug, "slug": "round", "starts_on": "2000-01-01", "ends_on": "2026-01-01", "mode": "sample"}
    answer = office.client.post(f"{API}/own/surveys", headers=office.header, json=body)
    assert answer.status_code == 201, answer.text


def test_malawi_households(office: Office, two: TwoOrganisations, tmp_path: Path, real_files: Path) -> None:
    """23,112 households whose columns nobody named for Vasti; 151 rows repeat an earlier one."""
    cells = [shapely.box(32 + i / 2, -18 + j / 2, 32.5 + i / 2, -17.5 + j / 2) for i in range(9) for j in range(19)]
    open_city(office, two, tmp_path, "malawi", list(cells))
    checked = office.sent(real_files / "mw_sdg_households" / "washmalawi.xlsx", "round", city="malawi")
    assert checked["state"] == "waiting"
    counts = checked["counts"]
    assert (counts["rows_read"], counts["rows_loaded"], counts["rows_rejected"]) == (23_112, 23_112 - 151, 151)
    trust = {one["field"]: one["confidence"] for one in checked["understood"]["matched"]}
    sure = {field for field, confidence in trust.items() if confidence == "sure"}
    assert sure >= {"longitude", "latitude", "toilet_users", "handwashing_soap", "interviewed_on"}
    # Some of their answers, such as "Flush/ Pour flush toilet", may mean another thing here.
    assert (trust["toilet_type"], trust["water_source"]) == ("likely", "likely")
    assert [group["count"] for group in checked["findings"] if group["code"] == "row_repeated"] == [151]
    assert office.decided(checked["id"], "skip_errors")["state"] == "loaded"
    with two.owner.connect() as connection:
        ((pits,),) = rows(connection, "SELECT count(*) FROM household WHERE toilet_type = 'pit_no_slab'")
    # The publisher counts 21,243 of them, the repeated rows among them.
    assert isinstance(pits, int)
    assert 21_243 - 151 <= pits <= 21_243


def test_latitudes_that_lost_their_minus(
    office: Office, two: TwoOrganisations, tmp_path: Path, real_files: Path
) -> None:
    folder = real_files / "mw_dowa_latrines"
    clean = pd.read_csv(folder / "dowalatrinesurvey.csv")
    around = shapely.union_all(shapely.buffer(shapely.points(clean["longitude"], clean["latitude"]), 0.01))
    open_city(office, two, tmp_path, "dowa", list(shapely.get_parts(around)))
    checked = office.sent(folder / "Dowa Household Latrine survey.csv", "round", city="dowa")
    assert checked["state"] == "waiting"
    assert (checked["counts"]["rows_read"], checked["counts"]["rows_rejected"]) == (89, 89)
    assert [group["code"] for group in checked["findings"] if group["severity"] == "error"] == ["latitude_sign_lost"]
    fixed = office.decided(checked["id"], "recheck", fix=True)
    assert (fixed["state"], fixed["counts"]["rows_loaded"]) == ("checked", 89)
    assert [group["count"] for group in fixed["findings"] if group["code"] == "position_fixed"] == [89]


@pytest.fixture
def steward(office: Office, two: TwoOrganisations) -> Office:
    """North's steward."""
    return Office(office.client, bearer(two, "steward"), two, office.settings)


def test_mumbai_settlements(steward: Office, two: TwoOrganisations, real_files: Path) -> None:
    """2,542 outlines without a name, of which 25 can be repaired and one cannot: nobody says anything of the file."""
    with two.owner.begin() as connection:
        add_city(connection, "mumbai", "Mumbai")
    path = real_files / "in_mumbai_slum_clusters" / "slumClusters.geojson"
    checked = steward.sent(path, "", city="mumbai", content="boundaries")
    counts = checked["counts"]
    assert (counts["rows_read"], counts["rows_loaded"] + counts["rows_rejected"]) == (2_542, 2_542)
    held = [(one["column"], one["field"], one["confidence"]) for one in checked["understood"]["matched"]]
    assert held == [("polyno", "settlement_code", "sure")]
    found = {group["code"]: group["count"] for group in checked["findings"]}
    assert (found["geometry_repaired"], found["geometry_unusable"], counts["rows_rejected"] >= 1) == (25, 1, True)
    assert 0 < len(checked["read_as"]["outlines"]) <= 300
    places = checked["preview"]["places"]
    loaded = steward.decided(checked["id"], "skip_errors")
    assert loaded["state"] == "loaded"
    there = "SELECT count(*) FROM settlement s JOIN city c ON c.id = s.city_id WHERE c.slug = 'mumbai'"
    with two.owner.connect() as connection:
        assert rows(connection, there) == [(places["added"],)]
    assert steward.decided(checked["id"], "withdraw")["state"] == "withdrawn"
    with two.owner.connect() as connection:
        assert rows(connection, there) == [(0,)]


def test_kibera_water_points(steward: Office, two: TwoOrganisations, tmp_path: Path, real_files: Path) -> None:
    """Of OpenStreetMap, whose columns say neither what a point is nor which is its code."""
    path = real_files / "ke_mapkibera_watsan" / "features-osm_redacted.geojson"
    points = gpd.read_file(path)
    ground = [shapely.box(*shapely.buffer(shapely.box(*points.total_bounds), 0.001).bounds)]
    open_city(steward, two, tmp_path, "nairobi", list(ground))
    waiting = steward.sent(path, "", city="nairobi", content="facilities", kind="water_point")
    assert waiting["state"] == "waiting"
    assert "no column facility_code; name the one that holds the facilities' codes with `columns`" in waiting["problem"]
    (code,) = [one["column"] for one in waiting["understood"]["matched"] if one["field"] == "facility_code"]
    checked = steward.decided(waiting["id"], "recheck", columns={code: "facility_code"}, kind="water_point")
    assert (checked["state"], checked["counts"]["rows_read"]) == ("checked", len(points)), checked["problem"]
    assert checked["preview"]["places"] == {
        "added": len(points),
        "changed": 0,
        "unchanged": 0,
        "moved": 0,
        "moves": [],
        "renamed": [],
        "missing": [],
    }
    assert steward.decided(waiting["id"], "accept")["state"] == "loaded"
