"""A worker that lives: `vasti worker` as a process, with something to do while it runs."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from geo import database
from geo.indicators.tallies import surveys_lacking_tallies
from geo.ingestion.loading import Choices, Target, originals
from geo.ingestion.uploads import receive
from geo.people import Bearer
from geo.places import find_city
from geo.surveys import find_survey
from service.work import queue
from tests.support import factories as f
from tests.support.cli import Running
from tests.support.published_city import drop_database, new_database
from tests.support.queues import work_off
from tests.support.workers import WorkersOffice, furnish


@pytest.fixture(scope="module")
def officer(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bearer]:
    """The officer of the database those of the tests begin as."""
    yield furnish(new_database(database_url, "live"), tmp_path_factory.mktemp("live"))
    drop_database(database_url, "live")


@pytest.fixture
def office(database_url: str, officer: Bearer, tmp_path: Path) -> Iterator[WorkersOffice]:
    """In a database of the test's own."""
    url = new_database(database_url, "live_at_work", "live")
    engine = database.create_engine(url)
    yield WorkersOffice(url, engine, tmp_path, officer)
    engine.dispose()
    drop_database(database_url, "live_at_work")


@pytest.fixture
def worker(office: WorkersOffice) -> Iterator[Running]:
    """A worker that is at work."""
    running = office.works()
    until(lambda: count(office, "SELECT count(*) FROM procrastinate.procrastinate_workers") == 1, office)
    yield running
    running.process.terminate()
    running.process.join(30)
    assert running.process.exitcode == 0, running.err.read_text(encoding="utf-8")


def until(holds: Callable[[], bool], office: WorkersOffice, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, live_jobs(office)
        time.sleep(0.1)


def count(office: WorkersOffice, statement: str) -> int:
    with office.engine.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def live_jobs(office: WorkersOffice) -> list[tuple[str, str]]:
    with office.engine.connect() as connection:
        found = connection.execute(text("SELECT task_name, status::text FROM procrastinate.procrastinate_jobs"))
        return [(row[0], row[1]) for row in found]


def the_clock_asks(office: WorkersOffice, task: str) -> None:
    """Puts a periodic task into the queue, as the worker does at its time."""
    with office.engine.begin() as connection:
        connection.execute(text("SET LOCAL search_path = procrastinate"))
        connection.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args) "
                "VALUES ('default', :task, 1000000, '{\"timestamp\": 0}')"
            ),
            {"task": task},
        )


def are_begun(connection: Connection) -> None:
    """All steps of uploads that wait become ones that nobody's worker has begun."""
    connection.execute(text("SET LOCAL search_path = procrastinate, public"))
    connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'work_on_upload'"))


def lost(office: WorkersOffice, path: Path) -> int:
    """An upload that was received and that no job stands for."""
    original = originals.identify(path, path.name)
    originals.keep(original, office.sender.organisation, office.settings.originals_url)
    with database.transaction(office.engine) as connection:
        row = find_survey(connection, find_city(connection, "pune"), "2024")
        return receive(connection, office.sender, Target(row["city_id"], "survey", row["id"]), original, Choices())


def more_rows(folder: Path) -> Path:
    return f.write_csv(
        folder / "more.csv", [row | {"household_code": f"M-{i}"} for i, row in enumerate(f.households())]
    )


def none_failed(office: WorkersOffice) -> bool:
    return not any(status == "failed" for _, status in live_jobs(office))


def test_h2_a_running_worker_makes_the_tallies_that_are_lacking(office: WorkersOffice, worker: Running) -> None:
    assert worker.is_alive()
    with office.engine.begin() as connection:
        # As a load or a withdrawal leaves them.
        connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
        connection.execute(text("UPDATE data_version SET version = version + 1"))
        assert surveys_lacking_tallies(connection)
    the_clock_asks(office, "ask_for_tallies")

    def made() -> bool:
        with office.engine.connect() as connection:
            return not surveys_lacking_tallies(connection)

    until(made, office)
    assert none_failed(office)


def test_h2_a_running_worker_takes_up_an_upload_whose_job_was_lost(
    office: WorkersOffice, worker: Running, tmp_path: Path
) -> None:
    assert worker.is_alive()
    number = lost(office, more_rows(tmp_path))
    the_clock_asks(office, "ask_for_uploads")
    office.becomes(number, "checked")
    assert none_failed(office)


