"""The queue: who goes first, turns between organisations, and that an upload says it is queued."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from geo import database
from geo.indicators.tallies import store, surveys_lacking_tallies, tally_survey
from service.work import queue
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, send, settings
from tests.support.two_organisations import TwoOrganisations

__all__ = ["client", "office", "officer", "settings"]


def order(engine: Engine) -> list[tuple[str, int]]:
    """What waits, in the order in which workers take it: the task, and of which upload or survey it is."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT task_name, coalesce(args ->> 'upload_id', args ->> 'survey_id')::integer "
                "FROM procrastinate.procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(:tasks) "
                "ORDER BY priority DESC, id"
            ),
            {"tasks": [queue.WORK_ON_UPLOAD, queue.RECOMPUTE_TALLIES]},
        )
        return [(row[0], row[1]) for row in rows]


def n_asked(connection: Connection) -> int:
    of_task = text("SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = :task")
    return int(connection.execute(of_task, {"task": queue.RECOMPUTE_TALLIES}).scalar_one())


def lose(engine: Engine, *numbers: int) -> None:
    """Takes the jobs of these uploads out of the queue."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = procrastinate"))
        of_uploads = text("DELETE FROM procrastinate_jobs WHERE (args ->> 'upload_id')::integer = ANY(:numbers)")
        connection.execute(of_uploads, {"numbers": list(numbers)})


def write(folder: Path, name: str) -> Path:
    rows = [row | {"household_code": f"{name}-{i}"} for i, row in enumerate(f.households(each=3))]
    return f.write_csv(folder / f"{name}.csv", rows)


def test_what_a_person_waits_for_goes_before_recomputation(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    office.work()
    with database.transaction(two.owner) as connection:
        connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
        assert queue.defer_stale(connection) > 1
    answer = send(office.client, office.header, write(tmp_path, "first"))
    number = answer.json()["id"]
    waits = order(two.owner)
    assert waits[0] == (queue.WORK_ON_UPLOAD, number)
    assert {task for task, _ in waits[1:]} == {queue.RECOMPUTE_TALLIES}
    office.work()
    # So do a load and a withdrawal.
    for decision in ("accept", "withdraw"):
        with database.transaction(two.owner) as connection:
            connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
            queue.defer_stale(connection)
        office.client.patch(f"{API}/uploads/{number}", headers=office.header, json={"decision": decision})
        assert order(two.owner)[0] == (queue.WORK_ON_UPLOAD, number)
        office.work()
    assert office.look(number)["state"] == "withdrawn"


def test_a_recomputation_gives_way_to_an_upload_and_goes_on_after_it(
    office: Office, two: TwoOrganisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.work()
    with database.transaction(two.owner) as connection:
        connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
        queue.defer_stale(connection)
        lacking = surveys_lacking_tallies(connection)
    number = 0
    made: list[str] = []

    def sends_meanwhile(*arguments: Any, **options: Any) -> Any:
        nonlocal number
        made.append(options["by"])
        if not number:
            number = send(office.client, office.header, write(tmp_path, "meanwhile")).json()["id"]
        else:
            # All that was made after the first came when the upload had been checked.
            assert office.look(number)["state"] == "checked"
        return tally_survey(*arguments, **options)

    monkeypatch.setattr(store, "tally_survey", sends_meanwhile)
    office.work()
    assert len(made) >= len(lacking) * len(store.group_fields())
    with database.transaction(two.owner) as connection:
        assert surveys_lacking_tallies(connection) == []


def test_m6_organisations_take_turns(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    office.work()
    south = bearer(two, "contributor", "south")
    many = [
        send(office.client, office.header, write(tmp_path, f"north-{i}")).json()["id"] for i in range(4)
    ]  # fmt: skip
    few = [send(office.client, south, write(tmp_path, f"south-{i}"), "south-draft").json()["id"] for i in range(2)]
    waits = [number for _, number in order(two.owner)]
    assert waits == [many[0], few[0], many[1], few[1], many[2], many[3]]
    # What has had its turns does not go before what has waited.
    lose(two.owner, many[0], *few)
    late = send(office.client, south, write(tmp_path, "south-late"), "south-draft").json()["id"]
    assert [number for _, number in order(two.owner)] == [many[1], late, many[2], many[3]]
    office.work()


def test_an_upload_that_waits_says_that_it_is_queued(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    office.work()
    numbers = [send(office.client, office.header, write(tmp_path, f"queued-{i}")).json()["id"] for i in range(3)]
    assert [office.look(number)["queued"] for number in numbers] == [{"before": n} for n in range(3)]
    page = office.client.get(f"/uploads/{numbers[2]}", headers=office.header).text
    assert "Queued to be checked" in page
    assert "2 other files are worked on before it." in page
    listed = office.client.get("/surveys/pune/north-draft", headers=office.header).text
    assert ">queued<" in listed
    south = bearer(two, "contributor", "south")
    theirs = send(office.client, south, write(tmp_path, "theirs"), "south-draft").json()
    # It takes its turn behind north's first.
    assert theirs["queued"] == {"before": 1}
    office.work()
    for number in numbers:
        assert (office.look(number)["state"], office.look(number)["queued"]) == ("checked", None)


def test_an_upload_whose_job_was_lost_is_queued_behind_all_others(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    office.work()
    first, second = (send(office.client, office.header, write(tmp_path, f"lost-{i}")).json()["id"] for i in range(2))
    lose(two.owner, first)
    assert office.look(first)["queued"] == {"before": 1}
    assert office.look(second)["queued"] == {"before": 0}
    office.work()
    assert office.look(first)["state"] == "checked"


def test_the_scan_each_minute_asks_only_after_a_change(office: Office, two: TwoOrganisations) -> None:
    office.work()
    watch = queue.StaleWatch()
    with database.transaction(two.owner) as connection:
        watch.ask(connection)
        connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
        watch.ask(connection)
        assert n_asked(connection) == 0
        connection.execute(text("UPDATE data_version SET version = version + 1"))
        watch.ask(connection)
        assert n_asked(connection) > 0
    office.work()
    with database.transaction(two.owner) as connection:
        watch.ask(connection)
        assert n_asked(connection) == 0
