"""What the C library does with memory that is given back to it."""

import asyncio
import ctypes
import sys
from collections.abc import Callable
from typing import Any

# As glibc's malloc.h has them.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_LARGE_BYTES = 1024 * 1024


def keep_memory_low() -> None:
    """Has large pieces given back to the system when they are done with, and threads share two stores of small ones.

    By itself glibc keeps what answers of many megabytes were made in, once a thread. Elsewhere nothing changes.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        for option, value in ((_TRIM_THRESHOLD, _LARGE_BYTES), (_MMAP_THRESHOLD, _LARGE_BYTES), (_ARENA_MAX, 2)):
            mallopt(option, value)


_EACH_S = 20.0


async def give_back() -> None:
    """Gives back every so often what lies free between pieces in use, for as long as it is not cancelled.

    By itself glibc gives back what is free at the end of a store alone.
    """
    trim = _of_glibc("malloc_trim")
    while trim is not None:
        await asyncio.sleep(_EACH_S)
        # It takes some milliseconds, during which others go on.
        await asyncio.to_thread(trim, 0)


def _of_glibc(name: str) -> Callable[..., Any] | None:
    """A function of the C library, where it is glibc."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
