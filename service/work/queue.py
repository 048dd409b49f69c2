"""Asking for work: jobs are put into the queue in the transaction that calls for them; a worker does them.

Nothing here needs an open connection pool, so that the service, the command line and the worker itself ask alike.
"""

from collections.abc import Sequence
from typing import Any, cast

import psycopg
from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import make_conninfo
from sqlalchemy import BigInteger, Connection, Integer, Text, column, func, select, table
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url

from geo import database
from geo.database import read_data_version
from geo.indicators.tallies import mark_surveys, surveys_lacking_tallies
from geo.ingestion.uploads import Step, find_waiting, of_same_organisation
from geo.publications import find_behind, find_lacking

QUEUE_SCHEMA = "procrastinate"
"""The queue's tables live in a schema of their own, where no migration of ours sees them."""

RECOMPUTE_TALLIES = "recompute_tallies"
WORK_ON_UPLOAD = "work_on_upload"
MAKE_PUBLICATION = "make_publication"
MAKE_DOWNLOAD = "make_download"

SHORT_FIRST = 1_000_000
"""The priority of what takes a moment."""

_AFTER_PEOPLE = -1_000_000
"""The priority of what nobody waits for; uploads begin at 0."""

# Never opened: once a procrastinate app is, it defers by its own connections only, and this one is given the caller's.
_ASKING = App(connector=SyncPsycopgConnector())

_JOBS = table(
    "procrastinate_jobs",
    column("id", BigInteger),
    column("task_name", Text),
    column("priority", Integer),
    column("lock", Text),
    column("args", JSONB),
    column("status", Text),
    schema=QUEUE_SCHEMA,
)
_STATUS = sql_cast(_JOBS.c.status, Text)
_IS_LIVE = _STATUS.in_(("todo", "doing"))
_UPLOAD_ID = sql_cast(_JOBS.c.args["upload_id"].astext, Integer)


def queue_conninfo(url: str) -> str:
    """The database's address, on whose connections the queue's tables are found by their bare names."""
    return make_conninfo(database.conninfo(make_url(url)), options=f"-c search_path={QUEUE_SCHEMA},public")


def defer_stale(connection: Connection) -> int:
    """Asks, in the caller's transaction, for the tallies surveys lack; how many surveys those are.

    A survey is asked for once however often this is called, and is never computed by two workers at once.
    """
    found = surveys_lacking_tallies(connection)
    asked = _live_locks(connection, [_survey_lock(survey_id) for survey_id in found])
    for survey_id in found:
        if _survey_lock(survey_id) not in asked:
            defer_survey(connection, survey_id)
    return len(found)


def defer_survey(connection: Connection, survey_id: int) -> None:
    """Asks, in the caller's transaction, for the tallies a survey lacks."""
    _defer(connection, RECOMPUTE_TALLIES, _survey_lock(survey_id), _AFTER_PEOPLE, survey_id=survey_id)


def defer_behind(connection: Connection, city_id: int | None = None) -> int:
    """Asks, in the caller's transaction, for the publications that are behind, of a city or all; how many those are."""
    found = [each.survey_id for each in find_behind(connection, city_id) if each.has_rows and each.is_automatic]
    for survey_id in found:
        defer_publication(connection, survey_id)
    return len(found)


def defer_publication(
    connection: Connection,
    survey_id: int,
    account_id: int | None = None,
    *,
    is_correction: bool = False,
    note: str | None = None,
) -> None:
    """Asks, in the caller's transaction, for a round's next publication; twice is once."""
    of_task = (_JOBS.c.task_name == MAKE_PUBLICATION, _STATUS == "todo")
    same = [*of_task, sql_cast(_JOBS.c.args["survey_id"].astext, Integer) == survey_id]
    if is_correction:
        same.append(_JOBS.c.args["is_correction"].astext == "true")
    if note is not None:
        same.append(_JOBS.c.args["note"].astext == note)
    if connection.execute(select(_JOBS.c.id).where(*same).limit(1)).first() is None:
        asked = {"survey_id": survey_id, "account_id": account_id, "is_correction": is_correction, "note": note}
        # What nobody waits for comes after the tallies it is made of.
        turn = _AFTER_PEOPLE - 1 if account_id is None else 0
        _defer(connection, MAKE_PUBLICATION, _survey_lock(survey_id), turn, **asked)


def defer_downloads(connection: Connection, originals_url: str) -> int:
    """Asks, in the caller's transaction, for the downloads that are still to be made; how many those are."""
    found = find_lacking(connection, originals_url)
    asked = _live_locks(connection, [_publication_lock(publication_id) for publication_id in found])
    for publication_id in found:
        lock = _publication_lock(publication_id)
        if lock not in asked:
            # What nobody waits for comes after the publications themselves.
            _defer(connection, MAKE_DOWNLOAD, lock, _AFTER_PEOPLE - 2, publication_id=publication_id)
    return len(found)


def has_waiting_upload(connection: Connection) -> bool:
    """Whether a step of an upload waits for a worker."""
    waits = (_JOBS.c.task_name == WORK_ON_UPLOAD, _STATUS == "todo")
    return connection.execute(select(_JOBS.c.id).where(*waits).limit(1)).first() is not None


