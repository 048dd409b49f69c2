"""One step of the work on an upload, in a process of its own: `python -m service.upload_work checking 12`.

Files come from strangers, and are read by programs in C. What goes wrong in one (a crash, too much memory, too much
time) ends this process and nothing else: the transaction it was in is rolled back, and the worker that started it says
what happened.
"""

import logging
import os
import resource
import sys
import threading
import time
from typing import get_args

from geo import database
from geo.errors import DatabaseUnavailable, is_full
from geo.ingestion.received import Step
from geo.ingestion.upload_steps import Work
from geo.settings import Settings
from service.logs import UPLOAD, configure_logs, where

EXIT_DATABASE = 75
"""The database was away: to be tried again."""

EXIT_FAULT = 70
"""Something went wrong that nobody expected, such as memory that ran out."""

EXIT_FULL = 74
"""There was no room left to write."""

_LOOK_EVERY_S = 1.0

logger = logging.getLogger("vasti.jobs")


def limit_memory(megabytes: int) -> None:
    """Holds this process to so much memory of its own; what it asks for beyond that it does not get."""
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def end_with(parent: int) -> None:
    """Ends this process when the one that started it is gone: nobody would hear what came of it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def main(step: str, upload_id: str) -> int:
    """Does the step; the exit code."""
    end_with(os.getppid())
    settings = Settings()
    configure_logs()
    limit_memory(settings.upload_memory_mb)
    (chosen,) = [known for known in get_args(Step) if known == step]
    UPLOAD.set(int(upload_id))
    engine = database.create_engine(database.database_url(settings))
    try:
        Work(engine, int(upload_id), settings.originals_url).do(chosen)
    except DatabaseUnavailable:
        return EXIT_DATABASE
    except Exception as error:
        if is_full(error):
            return EXIT_FULL
        # What it says may quote somebody's answers: only where it was is written.
        facts = {"step": step, "where": where(error)}
        logger.error("upload fault", extra={"facts": facts})
        return EXIT_FAULT
    finally:
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
