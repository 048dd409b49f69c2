"""A load makes nobody else wait: what it locks, what a trial holds, and how long anybody waits for a lock."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.command import downgrade
from sqlalchemy import Connection, Engine, text

from geo import database
from geo.database import engine as engine_module
from geo.database import lock_final, lock_survey, raise_data_version
from geo.errors import Locked
from geo.ingestion.loading import LoadOptions, SourceOptions, load_survey
from geo.ingestion.loading.partitions import has_partition, make_partition
from geo.ingestion.uploads import Work
from geo.places import find_city
from geo.surveys import SurveySpec, open_survey
from service.actions import receive as incoming
from tests.support import factories as f
from tests.support.office import API, Office, bearer, client, office, officer, send, settings
from tests.support.two_organisations import TwoOrganisations, rows

__all__ = ["client", "office", "officer", "settings"]

SHARED_LOCKS = """
SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND c.relname IN ('upload', 'settlement', 'survey', 'data_version', 'household')
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


def new_round(two: TwoOrganisations, slug: str, *, with_partition: bool = True) -> SurveySpec:
    """A round of south's that was opened, and has no file yet."""
    spec = SurveySpec(**{**f.spec(slug).__dict__, "organisation": "south"})
    with database.transaction(two.owner) as connection:
        survey_id = open_survey(connection, find_city(connection, "pune"), spec)
    if with_partition:
        with database.transaction(two.owner) as connection:
            make_partition(connection, survey_id)
    return spec


def load(connection: Connection, path: Path, spec: SurveySpec, folder: Path, **options: Any) -> Any:
    return load_survey(
        connection, path, "pune", spec, source=SourceOptions(), options=LoadOptions("south", str(folder), **options)
    )


@contextmanager
def soon(engine: Engine, milliseconds: int = 2_000) -> Iterator[Connection]:
    """A transaction of somebody else, who does not wait."""
    with database.transaction(engine) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
        yield connection


def write(folder: Path, name: str) -> Path:
    rows = [row | {"household_code": f"{name}-{i}"} for i, row in enumerate(f.households(each=3))]
    return f.write_csv(folder / f"{name}.csv", rows)


