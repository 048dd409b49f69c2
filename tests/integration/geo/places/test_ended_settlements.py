"""Settlements that are no more: they stay in past rounds, and are in none that starts after they ended."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from geo.base import PageRequest
from geo.database.schema.places import settlement
from geo.errors import Conflict, NotFound
from geo.indicators.figures import ValuesQuery, find_values
from geo.people import find_audit
from geo.places import SettlementsQuery, end_settlement, find_settlements
from tests.support import factories as f
from tests.support.cli import Shell
from tests.support.office import API, Office, bearer, client, office, officer, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "office", "officer", "settings"]

LATER = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 6, 30), "mode": "census"}


def settlements_of(connection: Connection, survey: str) -> tuple[list[str], int]:
    query = ValuesQuery(
        cities=["pune"], surveys=[survey], indicators=["drainage_any"], access="full", seen="all",
        page=PageRequest(limit=2),
    )  # fmt: skip
    codes, total = [], 0
    while True:
        found = find_values(connection, query)
        codes += list(found.figures["settlement_code"])
        total = found.total
        if found.next_cursor is None:
            return codes, total
        query = ValuesQuery(
            cities=["pune"], surveys=[survey], indicators=["drainage_any"], access="full", seen="all",
            page=PageRequest(limit=2, cursor=found.next_cursor),
        )  # fmt: skip


def test_an_ended_settlement_stays_in_past_rounds_only(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    f.load(connection, tmp_path, f.households())
    before, after = end_settlement(connection, "pune", f.code(3), date(2025, 1, 1))
    assert (before.ended_on, after.ended_on) == (None, date(2025, 1, 1))
    rows = [row for row in f.households() if row["settlement_code"] != f.code(3)]
    f.load(connection, tmp_path, rows, survey=f.spec("later", **LATER))
    assert settlements_of(connection, "2024") == ([f.code(i) for i in range(4)], 4)
    assert settlements_of(connection, "later") == ([f.code(i) for i in range(3)], 3)
    listed = find_settlements(connection, SettlementsQuery(("pune",))).rows
    assert [row["ended_on"] for row in listed] == [None, None, None, date(2025, 1, 1)]
    with pytest.raises(Conflict, match="households in a round that starts on 2026-01-01"):
        end_settlement(connection, "pune", f.code(0), date(2026, 1, 1))
    end_settlement(connection, "pune", f.code(0), date(2026, 1, 2))
    with pytest.raises(Conflict, match="reopen"), connection.begin_nested():
        f.load_city(connection, tmp_path, f.small_city(5))
    end_settlement(connection, "pune", f.code(3), None)
    assert settlements_of(connection, "later")[1] == 4
    with pytest.raises(NotFound):
        end_settlement(connection, "pune", "nowhere", None)


def test_settlements_are_ended_at_the_command_line(fresh_url: str, tmp_path: Path) -> None:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "pune", "--name", "Pune")
    shell.run("load", "boundaries", f.write_boundaries(tmp_path / "c.gpkg", f.small_city()), "--city", "pune")
    done = shell.run("settlement", "end", f.code(1), "--city", "pune", "--on", "2024-05-01")
    assert done.stdout == f"Settlement {f.code(1)} of pune ended on 2024-05-01.\n"
    shell.run("settlement", "reopen", f.code(1), "--city", "pune")
    shell.run("settlement", "reopen", "none", "--city", "pune", code=3)
    assert "settlement ended" in shell.run("audit").stdout


def test_a_steward_ends_what_the_organisation_drew(
    office: Office, two: TwoOrganisations, settings: object, tmp_path: Path
) -> None:
    steward = Office(office.client, bearer(two, "steward"), two, office.settings)
    frame = f.small_city(72).iloc[[70, 71]]
    sent = steward.sent(f.write_boundaries(tmp_path / "two.gpkg", frame), "", content="boundaries")
    steward.decided(sent["id"], "accept")
    address = f"{API}/own/settlements/pune/{f.code(70)}"

    def ask(header: dict[str, str], day: str | None) -> int:
        return int(office.client.patch(address, headers=header, json={"ended_on": day}).status_code)

    assert ask(bearer(two, "contributor"), "2024-05-01") == 403
    assert ask(bearer(two, "steward", "south"), "2024-05-01") == 403
    assert ask(bearer(two, "steward"), "2024-05-01") == 200
    listed = office.client.get(f"{API}/settlements?city=pune&code={f.code(70)}").json()["settlements"]
    assert [one["ended_on"] for one in listed] == ["2024-05-01"]
    assert ask(bearer(two, "steward"), None) == 200
    with two.owner.connect() as connection:
        noted = [row.action for row in find_audit(connection, PageRequest(limit=None)).rows]
        assert noted[-2:] == ["settlement ended", "settlement reopened"]
        ended = select(settlement.c.ended_on).where(settlement.c.code == f.code(70))
        assert connection.execute(ended).scalar_one() is None
