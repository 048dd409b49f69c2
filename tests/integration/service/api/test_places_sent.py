"""Settlements and facilities over HTTP: sent by stewards, checked, loaded beside what others gave, taken back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection, text

from geo.settings import Settings
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, send, settings
from tests.support.two_organisations import TwoOrganisations, refused, rows

__all__ = ["client", "office", "officer", "settings"]


@pytest.fixture
def steward(office: Office, two: TwoOrganisations, settings: Settings) -> Office:
    """North's steward at work."""
    return Office(office.client, bearer(two, "steward"), two, settings)


@pytest.fixture
def other(office: Office, two: TwoOrganisations, settings: Settings) -> Office:
    """South's steward at work."""
    return Office(office.client, bearer(two, "steward", "south"), two, settings)


@pytest.fixture
def operator(office: Office, two: TwoOrganisations, settings: Settings) -> Office:
    """The installation's operator at work."""
    return Office(office.client, {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}, two, settings)


SAME: dict[str, Any] = {"renamed": [], "missing": []}
"""Of a preview: no settlement has another name in the file, and none is lacking."""


def settlements(path: Path, *indices: int, moved: float = 0.0, columns: Mapping[str, str] | None = None) -> Path:
    """A file of settlements, of which `indices` say where they lie; `columns` are other names for its columns."""
    frame = f.small_city(max(indices) + 1).iloc[list(indices)]
    frame["geometry"] = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + moved)
    return f.write_boundaries(path, gpd.GeoDataFrame(frame).rename(columns=columns or {}))


def _places(office: Office) -> dict[str, Any]:
    listed = office.client.get(f"{API}/settlements?city=pune&limit=1000", headers=office.header).json()
    return {one["code"]: one for one in listed["settlements"]}


def _boundaries(office: Office, path: Path, **choices: str) -> dict[str, Any]:
    return office.sent(path, "", content="boundaries", **choices)


