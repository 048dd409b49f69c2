"""Filters that name things: what is not there is refused, with a list of what is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from geo.errors import InvalidParameter, InvalidParameters, quoted

_MOST_LISTED = 50


def refuse_unknown(connection: Connection, filters: Mapping[str, tuple[Sequence[str], Select[Any]]]) -> None:
    """Checks that every value asked for is among those there are: by parameter, the values and the query for all.

    Raises:
        InvalidParameters: one or more are not; the message lists those that are.
    """
    problems = []
    for name, (asked, there) in filters.items():
        if not asked:
            continue
        found = set(connection.execute(there).scalars())
        unknown = [value for value in asked if value not in found]
        if unknown:
            verb = "is" if len(unknown) == 1 else "are"
            problems.append(InvalidParameter(name, f"{quoted(unknown)} {verb} not known; {_listed(sorted(found))}"))
    if problems:
        raise InvalidParameters(problems)


def _listed(known: list[str]) -> str:
    if not known:
        return "there is none yet"
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"choose from {', '.join(known[:_MOST_LISTED])}{more}"
