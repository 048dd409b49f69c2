"""Uploads whose reading, worker or database breaks off: nothing is half loaded or lost, and the upload says so."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from geo import database
from geo.database import lock_final
from geo.database.cluster import server
from geo.ingestion.uploads import Decision, Step, decide
from geo.people import Bearer
from tests.support import factories as f
from tests.support.cli import Running
from tests.support.faults import kill_server, many_rows, snapshot, whole
from tests.support.published_city import drop_database, new_database
from tests.support.queues import work_off
from tests.support.workers import WorkersOffice, furnish

PROGRESS = "SELECT step, rows_done FROM upload_progress"


@pytest.fixture(scope="module")
def officer(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bearer]:
    """The officer of the database `office`, which those of the tests begin as."""
    yield furnish(new_database(database_url, "office"), tmp_path_factory.mktemp("office"))
    drop_database(database_url, "office")


@pytest.fixture
def office(database_url: str, officer: Bearer, tmp_path: Path) -> Iterator[WorkersOffice]:
    """In a database of the test's own."""
    url = new_database(database_url, "office_at_work", "office")
    engine = database.create_engine(url)
    yield WorkersOffice(url, engine, tmp_path, officer)
    engine.dispose()
    drop_database(database_url, "office_at_work")


def reader_of(worker: Running) -> int:
    """The process in which a worker has a file read: forked by one that the worker started."""
    started = children_of(worker.process.pid)
    (reader,) = children_of(*started)
    return reader


