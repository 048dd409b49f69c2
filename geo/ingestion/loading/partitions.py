"""A survey's part of `household`: a partition, made so that nobody waits for the load it is made for.

A partition that is attached locks the tables it refers to, `upload` and `settlement`, against all who write to them
until the transaction ends. So it is made empty, in a transaction of its own, before a file is loaded; where a round is
opened and loaded in one transaction, its rows are indexed first and the locks come last.
"""

import time

from psycopg import sql
from sqlalchemy import Connection, MetaData, func, select, table
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql import quoted_name

from geo.database import driver_of
from geo.database.schema.households import household
from geo.errors import Locked

_WAITS_MS = 500
"""Others wait as long as we do: their requests for a table stand behind ours."""

_PAUSE_S = 0.5

_LOCKED = "55P03"


def partition_name(survey_id: int) -> str:
    """What the survey's partition is called."""
    return f"household_{survey_id}"


def has_partition(connection: Connection, survey_id: int) -> bool:
    """Whether the survey has a part of `household`."""
    return connection.execute(select(func.to_regclass(partition_name(survey_id)))).scalar_one() is not None


def is_empty(connection: Connection, survey_id: int) -> bool:
    """Whether there are no rows in the survey's part, not even withdrawn ones."""
    return connection.execute(select(table(partition_name(survey_id))).limit(1)).first() is None


def create_beside(connection: Connection, survey_id: int) -> None:
    """Makes the table that is to become the survey's part."""
    driver_of(connection).execute(
        sql.SQL("CREATE TABLE {} (LIKE household INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(
            sql.Identifier(partition_name(survey_id))
        )
    )


def index(connection: Connection, survey_id: int) -> None:
    """Indexes it as `household` is, so that attaching it has nothing left to do."""
    name = partition_name(survey_id)
    key = sql.SQL(", ").join(sql.Identifier(column.name) for column in household.primary_key)
    driver_of(connection).execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(sql.Identifier(name), key))
    for each in household.to_metadata(MetaData(), name=name).indexes:
        each.name = quoted_name(str(each.name).replace(household.name, name, 1), quote=None)
        connection.execute(CreateIndex(each))


def attach(connection: Connection, survey_id: int, tries: int = 240) -> None:
    """Makes it the survey's part; the tables it refers to are locked from then on until the transaction ends.

    Raises:
        Locked: somebody else had these tables for all of some minutes.
    """
    statement = sql.SQL("ALTER TABLE household ATTACH PARTITION {} FOR VALUES IN ({})").format(
        sql.Identifier(partition_name(survey_id)), sql.Literal(survey_id)
    )
    before = connection.execute(select(func.current_setting("lock_timeout"))).scalar_one()
    for _ in range(tries):
        try:
            with connection.begin_nested():
                connection.execute(select(func.set_config("lock_timeout", str(_WAITS_MS), True)))
                connection.exec_driver_sql(statement.as_string(driver_of(connection)))
            connection.execute(select(func.set_config("lock_timeout", before, True)))
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCKED:
                raise
            time.sleep(_PAUSE_S)
    raise Locked


def make_partition(connection: Connection, survey_id: int) -> None:
    """Makes the survey's part of `household`, empty, where it has none: in a transaction that does nothing else.

    Raises:
        Locked: somebody else has had the tables for too long, or loads the survey's first file.
    """
    if has_partition(connection, survey_id):
        return
    connection.execute(select(func.set_config("lock_timeout", str(_WAITS_MS), True)))
    create_beside(connection, survey_id)
    index(connection, survey_id)
    attach(connection, survey_id, tries=20)


def shrink_empty(connection: Connection, survey_id: int) -> None:
    """Gives back the room that rows taken back left behind, where the survey has none; the caller holds its lock.

    Raises:
        Locked: somebody is reading there.
    """
    if has_partition(connection, survey_id) and is_empty(connection, survey_id):
        driver_of(connection).execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(partition_name(survey_id))))
