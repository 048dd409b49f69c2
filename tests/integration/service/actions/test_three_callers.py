"""One use case, three callers: API, page and command line do the same, and the same is noted of it."""

import getpass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.base import PageRequest
from geo.errors import NotAllowed
from geo.people import Acting, Operator, SignedIn, enter, find_audit, require
from service.actions.surveys import change_state
from tests.support import factories as f
from tests.support.browsing import cookie, token
from tests.support.cli import Shell
from tests.support.office import API, bearer, client, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "settings"]

STEWARD, CONSOLE = "steward@north.org", f"{getpass.getuser()} at the command line"


@pytest.fixture
def shell(two: TwoOrganisations, tmp_path: Path) -> Shell:
    return Shell(two.owner.url.render_as_string(hide_password=False), tmp_path)


def noted(two: TwoOrganisations, subject: str) -> list[tuple[Any, ...]]:
    with two.owner.connect() as connection:
        rows = find_audit(connection, PageRequest(limit=None)).rows
    return [(r.actor, r.organisation, r.action, r.before, r.after) for r in rows if r.subject == subject]


def test_a_round_is_published(two: TwoOrganisations, client: TestClient, shell: Shell) -> None:
    draft, published = {"state": "draft"}, {"state": "published"}
    asked = client.patch(f"{API}/own/surveys/pune/north-draft", headers=bearer(two, "steward"), json=published)
    assert asked.status_code == 200
    form = token(two, "steward") | draft
    client.post("/surveys/pune/north-draft/state", headers=cookie(two, "steward"), data=form)
    shell.run("publish", "--city", "pune", "--survey", "north-draft")
    shell.run("publish", "--city", "pune", "--survey", "north-draft")
    assert noted(two, "survey pune/north-draft") == [
        (STEWARD, "north", "state set", draft, published),
        (STEWARD, "north", "state set", published, draft),
        (CONSOLE, "north", "state set", draft, published),
        (CONSOLE, "north", "publication made", None, {"number": 1, "correction": False, "note": None}),
    ]


def test_a_settlement_is_ended(two: TwoOrganisations, client: TestClient, shell: Shell) -> None:
    there, ended, operator = {"ended_on": None}, {"ended_on": "2030-01-01"}, two.sessions["operator@vasti.org"]
    address, header = f"{API}/own/settlements/pune/{f.code(0)}", {"authorization": f"Bearer {operator}"}
    assert client.patch(address, headers=header, json=ended).status_code == 200
    shell.run("settlement", "reopen", f.code(0), "--city", "pune")
    shell.run("settlement", "end", f.code(0), "--city", "pune", "--on", "2030-01-01")
    assert noted(two, f"settlement pune/{f.code(0)}") == [
        ("operator@vasti.org", "installation", "settlement ended", there, ended),
        (CONSOLE, None, "settlement reopened", ended, there),
        (CONSOLE, None, "settlement ended", there, ended),
    ]


def test_a_round_is_shared(two: TwoOrganisations, client: TestClient, shell: Shell) -> None:
    address = f"{API}/own/surveys/pune/north-published/grants/south"
    command = ("grant", "--city", "pune", "--survey", "north-published", "--to", "south")
    assert client.put(address, headers=bearer(two, "steward")).status_code == 200
    shell.run(*command)
    shell.run(*command, "--end")
    shell.run(*command)
    assert client.delete(address, headers=bearer(two, "steward")).json() == {"grants": []}
    assert noted(two, "survey pune/north-published") == [
        (STEWARD, "north", "grant given", None, {"to": "south"}),
        (CONSOLE, "north", "grant ended", None, {"to": "south"}),
        (CONSOLE, "north", "grant given", None, {"to": "south"}),
        (STEWARD, "north", "grant ended", None, {"to": "south"}),
    ]


def test_an_account_is_added_and_changed(two: TwoOrganisations, client: TestClient, shell: Shell) -> None:
    """The two notes of a new account differ: the operator's is north's already, and so need not name it."""
    of = {"name": "Asha", "role": "viewer"}
    header = bearer(two, "steward")
    made = client.post(f"{API}/accounts", headers=header, json=of | {"email": "asha@north.org"})
    shell.run("account", "add", "ben@north.org", "--name", "Ben", "--role", "viewer", "--organisation", "north")
    number = made.json()["account"]["id"]
    for closed in (True, True):
        client.patch(f"{API}/accounts/{number}", headers=header, json={"is_active": not closed})
        shell.run("account", "close", "ben@north.org")
    shut = ("account changed", {"is_active": True}, {"is_active": False})
    assert noted(two, "account asha@north.org") == [
        (STEWARD, "north", "account added", None, {"role": "viewer", "organisation": "north"}),
        (STEWARD, "north", *shut),
    ]
    assert noted(two, "account ben@north.org") == [
        (CONSOLE, "north", "account added", None, {"role": "viewer", "name": "Ben"}),
        (CONSOLE, "north", *shut),
        (CONSOLE, "north", "account changed", {"is_active": False}, {"is_active": False}),
    ]


DRAINED = """
id = "own_drained"
name = "Homes with a drain"
description = "Share of homes with any drain."
why = "Water that stands between homes breeds mosquitoes."
direction = "up"
measure = "share"
counted = "households"
unit = "%"
unknown = "excluded"
source = "Our own survey"
numerator = "drainage = 'closed'"
"""


def test_an_indicator_is_added(two: TwoOrganisations, shell: Shell) -> None:
    (shell.folder / "own.toml").write_text(DRAINED, encoding="utf-8")
    for _ in range(2):
        shell.run("indicators", "add", "own.toml", "--organisation", "north")
    assert noted(two, "indicator own_drained") == [(CONSOLE, "north", "indicator added", None, {"version": 1})]


def test_who_acts_says_what_may_be_done(two: TwoOrganisations) -> None:
    with database.transaction(two.service) as connection:
        south = SignedIn(connection, require(enter(connection, two.token("steward", "south")), "steward"))
        with pytest.raises(NotAllowed, match="another organisation's"):
            change_state(south, "pune", "north-published", "draft")
        with pytest.raises(NotAllowed, match="This is for a operator"):
            south.require("operator")
    with two.owner.connect() as connection:
        operator = Acting(connection, Operator("asha", "north"))
        operator.require("operator")
        change_state(operator, "pune", "north-published", "draft")
        change_state(operator, "pune", "south-published", "draft")
        connection.rollback()
