"""Cases of a table of points, sent as outlines: what is missing is said first, and what was chosen stays chosen."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo.places import add_city
from tests.support.office import Office, bearer, client, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "settings"]


@pytest.mark.case("officer/B2-columns-for-ever")
def test_a_table_of_points_is_settlements_once_its_code_is_named(
    client: TestClient, two: TwoOrganisations, settings: Any, case_files: Path
) -> None:
    with two.owner.begin() as connection:
        add_city(connection, "stands", "Stands")
    steward = Office(client, bearer(two, "steward"), two, settings)
    sent = steward.sent(case_files / "stands.csv", "", content="boundaries", city="stands")
    if sent["state"] == "waiting":
        assert sent["problem"].startswith("stands.csv holds no shapes")
    told = steward.decided(sent["id"], "recheck", columns={"Stand no": "settlement_code"})
    assert (told["state"], told["problem"]) == ("checked", None)
    assert told["choices"]["columns"] == {"Stand no": "settlement_code"}
    assert told["preview"]["places"]["added"] == 6
    assert "settlements_without_outlines" in {group["code"] for group in told["findings"]}
    page = client.get(f"/uploads/{sent['id']}", headers=bearer(two, "steward"))
    assert "Stand no" in page.text
