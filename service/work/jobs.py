"""Work behind the scenes: the workers that empty the queue."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess

import psycopg
import psycopg_pool
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager, migrations_path
from psycopg import sql
from sqlalchemy import Engine

from geo import database
from geo.database import SERVICE_ROLE
from geo.errors import Busy, DatabaseUnavailable, Locked, StorageFull
from geo.indicators.tallies import recompute
from geo.ingestion.uploads import Step, city_of, clear_folder, give_up, remove_older
from geo.messages import Message
from geo.publications import clear_downloads, note_problem
from geo.settings import Settings
from service.logs import UPLOAD, where
from service.work import reader_process
from service.work.queue import (
    MAKE_DOWNLOAD,
    MAKE_PUBLICATION,
    QUEUE_SCHEMA,
    RECOMPUTE_TALLIES,
    SHORT_FIRST,
    WORK_ON_UPLOAD,
    StaleWatch,
    defer_behind,
    defer_downloads,
    defer_lost,
    defer_stale,
    defer_survey,
    has_waiting_upload,
    queue_conninfo,
)

_PUBLISHING_PROBLEMS = {None: "publication_too_long", reader_process.EXIT_FULL: "publication_without_room"}
"""What a publication's process ended with, of what can be said in words; all else broke off."""

INCOMING_DAYS = 7
"""How long a file that comes in parts may take."""

# The service asks for work in the transaction that calls for it; what is asked for is looked at by the worker.
_SERVICE_MAY = (
    f"GRANT USAGE ON SCHEMA {QUEUE_SCHEMA} TO {SERVICE_ROLE}",
    f"REVOKE ALL ON ALL TABLES IN SCHEMA {QUEUE_SCHEMA} FROM {SERVICE_ROLE}",
    f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {QUEUE_SCHEMA} FROM {SERVICE_ROLE}",
    # What asks for work is PUBLIC's by default, but not where this account's new functions are nobody's.
    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {QUEUE_SCHEMA} TO {SERVICE_ROLE}",
    f"GRANT SELECT, INSERT ON {QUEUE_SCHEMA}.procrastinate_jobs TO {SERVICE_ROLE}",
    # A trigger notes there that a job was asked for.
    f"GRANT INSERT ON {QUEUE_SCHEMA}.procrastinate_events TO {SERVICE_ROLE}",
    f"GRANT USAGE ON SEQUENCE {QUEUE_SCHEMA}.procrastinate_jobs_id_seq, {QUEUE_SCHEMA}.procrastinate_events_id_seq "
    f"TO {SERVICE_ROLE}",
)

_PREPARE_LOCK = 0x7175657565
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0

# What a database that is away looks like to each of the layers.
_AWAY = (ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout, DatabaseUnavailable)

logger = logging.getLogger("vasti.jobs")


def prepare(url: str) -> None:
    """Makes the queue's tables, or brings them to the version of procrastinate that is installed. Safe at any moment.

    procrastinate says which steps there are; which of them were taken is noted here.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    try:
        with psycopg.connect(queue_conninfo(url), connect_timeout=10) as connection:
            # Held until the transaction ends: of two processes at once, the second finds everything done.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_PREPARE_LOCK])
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(QUEUE_SCHEMA)))
            connection.execute("CREATE TABLE IF NOT EXISTS step_taken (name text PRIMARY KEY)")
            taken = {row[0] for row in connection.execute("SELECT name FROM step_taken")}
            steps = sorted(path for path in migrations_path.glob("*.sql") if path.name not in taken)
            if not taken:
                # The schema as a whole holds every step.
                connection.execute(SchemaManager.get_schema())
            else:
                for step in steps:
                    connection.execute(step.read_bytes())
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO step_taken VALUES (%s)", [(step.name,) for step in steps])
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SERVICE_ROLE]).fetchone():
                for statement in _SERVICE_MAY:
                    connection.execute(statement)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable from error


def make_app(url: str, engine: Engine, settings: Settings) -> App:
    """The worker's tasks, on a database; `settings` say where originals are and what one file may take."""
    app = App(connector=PsycopgConnector(conninfo=queue_conninfo(url), min_size=1, max_size=4))

    @app.task(name=RECOMPUTE_TALLIES, retry=RetryStrategy(max_attempts=5, exponential_wait=5))
    def recompute_tallies(survey_id: int) -> None:
        with database.transaction(engine) as connection:
            gave_way = False

            def gives_way() -> bool:
                nonlocal gave_way
                gave_way = gave_way or has_waiting_upload(connection)
                return gave_way

            recompute(connection, survey_id, gives_way=gives_way)
            if gave_way:
                defer_survey(connection, survey_id)

    @app.task(name=MAKE_PUBLICATION, retry=RetryStrategy(max_attempts=5, exponential_wait=5))
    def publish(survey_id: int, account_id: int | None, is_correction: bool = False, note: str | None = None) -> None:
        asked = reader_process.Asked(account_id, is_correction, note)
        code = _make(reader_process.start_publication(url, settings, survey_id, asked), settings)
        if code != 0:
            _note_problem(engine, survey_id, code)

    # Where that does not end well, it is asked for again within an hour.
    @app.task(name=MAKE_DOWNLOAD)
    def make_download(publication_id: int) -> None:
        with suppress(DatabaseUnavailable):
            code = _make(reader_process.start_download(url, settings, publication_id), settings)
            if code != 0:
                logger.error("download broke off", extra={"facts": {"publication": publication_id, "exit": code}})

    # What goes wrong with a file is said of it; only a database that was away is tried again.
    @app.task(name=WORK_ON_UPLOAD, retry=RetryStrategy(max_attempts=30, wait=5))
    def work_on_upload(upload_id: int, step: Step) -> None:
        UPLOAD.set(upload_id)
        _work_on_upload(url, engine, settings, upload_id, step)
        with database.transaction(engine) as connection:
            defer_stale(connection)
            defer_behind(connection, city_of(connection, upload_id))

    _add_clock(app, engine, settings)
    return app