def test_settlements_are_sent_checked_loaded_and_taken_back(
    steward: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    before = _places(steward)
    path = settlements(tmp_path / "new.gpkg", 0, 1, 20, 21)
    checked = _boundaries(steward, path)
    assert (checked["state"], checked["content"], checked["survey"], checked["problem"]) == (
        "checked", "boundaries", None, None,
    )  # fmt: skip
    assert checked["preview"] == {
        "figures": [],
        "places": {"added": 2, "changed": 0, "unchanged": 2, "moved": 0, "moves": []} | SAME,
    }
    assert checked["counts"] == {"rows_read": 4, "rows_loaded": 4, "rows_warned": 0, "rows_rejected": 0}
    assert checked["read_as"]["crs"] == "EPSG:4326 (longitude and latitude)"
    assert len(checked["read_as"]["outlines"]) == 4
    drawn = shapely.from_geojson(str(checked["read_as"]["outlines"][2]).replace("'", '"'))
    assert drawn.contains(shapely.Point(f.centre(20)))
    assert _places(steward) == before

    loaded = steward.decided(checked["id"], "accept")
    assert (loaded["state"], loaded["problem"], loaded["decisions"]) == ("loaded", None, ["withdraw"])
    assert _places(steward).keys() == before.keys() | {f.code(20), f.code(21)}
    with two.owner.connect() as connection:
        noted = rows(
            connection, f"SELECT actor, action FROM audit WHERE subject = 'upload {checked['id']}' ORDER BY at"
        )
    assert noted == [
        ("steward@north.org", "file received"),
        ("steward@north.org", "decided: accept"),
        ("steward@north.org", "file loaded"),
    ]

    assert steward.decided(checked["id"], "withdraw")["state"] == "withdrawn"
    assert _places(steward) == before
    with two.owner.connect() as connection:
        assert rows(connection, "SELECT count(*) FROM boundary WHERE valid_to_on IS NOT NULL") == [(0,)]


def test_what_another_organisation_drew_stays_as_it_is(
    steward: Office, other: Office, operator: Office, tmp_path: Path
) -> None:
    """Neither its shape nor its name; what the sender drew itself may change, and the operator changes any."""
    mine = _boundaries(steward, settlements(tmp_path / "mine.gpkg", 30, 31))
    steward.decided(mine["id"], "accept")
    named = settlements(tmp_path / "named.gpkg", 30)
    frame = gpd.read_file(named).assign(settlement_name="Renamed", ward_code="W9", ward_name="Ninth")
    renamed = _boundaries(other, f.write_boundaries(tmp_path / "renamed.gpkg", frame))
    assert renamed["preview"]["places"] == {"added": 0, "changed": 0, "unchanged": 1, "moved": 0, "moves": []} | SAME
    other.decided(renamed["id"], "accept")
    assert _places(other)[f.code(30)]["name"] == "Nagar 30"

    redrawn = settlements(tmp_path / "redrawn.gpkg", 30, 32, moved=0.0005)
    theirs = _boundaries(other, redrawn)
    assert theirs["state"] == "waiting"
    (found,) = [group for group in theirs["findings"] if group["severity"] == "error"]
    assert (found["code"], found["rows"]) == ("boundary_of_others", [1])
    assert "drawn or listed by another organisation" in found["sentence"]
    loaded = other.decided(theirs["id"], "skip_errors")
    assert (loaded["state"], loaded["counts"]["rows_loaded"]) == ("loaded", 1)

    frame = f.small_city(31).iloc[[30]].assign(settlement_code="another code")
    frame["geometry"] = shapely.buffer(frame.geometry.to_numpy(), 1e-5)
    on_theirs = _boundaries(other, f.write_boundaries(tmp_path / "on theirs.gpkg", frame))
    assert on_theirs["state"] == "waiting"
    assert [group["code"] for group in on_theirs["findings"] if group["severity"] == "error"] == ["boundary_on_others"]

    own = _boundaries(steward, settlements(tmp_path / "own.gpkg", 30, moved=0.0005), valid_from_on="2025-01-01")
    assert own["preview"]["places"] == {"added": 0, "changed": 1, "unchanged": 0, "moved": 0, "moves": []} | SAME
    any_ = _boundaries(operator, settlements(tmp_path / "any.gpkg", 31, moved=0.0005), valid_from_on="2025-01-01")
    assert any_["preview"]["places"] == {"added": 0, "changed": 1, "unchanged": 0, "moved": 0, "moves": []} | SAME


def test_a_redrawn_settlement_is_again_as_it_was(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    first = _boundaries(steward, settlements(tmp_path / "first.gpkg", 40))
    steward.decided(first["id"], "accept")
    second = _boundaries(steward, settlements(tmp_path / "second.gpkg", 40, moved=0.0005), valid_from_on="2025-01-01")
    steward.decided(second["id"], "accept")
    stays = steward.decided(first["id"], "withdraw")
    assert stays["state"] == "loaded"
    assert "has been redrawn since" in stays["problem"]
    assert steward.decided(second["id"], "withdraw")["state"] == "withdrawn"
    with two.owner.connect() as connection:
        kept = f"SELECT upload_id, valid_from_on, valid_to_on FROM boundary WHERE upload_id >= {first['id']}"
        assert rows(connection, kept) == [(first["id"], None, None)]


def test_settlements_in_which_households_were_placed_stay(steward: Office, tmp_path: Path) -> None:
    sent = _boundaries(steward, settlements(tmp_path / "lived in.gpkg", 50))
    steward.decided(sent["id"], "accept")
    homes = steward.sent(f.write_csv(tmp_path / "homes.csv", [f.household(9000 + i, 50) for i in range(3)]))
    steward.decided(homes["id"], "accept")
    stays = steward.decided(sent["id"], "withdraw")
    assert stays["state"] == "loaded"
    assert stays["problem"].startswith(f"Households have been placed in the boundaries of upload {sent['id']}")
    steward.decided(homes["id"], "withdraw")
    assert steward.decided(sent["id"], "withdraw")["state"] == "withdrawn"


def test_columns_of_settlements_are_said_and_remembered(steward: Office, tmp_path: Path) -> None:
    names = {"settlement_code": "KEY", "settlement_name": "LABEL", "ward_code": "ZONE", "ward_name": "ZONE_LABEL"}
    first = _boundaries(steward, settlements(tmp_path / "own words.gpkg", 60, 61, columns=names))
    assert set(first["understood"]["columns"]) == set(names.values())
    held = {one["field"]: (one["column"], one["confidence"]) for one in first["understood"]["matched"]}
    assert held == {"settlement_code": ("KEY", "likely"), "settlement_name": ("LABEL", "likely")}
    said = {"KEY": "settlement_code", "LABEL": "settlement_name"}
    checked = steward.decided(first["id"], "recheck", columns=said)
    assert (checked["state"], checked["preview"]["places"]["added"]) == ("checked", 2)
    steward.decided(first["id"], "accept")
    assert _places(steward)[f.code(60)]["name"] == "Nagar 60"
    again = _boundaries(steward, settlements(tmp_path / "next.gpkg", 62, columns=names))
    assert (again["state"], again["understood"]["is_remembered"]) == ("checked", True)


def test_facilities_are_sent_checked_loaded_and_taken_back(
    steward: Office, other: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    blocks = [{k: v for k, v in f.facility(i, i).items() if k != "kind"} for i in range(3)]
    waiting = steward.sent(f.write_csv(tmp_path / "blocks.csv", blocks), "", content="facilities")
    assert waiting["state"] == "waiting"
    assert "say what all its facilities are with `kind`" in waiting["problem"]
    held = {one["column"]: one["field"] for one in waiting["understood"]["matched"]}
    assert (held["facility_code"], held["longitude"]) == ("facility_code", "longitude")
    checked = steward.decided(waiting["id"], "recheck", kind="community_toilet")
    assert (checked["state"], checked["problem"]) == ("checked", None)
    assert checked["preview"] == {
        "figures": [],
        "places": {"added": 3, "changed": 0, "unchanged": 0, "moved": 0, "moves": []} | SAME,
    }
    assert len(checked["read_as"]["positions"]) == 3
    loaded = steward.decided(waiting["id"], "accept")
    assert loaded["state"] == "loaded"
    live = "SELECT code, kind FROM facility WHERE is_live ORDER BY code"
    with two.owner.connect() as connection:
        assert rows(connection, live) == [(f"F00{i}", "community_toilet") for i in range(3)]

    more = [f.facility(1, 1), f.facility(7, 1)]
    theirs = other.sent(f.write_csv(tmp_path / "more.csv", more), "", content="facilities")
    assert theirs["state"] == "waiting"
    assert [group["code"] for group in theirs["findings"] if group["severity"] == "error"] == ["facility_of_others"]
    assert steward.decided(waiting["id"], "withdraw")["state"] == "withdrawn"
    with two.owner.connect() as connection:
        assert rows(connection, live) == []


def test_a_column_said_to_hold_nothing_is_not_read(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    """Although it is called so: 3 of 4 seats work, says the file, and somebody says that this is something else."""
    path = f.write_csv(tmp_path / "other seats.csv", [f.facility(50, 1, seats=4, seats_working=3)])
    checked = steward.sent(path, "", content="facilities")
    again = steward.decided(checked["id"], "recheck", columns={"seats_working": ""})
    assert "seats_working" not in {one["field"] for one in again["understood"]["matched"]}
    steward.decided(checked["id"], "accept")
    with two.owner.connect() as connection:
        assert rows(connection, "SELECT seats, seats_working FROM facility WHERE code = 'F050'") == [(4, 4)]


@pytest.mark.parametrize(
    ("role", "said", "status", "says"),
    [
        ("contributor", {"content": "boundaries", "survey": ""}, 403, "steward"),
        ("viewer", {"content": "facilities", "survey": ""}, 403, ""),
        ("steward", {"content": "boundaries"}, 400, "goes with files of a survey only"),
        ("steward", {"content": "wards", "survey": ""}, 400, "is one of boundaries, survey, facilities"),
        ("steward", {"content": "boundaries", "survey": "", "city": "nowhere"}, 404, "no city 'nowhere'"),
        (
            "steward",
            {"content": "boundaries", "survey": "", "kind": "water_point"},
            400,
            "goes with files of facilities",
        ),
        ("steward", {"content": "survey", "valid_from_on": "2025-01-01"}, 400, "goes with files of boundaries"),
        ("steward", {"content": "boundaries", "survey": "", "valid_from_on": "soon"}, 400, "valid_from_on"),
    ],
)
def test_who_may_send_what(
    office: Office, two: TwoOrganisations, tmp_path: Path, role: str, said: dict[str, str], status: int, says: str
) -> None:
    path = settlements(tmp_path / "any.gpkg", 70)
    answer = send(office.client, bearer(two, role), path, **({"survey": "north-draft"} | said))
    assert (answer.status_code, says in answer.text) == (status, True), answer.text


def test_a_choice_of_another_kind_of_file_is_refused(steward: Office, tmp_path: Path) -> None:
    checked = _boundaries(steward, settlements(tmp_path / "choice.gpkg", 71))
    for choices, says in (
        ({"columns": {"settlement_code": "toilet_type"}}, "which is no column of boundaries"),
        ({"placement": "declared"}, "goes with files of survey only"),
    ):
        body = {"decision": "recheck", "choices": choices}
        answer = steward.client.patch(f"{API}/uploads/{checked['id']}", headers=steward.header, json=body)
        assert (answer.status_code, says in answer.text) == (400, True), answer.text


def test_settlements_sent_are_the_senders_and_a_stewards(
    steward: Office, office: Office, other: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = _boundaries(steward, settlements(tmp_path / "ours.gpkg", 72))["id"]
    for path in (f"/uploads/{number}", f"/uploads/{number}/findings", f"/uploads/{number}/file"):
        assert other.client.get(API + path, headers=other.header).status_code == 404
        assert office.client.get(API + path, headers=office.header).status_code == 200
    for header, status in ((other.header, 404), (office.header, 403)):
        answer = office.client.patch(f"{API}/uploads/{number}", headers=header, json={"decision": "accept"})
        assert answer.status_code == status
    assert steward.look(number)["state"] == "checked"


_SENDS = """
INSERT INTO upload (organisation_id, account_id, city_id, content, sha256, file_name, size_bytes, uploaded_by, profile,
    state) SELECT gate.organisation_id(), gate.account_id(), id, 'boundaries', repeat('a', 64), 'x', 1, 'x', '{}',
    'received' FROM city
"""


def _enter(connection: Connection, two: TwoOrganisations, role: str) -> None:
    connection.execute(text("SELECT gate.enter(:token)"), {"token": two.token(role)})


def test_sql_as_the_services_role_needs_a_steward(
    service: Connection, steward: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    number = _boundaries(steward, settlements(tmp_path / "sql.gpkg", 73))["id"]
    accepts = f"UPDATE upload SET state = 'accepted' WHERE id = {number}"
    _enter(service, two, "contributor")
    assert refused(service, _SENDS)
    assert refused(service, accepts)
    for table in ("boundary", "settlement", "facility"):
        assert refused(service, f"DELETE FROM {table}")
    _enter(service, two, "steward")
    assert not refused(service, _SENDS)
    assert not refused(service, accepts)
