"""Attacks on other organisations' settlements and on wards: what a steward sends changes only what is its own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from fastapi.testclient import TestClient

from geo.base import geodesic_area_m2
from geo.settings import Settings
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, settings
from tests.support.two_organisations import TwoOrganisations, rows

__all__ = ["client", "office", "officer", "settings"]


@pytest.fixture
def north(office: Office, two: TwoOrganisations, settings: Settings) -> Office:
    """North's steward at work."""
    return Office(office.client, bearer(two, "steward"), two, settings)


@pytest.fixture
def south(office: Office, two: TwoOrganisations, settings: Settings) -> Office:
    """South's steward at work."""
    return Office(office.client, bearer(two, "steward", "south"), two, settings)


def _settlement(path: Path, code: str, shape: Any, **said: str) -> Path:
    row = {"settlement_code": [code], "settlement_name": [code], **{name: [text] for name, text in said.items()}}
    return f.write_boundaries(path, gpd.GeoDataFrame(row, geometry=[shape], crs="EPSG:4326"))


def _sent(office: Office, path: Path, **choices: str) -> dict[str, Any]:
    return office.sent(path, "", content="boundaries", **choices)


def _errors(upload: Mapping[str, Any]) -> list[str]:
    return [group["code"] for group in upload["findings"] if group["severity"] == "error"]


def _box(index: int, west: float, east: float, *, half: float = 0.0003) -> Any:
    lon, lat = f.centre(index)
    return shapely.box(lon + west, lat - half, lon + east, lat + half)


DILUTED = {
    "a part far away dilutes the share of the new outline": lambda: shapely.MultiPolygon(
        [_box(0, -0.0006, 0.0002), _box(0, 0.0035, 0.0047, half=0.0004)]
    ),
    "all of it inside": lambda: _box(0, -0.0006, 0.0002),
    "a hundred times larger": lambda: _box(0, -0.03, 0.03, half=0.03),
    "a strip": lambda: _box(0, -0.002, 0.0021, half=0.00005),
    "exactly the same": lambda: f.small_city().geometry.iloc[0],
}


@pytest.mark.parametrize("shape", DILUTED.values(), ids=DILUTED.keys())
def test_m1_nothing_is_drawn_over_others_households(south: Office, tmp_path: Path, shape: Any) -> None:
    sent = _sent(south, _settlement(tmp_path / "over.gpkg", "X1", shape()))
    assert (sent["state"], _errors(sent), sent["counts"]["rows_loaded"]) == ("waiting", ["boundary_on_others"], 0)
    assert "another organisation drew" in sent["findings"][0]["sentence"]


@pytest.mark.parametrize("own_first", [True, False])
def test_m1_a_file_that_redraws_theirs_elsewhere_hides_nothing(south: Office, tmp_path: Path, own_first: bool) -> None:
    """What is theirs is what they drew, not what the file says of it; in whichever order."""
    over, aside = f.small_city().geometry.iloc[0], f.blob(*f.centre(80))
    codes, shapes = [f.code(0), "X1"], [aside, over]
    order = [1, 0] if own_first else [0, 1]
    frame = gpd.GeoDataFrame({"settlement_code": codes}, geometry=shapes, crs="EPSG:4326").iloc[order]
    sent = _sent(south, f.write_boundaries(tmp_path / "both.gpkg", frame))
    assert sorted(_errors(sent)) == ["boundary_of_others", "boundary_on_others"]
    assert sent["counts"]["rows_loaded"] == 0
    frame = frame.assign(geometry=[over, over])
    sent = _sent(south, f.write_boundaries(tmp_path / "stacked.gpkg", frame))
    assert _errors(sent) == ["boundary_on_others"]
    assert sent["preview"] is None or sent["preview"]["places"]["added"] == 0


