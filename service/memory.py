"""What the C library does with memory that is given back to it."""

import ctypes
import sys

# As glibc's malloc.h has them.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_LARGE_BYTES = 1024 * 1024


def keep_memory_low() -> None:
    """Has large pieces given back to the system when they are done with, and threads share two stores of small ones.

    By itself glibc keeps what answers of many megabytes were made in, once a thread. Elsewhere nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in ((_TRIM_THRESHOLD, _LARGE_BYTES), (_MMAP_THRESHOLD, _LARGE_BYTES), (_ARENA_MAX, 2)):
            mallopt(option, value)
