"""Columns about persons in files that are sent to the service: named, ticked on the page, chosen by the API."""

from html import unescape
from pathlib import Path

from fastapi.testclient import TestClient

from tests.support import factories as f
from tests.support.browsing import cookie, token
from tests.support.office import Office, client, office, officer, settings
from tests.support.two_organisations import TwoOrganisations, rows

__all__ = ["client", "office", "officer", "settings"]


def _sheet(path: Path, first: int) -> Path:
    made = [
        f.household(first + i) | {"Mobile no.": f"+000 555 {first + i}", "roof colour": "blue", "colour": "red"}
        for i in range(12)
    ]
    return f.write_csv(path, made)


def _stored(two: TwoOrganisations, number: int) -> set[str]:
    with two.owner.connect() as connection:
        keys = f"SELECT DISTINCT jsonb_object_keys(extra) FROM household WHERE upload_id = {number}"
        return {str(name) for (name,) in rows(connection, keys)}


def test_a_column_about_persons_is_named_and_kept_only_where_it_is_chosen(
    office: Office, client: TestClient, two: TwoOrganisations, tmp_path: Path
) -> None:
    told = office.sent(_sheet(tmp_path / "first.csv", 3000))
    assert told["read_as"]["personal"] == [{"column": "Mobile no.", "holds": "telephone number"}]
    (finding,) = [each for each in told["findings"] if each["code"] == "personal_left_out"]
    assert "`keep`" in finding["sentence"]
    assert "555" not in finding["sentence"]
    who = cookie(two, "contributor")
    page = unescape(client.get(f"/uploads/{told['id']}", headers=who).text)
    assert 'value="Mobile no."> <bdi>' in page
    assert 'value="colour" checked> <bdi>' in page
    assert "--keep" not in page

    form = {"column": ["Mobile no.", "roof colour", "colour"], "was": ["left", "kept", "kept"], "keep": ["roof colour"]}
    answer = client.post(f"/uploads/{told['id']}/kept", headers=who, data=token(two, "contributor") | form)
    assert answer.status_code in (200, 303)
    office.work()
    ticked = office.look(told["id"])
    assert (ticked["choices"]["keep"], ticked["choices"]["leave_out"]) == ([], ["colour"])
    loaded = office.decided(told["id"], "accept")
    assert _stored(two, loaded["id"]) == {"roof colour"}

    # What was chosen is known for the next file with these columns, and a program chooses otherwise.
    again = office.sent(_sheet(tmp_path / "second.csv", 3100))
    assert again["understood"]["is_remembered"]
    office.decided(again["id"], "accept")
    assert _stored(two, again["id"]) == {"roof colour"}
    third = office.sent(_sheet(tmp_path / "third.csv", 3200))
    kept = office.decided(third["id"], "recheck", keep=["Mobile no.", "colour"], leave_out=["roof colour"])
    assert not [each for each in kept["findings"] if each["code"] == "personal_left_out"]
    office.decided(third["id"], "accept")
    assert _stored(two, third["id"]) == {"Mobile no.", "colour"}


def test_a_column_to_keep_that_is_not_there_is_told(office: Office, tmp_path: Path) -> None:
    told = office.sent(_sheet(tmp_path / "fourth.csv", 3300))
    wrong = office.decided(told["id"], "recheck", leave_out=["Telefon"])
    assert wrong["state"] == "waiting"
    assert "Telefon" in wrong["problem"]
