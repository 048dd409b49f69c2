"""What has been read of a database and never changes, kept in memory up to a bound."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from geo.base import KeptBySize

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Remembered(Generic[Key, Kept]):
    """Things read of each database, by their keys. Several threads may ask."""

    def __init__(self, max_size: int, size_of: Callable[[Key, Kept], int]) -> None:
        """`max_size` is that of all things of a database together, each with its key of a size that `size_of` tells."""
        self._max_size = max_size
        self._size_of = size_of
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Engine, KeptBySize[Key, Kept]] = WeakKeyDictionary()

    def find(self, connection: Connection, key: Key, read: Callable[[], Kept]) -> Kept:
        """A thing of the connection's database: as it was read before, or as it is read now."""
        with self._lock:
            of_database = self._kept.setdefault(connection.engine, KeptBySize(self._max_size))
            kept = of_database.get(key)
        if kept is None:
            # Two threads may read the same at once; that is less than one waiting for the other.
            kept = read()
            with self._lock:
                of_database.add(key, kept, self._size_of(key, kept))
        return kept
