"""Reading for a public answer: one state of the database, and a note of which."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection, Engine

from geo.database import read_data_version, snapshot

ALWAYS = -1
"""In place of a data version, of an answer that rests on nothing that is stored."""


@dataclass(frozen=True)
class Reading:
    """A connection that sees one state of the database, and that state's data version."""

    connection: Connection
    data_version: int


def engine_of(request: Request) -> Engine:
    """The app's engine."""
    engine = request.app.state.engine
    assert isinstance(engine, Engine)  # noqa: S101 (create_app put it there)
    return engine


@contextmanager
def public_reading(request: Request) -> Iterator[Reading]:
    """Opens the database for an answer that anyone may have, and may keep.

    It is opened inside the route, not as a dependency: a dependency would hold its connection while it waits for a
    thread, and threads would wait for connections.
    """
    with snapshot(engine_of(request)) as connection:
        version = read_data_version(connection)
        yield Reading(connection, version)
    # Noted last: an answer that failed on the way is nobody's to keep.
    request.state.data_version = version


def note_fixed(request: Request) -> None:
    """Notes that an answer is for everybody and the same whatever is stored."""
    request.state.data_version = ALWAYS
