"""What a query string asks, taken apart once for all that look at it."""

from functools import lru_cache
from urllib.parse import parse_qsl


@lru_cache(maxsize=64)
def asked(query_string: bytes) -> tuple[tuple[str, str], ...]:
    """The names and values of a query string, in its order; what has no value has an empty one."""
    return tuple(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
