"""A kind of file that is registered in a module of its own is sent, checked, shown, decided, loaded and taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from geo import messages
from geo.ingestion.findings import RULES
from geo.ingestion.loading import KINDS, register
from geo.ingestion.uploads import Step, Work
from geo.settings import Settings
from tests.support import factories as f
from tests.support.browsing import cookie, token
from tests.support.office import API, Office, bearer, client, decide, send, settings
from tests.support.trees import TABLE, Trees
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "settings"]


@pytest.fixture(autouse=True)
def trees(two: TwoOrganisations) -> Iterator[None]:
    """The kind, known while a test runs, and its table."""
    with two.owner.begin() as connection:
        connection.execute(text(TABLE))
    register(Trees())
    yield
    del KINDS[Trees.name]
    # Its words are in the table that all tests read.
    messages._table.cache_clear()
    for code in Trees.rules:
        del RULES[code]
    with two.owner.begin() as connection:
        connection.execute(text("DROP TABLE tree"))
        # No other test knows such uploads.
        connection.execute(text("DELETE FROM finding WHERE upload_id IN (SELECT id FROM upload WHERE content='trees')"))
        connection.execute(text("DELETE FROM upload WHERE content = 'trees'"))


@pytest.fixture
def steward(client: TestClient, two: TwoOrganisations, settings: Settings) -> Office:
    """North's steward at work."""
    return Office(client, bearer(two, "steward"), two, settings)


def works(steward: Office, two: TwoOrganisations, number: int, step: Step) -> dict[str, Any]:
    """The upload after a step of the work on it, which is done here: other processes do not know the kind."""
    assert Work(two.owner, number, steward.settings.originals_url).do(step)
    return steward.look(number)


def live(two: TwoOrganisations) -> list[tuple[str, str]]:
    with two.owner.connect() as connection:
        found = connection.execute(text("SELECT code, species FROM tree WHERE is_live ORDER BY code"))
        return [(row[0], row[1]) for row in found]


def test_a_kind_of_file_is_one_entry(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    rows = [{"tree_code": "T1", "species": "neem"}, {"tree_code": "", "species": "fig"}]
    path = f.write_csv(tmp_path / "trees.csv", rows)
    answer = send(steward.client, steward.header, path, "", content="trees", only_street="true")
    assert answer.status_code == 202, answer.text
    number = answer.json()["id"]
    assert answer.json()["choices"]["only_street"] is True

    checked = works(steward, two, number, "checking")
    assert (checked["state"], checked["content"]) == ("waiting", "trees")
    assert [(m["column"], m["field"]) for m in checked["understood"]["matched"]] == [
        ("tree_code", "tree_code"),
        ("species", "species"),
    ]
    [group] = checked["findings"]
    assert (group["code"], group["rows"]) == ("tree_code_missing", [3])
    assert group["sentence"] == "The row has no tree code. What to do: give each tree one."
    assert checked["preview"]["places"]["added"] == 1
    assert live(two) == []

    decided = decide(steward.client, steward.header, number, "skip_errors")
    assert decided.status_code == 200, decided.text
    loaded = works(steward, two, number, "loading")
    assert (loaded["state"], loaded["counts"]["rows_loaded"]) == ("loaded", 1)
    assert live(two) == [("T1", "neem")]

    assert decide(steward.client, steward.header, number, "withdraw").status_code == 200
    assert works(steward, two, number, "withdrawing")["state"] == "withdrawn"
    assert live(two) == []


def test_its_choices_and_columns_are_its_own(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "trees.csv", [{"id": "T1", "species": "neem"}])
    for choices, says in (
        ({"moved": "true"}, "goes with files of boundaries only"),
        ({"planted_in": "long ago"}, "must be a whole number"),
        ({"columns": '{"id": "toilet_type"}'}, "which is no column of trees"),
        ({"columns": "id is the code"}, "columns: is not JSON"),
    ):
        refused = send(steward.client, steward.header, path, "", content="trees", **choices)
        assert (refused.status_code, says in refused.text) == (400, True), refused.text
    of_others = send(steward.client, steward.header, path, "", content="boundaries", only_street="true")
    assert "goes with files of trees only" in of_others.text
    said = send(steward.client, steward.header, path, "", content="trees", columns='{"id": "tree_code"}')
    assert works(steward, two, said.json()["id"], "checking")["state"] == "checked"
    number = send(steward.client, steward.header, path, "", content="trees").json()["id"]
    assert works(steward, two, number, "checking")["state"] == "waiting"
    wrong = decide(steward.client, steward.header, number, "recheck", columns={"id": "toilet_type"})
    assert (wrong.status_code, "which is no column of trees" in wrong.text) == (400, True), wrong.text
    right = {"columns": {"id": "tree_code"}, "planted_in": 1990}
    assert decide(steward.client, steward.header, number, "recheck", **right).status_code == 200
    checked = works(steward, two, number, "checking")
    assert (checked["state"], checked["counts"]["rows_loaded"]) == ("checked", 1)
    assert checked["choices"]["planted_in"] == 1990


def test_who_decides_is_told_by_the_kind(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "trees.csv", [{"tree_code": "T1", "species": "neem"}])
    assert send(steward.client, bearer(two, "contributor"), path, "", content="trees").status_code == 403
    number = send(steward.client, steward.header, path, "", content="trees").json()["id"]
    works(steward, two, number, "checking")
    assert decide(steward.client, bearer(two, "contributor"), number, "accept").status_code == 403


def test_pages_show_it_in_its_words(steward: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    page = steward.client.get("/cities/pune", headers=cookie(two, "steward")).text
    for words in ("Send trees", "File of trees", "A CSV with a code for each tree: up to 5 MB.", "Street trees only"):
        assert words in page
    path = f.write_csv(tmp_path / "trees.csv", [{"tree_code": "T1", "species": "neem"}])
    number = send(steward.client, steward.header, path, "", content="trees").json()["id"]
    works(steward, two, number, "checking")
    here = f"/uploads/{number}"
    page = steward.client.get(here, headers=cookie(two, "steward")).text
    for words in ("<b>1</b> planted", "Street trees only", "species: as botanists call it", "What it would change"):
        assert words in page
    assert "A steward of your organisation decides about trees." in (
        steward.client.get(here, headers=cookie(two, "contributor")).text
    )
    form = token(two, "steward") | {"only_street": "yes"}
    steward.client.follow_redirects = False
    assert steward.client.post(f"{here}/reading", headers=cookie(two, "steward"), data=form).status_code == 303
    assert steward.look(number)["choices"]["only_street"] is True
    works(steward, two, number, "checking")
    decide(steward.client, steward.header, number, "accept")
    works(steward, two, number, "loading")
    page = steward.client.get(here, headers=cookie(two, "steward")).text
    assert "Everybody sees the trees." in page
    assert "Stumps stay." in page
    assert API in page
