"""Publications whose making breaks off: everybody goes on reading the former one, and its stewards are told why."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from geo import database
from geo.indicators.tallies import recompute
from geo.places import find_city
from geo.settings import Settings
from geo.surveys import find_survey
from service.work import jobs
from service.work.queue import defer_publication
from tests.support.cli import Running, Shell
from tests.support.disks import small_disk_at
from tests.support.published_city import CITY, HOUSEHOLDS, ROUNDS, SmallCity, load_round, write_households
from tests.support.queues import work_off

VALUES = f"/api/v1/values?city={CITY}&survey=2024&indicator=household_toilet"
SECONDS = 60


@pytest.fixture
def owner(changing_city: SmallCity, tmp_path: Path) -> Iterator[Engine]:
    """Of the city, into whose round another file has been loaded."""
    engine = database.create_engine(changing_city.url)
    jobs.prepare(changing_city.url)
    path = write_households(tmp_path, "2024b", dict(HOUSEHOLDS))
    with database.transaction(engine) as connection:
        load_round(connection, changing_city, path, ROUNDS["2024"], publish=False)
        recompute(connection, find_survey(connection, find_city(connection, CITY), "2024")["id"])
    yield engine
    engine.dispose()


def of_round(owner: Engine, column: str) -> object:
    with owner.connect() as connection:
        return find_survey(connection, find_city(connection, CITY), "2024")[column]


def publications(owner: Engine) -> list[tuple[int, str]]:
    rows = "SELECT number, publication.state FROM publication JOIN survey ON survey.id = survey_id WHERE slug = '2024'"
    with owner.connect() as connection:
        return sorted((row[0], row[1]) for row in connection.execute(text(rows)))


def parts(owner: Engine) -> int:
    with owner.connect() as connection:
        found = "SELECT count(*) FROM pg_class WHERE relname ~ '^published_figure_[0-9]+$'"
        return int(connection.execute(text(found)).scalar_one())


def waiting(owner: Engine) -> None:
    """Waits until the next publication is made but for the last step, in which it looks at the round."""
    asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'FOR SHARE'"
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with owner.connect() as connection:
            if connection.execute(text(asked)).first() is not None:
                return
        time.sleep(0.02)
    pytest.fail("no publication is being made")


def maker_of(worker: Running) -> int:
    """The process in which a worker has a publication made: forked by one that the worker started."""
    started = subprocess.run(["pgrep", "-P", str(worker.process.pid)], capture_output=True, text=True, check=True)
    found = subprocess.run(
        ["pgrep", "-P", ",".join(started.stdout.split())], capture_output=True, text=True, check=True
    )
    (maker,) = found.stdout.split()
    return int(maker)


def test_a_killed_maker_leaves_the_former_publication_and_is_followed_by_another(
    owner: Engine, changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    before, made, tables = changing_client.get(VALUES).json()["values"], publications(owner), parts(owner)
    with psycopg.connect(changing_city.url.replace("+psycopg", "", 1)) as holder:
        # Rows that refer to the round may be written, and it must not be looked at as it is published.
        holder.execute("SELECT 1 FROM survey WHERE slug = '2024' FOR NO KEY UPDATE")
        worker = Shell(changing_city.url, tmp_path).start("worker")
        waiting(owner)
        os.kill(maker_of(worker), signal.SIGKILL)
        assert publications(owner) == made
        assert changing_client.get(VALUES).json()["values"] == before
    deadline = time.monotonic() + SECONDS
    while of_round(owner, "publishing_problem") is None and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.kill()
    worker.process.join()
    assert of_round(owner, "publishing_problem") == "publication_broke_off"
    assert parts(owner) == tables
    # The worker's job may not have ended: one that is not heard of for half a minute is taken for dead.
    with owner.begin() as connection:
        unheard = "UPDATE procrastinate.procrastinate_workers SET last_heartbeat = now() - '1m'::interval"
        connection.execute(text(unheard))
    work_off(changing_city.url, Settings())
    assert publications(owner) == [(made[0][0], "superseded"), (made[0][0] + 1, "current")]
    assert of_round(owner, "publishing_problem") is None
    assert changing_client.get(VALUES).json()["values"] != before


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk with room for no figure, where the database's own account may come."""
    # Not below pytest's folder, which is closed to other accounts.
    folder = Path(tempfile.mkdtemp(prefix="vasti-small-"))
    with small_disk_at(folder, "64k") as disk:
        yield disk
    folder.rmdir()


def test_a_disk_that_is_full_leaves_the_former_publication_and_says_so(
    owner: Engine, changing_city: SmallCity, changing_client: TestClient, small_disk: Path, tmp_path: Path
) -> None:
    before, made = changing_client.get(VALUES).json()["values"], publications(owner)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        account = connection.execute(text("SELECT setting FROM pg_settings WHERE name = 'data_directory'")).scalar_one()
        place = small_disk / "space"
        place.mkdir()
        stat = Path(str(account)).stat()
        os.chown(place, stat.st_uid, stat.st_gid)
        connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        connection.exec_driver_sql("ALTER DATABASE changing_city SET default_tablespace = small")
    owner.dispose()
    try:
        with database.transaction(owner) as connection:
            defer_publication(connection, int(str(of_round(owner, "id"))))
        work_off(changing_city.url, Settings())
        assert publications(owner) == made
        assert changing_client.get(VALUES).json()["values"] == before
        assert of_round(owner, "publishing_problem") == "publication_without_room"
        refused = Shell(changing_city.url, tmp_path).run("publish", "--city", CITY, "--survey", "2024", code=5)
        assert "There is no room left" in refused.stderr
        assert "Traceback" not in refused.stderr
    finally:
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ALTER DATABASE changing_city RESET default_tablespace")
        owner.dispose()
    work_off(changing_city.url, Settings())
    assert publications(owner)[-1] == (made[-1][0] + 1, "current")
    assert of_round(owner, "publishing_problem") is None
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP TABLESPACE small")