def test_m7_while_a_first_load_is_not_committed_everybody_else_sends_files(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    spec = new_round(two, "first-load")
    with two.owner.connect() as connection:
        assert load(connection, write(tmp_path, "first"), spec, tmp_path).state == "loaded"
        assert rows(connection, SHARED_LOCKS) == []
        assert send(office.client, office.header, write(tmp_path, "other")).status_code == 202
        south = bearer(two, "contributor", "south")
        opened = {
            "city": "pune",
            "slug": "another",
            "starts_on": "2024-01-01",
            "ends_on": "2024-02-01",
            "mode": "census",
        }
        assert office.client.post(f"{API}/own/surveys", headers=south, json=opened).status_code == 201
        connection.commit()
    office.work()


def test_m7_a_trial_holds_nothing_that_others_wait_for(office: Office, two: TwoOrganisations, tmp_path: Path) -> None:
    spec = new_round(two, "on-trial")
    path = write(tmp_path, "trial")
    number = send(office.client, bearer(two, "contributor", "south"), path, spec.slug).json()["id"]
    other = new_round(two, "meanwhile")
    with two.owner.connect() as connection:
        before = connection.execute(text("SELECT version FROM data_version")).scalar_one()
        result = load(connection, path, spec, tmp_path, on_trial=True, upload_id=number)
        assert result.state == "loaded"
        assert rows(connection, SHARED_LOCKS) == []
        assert connection.execute(text("SELECT version FROM data_version")).scalar_one() == before
        with soon(two.owner) as elsewhere:
            lock_final(elsewhere)
            raise_data_version(elsewhere, None)
        with soon(two.owner) as elsewhere:
            assert load(elsewhere, write(tmp_path, "meanwhile"), other, tmp_path).state == "loaded"
        connection.rollback()


def test_m7_the_worker_makes_the_part_of_a_round_before_it_reads_its_first_file(
    office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    spec = new_round(two, "made-before", with_partition=False)
    south = Office(office.client, bearer(two, "contributor", "south"), two, office.settings)
    upload = south.sent(write(tmp_path, "made"), spec.slug)
    assert upload["state"] == "checked"
    with two.owner.connect() as connection:
        survey_id = connection.execute(text("SELECT id FROM survey WHERE slug = 'made-before'")).scalar_one()
        assert has_partition(connection, survey_id)
        # What the trial wrote and took back is gone from the disk.
        assert connection.execute(text(f"SELECT pg_relation_size('household_{survey_id}')")).scalar_one() == 0
    assert south.decided(upload["id"], "accept")["state"] == "loaded"
    with two.owner.connect() as connection:
        assert rows(connection, f"SELECT count(*) FROM household WHERE survey_id = {survey_id}") == [(12,)]


def test_m7_a_round_opened_and_loaded_at_once_waits_for_the_tables_and_holds_nobody_up(
    two: TwoOrganisations, tmp_path: Path
) -> None:
    spec = SurveySpec(**{**f.spec("at-once").__dict__, "organisation": "south"})
    with two.owner.connect() as holding:
        holding.execute(text("LOCK TABLE upload IN ROW EXCLUSIVE MODE"))
        loaded = threading.Event()

        def at_once() -> None:
            with database.transaction(two.owner) as connection:
                load(connection, write(tmp_path, "at-once"), spec, tmp_path)
            loaded.set()

        thread = threading.Thread(target=at_once)
        thread.start()
        longest_s = 0.0
        for _ in range(20):
            began = time.monotonic()
            with database.transaction(two.owner) as connection:
                connection.execute(text("LOCK TABLE upload IN ROW EXCLUSIVE MODE"))
            longest_s = max(longest_s, time.monotonic() - began)
            time.sleep(0.1)
        assert not loaded.is_set()
        holding.rollback()
    thread.join(60)
    assert loaded.is_set()
    assert longest_s < 2


def test_m7_who_sends_a_file_is_told_when_others_have_the_tables(
    office: Office, two: TwoOrganisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "_TAKING_IN_WAITS_S", 0.2)
    with two.owner.connect() as holding:
        holding.execute(text("LOCK TABLE upload IN SHARE ROW EXCLUSIVE MODE"))
        answer = send(office.client, office.header, write(tmp_path, "kept-waiting"))
        assert answer.status_code == 409
        assert answer.json()["detail"] == "This is being worked on at the moment; try again in a little while."
        holding.rollback()


def test_m7_a_check_that_waits_in_vain_is_tried_again(
    office: Office, two: TwoOrganisations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.work()
    number = send(office.client, office.header, write(tmp_path, "again")).json()["id"]
    with two.owner.connect() as holding:
        survey_id = holding.execute(text("SELECT survey_id FROM upload WHERE id = :id"), {"id": number}).scalar_one()
        lock_survey(holding, survey_id)
        monkeypatch.setattr("geo.ingestion.uploads.work._CHECK_WAITS_S", 0.2)
        with pytest.raises(Locked):
            Work(two.owner, number, office.settings.originals_url).do("checking")
        holding.rollback()
    assert office.look(number)["state"] == "received"
    office.work()
    assert office.look(number)["state"] == "checked"


def test_l10_an_upgrade_does_not_wait_for_ever(fresh_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database.upgrade(fresh_url)
    engine = database.create_engine(fresh_url)
    with engine.begin() as connection:
        config = engine_module._alembic_config()
        config.attributes["connection"] = connection
        downgrade(config, "0012")
    monkeypatch.setattr(engine_module, "_UPGRADE_WAITS_S", 0.2)
    with engine.connect() as reading:
        reading.execute(text("SELECT count(*) FROM upload"))
        with pytest.raises(Locked, match="being worked on"):
            database.upgrade(fresh_url)
        # It leaves no connection behind.
        open_ones = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        reading.rollback()
        assert reading.execute(text(open_ones)).scalar_one() == 0
        reading.rollback()
    database.upgrade(fresh_url)
    engine.dispose()
