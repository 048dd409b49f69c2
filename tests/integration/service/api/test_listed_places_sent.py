"""Settlements without outlines, sent to the service as a list."""

from pathlib import Path
from typing import Any

import pytest

from geo.ingestion.suggesting import NOTHING
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "office", "officer", "settings"]


@pytest.fixture
def steward(office: Office, two: TwoOrganisations) -> Office:
    """North's steward at work."""
    return Office(office.client, bearer(two, "steward"), two, office.settings)


def test_a_table_of_points_is_a_list_of_settlements(steward: Office, tmp_path: Path) -> None:
    rows = [{"Q7": f"ST-{i}", "Q8": f"Stand {i}", "E": 73.9 + i / 100, "N": 18.6} for i in range(3)]
    path = f.write_csv(tmp_path / "stands.csv", rows)
    sent = steward.sent(path, "", content="boundaries")
    held = {"Q7": "settlement_code", "Q8": "settlement_name", "E": "longitude", "N": "latitude"}
    checked = steward.decided(sent["id"], "recheck", columns=held)
    assert (checked["state"], checked["problem"]) == ("checked", None)
    assert checked["preview"]["places"]["added"] == 3
    assert [group["code"] for group in checked["findings"]] == ["settlements_without_outlines"]
    assert len(checked["read_as"]["positions"]) == 3
    assert steward.decided(sent["id"], "accept")["state"] == "loaded"
    assert steward.decided(sent["id"], "withdraw")["state"] == "withdrawn"
    listed = steward.client.get(f"{API}/settlements?city=pune&limit=1000").json()["settlements"]
    assert not [one for one in listed if one["code"].startswith("ST-")]


def test_columns_called_after_positions_are_said_and_can_be_changed(steward: Office, tmp_path: Path) -> None:
    rows = [
        {"Place no": f"Z-{i}", "Place": f"Zone {i}", "Quarter": "West", "Lat": 18.6, "Long": 73.9} for i in range(3)
    ]
    path = f.write_csv(tmp_path / "places.csv", rows)
    checked = steward.sent(path, "", content="boundaries")
    held = {each["column"]: (each["field"], each["confidence"]) for each in checked["understood"]["matched"]}
    assert held == {
        "Place no": ("settlement_code", "sure"), "Place": ("settlement_name", "sure"),
        "Quarter": ("ward_name", "likely"), "Lat": ("latitude", "sure"), "Long": ("longitude", "sure"),
    }  # fmt: skip
    told = checked["findings"][0]["sentence"]
    assert "maps show those that have a position (“3 of 3”) as circles" in told
    page = steward.client.get(f"/uploads/{checked['id']}", headers={**steward.header, "accept": "text/html"}).text
    assert "latitude: of one that nobody has drawn" in page.partition("columns that are sure")[2]
    without = steward.decided(checked["id"], "recheck", columns={"Lat": NOTHING, "Long": NOTHING})
    assert "(“0 of 3”)" in without["findings"][0]["sentence"]


def test_without_a_code_it_says_at_once_that_there_are_no_shapes(steward: Office, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"Ward": "A", "Households": 40}, {"Ward": "A", "Households": 40}]
    waiting = steward.sent(f.write_csv(tmp_path / "bare.csv", rows), "", content="boundaries")
    assert waiting["state"] == "waiting"
    assert waiting["problem"].startswith("bare.csv holds no shapes")
    assert "shapefile" in waiting["problem"]
