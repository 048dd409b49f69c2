"""The log of requests: each gets a number, is counted, and has a line where it went wrong or took long."""

import logging
import os
import re
import time
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.messages import shortened
from service.http.metrics import Metrics
from service.logs import LONGEST_PATH, REQUEST

SLOW_S = 2.0

_MOST_NAMES = 20

_LONGEST_QUERY = 4_000

REQUEST_ID = b"x-request-id"

_A_NUMBER = re.compile(rb"[A-Za-z0-9._-]{8,64}")


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
        # Filled in where the route is found (service.http.parameters).
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


logger = logging.getLogger("vasti.requests")

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _number(scope: Scope) -> str:
    """The number a proxy gave the request, if it is one, or a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _A_NUMBER.fullmatch(value):
            return str(value, "ascii")
    return os.urandom(16).hex()


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