def _add_clock(app: App, engine: Engine, settings: Settings) -> None:
    """The tasks that a worker does at certain times."""
    stale = StaleWatch()

    def regularly(cron: str) -> Callable[[Callable[[], None]], Callable[[int], None]]:
        """Has a worker do something at such times. What the database was away for is done the next time."""

        def decorate(work: Callable[[], None]) -> Callable[[int], None]:
            def on_time(timestamp: int) -> None:  # noqa: ARG001 (every periodic task is told when)
                try:
                    work()
                except (Busy, DatabaseUnavailable, Locked):
                    _leave_for_next_time(work.__name__)
                except Exception as error:
                    # The queue names the kind of an exception only.
                    logger.error("task fault", extra={"facts": {"task": work.__name__, "where": where(error)}})
                    raise

            name = work.__name__
            app.periodic(cron=cron)(app.task(name=name, queueing_lock=name, priority=SHORT_FIRST)(on_time))
            return on_time

        return decorate

    @regularly("* * * * *")
    def ask_for_uploads() -> None:
        with database.transaction(engine) as connection:
            defer_lost(connection)

    @regularly("* * * * *")
    def ask_for_tallies() -> None:
        with database.transaction(engine) as connection:
            stale.ask(connection)

    @regularly("47 * * * *")
    def ask_for_downloads() -> None:
        with database.transaction(engine) as connection:
            clear_downloads(connection, settings.originals_url)
            defer_downloads(connection, settings.originals_url)

    @regularly("17 * * * *")
    def clear_incoming() -> None:
        with database.transaction(engine) as connection:
            remove_older(connection, INCOMING_DAYS)
        clear_folder(settings.incoming_dir, INCOMING_DAYS)

    @app.periodic(cron="* * * * *")
    @app.task(name="retry_stalled", queueing_lock="retry_stalled", priority=SHORT_FIRST)
    async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001 (every periodic task is told when)
        try:
            await _retry_stalled(app)
        except ConnectorException:
            _leave_for_next_time("retry_stalled")


def _make(process: BaseProcess, settings: Settings) -> int | None:
    """Waits for a process that makes something of a round, and ends it where it takes too long; None: it did.

    Raises:
        DatabaseUnavailable: the database was away, or others were at it; nothing was made.
    """
    try:
        process.join(timeout=60 * settings.upload_minutes)
        code = process.exitcode
    finally:
        process.kill()
        process.join()
    if code == reader_process.EXIT_LATER:
        raise DatabaseUnavailable
    return code


