"""Reading for a public answer: one state of the database, and a note of which, and of which cities it shows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection, Engine

from geo.database import read_data_version, reading, snapshot, with_sight
from service.http.asked import asked_by

ALWAYS = -1
"""In place of a data version, of an answer that rests on nothing that is stored."""


@dataclass(frozen=True)
class Reading:
    """A connection that sees one state of the database, and the data version of what it is read for."""

    connection: Connection
    data_version: int


def engine_of(request: Request) -> Engine:
    """The app's engine."""
    engine = request.app.state.engine
    assert isinstance(engine, Engine)  # noqa: S101 (create_app put it there)
    return engine


def cities_named(request: Request) -> Sequence[str] | None:
    """The slugs of the cities that an answer shows: those that its address names; None: all there are."""
    named = asked_by(request).values("city")
    in_path = request.path_params.get("city")
    return [*named, in_path] if in_path is not None else named or None


@contextmanager
def public_reading(request: Request, *, of_cities: bool = True) -> Iterator[Reading]:
    """Opens the database for an answer that anyone may have, and may keep while nothing it shows changes.

    Without `of_cities` it shows only what all of them share: the indicators there are.

    It is opened inside the route, not as a dependency: a dependency would hold its connection while it waits for a
    thread, and threads would wait for connections.
    """
    cities = cities_named(request) if of_cities else []
    with snapshot(engine_of(request)) as connection:
        version = read_data_version(connection, cities)
        yield Reading(connection, version)
    # Noted last: an answer that failed on the way is nobody's to keep.
    request.state.data_version, request.state.cities = version, cities


@contextmanager
def reading_publications(request: Request) -> Iterator[Reading]:
    """Opens the database for public figures: publications never change, so only which are current has to be known.

    That is known without asking for as long as the watch sees that nothing changed. Where it is not sure, the data
    version is read first: what is read after it may be of a later one, for which the answer is not kept.
    """
    cities = cities_named(request)
    seen = request.app.state.watch.seen()
    with reading(engine_of(request)) as connection:
        version = read_data_version(connection, cities) if seen is None else seen.of(cities)
        yield Reading(with_sight(connection, seen), version)
    request.state.data_version, request.state.cities = version, cities


def note_fixed(request: Request) -> None:
    """Notes that an answer is for everybody and the same whatever is stored."""
    request.state.data_version = ALWAYS
