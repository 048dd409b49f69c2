"""Logs: one JSON line an event, and few of them. Neither parameters' values nor answers are ever written."""

import json
import logging
import re
import time
import traceback
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.errors import shortened
from service.metrics import Metrics

SLOW_S = 2.0

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"""The number of the request that is being answered: in every line of the log that comes of it, and in its answer."""

UPLOAD: ContextVar[int | None] = ContextVar("upload", default=None)
"""The upload that is being worked on, likewise."""

LONGEST_PATH = 200
"""Of an address's path, as much as a log or an error repeats."""

_MOST_NAMES = 20
_LONGEST_QUERY = 4_000

REQUEST_ID = b"x-request-id"
_A_NUMBER = re.compile(rb"[A-Za-z0-9._-]{8,64}")

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


class RequestLog:
    """Gives each request a number, counts it, and writes a line for each that went wrong or took long."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and notes how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 0
        # Filled in where the route is found (service.parameters).
        told: dict[str, str] = {}
        scope = dict(scope, state={**(scope.get("state") or {}), "told": told})
        number = _number(scope)
        mark = REQUEST.set(number)

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), (REQUEST_ID, number.encode())]}
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.monotonic() - began_s
            # What is kept as bytes has no route, and neither has what there is not.
            route = told.get("route", "kept answers" if status < HTTPStatus.BAD_REQUEST else "none")
            self._metrics.count(scope["method"] if scope["method"] in _METHODS else "other", route, status, seconds)
            if status >= HTTPStatus.BAD_REQUEST or seconds >= SLOW_S:
                _note(scope, status, seconds)
            REQUEST.reset(mark)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _number(scope: Scope) -> str:
    """The number a proxy gave the request, if it is one, or a new one."""
    given = next((value for name, value in scope["headers"] if name == REQUEST_ID), b"")
    return given.decode() if _A_NUMBER.fullmatch(given) else uuid.uuid4().hex


def _note(scope: Scope, status: int, seconds: float) -> None:
    first = b"&".join(scope["query_string"][:_LONGEST_QUERY].split(b"&", _MOST_NAMES)[:_MOST_NAMES])
    names = sorted({shortened(name) for name, _ in parse_qsl(first.decode("latin-1"), keep_blank_values=True)})
    facts = {
        "method": shortened(scope["method"]),
        "path": shortened(scope["path"], LONGEST_PATH),
        "parameters": names,
        "status": status,
        "ms": round(seconds * 1000),
    }
    logger.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra={"facts": facts})