def _note_problem(engine: Engine, survey_id: int, code: int | None) -> None:
    """Notes why a round's next publication could not be made; the former one stays."""
    logger.error("publication broke off", extra={"facts": {"survey": survey_id, "exit": code}})
    problem = _PUBLISHING_PROBLEMS.get(code, "publication_broke_off")
    try:
        with database.transaction(engine) as connection:
            note_problem(connection, survey_id, problem)
    except (DatabaseUnavailable, Locked, StorageFull) as error:
        # Where the database has no room either, the log says it.
        logger.warning("why it broke off is not noted", extra={"facts": {"survey": survey_id, "why": error.code}})


def _leave_for_next_time(task: str) -> None:
    """Says that a task of the clock did nothing: it comes again, so its job ends like one that succeeded."""
    logger.warning("left for the next time", extra={"facts": {"task": task}})


async def _retry_stalled(app: App) -> None:
    """Puts the jobs of workers that died back into the queue; their locks would hold up others for ever."""
    for job in await app.job_manager.get_stalled_jobs():
        assert job.id is not None  # noqa: S101 (it was read from the database)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # The same work was asked for again meanwhile, and waits.
            await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def _work_on_upload(url: str, engine: Engine, settings: Settings, upload_id: int, step: Step) -> None:
    """Has a process of its own do a step, and says what happened where that did not end well.

    Raises:
        DatabaseUnavailable: the database was away, or others were at it; nothing was done.
    """
    process = reader_process.start_step(url, settings, upload_id, step)
    try:
        process.join(timeout=60 * settings.upload_minutes)
        code = process.exitcode
    finally:
        process.kill()
        process.join()
    if code == 0:
        return
    if code == reader_process.EXIT_LATER:
        raise DatabaseUnavailable
    logger.error("upload broke off", extra={"facts": {"step": step, "exit": code}})
    match code:
        case None:
            problem = Message("reading_too_long", minutes=settings.upload_minutes)
        case reader_process.EXIT_FULL:
            problem = Message("reading_without_room")
        case _:
            problem = Message("reading_broke_off")
    give_up(engine, upload_id, step, problem)


def run_worker(url: str, settings: Settings) -> None:
    """Works until SIGTERM or SIGINT; a job that has begun is finished first."""
    asyncio.run(_work_until_signalled(url, settings))


async def _work_until_signalled(url: str, settings: Settings) -> None:
    task = asyncio.create_task(_work(url, settings))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


class WorkerThread:
    """A worker beside something else in this process."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._cancel: Callable[[], object] | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begins to work; whether the database can be reached yet does not matter."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Finishes the job that has begun, and ends."""
        if self._cancel is not None:
            with suppress(RuntimeError):  # its loop has ended already
                self._cancel()
        self._thread.join()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._work())

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio.run made it)
        loop = asyncio.get_running_loop()
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        self._ready.set()
        await _work(self._url, self._settings)


async def _work(url: str, settings: Settings) -> None:
    """Runs a worker for ever, through every time the database is away."""
    engine = database.create_engine(url)
    wait_s = _FIRST_WAIT_S
    try:
        while True:
            try:
                await work_once(url, engine, settings, wait=True)
                wait_s = _FIRST_WAIT_S
            except _AWAY as error:
                logger.warning("worker waits for the database", extra={"facts": {"kind": type(error).__name__}})
            except Exception as error:
                logger.error("worker fault", extra={"facts": {"where": where(error)}})
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
    finally:
        engine.dispose()


async def work_once(url: str, engine: Engine, settings: Settings, *, wait: bool) -> None:
    """Does what is in the queue; with `wait`, goes on until something breaks off.

    Raises:
        ConnectorException, psycopg.Error, DatabaseUnavailable: the database is away.
    """
    app = make_app(url, engine, settings)
    await asyncio.to_thread(_ask_for_all, url, engine, settings)
    async with app.open_async():
        await _retry_stalled(app)
        await app.run_worker_async(
            wait=wait,
            install_signal_handlers=False,
            listen_notify=wait,
            delete_jobs="successful",
        )


def _ask_for_all(url: str, engine: Engine, settings: Settings) -> None:
    """Makes the queue, and asks for what a worker that ended left undone."""
    prepare(url)
    with database.transaction(engine) as connection:
        uploads, surveys = defer_lost(connection), defer_stale(connection) + defer_behind(connection)
        downloads = defer_downloads(connection, settings.originals_url)
    if uploads:
        logger.info("uploads are taken up again", extra={"facts": {"uploads": uploads}})
    if surveys:
        logger.info("figures are brought up to date", extra={"facts": {"surveys": surveys}})
    if downloads:
        logger.info("downloads are made", extra={"facts": {"downloads": downloads}})
