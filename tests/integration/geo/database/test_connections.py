"""Connections that broke off while nobody used them, and what is remembered of a database."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from geo import database
from geo.database import Remembered, snapshot
from geo.errors import DatabaseUnavailable


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = database.create_engine(database_url)
    yield engine
    engine.dispose()


def _break_off(engine: Engine, database_url: str) -> None:
    """Ends the connections that wait in the engine's pool, as a restart of the database does."""
    with engine.connect() as one, engine.connect() as other:
        ids = [each.execute(text("SELECT pg_backend_pid()")).scalar_one() for each in (one, other)]
    administrator = database.create_engine(database_url)
    with administrator.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(id) FROM unnest(CAST(:ids AS integer[])) id"), {"ids": ids}
        )
    administrator.dispose()


def test_a_connection_that_broke_off_while_idle_is_made_anew(engine: Engine, database_url: str) -> None:
    _break_off(engine, database_url)
    time.sleep(1.1)
    with snapshot(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_one_that_breaks_off_in_use_is_told_and_forgotten(engine: Engine, database_url: str) -> None:
    _break_off(engine, database_url)
    with pytest.raises(DatabaseUnavailable), snapshot(engine) as connection:
        connection.execute(text("SELECT 1"))
    with snapshot(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_what_is_remembered_is_of_one_database(engine: Engine, database_url: str) -> None:
    remembered: Remembered[str, list[int]] = Remembered(10, lambda _, kept: len(kept))
    other = database.create_engine(database_url)
    with engine.connect() as connection, other.connect() as beside:
        assert remembered.find(connection, "a", lambda: [1]) == [1]
        assert remembered.find(connection, "a", lambda: [2]) == [1]
        assert remembered.find(beside, "a", lambda: [3]) == [3]
    other.dispose()


def test_what_is_remembered_has_a_bound(engine: Engine) -> None:
    remembered: Remembered[int, list[int]] = Remembered(10, lambda _, kept: len(kept))
    with engine.connect() as connection:
        for key in range(6):
            remembered.find(connection, key, lambda: [0] * 3)
        kept = [remembered.find(connection, key, lambda: [1] * 3) == [0] * 3 for key in range(6)]
    assert sum(kept) <= 3
