"""Which access a question asks for, found out without taking its whole address apart."""

from urllib.parse import parse_qsl


def access_asked(query_string: bytes) -> list[str]:
    """The values of the parameter `access`, as they were given: mostly none."""
    # A name can be written in other letters by per cent signs alone.
    if b"access" not in query_string and b"%" not in query_string:
        return []
    return [value for name, value in parse_qsl(query_string.decode("latin-1")) if name == "access"]
