"""What is kept by a key up to a bound; what is asked for again stays when much else is asked for once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")

_NEW_PART = 4
"""What has been asked for once may take up this part of the room, and more only while there is room left."""


class KeptBySize(Generic[Key, Kept]):
    """Things with their sizes, in two rows: what has been asked for once, and what has been asked for again.

    With one row, a flood of odd questions would push out the answers that everybody asks for.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._rows: tuple[OrderedDict[Key, tuple[Kept, int]], ...] = (OrderedDict(), OrderedDict())
        self._sizes = [0, 0]

    @property
    def size(self) -> int:
        """The room that is taken up."""
        return sum(self._sizes)

    def get(self, key: Key) -> Kept | None:
        """What is kept by a key; it has been asked for again."""
        new, again = self._rows
        if key in again:
            again.move_to_end(key)
            return again[key][0]
        if key not in new:
            return None
        kept, size = self._take(0, key)
        self._put(1, key, kept, size)
        return kept

    def add(self, key: Key, kept: Kept, size: int) -> None:
        """Keeps a thing, and forgets what has not been asked for longest."""
        if any(key in row for row in self._rows):
            return
        self._put(0, key, kept, size)
        while self.size > self.max_size:
            row = 0 if self._sizes[0] > self.max_size // _NEW_PART or not self._rows[1] else 1
            self._take(row, next(iter(self._rows[row])))

    def keep_only(self, is_right: Callable[[Kept], bool]) -> None:
        """Forgets what is not right any more."""
        for row, things in enumerate(self._rows):
            for key in [key for key, (kept, _) in things.items() if not is_right(kept)]:
                self._take(row, key)

    def clear(self) -> None:
        """Forgets everything."""
        for row in self._rows:
            row.clear()
        self._sizes = [0, 0]

    def _put(self, row: int, key: Key, kept: Kept, size: int) -> None:
        self._rows[row][key] = (kept, size)
        self._sizes[row] += size

    def _take(self, row: int, key: Key) -> tuple[Kept, int]:
        kept, size = self._rows[row].pop(key)
        self._sizes[row] -= size
        return kept, size
