"""A survey's parts of `household` and `tally`: partitions, made so that nobody waits for the load they are made for.

A partition that is attached locks the tables it refers to, `upload` and `settlement` among them, against all who write
to them until the transaction ends. So they are made empty, in a transaction of their own, before a file is loaded;
where a round is opened and loaded in one transaction, they are filled and indexed first and the locks come last.
"""

import time

from psycopg import sql
from sqlalchemy import Connection, func, select, table
from sqlalchemy.exc import OperationalError

from geo.database import attach_part, create_beside, driver_of, has_part, index_part, part_name
from geo.database.schema.households import household
from geo.database.schema.tallies import tally
from geo.errors import Locked

_WAITS_MS = 500
"""Others wait as long as we do: their requests for a table stand behind ours."""

_PAUSE_S = 0.5

_LOCKED = "55P03"


def has_partition(connection: Connection, survey_id: int) -> bool:
    """Whether the survey has its parts: both are made in one transaction."""
    return has_part(connection, household, survey_id)


def is_empty(connection: Connection, survey_id: int) -> bool:
    """Whether there are no rows in the survey's part of `household`, not even withdrawn ones."""
    return connection.execute(select(table(part_name(household, survey_id))).limit(1)).first() is None


def create_parts(connection: Connection, survey_id: int) -> None:
    """Makes the tables that are to become the survey's parts."""
    create_beside(connection, household, survey_id)
    create_beside(connection, tally, survey_id)


def attach_parts(connection: Connection, survey_id: int, tries: int = 240) -> None:
    """Makes them the survey's parts; the tables they refer to are locked from then on until the transaction ends.

    Raises:
        Locked: somebody else had these tables for all of some minutes.
    """
    before = connection.execute(select(func.current_setting("lock_timeout"))).scalar_one()
    for _ in range(tries):
        try:
            with connection.begin_nested():
                connection.execute(select(func.set_config("lock_timeout", str(_WAITS_MS), True)))
                attach_part(connection, household, survey_id)
                attach_part(connection, tally, survey_id)
            connection.execute(select(func.set_config("lock_timeout", before, True)))
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCKED:
                raise
            time.sleep(_PAUSE_S)
    raise Locked


def make_partition(connection: Connection, survey_id: int) -> None:
    """Makes the survey's parts, empty, where it has none: in a transaction that does nothing else.

    Raises:
        Locked: somebody else has had the tables for too long, or loads the survey's first file.
    """
    if has_partition(connection, survey_id):
        return
    connection.execute(select(func.set_config("lock_timeout", str(_WAITS_MS), True)))
    create_parts(connection, survey_id)
    index_part(connection, household, survey_id)
    index_part(connection, tally, survey_id)
    attach_parts(connection, survey_id, tries=20)


def shrink_empty(connection: Connection, survey_id: int) -> None:
    """Gives back the room that rows taken back left behind, where the survey has none; the caller holds its lock.

    Raises:
        Locked: somebody is reading there.
    """
    if has_partition(connection, survey_id) and is_empty(connection, survey_id):
        parts = [sql.Identifier(part_name(whole, survey_id)) for whole in (household, tally)]
        driver_of(connection).execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(parts)))