def test_m1_slivers_are_cut_back_to_their_border(south: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    """Neighbours drawn by hand touch: the ground stays theirs, so that none of their households moves."""
    theirs = f.small_city().geometry.iloc[3]
    east, lat = theirs.bounds[2], f.centre(3)[1]
    beside = shapely.box(east - 0.00003, lat - 0.0005, east + 0.002, lat + 0.0005)
    shared = shapely.MultiPolygon([theirs.intersection(beside)])
    assert 1 < geodesic_area_m2(shapely.from_wkb([shared.wkb]))[0] < 100
    sent = _sent(south, _settlement(tmp_path / "beside.gpkg", "X2", beside))
    assert (sent["state"], [group["code"] for group in sent["findings"]]) == ("checked", ["boundary_trimmed"])
    assert south.decided(sent["id"], "accept")["state"] == "loaded"
    with two.owner.connect() as connection:
        pair = (
            "SELECT ST_Area(ST_Intersection(a.geom, b.geom)) FROM boundary a JOIN settlement s ON s.id = settlement_id,"
            " boundary b JOIN settlement t ON t.id = b.settlement_id WHERE s.code = 'X2' AND t.code = '04'"
        )
        ((area,),) = rows(connection, pair)
    assert float(str(area)) < 1e-15
    again = _sent(south, _settlement(tmp_path / "beside again.gpkg", "X2", beside))
    assert again["preview"]["places"]["unchanged"] == 1


def test_m1_earlier_outlines_are_theirs_for_earlier_rounds(north: Office, south: Office, tmp_path: Path) -> None:
    """A first outline holds for all earlier rounds: on ground that was another's then, a day has to be said."""
    first = _sent(north, _settlement(tmp_path / "first.gpkg", "N1", f.blob(*f.centre(90))))
    north.decided(first["id"], "accept")
    away = _sent(north, _settlement(tmp_path / "away.gpkg", "N1", f.blob(*f.centre(92))), valid_from_on="2025-01-01")
    north.decided(away["id"], "accept")
    vacated = _settlement(tmp_path / "vacated.gpkg", "X3", f.blob(*f.centre(90)))
    assert _errors(_sent(south, vacated)) == ["boundary_on_others"]
    later = _sent(south, vacated, valid_from_on="2025-01-01")
    assert (later["state"], _errors(later)) == ("checked", [])
    earlier = _sent(south, vacated, valid_from_on="2024-12-31")
    assert _errors(earlier) == ["boundary_on_others"]


def test_m1_own_settlements_that_stay_as_they_are_are_no_new_claim(
    north: Office, south: Office, two: TwoOrganisations, settings: Settings, tmp_path: Path
) -> None:
    operator = Office(north.client, {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}, two, settings)
    ours = _settlement(tmp_path / "ours.gpkg", "N5", f.blob(*f.centre(95)))
    north.decided(_sent(north, ours)["id"], "accept")
    nested = _sent(operator, _settlement(tmp_path / "nested.gpkg", "O5", f.blob(*f.centre(95), radius=0.0005)))
    assert operator.decided(nested["id"], "accept")["state"] == "loaded"
    again = _sent(north, _settlement(tmp_path / "again.gpkg", "N5", f.blob(*f.centre(95))))
    assert (again["state"], again["preview"]["places"]["unchanged"]) == ("checked", 1)


def test_m1_settlements_that_others_listed_stay_as_they_listed_them(
    north: Office, south: Office, two: TwoOrganisations, settings: Settings, tmp_path: Path
) -> None:
    listed = [{"settlement_code": f"L{i}", "settlement_name": f"List {i}", "lon": 73.5, "lat": 18.5} for i in range(2)]
    ours = _sent(north, f.write_csv(tmp_path / "ours.csv", listed))
    assert north.decided(ours["id"], "accept")["state"] == "loaded"
    theirs = [row | {"settlement_name": "Forged", "lon": 73.9, "ward_code": "W9"} for row in listed]
    theirs.append(theirs[0] | {"settlement_code": "L9", "settlement_name": "New"})
    sent = _sent(south, f.write_csv(tmp_path / "theirs.csv", theirs))
    assert (sent["preview"]["places"]["added"], sent["preview"]["places"]["unchanged"]) == (1, 2)
    assert south.decided(sent["id"], "accept")["state"] == "loaded"
    drawn = _settlement(tmp_path / "drawn.gpkg", "L0", shapely.box(73.5, 18.5, 73.501, 18.501))
    assert _errors(_sent(south, drawn)) == ["boundary_of_others"]
    asked = (
        "SELECT code, name, ST_X(point), ward_id IS NULL FROM settlement LEFT JOIN settlement_ward"
        " ON settlement_id = settlement.id WHERE code LIKE 'L_' ORDER BY code"
    )
    with two.owner.connect() as connection:
        kept = rows(connection, asked)
    assert kept == [("L0", "List 0", 73.5, True), ("L1", "List 1", 73.5, True), ("L9", "New", 73.9, False)]
    # North draws what it listed, and so may the operator.
    operator = Office(north.client, {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}, two, settings)
    for steward, code in ((north, "L0"), (operator, "L1")):
        west = 73.5 + 0.01 * (code == "L1")
        shape = shapely.box(west, 18.5, west + 0.001, 18.501)
        told = _sent(steward, _settlement(tmp_path / f"{code}.gpkg", code, shape))
        assert (told["state"], _errors(told)) == ("checked", [])


def _wards(client: TestClient) -> dict[str, tuple[str, str]]:
    listed = client.get(f"{API}/settlements?city=pune&limit=1000").json()["settlements"]
    return {one["code"]: (one["ward_code"], one["ward_name"]) for one in listed}


@pytest.fixture
def wards_stay(client: TestClient) -> Iterator[None]:
    """Wards of the city's first settlements are afterwards what they were."""
    before = {code: ward for code, ward in _wards(client).items() if code in map(f.code, range(4))}
    yield
    assert {code: _wards(client)[code] for code in before} == before


@pytest.mark.usefixtures("wards_stay")
def test_m2_a_steward_renames_no_ward_of_others(south: Office, client: TestClient, tmp_path: Path) -> None:
    renaming = _settlement(
        tmp_path / "renaming.gpkg", "X6", f.blob(*f.centre(100)), ward_code="W1", ward_name="RENAMED BY SOUTH"
    )
    sent = _sent(south, renaming)
    (told,) = sent["findings"]
    assert (told["code"], told["severity"]) == ("ward_name_kept", "warning")
    assert "“RENAMED BY SOUTH (ward W1: North)”" in told["sentence"]
    south.decided(sent["id"], "accept")
    assert _wards(client)["X6"] == ("W1", "North")
    # A code alone is no other name.
    by_code = _settlement(tmp_path / "code.gpkg", "X7", f.blob(*f.centre(102)), ward_code="W1")
    sent = _sent(south, by_code)
    assert sent["findings"] == []
    south.decided(sent["id"], "accept")
    new = _settlement(tmp_path / "new.gpkg", "X8", f.blob(*f.centre(104)), ward_code="W8", ward_name="Eighth")
    south.decided(_sent(south, new)["id"], "accept")
    assert (_wards(client)["X7"], _wards(client)["X8"]) == (("W1", "North"), ("W8", "Eighth"))


@pytest.mark.usefixtures("wards_stay")
def test_m2_a_file_of_codes_alone_renames_no_ward_for_the_operator(
    client: TestClient, two: TwoOrganisations, settings: Settings, office: Office, tmp_path: Path
) -> None:
    operator = Office(office.client, {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}, two, settings)
    sent = _sent(operator, _settlement(tmp_path / "codes.gpkg", "O9", f.blob(*f.centre(106)), ward_code="W1"))
    operator.decided(sent["id"], "accept")
    assert _wards(client)["O9"] == ("W1", "North")


def test_m2_a_move_between_wards_is_counted_and_named(north: Office, client: TestClient, tmp_path: Path) -> None:
    shapes = {code: f.blob(*f.centre(index)) for code, index in (("N10", 110), ("N11", 112), ("N12", 114))}

    def sent(name: str, wards: Mapping[str, str | None], **choices: str) -> dict[str, Any]:
        frame = {"settlement_code": list(wards), "ward_code": list(wards.values())}
        outlines = gpd.GeoDataFrame(frame, geometry=[shapes[code] for code in wards], crs="EPSG:4326")
        return _sent(north, f.write_boundaries(tmp_path / name, outlines), **choices)

    nothing: dict[str, list[Any]] = {"moves": [], "renamed": [], "missing": []}
    first = sent("first.gpkg", {"N10": "W1", "N11": "W2", "N12": None})
    assert first["preview"]["places"] == {"added": 3, "changed": 0, "moved": 0, "unchanged": 0, **nothing}
    north.decided(first["id"], "accept")
    second = sent("second.gpkg", {"N10": "W2", "N11": "W2", "N12": "W1"}, valid_from_on="2025-03-01")
    places = second["preview"]["places"]
    assert (places["moved"], places["unchanged"], places["changed"]) == (2, 1, 0)
    assert places["moves"] == [
        {
            "code": "N10", "name": "N10",
            "from_ward_code": "W1", "from_ward_name": "North", "to_ward_code": "W2", "to_ward_name": "South",
            "valid_from_on": "2025-03-01",
        },
        {
            "code": "N12", "name": "N12",
            "from_ward_code": None, "from_ward_name": None, "to_ward_code": "W1", "to_ward_name": "North",
            "valid_from_on": "2025-03-01",
        },
    ]  # fmt: skip
    page = client.get(f"/uploads/{second['id']}", headers={**north.header, "accept": "text/html"}).text
    assert "<b>2</b> moved to another ward" in page
    assert "from ward <bdi>North</bdi> (<bdi>W1</bdi>) to ward <bdi>South</bdi>" in page
    assert "(<bdi>W2</bdi>), from 2025-03-01 on" in page
    assert "change in rounds that start on the day of the move or later" in page


def test_m3_no_ward_of_a_published_round_changes(
    client: TestClient, two: TwoOrganisations, settings: Settings, office: Office, tmp_path: Path
) -> None:
    """What the page and the API say, and that a later day is all that is needed."""
    operator = Office(office.client, {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}, two, settings)
    moving = _settlement(tmp_path / "moving.gpkg", f.code(0), f.small_city().geometry.iloc[0], ward_code="W2")
    sent = _sent(operator, moving, valid_from_on="2024-01-01")
    assert (sent["state"], sent["problem_code"]) == ("waiting", "ward_published")
    assert f"Settlement {f.code(0)} has households in the published round" in sent["problem"]
    assert "`valid_from_on`" in sent["problem"]
    page = client.get(f"/uploads/{sent['id']}", headers={**operator.header, "accept": "text/html"}).text
    assert "Name a later day, from which the file holds, with “They hold from” below" in page
    again = operator.decided(sent["id"], "recheck", valid_from_on="2024-01-02")
    assert (again["state"], again["preview"]["places"]["moved"]) == ("checked", 1)
    assert operator.decided(sent["id"], "accept")["state"] == "loaded"
    assert _wards(client)[f.code(0)] == ("W2", "South")
    assert operator.decided(sent["id"], "withdraw")["state"] == "withdrawn"
    assert _wards(client)[f.code(0)] == ("W1", "North")
