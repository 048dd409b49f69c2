"""Filters that name things: what is not there is refused, with a list of what is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from geo.errors import InvalidParameter, InvalidParameters


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
            problems.append(
                InvalidParameter(name, "value_unknown", unknown=unknown, known=sorted(found))
                if found
                else InvalidParameter(name, "value_unknown_none_yet", unknown=unknown)
            )
    if problems:
        raise InvalidParameters(problems)