def children_of(*pids: int | None) -> list[int]:
    """The processes started by any of these."""
    found = subprocess.run(["pgrep", "-P", ",".join(map(str, pids))], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def await_step(office: WorkersOffice, step: Step) -> None:
    """Waits until a step is under way, of a check or a load with rows read."""
    with psycopg.connect(office.url.replace("+psycopg", "", 1), autocommit=True) as watcher:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            row = watcher.execute(PROGRESS).fetchone()
            if row is not None and row[0] == step and (row[1] > 0 or step == "withdrawing"):
                return
            time.sleep(0.001)
    pytest.fail(f"{step} does not begin")


def brought_to(office: WorkersOffice, step: Step, path: Path) -> int:
    """An upload of which this step is the next."""
    number = office.receives(path)
    decisions: dict[Step, list[Decision]] = {
        "checking": [], "loading": ["accept"], "withdrawing": ["accept", "withdraw"],
    }  # fmt: skip
    for decision in decisions[step]:
        work_off(office.url, office.settings)
        office.decides(number, decision)
    return number


def seen(office: WorkersOffice) -> Any:
    """What a reader sees, without the uploads' own states."""
    return {name: rows for name, rows in snapshot(office.url).items() if name not in ("uploads", "findings")}


def in_the_middle(office: WorkersOffice, step: Step, folder: Path) -> tuple[int, Any, Running]:
    """An upload in the middle of a step, what was seen before it, and the worker at it."""
    number = brought_to(office, step, many_rows(folder / "many.csv", 20_000))
    before = seen(office)
    worker = office.works()
    await_step(office, step)
    return number, before, worker


AFTER: dict[Step, str] = {"checking": "checked", "loading": "loaded", "withdrawing": "withdrawn"}


@pytest.mark.parametrize("step", ["checking", "loading", "withdrawing"])
def test_a_worker_that_is_killed_leaves_the_step_to_the_next(office: WorkersOffice, tmp_path: Path, step: Step) -> None:
    number, before, worker = in_the_middle(office, step, tmp_path)
    reader = reader_of(worker)
    worker.kill()
    worker.process.join()
    await_end(reader)
    if office.look(number)[0] != AFTER[step]:
        assert seen(office) == before
    office.a_minute_passes()
    work_off(office.url, office.settings)
    assert office.look(number) == (AFTER[step], None)
    whole(office.engine, "2024")
    with office.engine.connect() as connection:
        assert connection.execute(text(PROGRESS)).all() == []


def await_end(reader: int) -> None:
    """Waits until a reader is gone."""
    deadline = time.monotonic() + 20
    while Path(f"/proc/{reader}").exists():
        assert time.monotonic() < deadline, "the reader outlives its worker"
        time.sleep(0.02)


def test_a_reader_ends_with_its_worker(office: WorkersOffice, tmp_path: Path) -> None:
    """Nobody would hear what came of it, nor stop it: here it cannot come to an end by itself."""
    with office.engine.connect() as holding:
        lock_final(holding)
        number = office.receives(many_rows(tmp_path / "many.csv", 2_000))
        worker = office.works()
        await_step(office, "checking")
        reader = reader_of(worker)
        worker.kill()
        worker.process.join()
        await_end(reader)
    assert office.look(number) == ("received", None)


@pytest.mark.parametrize("step", ["checking", "loading", "withdrawing"])
def test_a_reader_that_breaks_off_is_told_and_the_worker_goes_on(
    office: WorkersOffice, tmp_path: Path, step: Step
) -> None:
    number, before, worker = in_the_middle(office, step, tmp_path)
    os.kill(reader_of(worker), signal.SIGKILL)
    back = {"checking": "refused", "loading": "waiting", "withdrawing": "loaded"}[step]
    office.becomes(number, back, AFTER[step])
    state, problem = office.look(number)
    assert state == back
    assert problem is not None
    assert "broke off" in problem
    assert seen(office) == before
    other = office.receives(f.write_csv(tmp_path / "other.csv", [f.household(9_000)]))
    office.becomes(other, "checked")
    worker.process.terminate()
    worker.process.join(30)


def test_a_file_that_takes_too_long_is_refused(office: WorkersOffice, tmp_path: Path) -> None:
    number = office.receives(many_rows(tmp_path / "many.csv"))
    work_off(office.url, office.settings.model_copy(update={"upload_minutes": 0.002}))
    state, problem = office.look(number)
    assert (state, "took more than" in str(problem)) == ("refused", True)


def test_a_file_that_needs_too_much_memory_is_refused(office: WorkersOffice, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    with path.open("w") as file:
        file.write("household_code,longitude,latitude,note\n")
        file.writelines(f"H{i},73.75,18.58,{'x' * 2_000_000}\n" for i in range(400))
    number = office.receives(path)
    work_off(office.url, office.settings.model_copy(update={"upload_memory_mb": 500}))
    state, problem = office.look(number)
    assert (state, "memory" in str(problem)) == ("refused", True)


def test_two_workers_never_take_one_upload(office: WorkersOffice, tmp_path: Path) -> None:
    path = many_rows(tmp_path / "many.csv", 5_000)
    numbers = [office.receives(path)] + [
        office.receives(f.write_csv(tmp_path / f"{i}.csv", [f.household(9_000 + i)])) for i in range(3)
    ]
    for number in numbers:
        # As when a job is put back whose worker was only slow.
        with office.engine.begin() as connection:
            connection.execute(text("UPDATE procrastinate.procrastinate_jobs SET queueing_lock = NULL, lock = NULL"))
        office.asks(number, "checking")
    workers = [office.works() for _ in range(2)]
    for number in numbers:
        office.becomes(number, "checked")
        office.decides(number, "accept")
    for number in numbers:
        office.becomes(number, "loaded")
    for worker in workers:
        worker.process.terminate()
        worker.process.join(30)
    with office.engine.connect() as connection:
        loaded = connection.execute(text("SELECT count(*) FROM audit WHERE action = 'file loaded'")).scalar_one()
        live = connection.execute(text("SELECT count(*) FROM household WHERE is_live")).scalar_one()
    assert (loaded, live) == (4, 48 + 5_000 + 3)
    whole(office.engine, "2024")


@pytest.fixture
def own_office(new_state_dir: Callable[[], Path], tmp_path: Path) -> Iterator[tuple[Path, WorkersOffice]]:
    """In a cluster of the test's own, and its state folder."""
    state_dir = new_state_dir()
    url = server.start(state_dir)
    officer = furnish(url, tmp_path)
    engine = database.create_engine(url)
    yield state_dir, WorkersOffice(url, engine, tmp_path, officer)
    engine.dispose()


@pytest.mark.parametrize("step", ["checking", "loading", "withdrawing"])
def test_a_database_that_is_killed_finds_the_step_undone_and_it_is_done_again(
    own_office: tuple[Path, WorkersOffice], tmp_path: Path, step: Step
) -> None:
    state_dir, office = own_office
    number, before, worker = in_the_middle(office, step, tmp_path)
    kill_server(state_dir)
    assert server.start(state_dir) == office.url
    office.engine.dispose()
    if office.look(number)[0] != AFTER[step]:
        assert seen(office) == before
    assert worker.is_alive()
    office.a_minute_passes()
    office.becomes(number, AFTER[step])
    assert office.look(number) == (AFTER[step], None)
    whole(office.engine, "2024")
    worker.process.terminate()
    worker.process.join(60)
    assert not worker.is_alive()


def test_an_upload_that_is_refused_while_it_is_checked_stays_refused(office: WorkersOffice, tmp_path: Path) -> None:
    number, _, worker = in_the_middle(office, "checking", tmp_path)
    with database.transaction(office.engine) as connection:
        decide(connection, number, "refuse")
    with psycopg.connect(office.url.replace("+psycopg", "", 1), autocommit=True) as watcher:
        deadline = time.monotonic() + 60
        while watcher.execute(PROGRESS).fetchone() is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert office.look(number)[0] == "refused"
    worker.process.terminate()
    worker.process.join(30)
