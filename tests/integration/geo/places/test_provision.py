"""What facilities provide in each settlement, against an independent computation of every pair."""

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from shapely.geometry import box
from sqlalchemy import Connection, func, select

from geo.database.schema.facilities import FACILITY_KINDS, FacilityKind
from geo.database.schema.places import boundary, settlement
from geo.ingestion.loading import withdraw
from geo.places import find_city, provision
from geo.surveys import open_survey
from tests.support import factories as f

GEOD = pyproj.Geod(ellps="WGS84")


def open_round(connection: Connection, slug: str = "2024", *, city: str = "pune", starts_on: date = f.STARTS) -> int:
    spec = f.spec(slug, starts_on=starts_on, ends_on=max(f.ENDS, starts_on))
    return open_survey(connection, find_city(connection, city), spec)


def middles(connection: Connection, city: str = "pune") -> dict[str, tuple[float, float]]:
    """The point in each settlement from which distances are measured, by code."""
    point = func.ST_PointOnSurface(boundary.c.geom)
    rows = select(settlement.c.code, func.ST_X(point), func.ST_Y(point)).join(boundary)
    rows = rows.where(settlement.c.city_id == find_city(connection, city), boundary.c.valid_to_on.is_(None))
    return {code: (x, y) for code, x, y in connection.execute(rows)}


def provided(connection: Connection, survey_id: int, kind: FacilityKind = "community_toilet") -> pd.DataFrame:
    """The provision of a round, by settlement code."""
    frame = provision(connection, kind, [survey_id])
    codes = {row.id: row.code for row in connection.execute(select(settlement.c.id, settlement.c.code))}
    assert set(frame["survey_id"]) <= {survey_id}
    return frame.set_index(frame["settlement_id"].map(codes)).drop(columns=["survey_id", "settlement_id"])


def away(origin: tuple[float, float], bearing: float, distance_m: float) -> dict[str, Any]:
    lon, lat, _ = GEOD.fwd(*origin, bearing, distance_m)
    return {"longitude": lon, "latitude": lat}


def test_provision_against_every_pair(connection: Connection, tmp_path: Path) -> None:
    """Sixty facilities of both kinds, in and between twelve settlements of odd shapes; some do not work or are gone."""
    city, rng = f.small_city(12), np.random.default_rng(7)
    f.load_city(connection, tmp_path, city)
    rows = []
    for i in range(60):
        lon, lat = f.centre(i % 12)
        said: dict[str, Any] = {
            "longitude": lon + rng.uniform(-0.004, 0.004),
            "latitude": lat + rng.uniform(-0.004, 0.004),
        }
        said |= {"kind": ("water_point", "community_toilet")[i % 2], "seats": 10, "seats_working": i % 5 + 1}
        said |= {"working": "yes"} if i % 4 else {"working": "no", "seats_working": None}
        said |= {"closed_on": "2023-12-31"} if i % 9 == 5 else {}
        rows.append(f.facility(i, **said))
    f.load_facilities(connection, tmp_path, rows)
    survey_id = open_round(connection)
    origins = middles(connection)
    for kind in FACILITY_KINDS:
        found = provided(connection, survey_id, kind)
        assert sorted(found.index) == sorted(city["settlement_code"])
        standing = [row for row in rows if row["kind"] == kind and row["closed_on"] is None]
        working = [row for row in standing if row["working"] == "yes"]
        for code, shape in zip(city["settlement_code"], city.geometry, strict=True):
            inside = [row for row in standing if shape.covers(shapely.Point(row["longitude"], row["latitude"]))]
            distances = [GEOD.inv(*origins[code], row["longitude"], row["latitude"])[2] for row in working]
            seats = sum(row["seats_working"] for row in inside if row["working"] == "yes")
            assert found.loc[code, ["facilities", "seats_working"]].tolist() == [len(inside), seats]
            assert found.loc[code, "nearest_m"] == pytest.approx(min(distances), abs=0.001)
        assert 0 < found["facilities"].sum() < len(standing)


