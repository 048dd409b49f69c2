"""Logs: one JSON line an event, and few of them. Neither parameters' values nor answers are ever written."""

import json
import logging
import time
import traceback
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SLOW_S = 2.0

logger = logging.getLogger("vasti.requests")


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


class RequestLog:
    """Writes a line for each request that went wrong or took long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and notes how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, watched)
        seconds = time.monotonic() - began_s
        if status >= 400 or seconds >= SLOW_S:
            _note(scope, status, seconds)


def _note(scope: Scope, status: int, seconds: float) -> None:
    names = sorted({name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)})
    facts = {
        "method": scope["method"],
        "path": scope["path"],
        "parameters": names,
        "status": status,
        "ms": round(seconds * 1000),
    }
    logger.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra={"facts": facts})