def defer_lost(connection: Connection) -> int:
    """Asks, in the caller's transaction, for the steps of uploads that no job stands for; how many those are."""
    found = find_waiting(connection)
    asked = _live_locks(connection, [_upload_lock(upload_id) for upload_id, _ in found])
    lost = [(upload_id, step) for upload_id, step in found if _upload_lock(upload_id) not in asked]
    for upload_id, step in lost:
        defer_upload(connection, upload_id, step)
    return len(lost)


def defer_upload(connection: Connection, upload_id: int, step: Step) -> None:
    """Asks, in the caller's transaction, for a step of the work on an upload; twice is once."""
    same = (_JOBS.c.lock == _upload_lock(upload_id), _STATUS == "todo", _JOBS.c.args["step"].astext == step)
    if connection.execute(select(_JOBS.c.id).where(*same).limit(1)).first() is None:
        turn = _next_turn(connection, upload_id)
        _defer(connection, WORK_ON_UPLOAD, _upload_lock(upload_id), turn, upload_id=upload_id, step=step)


def _next_turn(connection: Connection, upload_id: int) -> int:
    """The priority of an upload's next step, so that organisations take turns.

    Each step of an organisation goes one behind its last; one that has nothing in the queue joins where the queue is.
    """
    of_uploads = (_JOBS.c.task_name == WORK_ON_UPLOAD, _IS_LIVE)
    now_at, first, own_last = connection.execute(
        select(
            func.min(_JOBS.c.priority).filter(_STATUS == "doing"),
            func.max(_JOBS.c.priority).filter(_STATUS == "todo"),
            func.min(_JOBS.c.priority).filter(_UPLOAD_ID.in_(of_same_organisation(upload_id))),
        ).where(*of_uploads)
    ).one()
    queue_at = next((turn for turn in (now_at, first) if turn is not None), 0)
    return int(queue_at if own_last is None else min(queue_at, own_last - 1))


def waiting_before(connection: Connection, upload_ids: Sequence[int]) -> dict[int, int]:
    """How many steps of other uploads the workers have to do before each of these."""
    if not upload_ids:
        return {}
    order = func.row_number().over(order_by=((_STATUS == "doing").desc(), _JOBS.c.priority.desc(), _JOBS.c.id))
    queue = select(_UPLOAD_ID.label("upload_id"), order.label("place"))
    places = queue.where(_JOBS.c.task_name == WORK_ON_UPLOAD, _IS_LIVE).subquery()
    found = connection.execute(
        select(places.c.upload_id, func.min(places.c.place) - 1)
        .where(places.c.upload_id.in_(upload_ids))
        .group_by(places.c.upload_id)
    )
    known = {row[0]: row[1] for row in found}
    if len(known) == len(set(upload_ids)):
        return known
    # One whose job was lost is asked for anew, behind all others.
    last = connection.execute(select(func.count()).select_from(places)).scalar_one()
    return dict.fromkeys(upload_ids, last) | known


class StaleWatch:
    """Asks for what surveys lack, tallies and publications, and looks for it only after something has changed."""

    def __init__(self) -> None:
        self._complete: tuple[int, ...] | None = None
        """What was there when no survey lacked anything."""

    def ask(self, connection: Connection) -> None:
        """Asks, in the caller's transaction, where something may be missing."""
        there = (read_data_version(connection), *mark_surveys(connection))
        if there != self._complete:
            lacking = defer_stale(connection) + defer_behind(connection)
            self._complete = None if lacking else there


def _survey_lock(survey_id: int) -> str:
    return f"survey-{survey_id}"


def _publication_lock(publication_id: int) -> str:
    return f"publication-{publication_id}"


def _upload_lock(upload_id: int) -> str:
    return f"upload-{upload_id}"


def _live_locks(connection: Connection, locks: Sequence[str]) -> set[str]:
    """Those of the locks for which a job waits or is being done."""
    found = select(_JOBS.c.lock).where(_IS_LIVE, _JOBS.c.lock == func.any(list(locks)))
    return set(connection.execute(found).scalars())


def _defer(connection: Connection, task_name: str, lock: str, priority: int, **arguments: Any) -> None:
    """Puts a task into the queue in the caller's transaction. Of those with one lock no two are done at a time.

    It has no queueing lock: a job that is to be tried again would break on another that was asked for meanwhile.

    Raises:
        psycopg.Error: what the driver says, as for the caller's own statements.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    path = connection.execute(select(func.current_setting("search_path"))).scalar_one()
    connection.execute(select(func.set_config("search_path", f"{QUEUE_SCHEMA},public", True)))
    task = _ASKING.configure_task(task_name, lock=lock, priority=priority, connection=driver)
    try:
        task.defer(**arguments)
    except ConnectorException as error:
        # A database that is away is told apart by what the driver says, which the queue hides from the callers.
        raise (error.__cause__ or error) from None
    connection.execute(select(func.set_config("search_path", path, True)))


def count_jobs(connection: Connection) -> dict[tuple[str, str], int]:
    """How many jobs there are by task and status; none where no worker has made the queue yet."""
    if connection.execute(select(func.to_regclass(f"{QUEUE_SCHEMA}.procrastinate_jobs"))).scalar_one() is None:
        return {}
    rows = select(_JOBS.c.task_name, _STATUS, func.count()).group_by(_JOBS.c.task_name, _JOBS.c.status)
    return {(task, status): n for task, status, n in connection.execute(rows)}
