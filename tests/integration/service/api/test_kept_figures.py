"""What few households changed stays as it was published; a steward sees that, and can show the change all the same."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support import factories as f
from tests.support.browsing import cookie
from tests.support.office import API, bearer
from tests.support.queues import work_off
from tests.support.two_organisations import TwoOrganisations

ROUND = f"{API}/own/surveys/pune/north-published"
VALUES = f"{API}/values?city=pune&survey=north-published&indicator=household_toilet"


@pytest.fixture
def client(two: TwoOrganisations, tmp_path: Path) -> Iterator[TestClient]:
    """The service, of a round that three households were added to since it was published."""
    url = two.owner.url.render_as_string(hide_password=False)
    rows = [f.household(5_000 + i, 0, toilet_type="none", toilet_location=None, toilet_users=None) for i in range(3)]
    path = f.write_csv(tmp_path / "more.csv", rows)
    with database.transaction(two.owner) as connection:
        f.load(connection, tmp_path, path, survey=replace(f.spec("north-published"), organisation="north"))
    jobs.prepare(url)
    work_off(url, Settings())
    with TestClient(create_app(two.service, Settings()), base_url="https://testserver") as client:
        yield client


def figure(client: TestClient, publication: int | None = None) -> Any:
    """What everybody reads of the settlement."""
    rows = client.get(VALUES + ("" if publication is None else f"&publication={publication}")).json()["values"]
    return next(row for row in rows if row["settlement_code"] == "01")


def test_a_steward_shows_what_few_changed(client: TestClient, two: TwoOrganisations) -> None:
    kept = figure(client)
    assert (kept["value"], kept["kept_from"]) == (figure(client, 1)["value"], 1)
    assert figure(client, 1)["kept_from"] is None
    csv = client.get(f"{VALUES}&format=csv").text.splitlines()
    assert csv[0].endswith(",kept_from")
    assert any(line.endswith(",1") for line in csv[1:])
    page = client.get("/surveys/pune/north-published", headers=cookie(two, "steward")).text
    assert "Figures of 1 settlement stay as they were published before" in page
    assert 'name="note" maxlength="500"' in page
    refused = client.patch(ROUND, headers=bearer(two, "contributor"), json={"state": "published", "correction": True})
    assert refused.status_code == 403
    wanted = {"state": "published", "correction": True, "note": "Two <b>answers</b> corrected"}
    too_long = client.patch(ROUND, headers=bearer(two, "steward"), json={**wanted, "note": "x" * 501})
    assert too_long.status_code == 400
    asked = client.patch(ROUND, headers=bearer(two, "steward"), json=wanted)
    assert asked.status_code == 200
    work_off(two.owner.url.render_as_string(hide_password=False), Settings())
    shown = figure(client)
    assert (shown["kept_from"], shown["value"] < kept["value"]) == (None, True)
    page = client.get("/surveys/pune/north-published", headers=cookie(two, "steward")).text
    assert "stay as they were published before" not in page
    listed = client.get("/api/v1/publications?city=pune&survey=north-published").json()["publications"]
    assert [each["note"] for each in listed] == [None, None, "Two <b>answers</b> corrected"]
