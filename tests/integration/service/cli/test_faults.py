"""Loads side by side, and loads broken off: what was there stays whole, and the load can be repeated."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from geo import database
from geo.database.cluster.server import start
from tests.support import factories as f
from tests.support.cli import Shell, survey_arguments
from tests.support.faults import N_ROWS, kill_server, many_rows, snapshot, whole


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    return Shell(fresh_url, tmp_path)


def prepare(engine: Engine, folder: Path) -> None:
    """The city and a first upload of 48 households into 2024."""
    with database.transaction(engine) as connection:
        f.load_city(connection, folder, f.small_city())
        f.load(connection, folder, f.households())


def settle(url: str) -> None:
    """Waits until the server has cleared away what killed processes left."""
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        deadline = time.monotonic() + 20
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state <> 'idle'"
        )
        while time.monotonic() < deadline:
            row = connection.execute(others).fetchone()
            if row == (0,):
                return
            time.sleep(0.05)
    pytest.fail("a killed process's session stayed open")


def test_two_loads_into_one_round_queue_and_both_land(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    prepare(fresh_engine, tmp_path)
    files = [many_rows(tmp_path / "a.csv", 20_000, members=3), many_rows(tmp_path / "b.csv", 15_000, members=5)]
    running = [shell.start(*survey_arguments(path)) for path in files]
    for process in running:
        done = process.wait()
        assert (done.code, done.stderr) == (0, "")
    seen = snapshot(shell.url)
    assert sorted(row[1:] for row in seen["uploads"][-2:]) == [("loaded", 15_000), ("loaded", 20_000)]
    assert seen["live"][0][0] == 48 + 20_000
    whole(fresh_engine, "2024")


def test_two_first_loads_into_two_rounds_do_not_deadlock(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    prepare(fresh_engine, tmp_path)
    files = [many_rows(tmp_path / f"{name}.csv", n) for name, n in (("a", 20_000), ("b", 19_000), ("c", 18_000))]
    slugs = ["r1", "r2", "r2"]
    running = [shell.start(*survey_arguments(path, slug)) for path, slug in zip(files, slugs, strict=True)]
    for process in running:
        done = process.wait()
        assert (done.code, "Error" in done.stderr) == (0, False), done
    whole(fresh_engine, "r1")
    whole(fresh_engine, "r2")


def rows_copied(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("SELECT coalesce(max(tuples_processed), 0) FROM pg_stat_progress_copy").fetchone()
    return 0 if row is None else int(row[0])


def in_statement(pattern: str) -> Callable[["psycopg.Connection[Any]"], bool]:
    def there(connection: "psycopg.Connection[Any]") -> bool:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle' AND query ~ %s",
            [pattern],
        ).fetchone()
        return row is not None and row[0] > 0

    return there


MOMENTS: dict[str, Callable[["psycopg.Connection[Any]"], bool]] = {
    "connected": in_statement("."),
    "copying": lambda connection: rows_copied(connection) > 0,
    "half copied": lambda connection: rows_copied(connection) > N_ROWS // 2,
    "replacing": in_statement("UPDATE household|INSERT INTO household|ATTACH PARTITION"),
    "late": in_statement("DELETE FROM tally|COPY tally|COPY finding|INSERT INTO upload|FROM household"),
}


@pytest.mark.parametrize(
    ("survey", "moments"),
    [("2024", ["copying", "replacing", "late"]), ("new", ["connected", "half copied", "replacing"])],
    ids=["into a loaded round", "into a new round"],
)
def test_killed_load_leaves_the_earlier_state(
    shell: Shell, fresh_engine: Engine, tmp_path: Path, survey: str, moments: list[str]
) -> None:
    """kill -9 at several moments of the load; then it succeeds."""
    prepare(fresh_engine, tmp_path)
    path = many_rows(tmp_path / "many.csv")
    before = snapshot(shell.url)
    struck = 0
    for reached in (MOMENTS[name] for name in moments):
        process = shell.start(*survey_arguments(path, survey))
        with psycopg.connect(shell.url.replace("+psycopg", "", 1), autocommit=True) as watcher:
            while process.is_alive() and not reached(watcher):
                time.sleep(0.002)
        process.kill()
        done = process.wait()
        settle(shell.url)
        if done.code == -signal.SIGKILL:
            struck += 1
            assert snapshot(shell.url) == before
        else:
            break
    assert struck >= 2
    shell.run(*survey_arguments(path, survey))
    assert snapshot(shell.url)["live"][0][0] == 48 + N_ROWS
    whole(fresh_engine, survey)


@pytest.fixture
def own_cluster(new_state_dir: Callable[[], Path]) -> tuple[Path, str]:
    state_dir = new_state_dir()
    url = start(state_dir)
    database.upgrade(url)
    return state_dir, url


def test_killed_server_keeps_what_was_committed(own_cluster: tuple[Path, str], tmp_path: Path) -> None:
    """kill -9 of the postmaster in the middle of a load: a sentence, and after the restart the earlier upload whole."""
    state_dir, url = own_cluster
    engine = database.create_engine(url)
    prepare(engine, tmp_path)
    engine.dispose()
    before = snapshot(url)
    path = many_rows(tmp_path / "many.csv", 2 * N_ROWS)
    shell = Shell(url, tmp_path)
    process = shell.start(*survey_arguments(path))
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as watcher:
        while process.is_alive() and rows_copied(watcher) == 0:
            time.sleep(0.002)
        kill_server(state_dir)
    done = process.wait()
    assert done.code == 5, done
    # One sentence: neither a traceback nor what the libraries on the way have to say of it.
    (sentence,) = done.stderr.splitlines()
    assert "nothing of this step was saved" in sentence
    assert start(state_dir) == url
    assert snapshot(url) == before
    engine = database.create_engine(url)
    whole(engine, "2024")
    engine.dispose()
    shell.run(*survey_arguments(path))
    assert snapshot(url)["live"][0][0] == 48 + 2 * N_ROWS


def test_withdraw_waits_for_a_load(fresh_engine: Engine, shell: Shell, tmp_path: Path) -> None:
    """An upload withdrawn while another replaces it: one after the other, and the tallies are whole."""
    prepare(fresh_engine, tmp_path)
    with fresh_engine.connect() as connection:
        first = _last_upload(connection)
    loading = shell.start(*survey_arguments(many_rows(tmp_path / "many.csv", 20_000)))
    withdrawing = shell.start("withdraw", first)
    for process in (loading, withdrawing):
        done = process.wait()
        assert done.code == 0, done
    assert snapshot(shell.url)["live"][0][0] == 20_000
    whole(fresh_engine, "2024")


def _last_upload(connection: Connection) -> int:
    return int(connection.execute(text("SELECT max(id) FROM upload")).scalar_one())
