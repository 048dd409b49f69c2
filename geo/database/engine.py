"""The database: its URL, the engine, the transaction an entry point owns, and driver errors translated once."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, event, text
from sqlalchemy import exc as sqlalchemy_errors
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from geo.database.cluster import server
from geo.database.service_role import SERVICE_ROLE, grant_service
from geo.errors import Busy, DatabaseUnavailable, Locked, NotAllowed, SetupError, StorageFull
from geo.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

# Serialises upgrades: two processes that start at once must not both migrate.
_UPGRADE_LOCK = 0x7661737469
_UPGRADE_WAITS_S = 10.0


def database_url(settings: Settings) -> str:
    """The URL of the configured database, or of the private cluster, which is started when it is not running.

    Raises:
        PostgisMissing: no database is configured and PostGIS is not installed here.
    """
    if settings.database_url is None:
        return server.start(settings.state_dir)
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
        raise SetupError("database_url_invalid") from error
    is_service = parsed.username == SERVICE_ROLE
    engine = sqlalchemy.create_engine(
        parsed,
        hide_parameters=True,
        connect_args={"options": f"-c timezone=UTC{_LIMITS + _PLANS if is_service else ''}", "connect_timeout": 10},
        **(_SERVICE_POOL if is_service else {}),
    )
    _try_idle_connections(engine)
    return engine


_IDLE_S = 1.0
"""A connection that nobody has used for so long may have been broken off: it is tried before it is used."""


def _try_idle_connections(engine: Engine) -> None:
    """Tries connections as `pool_pre_ping` does, but not those in use: each question would be one more."""

    def note(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["returned_s"] = time.monotonic()

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - entry.info.get("returned_s", time.monotonic()) < _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", check)


_LIMITS = " -c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10min"
"""Strangers make the service ask: no question of theirs holds a connection for long, or waits long for a lock. A file
is kept while its transaction is open, which may take minutes where files are kept elsewhere."""

_PLANS = " -c random_page_cost=1.1 -c jit=off"
"""What is published lies in memory, and takes less to read than to compile for."""

_SERVICE_POOL: Mapping[str, Any] = {"pool_size": 10, "max_overflow": 14, "pool_timeout": 5}
"""Connections for all that the service does at once: three lanes of readers (`service.http.middleware.turns`), those
who change something (`service.http.access`), and a few for pages."""


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or has no Vasti tables yet.
    """
    with translated_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads and sees one state of the database throughout: totals and rows agree.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or has no Vasti tables yet.
    """
    with translated_errors(reading=True), engine.connect() as connection:
        of_one_state = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # Nothing is changed; but at a rollback the driver would forget the statements that it has prepared.
        with of_one_state.begin():
            yield of_one_state


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements each see the database as it is: for what is never changed once it is there.

    Raises:
        DatabaseUnavailable: the database cannot be reached, or has no Vasti tables yet.
    """
    with translated_errors(reading=True), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def translated_errors(*, reading: bool = False) -> Iterator[None]:
    """Turns what the driver says of an unreachable or unprepared database into our own words."""
    try:
        yield
    except sqlalchemy_errors.TimeoutError as error:
        raise Busy from error
    # What is copied, and what is asked for most, goes past SQLAlchemy, straight to the driver, and so do its errors.
    except (OperationalError, psycopg.OperationalError) as error:
        match getattr(getattr(error, "orig", error), "sqlstate", None):
            case "55P03":  # a lock that was waited for in vain
                if reading:
                    raise Busy("changing_now") from error
                raise Locked from error
            case "57014":  # a statement that took longer than the service's may
                raise Busy("question_takes_long") from error
            case "53100":  # the disk is full
                raise StorageFull from error
        raise DatabaseUnavailable("database_broke_off") from error
    except (ProgrammingError, psycopg.ProgrammingError) as error:
        match getattr(getattr(error, "orig", error), "sqlstate", None):
            case "42P01":  # undefined table
                raise DatabaseUnavailable("tables_missing") from error
            case "42501":  # insufficient privilege: a policy said no where nobody had asked before
                raise NotAllowed from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable("connection_broke_off") from error
        raise


def limit_lock_waits(connection: Connection, seconds: float) -> None:
    """Waits so long for any lock, until the transaction ends; then it breaks off with Locked."""
    connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{round(seconds * 1000)}ms"})


def upgrade(url: str, service_password: SecretStr | None = None) -> None:
    """Brings the database at `url` to this version: its tables, and what the service's role may do with them.

    Running it twice does nothing.

    Raises:
        Locked: somebody has had one of the tables for too long; nothing was changed.
        SetupError: the service's role is missing, and this account may not make one.
    """
    engine = create_engine(url)
    try:
        with transaction(engine) as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            # What waits for a table holds up all who come after it.
            limit_lock_waits(connection, _UPGRADE_WAITS_S)
            config = _alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            grant_service(connection, service_password)
    finally:
        engine.dispose()


def is_up_to_date(connection: Connection) -> bool:
    """Whether the tables are those of this version of Vasti."""
    heads = ScriptDirectory.from_config(_alembic_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def conninfo(url: URL) -> str:
    """The same address as libpq writes it, password included: for connections that are not the engine's."""
    query = {name: ",".join(v) if isinstance(v, tuple) else v for name, v in url.query.items()}
    named = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": None if url.password is None else str(url.password),
        "dbname": url.database,
    }
    return make_conninfo("", **{name: v for name, v in (named | query).items() if v is not None})


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