def test_provision_nearest_is_nearest_on_the_ellipsoid(connection: Connection, tmp_path: Path) -> None:
    """On a sphere the one in the east is nearer: a degree of latitude is shorter than a sphere's."""
    f.load_city(connection, tmp_path, f.small_city(1))
    (middle,) = middles(connection).values()
    north, east = away(middle, 0, 10_000), away(middle, 90, 10_030)
    sphere = pyproj.Geod(a=6_371_008.8, f=0)
    on_sphere = [sphere.inv(*middle, place["longitude"], place["latitude"])[2] for place in (north, east)]
    assert on_sphere[1] < on_sphere[0]
    f.load_facilities(connection, tmp_path, [f.facility(0, **north), f.facility(1, **east)])
    assert provided(connection, open_round(connection))["nearest_m"].tolist() == pytest.approx([10_000], abs=0.001)


def test_provision_counts_a_temporary_block_in_its_time(connection: Connection, tmp_path: Path) -> None:
    """From the day it opens until the day before it closes; the other one is for good, and further away."""
    f.load_city(connection, tmp_path, f.small_city(1))
    (middle,) = middles(connection).values()
    block = f.facility(0, opened_on="2024-03-01", closed_on="2024-06-01", **away(middle, 0, 20))
    f.load_facilities(connection, tmp_path, [block, f.facility(1, **away(middle, 180, 500))])
    seen = {}
    for day in ("2024-02-29", "2024-03-01", "2024-05-31", "2024-06-01"):
        found = provided(connection, open_round(connection, day, starts_on=date.fromisoformat(day)))
        seen[day] = (found["facilities"].item(), round(found["nearest_m"].item()))
    assert seen == {
        "2024-02-29": (0, 500),
        "2024-03-01": (1, 20),
        "2024-05-31": (1, 20),
        "2024-06-01": (0, 500),
    }


def test_provision_of_two_rounds_with_a_redrawn_boundary(connection: Connection, tmp_path: Path) -> None:
    """The same block lies in the settlement only as it was drawn later, and is measured from another point."""
    before = gpd.GeoDataFrame({"code": ["A"]}, geometry=[box(73.75, 18.58, 73.76, 18.59)], crs="EPSG:4326")
    after = before.assign(geometry=before.translate(0.005, 0))
    f.load_city(connection, tmp_path, before)
    f.load_city(connection, tmp_path, after, valid_from_on=date(2024, 1, 1))
    f.load_facilities(connection, tmp_path, [f.facility(0, longitude=73.762, latitude=18.585)])
    earlier = open_round(connection, "2019", starts_on=date(2019, 1, 1))
    later = open_round(connection, "2024", starts_on=date(2024, 1, 1))
    found = provision(connection, "community_toilet", [later, earlier])
    assert found["survey_id"].tolist() == sorted([earlier, later])
    both = found.set_index("survey_id")
    assert both.loc[[earlier, later], "facilities"].tolist() == [0, 1]
    expected = [GEOD.inv(lon, 18.585, 73.762, 18.585)[2] for lon in (73.755, 73.76)]
    assert both.loc[[earlier, later], "nearest_m"].tolist() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("said", "facilities", "seats"),
    [
        ([{"seats": 10, "seats_working": 8}, {"seats": 6, "seats_working": None}], 2, 14),
        # One that works and does not say its seats: nobody knows how many there are.
        ([{"seats": 10, "seats_working": 8}, {"seats": None, "seats_working": None}], 2, None),
        # One that does not work has none, whatever it says of its seats.
        ([{"seats": 10, "seats_working": 8}, {"seats": None, "seats_working": None, "working": "no"}], 2, 8),
        ([{"seats": 10, "seats_working": None, "working": "no"}], 1, 0),
        ([{"seats": None, "seats_working": 3}], 1, 3),
    ],
)
def test_provision_sums_seats(
    connection: Connection, tmp_path: Path, said: list[dict[str, Any]], facilities: int, seats: int | None
) -> None:
    f.load_city(connection, tmp_path, f.small_city(1))
    f.load_facilities(connection, tmp_path, [f.facility(i, **row) for i, row in enumerate(said)])
    found = provided(connection, open_round(connection)).iloc[0]
    assert found["facilities"] == facilities
    assert found["seats_working"] == seats if seats is not None else np.isnan(found["seats_working"])