def test_a_worker_takes_up_an_upload_whose_job_was_lost_when_it_starts(office: WorkersOffice, tmp_path: Path) -> None:
    number = lost(office, more_rows(tmp_path))
    work_off(office.url, office.settings)
    assert office.look(number) == ("checked", None)


def test_h2_a_running_worker_takes_over_from_one_that_died(
    office: WorkersOffice, worker: Running, tmp_path: Path
) -> None:
    assert worker.is_alive()
    number = lost(office, more_rows(tmp_path))
    with database.transaction(office.engine) as connection:
        # As a worker leaves it that was killed: begun, and nobody's.
        queue.defer_upload(connection, number, "checking")
        are_begun(connection)
    the_clock_asks(office, "ask_for_uploads")
    the_clock_asks(office, "retry_stalled")
    office.becomes(number, "checked")
    assert none_failed(office)


def test_h2_a_running_worker_clears_what_never_came_whole(office: WorkersOffice, worker: Running) -> None:
    assert worker.is_alive()
    folder = office.settings.incoming_dir
    folder.mkdir(parents=True, exist_ok=True)
    with office.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO incoming (account_id, file_name, size_bytes, fields, created_at) "
                "VALUES (:account, 'old.csv', 5, '{}', now() - '8 days'::interval)"
            ),
            {"account": office.sender.account_id},
        )
    the_clock_asks(office, "clear_incoming")
    until(lambda: count(office, "SELECT count(*) FROM incoming") == 0, office)
    assert none_failed(office)


@pytest.mark.parametrize("task", ["ask_for_tallies", "ask_for_uploads", "retry_stalled"])
def test_a_task_of_the_clock_that_the_database_breaks_off_is_left_for_the_next_time(
    office: WorkersOffice, worker: Running, tmp_path: Path, task: str
) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("DELETE FROM tallied WHERE group_field <> ''"))
        connection.execute(text("UPDATE data_version SET version = version + 1"))
    lost(office, more_rows(tmp_path))
    if task == "retry_stalled":
        with database.transaction(office.engine) as connection:
            queue.defer_lost(connection)
            are_begun(connection)
    with office.engine.begin() as connection:
        connection.execute(text(_BREAKS_OFF))
    the_clock_asks(office, task)
    until(lambda: "left for the next time" in worker.err.read_text(encoding="utf-8"), office)
    with office.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION breaks_off CASCADE"))
    until(lambda: task not in [name for name, _ in live_jobs(office)], office)
    assert none_failed(office)


_BREAKS_OFF = """
    CREATE FUNCTION breaks_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(1);
        RETURN NEW;
    END $$;
    CREATE TRIGGER breaks_off BEFORE INSERT OR UPDATE ON procrastinate.procrastinate_jobs FOR EACH ROW
    WHEN (NEW.status = 'todo' AND NEW.task_name IN ('recompute_tallies', 'work_on_upload'))
    EXECUTE FUNCTION breaks_off();
"""
"""Ends the connection of a worker that asks for work on an upload or for tallies."""


def test_a_job_to_be_tried_again_does_not_break_on_one_that_was_asked_for_meanwhile(
    office: WorkersOffice, tmp_path: Path
) -> None:
    number = lost(office, more_rows(tmp_path))
    with database.transaction(office.engine) as connection:
        queue.defer_upload(connection, number, "checking")
        are_begun(connection)
        # Somebody refused the file meanwhile, and had it checked again.
        queue.defer_upload(connection, number, "checking")
    # A worker's start puts the first back beside the second.
    work_off(office.url, office.settings)
    assert office.look(number) == ("checked", None)
    assert live_jobs(office) == []


def test_what_is_asked_for_already_is_not_asked_for_again(office: WorkersOffice, tmp_path: Path) -> None:
    numbers = [lost(office, more_rows(tmp_path)) for _ in range(3)]
    for _ in range(3):
        with database.transaction(office.engine) as connection:
            queue.defer_lost(connection)
    assert live_jobs(office) == [("work_on_upload", "todo")] * len(numbers)
    with database.transaction(office.engine) as connection:
        are_begun(connection)
        assert queue.defer_lost(connection) == 0
