"""The data version: a number that rises with every change a reader can see, read and watched."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import (
    URL,
    Connection,
    func,
    insert,
    select,
    update,
)

from geo.database.engine import conninfo
from geo.database.schema.surveys import data_version

POLL_S = 0.25
"""How long the watch waits for news before it looks whether it shall end."""

HEARTBEAT_S = 2.0
"""How often the watch makes sure that the database still answers it."""

PATIENCE_S = 5.0
"""What was read longer ago than this is not vouched for."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0

_READ = sql.SQL("SELECT version FROM data_version")


def read_data_version(connection: Connection) -> int:
    """The data version; 0 before anything was loaded."""
    return int(connection.execute(select(data_version.c.version)).scalar() or 0)


@dataclass(frozen=True, eq=False)
class Seen:
    """One sight of the data version. Two sights of the same number are not the same.

    Between them the database may have been away, or restored to an earlier state that reached the number again.
    """

    version: int


class DataVersionWatch:
    """A thread that knows the current data version, for as long as the database keeps telling it."""

    def __init__(self, url: URL) -> None:
        self._conninfo = conninfo(url)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        # One assignment replaces both, so that no reader sees half a change.
        self._last: tuple[Seen | None, float] = (None, 0.0)

    def seen(self) -> Seen | None:
        """The current data version, or None while the watch is not sure of it."""
        seen, confirmed_s = self._last
        return seen if seen is not None and time.monotonic() - confirmed_s < PATIENCE_S else None

    def start(self) -> None:
        """Begins to watch; whether the database can be reached yet does not matter."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._watch, name="data-version-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch and its connection."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._stopping.is_set():
            began_s = time.monotonic()
            # A database that is away, or has no tables yet, is what the watch is there to outlast.
            with suppress(psycopg.Error, OSError):
                self._follow()
            self._last = (None, 0.0)
            wait_s = _FIRST_WAIT_S if time.monotonic() - began_s > PATIENCE_S else min(2 * wait_s, _LONGEST_WAIT_S)
            self._stopping.wait(wait_s)

    def _follow(self) -> None:
        """Follows the version until the connection breaks or the watch shall end."""
        with psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=5,
            application_name="vasti data version",
            # A connection that died without a word is given up within seconds.
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=2,
            tcp_user_timeout=5000,
        ) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(DATA_VERSION_CHANNEL)))
            seen = self._read(connection, None)
            while not self._stopping.is_set():
                if any(True for _ in connection.notifies(timeout=POLL_S, stop_after=1)):
                    self._last = (None, 0.0)
                    seen = self._read(connection, None)
                elif time.monotonic() - self._last[1] >= HEARTBEAT_S:
                    seen = self._read(connection, seen)

    def _read(self, connection: psycopg.Connection[tuple[int]], earlier: Seen | None) -> Seen:
        """Reads the version and vouches for it from now on; the earlier sight stays while nothing changed."""
        asked_s = time.monotonic()
        row = connection.execute(_READ).fetchone()
        version = row[0] if row else 0
        seen = earlier if earlier is not None and earlier.version == version else Seen(version)
        self._last = (seen, asked_s)
        return seen


DATA_VERSION_CHANNEL = "vasti_data_version"
"""The PostgreSQL notification channel on which a new data version is announced."""


def raise_data_version(connection: Connection) -> None:
    """Marks that what readers see has changed, and tells those who listen when the transaction commits."""
    raised = connection.execute(update(data_version).values(version=data_version.c.version + 1))
    if raised.rowcount == 0:
        connection.execute(insert(data_version).values(version=1))
    connection.execute(select(func.pg_notify(DATA_VERSION_CHANNEL, "")))
