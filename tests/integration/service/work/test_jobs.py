"""The queue: tallies brought up to date after a definition changed."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update

from geo import database
from geo.database import read_data_version
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import tallied, tally
from geo.errors import DatabaseUnavailable
from geo.indicators.figures import ValuesQuery, find_values
from geo.indicators.tallies import surveys_lacking_tallies
from geo.settings import Settings
from service.work import jobs, queue
from tests.support import factories as f
from tests.support.published_city import SmallCity
from tests.support.queues import work_off


@pytest.fixture
def engine(changing_city: SmallCity) -> Iterator[Engine]:
    """The changing city's engine."""
    engine = database.create_engine(changing_city.url)
    yield engine
    engine.dispose()


def _survey_id(connection: Connection, slug: str) -> int:
    return int(connection.execute(select(survey.c.id).where(survey.c.slug == slug)).scalar_one())


def _make_stale(engine: Engine) -> None:
    """The tallies of 2024 as an earlier definition left them, and those of 2019 from before drainage was counted."""
    with engine.begin() as connection:
        f.count_by_another_version(connection, "2024", "household_toilet", 99)
        connection.execute(update(tally).where(tally.c.definition_version == 99).values(sum_ay=0, sum_a2y=0, n_yes=0))
        connection.execute(
            delete(tallied).where(
                tallied.c.survey_id == _survey_id(connection, "2019"), tallied.c.indicator_id == "drainage_any"
            )
        )


def _jobs(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT lock, status::text FROM procrastinate.procrastinate_jobs WHERE task_name = :task ORDER BY id"),
            {"task": queue.RECOMPUTE_TALLIES},
        )
        return [(row[0], row[1]) for row in rows]


def _figures(engine: Engine) -> list[list[object]]:
    with engine.connect() as connection:
        figures = find_values(connection, ValuesQuery(level="city")).figures
        rows: list[list[object]] = figures.astype(object).where(figures.notna(), None).to_numpy().tolist()
        return rows


def test_a_changed_definition_brings_figures_up_to_date(changing_city: SmallCity, engine: Engine) -> None:
    # Nothing is left to do, a download neither.
    work_off(changing_city.url, Settings())
    before = _figures(engine)
    with engine.connect() as connection:
        assert surveys_lacking_tallies(connection) == []
        version = read_data_version(connection)
    _make_stale(engine)
    assert _figures(engine) != before
    with engine.connect() as connection:
        stale = surveys_lacking_tallies(connection)
        assert stale == sorted(_survey_id(connection, slug) for slug in ("2019", "2024"))
    work_off(changing_city.url, Settings())
    assert _figures(engine) == before
    assert _jobs(engine) == []
    with engine.connect() as connection:
        assert surveys_lacking_tallies(connection) == []
        assert read_data_version(connection) == version + 2


def test_a_survey_is_asked_for_once_and_in_the_callers_transaction(changing_city: SmallCity, engine: Engine) -> None:
    jobs.prepare(changing_city.url)
    _make_stale(engine)
    with engine.connect() as connection:
        assert queue.defer_stale(connection) == 2
        connection.rollback()
    assert _jobs(engine) == []
    for _ in range(2):
        with engine.begin() as connection:
            path = connection.execute(text("SHOW search_path")).scalar_one()
            assert queue.defer_stale(connection) == 2
            assert connection.execute(text("SHOW search_path")).scalar_one() == path
    with engine.connect() as connection:
        locks = sorted(f"survey-{_survey_id(connection, slug)}" for slug in ("2019", "2024"))
    assert sorted(_jobs(engine)) == [(lock, "todo") for lock in locks]


def test_prepare_is_safe_for_two_at_once_and_again(changing_city: SmallCity, engine: Engine) -> None:
    failures: list[BaseException] = []

    def prepare() -> None:
        try:
            jobs.prepare(changing_city.url)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with engine.connect() as connection:
        tables = connection.execute(
            text("SELECT table_schema FROM information_schema.tables WHERE table_name LIKE 'procrastinate%'")
        )
        assert set(tables.scalars()) == {queue.QUEUE_SCHEMA}


def test_prepare_takes_the_steps_a_newer_queue_adds(changing_city: SmallCity, engine: Engine) -> None:
    jobs.prepare(changing_city.url)
    last = "03.04.00_50_post_add_retry_failed_job_procedure.sql"
    with engine.begin() as connection:
        taken = connection.execute(text("DELETE FROM procrastinate.step_taken WHERE name = :n"), {"n": last})
        assert taken.rowcount == 1
    jobs.prepare(changing_city.url)
    with engine.connect() as connection:
        again = connection.execute(text("SELECT count(*) FROM procrastinate.step_taken WHERE name = :n"), {"n": last})
        assert again.scalar_one() == 1


def test_prepare_says_when_the_database_is_away() -> None:
    with pytest.raises(DatabaseUnavailable):
        jobs.prepare("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


def test_a_worker_takes_over_from_one_that_died(changing_city: SmallCity, engine: Engine) -> None:
    before = _figures(engine)
    jobs.prepare(changing_city.url)
    _make_stale(engine)
    with engine.begin() as connection:
        queue.defer_stale(connection)
    with engine.begin() as connection:
        # As a worker leaves them that was killed on the way: begun, and nobody's.
        connection.execute(text("SET LOCAL search_path = procrastinate"))
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'doing', attempts = 1"))
    work_off(changing_city.url, Settings())
    assert _figures(engine) == before
    assert _jobs(engine) == []


def test_a_worker_beside_the_api_works_and_ends(changing_city: SmallCity, engine: Engine) -> None:
    before = _figures(engine)
    _make_stale(engine)
    worker = jobs.WorkerThread(changing_city.url, Settings())
    worker.start()
    try:
        deadline = time.monotonic() + 20
        while _figures(engine) != before:
            assert time.monotonic() < deadline, _jobs(engine)
            time.sleep(0.1)
    finally:
        worker.stop()


def test_a_worker_waits_for_a_database_that_is_away() -> None:
    worker = jobs.WorkerThread("postgresql+psycopg://nobody@127.0.0.1:1/nothing", Settings())
    worker.start()
    time.sleep(0.5)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 5
