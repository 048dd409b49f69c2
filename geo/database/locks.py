"""Locks: loads that must not go on side by side wait for each other, in one order."""

from typing import Literal

from sqlalchemy import Connection, func, select

# Advisory locks, taken in this order. Loads into one survey queue for its whole length, and so do those of a city's
# settlements and facilities; a settlement is taken back only while nobody places in it; the last steps of all loads go
# one by one, because attaching a partition locks the tables it refers to.
_SURVEY_LOCK = 1
_CITY_LOCK = 2
_PLACES_LOCK = 3
_FINAL_LOCK = 4

# Of no load: a download is made by one process at a time, and not while its publication is removed.
_DOWNLOAD_LOCK = 5


def lock_survey(connection: Connection, survey_id: int) -> None:
    """Waits until no other load into this survey is under way; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_SURVEY_LOCK, survey_id)))


def lock_city(connection: Connection, city_id: int) -> None:
    """Waits until no other load of the city's settlements or facilities is under way; held likewise."""
    connection.execute(select(func.pg_advisory_xact_lock(_CITY_LOCK, city_id)))


def lock_places(connection: Connection, city_id: int, what: Literal["they stay", "none is placed in them"]) -> None:
    """Waits until the city's settlements stay as they are, or until nobody is placing households in them."""
    lock = func.pg_advisory_xact_lock_shared if what == "they stay" else func.pg_advisory_xact_lock
    connection.execute(select(lock(_PLACES_LOCK, city_id)))


def lock_final(connection: Connection) -> None:
    """Waits for the turn to do a load's last steps; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_FINAL_LOCK, 0)))


def lock_download(connection: Connection, publication_id: int) -> None:
    """Waits until nobody else is at the download of this publication; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_DOWNLOAD_LOCK, publication_id)))
