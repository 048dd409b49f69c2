"""Frames into tables by binary COPY, inside the caller's transaction."""

from typing import Any, cast

import pandas as pd
import pgpq
import psycopg
import pyarrow as pa
from psycopg import sql
from sqlalchemy import BigInteger, Connection, Double, Integer, Table, Text

_ARROW_TYPES = {Integer: pa.int32(), BigInteger: pa.int64(), Double: pa.float64(), Text: pa.string()}


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own connection: what is copied goes past SQLAlchemy."""
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


def copy_frame(
    connection: Connection, target: Table, frame: pd.DataFrame, *, into: sql.Identifier | None = None
) -> None:
    """Adds the rows of a frame to a table whose columns bear the same names, or `into` another that is like it."""
    schema = pa.schema([(name, _ARROW_TYPES[type(target.c[name].type)]) for name in frame.columns])
    encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        into or sql.Identifier(target.name), sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    )
    with driver_of(connection).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for batch in pa.Table.from_pandas(frame, schema=schema, preserve_index=False).to_batches():
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
