"""Pulling from servers: whole, once, again after edits and deletions, after a cut, and refused in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from geo.database.schema.households import household
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import upload
from tests.support import factories as f
from tests.support.cli import Shell
from tests.support.survey_servers import TOKEN, Served, serving

PROFILE = """
name = "pulled"
[fields.members]
column = "hh/members"
[fields.drainage]
column = "hh/drain"
values = { covered = "closed", none = "none" }
"""

CONTENT = {
    "translations": ["English"],
    "survey": [
        {"type": "begin_group", "name": "hh", "label": ["Household"]},
        {"type": "integer", "name": "members", "label": ["Members"]},
        {"type": "select_one", "select_from_list_name": "drain", "name": "drain", "label": ["Drain"]},
        {"type": "end_group"},
        {"type": "geopoint", "name": "gps", "label": ["Position"]},
    ],
    "choices": [
        {"list_name": "drain", "name": "covered", "label": ["Covered drain"]},
        {"list_name": "drain", "name": "none", "label": ["No drain"]},
    ],
}


def kobo_row(index: int, **changes: Any) -> dict[str, Any]:
    plain = f.household(index)
    return {
        "_id": 100 + index,
        "_uuid": f"edit-{index}",
        "meta/rootUuid": f"uuid:root-{index:03}",
        "hh/members": str(1 + index % 7),
        "hh/drain": "covered" if index % 3 else "none",
        "gps": f"{plain['latitude']} {plain['longitude']} 560 4",
        "_geolocation": [plain["latitude"], plain["longitude"]],
        "_validation_status": {},
        "_attachments": [{"download_url": "https://example.org/photo"}],
        "_submission_time": "2024-02-03T10:00:00",
        **changes,
    }


def odk_row(index: int, **changes: Any) -> dict[str, Any]:
    plain = f.household(index)
    point = {"type": "Point", "coordinates": [plain["longitude"], plain["latitude"], 560]}
    return {
        "__id": f"uuid:root-{index:03}",
        "hh": {"members": 1 + index % 7, "drain": "covered" if index % 3 else "none"},
        "gps": point | {"properties": {"accuracy": 4}},
        "people": [{"name": "x", "__id": "1"}],
        "__system": {"submissionDate": "2024-02-03T10:00:00.000Z", "reviewState": None, "deletedAt": None},
        "meta": {"instanceID": f"uuid:edit-{index}"},
        **changes,
    }


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "pune", "--name", "Pune")
    shell.run("load", "boundaries", f.write_boundaries(tmp_path / "city.gpkg", f.small_city()), "--city", "pune")
    (tmp_path / "pulled.toml").write_text(PROFILE)
    return shell


@pytest.fixture
def kobo() -> Iterator[Served]:
    with serving("kobo") as served:
        served.rows, served.content = [kobo_row(i) for i in range(25)], CONTENT
        yield served


@pytest.fixture
def odk() -> Iterator[Served]:
    with serving("odk") as served:
        served.rows = [odk_row(i) for i in range(25)]
        yield served


ROUND = ["--city", "pune", "--survey", "2024", "--mode", "census", "--starts", "2024-01-01", "--ends", "2024-06-30"]
ROUND += ["--profile", "pulled.toml"]


def kobo_pull(kobo: Served, *more: str) -> list[str]:
    return ["kobo", "pull", "--server", kobo.url, "--asset", "aUID", *ROUND, *more]


def odk_pull(odk: Served, *more: str) -> list[str]:
    return ["odk", "pull", "--server", odk.url, "--project", "3", "--form", "my form", *ROUND, *more]


KOBO: Any = {"VASTI_KOBO_TOKEN": TOKEN}
ODK: Any = {"VASTI_ODK_EMAIL": "ana@example.org", "VASTI_ODK_PASSWORD": TOKEN}


def live(engine: Engine) -> dict[str, int | None]:
    """Live households by code, with their members."""
    with engine.connect() as connection:
        rows = select(household.c.household_code, household.c.members).where(household.c.is_live)
        _assert_whole(connection)
        return {row.household_code: row.members for row in connection.execute(rows)}


def _assert_whole(connection: Connection) -> None:
    for survey_id in connection.execute(select(survey.c.id)).scalars():
        f.assert_tallies_whole(connection, survey_id)


def test_kobo_pull_follows_edits_and_deletions(shell: Shell, kobo: Served, fresh_engine: Engine) -> None:
    kobo.before = {2: "429", 3: "cut"}.get
    first = shell.run(*kobo_pull(kobo, "--publish"), **KOBO)
    assert "25 read, 25 loaded, 0 with warnings, 0 rejected" in first.stdout
    assert live(fresh_engine) == {f"root-{i:03}": 1 + i % 7 for i in range(25)}
    assert not list((shell.folder / "state" / "pulls").glob("*/*"))

    again = shell.run(*kobo_pull(kobo), **KOBO)
    assert "loaded already, as upload" in again.stdout

    by_hand = f.write_csv(shell.folder / "hand.csv", [f.household(900, members=3)])
    shell.run("load", "survey", by_hand, "--city", "pune", "--survey", "2024")
    kobo.rows = [row for row in kobo.rows if row["_id"] not in (104, 105)]
    kobo.rows[0] |= {"hh/members": "9", "_uuid": "edited"}
    kobo.rows.append(kobo_row(40))
    changed = shell.run(*kobo_pull(kobo), **KOBO)
    assert "24 read, 24 loaded" in changed.stdout
    assert "which it replaces, is withdrawn" in changed.stdout
    now = live(fresh_engine)
    assert set(now) == {f"root-{i:03}" for i in (*range(25), 40)} - {"root-004", "root-005"} | {"H0900"}
    assert (now["root-000"], now["H0900"]) == (9, 3)
    with fresh_engine.connect() as connection:
        states = list(connection.execute(select(upload.c.state).where(upload.c.survey_id.is_not(None)).order_by("id")))
    assert [state for (state,) in states] == ["withdrawn", "loaded", "loaded"]
    assert TOKEN not in first.stdout + first.stderr + changed.stdout + changed.stderr


def test_kobo_pull_goes_on_after_a_kill(shell: Shell, kobo: Served, fresh_engine: Engine) -> None:
    kobo.before = lambda number: "hang" if number == 3 else None
    running = shell.start(*kobo_pull(kobo), **KOBO)
    assert kobo.hanging.wait(60)
    running.kill()
    running.process.join()
    pages = sorted((shell.folder / "state" / "pulls").glob("*/page-*.json"))
    assert len(pages) == 2
    assert {path.stat().st_mode & 0o777 for path in pages} == {0o600}
    assert {path.parent.stat().st_mode & 0o777 for path in pages} == {0o700}
    kobo.resume.set()
    asked = len(kobo.asked)
    done = shell.run(*kobo_pull(kobo), **KOBO)
    assert "25 read, 25 loaded" in done.stdout
    # The third page, and the count at the end; the first two were there.
    assert len(kobo.asked) - asked == 2
    assert len(live(fresh_engine)) == 25


def test_kobo_pull_leaves_rejected_submissions_out(shell: Shell, kobo: Served, fresh_engine: Engine) -> None:
    kobo.rows[3] |= {"_validation_status": {"uid": "validation_status_not_approved"}, "gps": "1 1 0 0"}
    kobo.rows[4] |= {"_validation_status": {"uid": "validation_status_on_hold"}}
    done = shell.run(*kobo_pull(kobo), **KOBO)
    assert "25 read, 24 loaded, 1 with warnings, 1 rejected" in done.stdout
    assert "The submission's review says" in done.stderr
    assert "root-003" not in live(fresh_engine)


def test_kobo_pull_with_errors_changes_nothing(shell: Shell, kobo: Served, fresh_engine: Engine) -> None:
    shell.run(*kobo_pull(kobo), **KOBO)
    before = live(fresh_engine)
    kobo.rows[0] |= {"gps": "1.0 1.0 0 0"}
    kobo.rows.pop()
    refused = shell.run(*kobo_pull(kobo), code=1, **KOBO)
    assert "1 of 24 rows have errors, so nothing was loaded" in refused.stderr
    assert "The rows are those of" in refused.stderr
    assert live(fresh_engine) == before
    checked = shell.run(*kobo_pull(kobo, "--dry-run"), **KOBO)
    assert "checked, nothing written" in checked.stdout
    assert live(fresh_engine) == before
    assert "24 read, 23 loaded" in shell.run(*kobo_pull(kobo, "--skip-errors"), **KOBO).stdout
    assert len(live(fresh_engine)) == 23


def test_kobo_pull_reads_all_again_when_submissions_vanish(shell: Shell, kobo: Served, fresh_engine: Engine) -> None:
    def vanish(number: int) -> None:
        if number == 2:
            kobo.rows = [row for row in kobo.rows if row["_id"] != 100]

    kobo.before = vanish
    assert "24 read, 24 loaded" in shell.run(*kobo_pull(kobo), **KOBO).stdout
    assert "root-000" not in live(fresh_engine)


@pytest.mark.parametrize(
    ("wrong", "code", "sentence"),
    [
        ("html", 1, "answered with something else than JSON"),
        ("elsewhere", 1, "sends us on to other.example, which must not see the token"),
    ],
)
def test_kobo_pull_says_what_the_server_did(shell: Shell, kobo: Served, wrong: str, code: int, sentence: str) -> None:
    kobo.before = lambda _number: wrong
    assert sentence in shell.run(*kobo_pull(kobo), code=code, **KOBO).stderr


def test_kobo_pull_says_what_is_missing(shell: Shell, kobo: Served) -> None:
    assert "VASTI_KOBO_TOKEN is not set" in shell.run(*kobo_pull(kobo), code=5).stderr
    refused = shell.run(*kobo_pull(kobo), code=5, VASTI_KOBO_TOKEN="wrong-token").stderr
    assert "does not let us in (HTTP 401); check VASTI_KOBO_TOKEN" in refused
    assert "wrong-token" not in refused
    other = [word.replace("aUID", "aNone") for word in kobo_pull(kobo)]
    assert "has no asset aNone" in shell.run(*other, code=3, **KOBO).stderr
    plain = ["http://kobo.example" if word == kobo.url else word for word in kobo_pull(kobo)]
    assert "write --server https://kobo.example" in shell.run(*plain, code=1, **KOBO).stderr
    kobo.rows = []
    assert "has no submissions, so nothing was changed" in shell.run(*kobo_pull(kobo), code=1, **KOBO).stderr


def test_odk_pull_follows_links_reviews_and_deletions(shell: Shell, odk: Served, fresh_engine: Engine) -> None:
    odk.before = {2: "cut"}.get
    odk.rows[3]["__system"] |= {"reviewState": "rejected"}
    odk.rows[4]["__system"] |= {"reviewState": "hasIssues"}
    first = shell.run(*odk_pull(odk), **ODK)
    assert "25 read, 24 loaded, 1 with warnings, 1 rejected" in first.stdout
    assert live(fresh_engine) == {f"root-{i:03}": 1 + i % 7 for i in range(25) if i != 3}
    assert "loaded already" in shell.run(*odk_pull(odk), **ODK).stdout
    odk.rows.pop(0)
    odk.rows[0]["hh"]["members"] = 9
    shell.run(*odk_pull(odk), **ODK)
    now = live(fresh_engine)
    assert ("root-000" in now, now["root-001"], len(now)) == (False, 9, 23)


def test_odk_pull_says_what_is_wrong(shell: Shell, odk: Served) -> None:
    assert "are not both set" in shell.run(*odk_pull(odk), code=5).stderr
    wrong = shell.run(*odk_pull(odk), code=5, **(ODK | {"VASTI_ODK_PASSWORD": "wrong-word"})).stderr
    assert "check VASTI_ODK_EMAIL and VASTI_ODK_PASSWORD" in wrong
    assert "wrong-word" not in wrong
    other = [word.replace("my form", "none") for word in odk_pull(odk)]
    assert "has no form none in project 3" in shell.run(*other, code=3, **ODK).stderr
    odk.workbook = f.write_sheet(shell.folder / "form.xlsx", {"choices": [["list_name", "name"]]}).read_bytes()
    assert "it has no sheet survey" in shell.run(*odk_pull(odk), code=1, **ODK).stderr
