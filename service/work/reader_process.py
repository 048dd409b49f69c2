"""What takes much memory or time, in a process of its own: a step of the work on an upload, a publication, a download.

Files come from strangers, and are read by programs in C. What goes wrong in one (a crash, too much memory, too much
time) ends this process and nothing else: the transaction it was in is rolled back, and the worker that started it says
what happened.

Importing takes longer than reading a small file. So these processes are forked from one that has imported everything,
has read nothing, and ends with the worker.
"""

import logging
import multiprocessing
import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from geo import database
from geo.errors import Busy, Conflict, DatabaseUnavailable, Locked, is_full
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from geo.ingestion.uploads import Limits, Step, Work
from geo.people import find_account_by_id, note_as
from geo.publications import Made, keep_download, make_publication
from geo.settings import Settings
from service.logs import UPLOAD, configure_logs, where

EXIT_LATER = 75
"""The database was away, or others had for long what the step needs: to be tried again."""

EXIT_FAULT = 70
"""Something went wrong that nobody expected, such as memory that ran out."""

EXIT_FULL = 74
"""There was no room left to write."""

_FORKS: ForkServerContext = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["service.work.reader_process"])

_MEMORY_OF_FILES = 2
"""What a publication may take of memory, in what a file may take: a large city by groups takes as much as a file."""

logger = logging.getLogger("vasti.jobs")


def limit_memory(megabytes: int) -> None:
    """Holds this process to so much memory of its own; what it asks for beyond that it does not get."""
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def end_with_worker() -> None:
    """Ends this process when the worker that started it is gone: nobody would hear what came of it, nor stop it."""
    worker = multiprocessing.parent_process()
    assert worker is not None  # noqa: S101 (start_step started it)

    def watch() -> None:
        worker.join()
        os._exit(1)

    threading.Thread(target=watch, name="worker-watch", daemon=True).start()


def start_step(url: str, settings: Settings, upload_id: int, step: Step) -> BaseProcess:
    """Starts a process that does a step of the work on an upload, and ends with one of the exit codes above."""
    process = _FORKS.Process(target=_do_step, args=(url, settings, upload_id, step), daemon=True)
    process.start()
    return process


class Asked(NamedTuple):
    """How a publication was asked for, and by whom; None: by the worker itself."""

    account_id: int | None
    is_correction: bool
    note: str | None


def start_publication(url: str, settings: Settings, survey_id: int, asked: Asked) -> BaseProcess:
    """Starts a process that makes a round's next publication: what that takes of memory goes with it."""
    process = _FORKS.Process(target=_publish, args=(url, settings, survey_id, asked), daemon=True)
    process.start()
    return process


def start_download(url: str, settings: Settings, publication_id: int) -> BaseProcess:
    """Starts a process that makes the download of a publication."""
    process = _FORKS.Process(target=_keep_download, args=(url, settings, publication_id), daemon=True)
    process.start()
    return process


def _publish(url: str, settings: Settings, survey_id: int, asked: Asked) -> None:
    _begin(settings)
    with _making("publication", url, survey=survey_id) as engine:
        with database.transaction(engine) as connection:
            if asked.account_id is None and survey_id in surveys_lacking_tallies(connection):
                # They are being made, and give way to files; it is asked for again.
                return
            recompute(connection, survey_id)
        with database.transaction(engine) as connection:
            made = make_publication(connection, survey_id, **asked._asdict())
            if made.is_new:
                _note(connection, made, asked)
        # The publication stands, whatever becomes of its download: a worker looks for those that are missing.
        with suppress(SystemExit):
            _write_download(url, settings, made.publication_id)


def _keep_download(url: str, settings: Settings, publication_id: int) -> None:
    _begin(settings)
    _write_download(url, settings, publication_id)


def _write_download(url: str, settings: Settings, publication_id: int) -> None:
    with _making("download", url, publication=publication_id) as engine, database.transaction(engine) as connection:
        keep_download(connection, publication_id, settings)


def _begin(settings: Settings) -> None:
    """What a process does first that makes something of a round."""
    end_with_worker()
    configure_logs()
    limit_memory(_MEMORY_OF_FILES * settings.upload_memory_mb)


@contextmanager
def _making(what: str, url: str, **facts: int) -> Iterator[Engine]:
    """The engine of a process that makes something of a round; it ends with one of the exit codes above."""
    engine = database.create_engine(url)
    try:
        yield engine
    except (DatabaseUnavailable, Busy, Locked):
        sys.exit(EXIT_LATER)
    except Conflict as refused:
        # It was taken back, or emptied, meanwhile: what was published before stays.
        logger.warning(f"no {what}", extra={"facts": {**facts, "why": refused.code}})
    except Exception as error:
        if is_full(error):
            logger.error(f"{what} without room", extra={"facts": facts})
            sys.exit(EXIT_FULL)
        logger.error(f"{what} fault", extra={"facts": {**facts, "where": where(error)}})
        sys.exit(EXIT_FAULT)
    finally:
        engine.dispose()


def _note(connection: Connection, made: Made, asked: Asked) -> None:
    by = "the worker" if asked.account_id is None else find_account_by_id(connection, asked.account_id)["email"]
    subject = f"survey {made.city}/{made.survey}"
    facts = {"number": made.number, "correction": asked.is_correction, "note": asked.note}
    note_as(connection, by, "publication made", subject, organisation_id=made.organisation_id, after=facts)


def _do_step(url: str, settings: Settings, upload_id: int, step: Step) -> None:
    end_with_worker()
    configure_logs()
    limit_memory(settings.upload_memory_mb)
    UPLOAD.set(upload_id)
    engine = database.create_engine(url)
    try:
        limits = Limits(settings.upload_rows, settings.state_dir)
        Work(engine, upload_id, settings.originals_url, limits).do(step)
    except (DatabaseUnavailable, Busy, Locked):
        sys.exit(EXIT_LATER)
    except Exception as error:
        if is_full(error):
            sys.exit(EXIT_FULL)
        # What it says may quote somebody's answers: only where it was is written.
        facts = {"step": step, "where": where(error)}
        logger.error("upload fault", extra={"facts": facts})
        sys.exit(EXIT_FAULT)
    finally:
        engine.dispose()
