"""Many numbers out of the database at once, as arrays: none of them is an object of Python's on the way."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from psycopg.pq.abc import PGresult
from sqlalchemy import BigInteger, Connection, Double, Integer, Select, func, select

from geo.database.copying import driver_of

_NUMPY_TYPES = {Integer: ">i4", BigInteger: ">i8", Double: ">f8"}

# What stands before the elements of an array: its dimensions, whether it has NULLs, its type, its length, its base.
_HEADER = 5 * 4
_HAS_NULL = slice(4, 8)


def read_arrays(connection: Connection, rows: Select[Any]) -> dict[str, NDArray[Any]]:
    """The columns of a statement as arrays, all in one order. Each is an Integer, a BigInteger or a Double, never NULL.

    Raises:
        ValueError: a column has a NULL.
    """
    found = rows.subquery()
    asked = select(*(func.array_agg(column) for column in found.c)).compile(dialect=connection.dialect)
    with driver_of(connection).cursor(binary=True) as cursor:
        cursor.execute(str(asked), asked.params)
        row = cast("PGresult", cursor.pgresult)  # there is one, after a question
        sent = [row.get_value(0, i) for i in range(len(found.c))]
    return {
        column.name: _numbers(column.name, content, _NUMPY_TYPES[type(column.type)])
        for column, content in zip(found.c, sent, strict=True)
    }


def _numbers(name: str, sent: bytes | None, numpy_type: str) -> NDArray[Any]:
    """The elements of one array as PostgreSQL sends it: each has its length before it."""
    native = np.dtype(numpy_type).newbyteorder("=")
    if sent is None:  # an array of no rows
        return np.empty(0, dtype=native)
    if any(sent[_HAS_NULL]):
        raise ValueError(f"the column {name} has a NULL")
    elements = np.frombuffer(sent, dtype=[("length", ">i4"), ("value", numpy_type)], offset=_HEADER)
    return elements["value"].astype(native)
