"""Data versions: a number that rises with every change a reader can see, and where it stood at each city's last one.

What an answer shows of some cities is as it was while none of them, and nothing that all share, has changed: a load in
one city leaves what is kept of another as it is.
"""

import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database.copying import driver_of
from geo.database.engine import conninfo
from geo.database.schema.surveys import city_version, data_version

POLL_S = 0.25
"""How long the watch waits for news before it looks whether it shall end."""

HEARTBEAT_S = 2.0
"""How often the watch makes sure that the database still answers it."""

PATIENCE_S = 5.0
"""What was read longer ago than this is not vouched for."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0

_READ = sql.SQL("""
SELECT data_version.version, data_version.shared, coalesce(of_cities.versions, '{}')
FROM data_version, (
    SELECT json_object_agg(city.slug, city_version.version) AS versions
    FROM city_version JOIN city ON city.id = city_version.city_id
) AS of_cities
""")

_Row = tuple[int, int, dict[str, int]]


def read_data_version(connection: Connection, cities: Collection[str] | None = None) -> int:
    """The data version of what is shown of these cities (slugs), or of all of them; 0 before anything was loaded.

    Of no city it is that of what all share: the indicators there are.
    """
    driver = driver_of(connection)
    if cities is None:
        found = driver.execute(_VERSION, prepare=True).fetchone()
    else:
        found = driver.execute(_VERSION_OF, [[*cities]], prepare=True).fetchone()
    return int(found[0]) if found else 0


_VERSION = sql.SQL("SELECT version FROM data_version")

_VERSION_OF = sql.SQL("""
SELECT greatest(shared, (
    SELECT max(city_version.version) FROM city_version JOIN city ON city.id = city_version.city_id
    WHERE city.slug = ANY (%s::text[])
)) FROM data_version
""")


@dataclass(frozen=True, eq=False)
class Seen:
    """One sight of the data versions. Two sights of the same number are not the same.

    Between them the database may have been away, or restored to an earlier state that reached the number again.
    """

    version: int
    shared: int = 0
    """Where it stood when something changed that all cities share."""
    by_city: Mapping[str, int] = field(default_factory=dict)
    """Where it stood when something of a city changed, by its slug."""
    since: object = field(default_factory=object)
    """The same in sights between which nothing was missed: a version of one is the same state in the other."""

    def of(self, cities: Collection[str] | None) -> int:
        """The data version of what is shown of these cities; None: of all. As read_data_version has it."""
        if cities is None:
            return self.version
        return max([self.shared, *(self.by_city.get(slug, 0) for slug in cities)])


def with_sight(connection: Connection, seen: Seen | None) -> Connection:
    """The connection, which reads with a sight of the data versions; None: none is sure."""
    return connection.execution_options(seen=seen)


def seen_by(connection: Connection) -> Seen | None:
    """The sight of the data versions that a connection reads with; None: there is none that is sure."""
    return connection.get_execution_options().get("seen")


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
                    seen = self._read(connection, seen)
                elif time.monotonic() - self._last[1] >= HEARTBEAT_S:
                    seen = self._read(connection, seen)

    def _read(self, connection: psycopg.Connection[_Row], earlier: Seen | None) -> Seen:
        """Reads the versions and vouches for them from now on; the earlier sight stays while nothing changed."""
        asked_s = time.monotonic()
        version, shared, by_city = connection.execute(_READ).fetchone() or (0, 0, {})
        if earlier is None or version < earlier.version:
            seen = Seen(version, shared, by_city)
        elif version == earlier.version:
            seen = earlier
        else:
            seen = Seen(version, shared, by_city, earlier.since)
        self._last = (seen, asked_s)
        return seen


DATA_VERSION_CHANNEL = "vasti_data_version"
"""The PostgreSQL notification channel on which a new data version is announced."""


def raise_data_version(connection: Connection, city_id: int | None) -> None:
    """Marks that what readers see of a city has changed, or (None) what all cities share.

    Those who listen are told when the transaction commits.
    """
    raised = update(data_version).values(version=data_version.c.version + 1).returning(data_version.c.version)
    version = connection.execute(raised).scalar()
    if version is None:
        version = 1
        connection.execute(insert(data_version).values(version=version, shared=version))
    if city_id is None:
        connection.execute(update(data_version).values(shared=version))
    else:
        of_city = upsert(city_version).values(city_id=city_id, version=version)
        changed = of_city.on_conflict_do_update(index_elements=["city_id"], set_={"version": version})
        connection.execute(changed)
    connection.execute(select(func.pg_notify(DATA_VERSION_CHANNEL, "")))
