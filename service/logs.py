"""Logs: one JSON line an event, and few of them. Neither parameters' values nor answers are ever written."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"""The number of the request that is being answered: in every line of the log that comes of it, and in its answer."""

UPLOAD: ContextVar[int | None] = ContextVar("upload", default=None)
"""The upload that is being worked on, likewise."""

LONGEST_PATH = 200
"""Of an address's path, as much as a log or an error repeats."""


class JsonLines(logging.Formatter):
    """A log line as JSON: when, how grave, what, and the facts that go with it."""

    def format(self, record: logging.LogRecord) -> str:
        """One event on one line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": record.getMessage(),
        }
        for name, of in (("request", REQUEST), ("upload", UPLOAD)):
            if (number := of.get()) is not None:
                line[name] = number
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line |= facts
        if record.exc_info and record.exc_info[0] is not None:
            # The kind only: an exception's words may quote somebody's answers.
            line["kind"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def configure_logs() -> None:
    """Sends the logs of this process to stderr, from warnings on; our own from the level of information."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("vasti").setLevel(logging.INFO)
    # It names each task's arguments and results when it succeeds; failures come through as warnings.
    logging.getLogger("procrastinate").setLevel(logging.ERROR)


def where(error: BaseException) -> list[str]:
    """The kinds of an exception and its causes, each with its traceback and without its words."""
    chain: BaseException | None = error
    told = []
    while chain is not None:
        told.append(type(chain).__name__ + "\n" + "".join(traceback.format_tb(chain.__traceback__)))
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return told
