"""`vasti account`, `vasti grant` and `vasti audit` as an operator types them."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from geo.people import enter
from tests.support import factories as f
from tests.support.cli import Shell
from tests.support.two_organisations import set_password, sign_in

PASSWORD = "correct horse battery"


@pytest.fixture
def shell(fresh_url: str, fresh_engine: Engine, tmp_path: Path) -> Shell:
    """A city with one draft of the organisation `local`."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, f.households())
    return Shell(fresh_url, tmp_path)


def add(shell: Shell, email: str = "asha@shelter.org", role: str = "steward") -> str:
    """Adds an account; the link that sets its password."""
    command = ("account", "add", email, "--name", "Asha", "--role", role, "--organisation", "shelter")
    told = shell.run(*command).stdout
    assert f"{email} is {'an' if role == 'operator' else 'a'} {role} of shelter." in told
    return link_in(told)


def link_in(told: str) -> str:
    """What the address that is told leads with to the page."""
    address, _, link = told.rsplit(maxsplit=1)[-1].partition("#link=")
    assert address == "http://127.0.0.1:8000/password"
    return link


def test_first_account_signs_in(shell: Shell, fresh_engine: Engine) -> None:
    link = add(shell)
    with fresh_engine.begin() as connection:
        set_password(connection, link, PASSWORD)
        bearer = enter(connection, sign_in(connection, "asha@shelter.org", PASSWORD))
    assert bearer is not None
    assert (bearer.role, bearer.organisation) == ("steward", "shelter")
    again = link_in(shell.run("account", "link", "ASHA@shelter.org").stdout)
    assert again != link
    with fresh_engine.begin() as connection:
        set_password(connection, again, "another password")


def test_account_changes_and_lists(shell: Shell, fresh_engine: Engine) -> None:
    add(shell)
    told = shell.run("account", "key", "asha@shelter.org", "--name", "dashboard", "--role", "viewer", "--days", "30")
    token = told.stdout.split()[-1]
    assert re.fullmatch(r"vasti_[\w-]{43}", token)
    with fresh_engine.begin() as connection:
        assert enter(connection, token) is not None
    assert "is a viewer of shelter." in shell.run("account", "role", "asha@shelter.org", "--role", "viewer").stdout
    assert "is closed." in shell.run("account", "close", "asha@shelter.org").stdout
    with fresh_engine.begin() as connection:
        assert enter(connection, token) is None
    (row,) = csv.DictReader(io.StringIO(shell.run("account", "list", "--format", "csv").stdout))
    assert (row["email"], row["role"], row["is_active"]) == ("asha@shelter.org", "viewer", "False")
    assert "is open again." in shell.run("account", "close", "asha@shelter.org", "--reopen").stdout


def test_grant_is_given_and_ended(shell: Shell) -> None:
    add(shell)
    grant = ("grant", "--city", "pune", "--survey", "2024", "--to", "shelter")
    assert shell.run(*grant).stdout == "The full figures of 2024 of pune are shared with shelter.\n"
    assert "shared with shelter, as before." in shell.run(*grant).stdout
    assert "no longer shared with shelter." in shell.run(*grant, "--end").stdout


def test_audit_tells_what_commands_did(shell: Shell, tmp_path: Path) -> None:
    add(shell)
    shell.run("account", "role", "asha@shelter.org", "--role", "viewer")
    shell.run("publish", "--city", "pune", "--survey", "2024")
    shell.run("withdraw", "2")
    shell.run("city", "add", "nagpur", "--name", "Nagpur")
    shell.run("city", "add", "nagpur", "--name", "Nagpur")
    assert "already, called Nagpur" in shell.run("city", "add", "nagpur", "--name", "Another", code=4).stderr
    sizes = f.write_csv(tmp_path / "sizes.csv", [{"settlement_code": f.code(0), "households": 90}])
    shell.run("load", "frame", str(sizes), "--city", "pune", "--survey", "2024")
    rows = json.loads(shell.run("audit", "--format", "json").stdout)
    assert [(row["action"], row["subject"]) for row in rows] == [
        ("account added", "account asha@shelter.org"),
        ("account changed", "account asha@shelter.org"),
        ("state set", "survey pune/2024"),
        ("publication made", "survey pune/2024"),
        ("upload withdrawn", "upload 2"),
        ("city added", "city nagpur"),
        ("frame loaded", "survey pune/2024"),
    ]
    assert (rows[1]["before"], rows[1]["after"]) == ({"role": "steward"}, {"role": "viewer"})
    assert {row["organisation"] for row in rows} == {"shelter", "local", None}
    assert all(row["actor"].endswith(" at the command line") for row in rows)
    told = list(
        csv.DictReader(io.StringIO(shell.run("audit", "--after", str(rows[1]["id"]), "--format", "csv").stdout))
    )
    assert [row["action"] for row in told] == [
        *("state set", "publication made", "upload withdrawn", "city added", "frame loaded"),
    ]
    assert json.loads(told[0]["after"]) == {"state": "published"}
    assert "account changed" in shell.run("audit").stdout

    shell.run("db", "backup", "kept.backup")
    shell.run("city", "add", "later", "--name", "Added after the backup")
    shell.run("db", "restore", "kept.backup", "--yes")
    *before, last = json.loads(shell.run("audit", "--format", "json").stdout)
    assert before == rows
    assert (last["action"], last["subject"]) == ("database restored", "backup kept.backup")


def test_refusals(shell: Shell) -> None:
    add(shell)
    said_by = {
        ("account", "add", "asha@shelter.org", "--name", "A", "--role", "viewer"): (4, "There is an account"),
        ("account", "add", "nobody", "--name", "A", "--role", "viewer"): (1, "is not an e-mail address"),
        ("account", "add", "a@b.org", "--name", "A", "--role", "king"): (2, "viewer"),
        ("account", "link", "a@b.org"): (3, "There is no account a@b.org"),
        ("grant", "--city", "pune", "--survey", "2024", "--to", "east"): (3, "no organisation 'east'"),
        ("grant", "--city", "pune", "--survey", "1999", "--to", "shelter"): (3, "no survey '1999'"),
    }
    for arguments, (code, says) in said_by.items():
        assert says in shell.run(*arguments, code=code).stderr