def test_provision_of_a_facility_outside_every_settlement(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city(2))
    origins = middles(connection)
    place = away(origins[f.code(0)], 180, 3_000)
    f.load_facilities(connection, tmp_path, [f.facility(0, **place)])
    found = provided(connection, open_round(connection))
    assert found["facilities"].tolist() == [0, 0]
    assert found["seats_working"].tolist() == [0, 0]
    for code, origin in origins.items():
        expected = GEOD.inv(*origin, place["longitude"], place["latitude"])[2]
        assert found.loc[code, "nearest_m"] == pytest.approx(expected, abs=0.001)


def test_provision_of_a_settlement_without_a_boundary(connection: Connection, tmp_path: Path) -> None:
    """Drawn only after the round began: what stands there is not known, which is not nothing."""
    city = f.small_city(2)
    f.load_city(connection, tmp_path, city.iloc[[0]])
    f.load_city(connection, tmp_path, city.iloc[[1]], valid_from_on=date(2024, 2, 1))
    f.load_facilities(connection, tmp_path, [f.facility(0), f.facility(1, 1)])
    found = provided(connection, open_round(connection))
    assert found.loc[f.code(0)].notna().all()
    assert found.loc[f.code(1)].isna().all()
    later = provided(connection, open_round(connection, "later", starts_on=date(2024, 2, 1)))
    assert later["facilities"].tolist() == [1, 1]


def test_provision_of_a_kind_the_city_has_none_of(connection: Connection, tmp_path: Path) -> None:
    """None of the kind, none that works, or only those of another city right beside it."""
    f.load_city(connection, tmp_path, f.small_city(1))
    f.load_city(connection, tmp_path, f.small_city(1), slug="beside")
    survey_id = open_round(connection)
    f.load_facilities(connection, tmp_path, [f.facility(0)], city="beside")
    f.load_facilities(connection, tmp_path, [f.facility(1, working="no", seats_working=None)])
    toilets, water = (provided(connection, survey_id, kind).iloc[0] for kind in FACILITY_KINDS)
    assert toilets[["facilities", "seats_working"]].tolist() == [1, 0]
    assert water[["facilities", "seats_working"]].tolist() == [0, 0]
    assert np.isnan(toilets["nearest_m"])
    assert np.isnan(water["nearest_m"])
    beside = provided(connection, open_round(connection, city="beside")).iloc[0]
    assert beside[["facilities", "seats_working"]].tolist() == [1, 8]
    assert provision(connection, "water_point", []).empty


def test_provision_counts_live_facilities_only(connection: Connection, tmp_path: Path) -> None:
    """A block that moved away counts where it is now; when that is taken back, where it was."""
    f.load_city(connection, tmp_path, f.small_city(2))
    survey_id = open_round(connection)
    f.load_facilities(connection, tmp_path, [f.facility(0, 0)])
    moved = f.load_facilities(connection, tmp_path, [f.facility(0, 1, seats=4, seats_working=4)])
    assert provided(connection, survey_id)["facilities"].tolist() == [0, 1]
    assert provided(connection, survey_id)["seats_working"].tolist() == [0, 4]
    assert moved.upload_id is not None
    withdraw(connection, moved.upload_id)
    assert provided(connection, survey_id)["facilities"].tolist() == [1, 0]
    assert provided(connection, survey_id)["seats_working"].tolist() == [8, 0]
