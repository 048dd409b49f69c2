"""The database: its URL, the engine, the transaction an entry point owns, and driver errors translated once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError

from geo import cluster
from geo.errors import DatabaseUnavailable, SetupError
from geo.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

# Serialises upgrades: two processes that start at once must not both migrate.
_UPGRADE_LOCK = 0x7661737469


def database_url(settings: Settings) -> str:
    """The URL of the configured database, or of the private cluster, which is started when it is not running.

    Raises:
        PostgisMissing: no database is configured and PostGIS is not installed here.
    """
    if settings.database_url is None:
        return cluster.start(settings.state_dir)
    url = settings.database_url
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def create_engine(url: str) -> Engine:
    """An engine whose sessions keep UTC and never log or echo a parameter."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SetupError(
            "VASTI_DATABASE_URL is not a database URL; it looks like postgresql://user:password@host/database."
        ) from error
    return sqlalchemy.create_engine(
        parsed,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "connect_timeout": 10},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or has no Vasti tables yet.
    """
    with translated_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turns what the driver says of an unreachable or unprepared database into our own words."""
    try:
        yield
    # What is copied goes past SQLAlchemy, straight to the driver, and so do its errors.
    except (OperationalError, psycopg.OperationalError) as error:
        raise DatabaseUnavailable(
            "The database cannot be reached or broke off; nothing of this step was saved. "
            "Check that it runs (`vasti db status`) and try again."
        ) from error
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == "42P01":  # undefined table
            raise DatabaseUnavailable("The database has no Vasti tables yet; run `vasti db upgrade` first.") from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable(
                "The connection to the database broke off; nothing of this step was saved."
            ) from error
        raise


def upgrade(url: str) -> None:
    """Brings the tables of the database at `url` to this version's schema. Running it twice does nothing."""
    engine = create_engine(url)
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
