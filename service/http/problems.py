"""Errors as answers: one table from class to status, one shape for all (RFC 9457)."""

import logging
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

from geo.base import invalid_parameter
from geo.errors import (
    Busy,
    Conflict,
    InputError,
    InvalidParameter,
    InvalidParameters,
    NotAllowed,
    NotFound,
    SetupError,
    SignInLocked,
    SignInRefused,
    StorageFull,
    TooLarge,
    VastiError,
    is_full,
)
from geo.messages import Message, params_as_json, shortened
from service.http.html import is_page, page, see_other
from service.http.responses import address
from service.logs import LONGEST_PATH, where

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[VastiError], HTTPStatus] = {
    InvalidParameters: HTTPStatus.BAD_REQUEST,
    InputError: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    SignInRefused: HTTPStatus.UNAUTHORIZED,
    SignInLocked: HTTPStatus.TOO_MANY_REQUESTS,
    NotAllowed: HTTPStatus.FORBIDDEN,
    StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    SetupError: HTTPStatus.SERVICE_UNAVAILABLE,
    Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    VastiError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each class of errors; the nearest ancestor decides."""

RETRY_AFTER_S = 5

logger = logging.getLogger("vasti.problems")


def add_problem_handlers(app: FastAPI) -> None:
    """Makes every error the app answers with a problem."""
    app.add_exception_handler(VastiError, _of_vasti_error)
    app.add_exception_handler(OSError, _of_os_error)
    app.add_exception_handler(RequestValidationError, _of_validation_error)
    app.add_exception_handler(HTTPException, _of_http_exception)


def problem(
    request: Request,
    status: HTTPStatus,
    said: Message | VastiError,
    *,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong: for a person a page, for a program RFC 9457. It is never long."""
    if is_page(request.scope):
        title, detail = _TITLES.get(status, status.phrase), shortened(said.say("page"), _LONGEST_DETAIL)
        answer = page(request, "problem.html", status=status, title=title, detail=detail)
        answer.headers.update(headers or {})
        return answer
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": shortened(_sentence(said.say("api")), _LONGEST_DETAIL),
        "code": said.code,
        "params": params_as_json(said.params),
        "instance": instance or shortened(address(request, request.url.path), LONGEST_PATH),
    }
    if isinstance(said, InvalidParameters):
        body["invalid_params"] = [
            {"name": p.name, "code": p.message.code, "params": params_as_json(p.message.params), "reason": p.reason}
            for p in said.invalid
        ]
    extra = {"cache-control": "no-store", "x-content-type-options": "nosniff", **(headers or {})}
    return Response(orjson.dumps(body), status, extra, MEDIA_TYPE)


_LONGEST_DETAIL = 12_000

_TITLES: Mapping[int, str] = {
    400: "That cannot be used",
    403: "You are not allowed to do this",
    404: "There is nothing here",
    409: "That cannot be done now",
    413: "That is too large",
    429: "Too often",
    500: "Something went wrong",
    503: "Please try again in a little while",
    507: "There is no room left",
}


def status_of(error: VastiError) -> HTTPStatus:
    """The status an error is answered with."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def _of_vasti_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, VastiError)  # noqa: S101 (registered for these only)
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    if isinstance(error, SetupError):
        # What the operator has to do about it stands in the log: a reader can only wait, and folders are not for
        # readers.
        logger.warning("not ready", extra={"facts": {"why": str(error)}})
        return problem(request, status, Message("service_not_ready"), headers={"retry-after": str(RETRY_AFTER_S)})
    if isinstance(error, SignInRefused) and is_page(request.scope):
        # Who has to sign in for a page goes on to it afterwards; what a form held is gone, so not to where it went.
        return see_other(request, "/sign-in", **({"next": request.url.path} if request.method == "GET" else {}))
    return problem(request, status, error, headers=_headers(error))


def _of_os_error(request: Request, error: Exception) -> Response:
    if is_full(error):
        return _of_vasti_error(request, StorageFull())
    raise error


def _headers(error: VastiError) -> dict[str, str]:
    """What else there is to be said to a program (RFC 9110)."""
    if isinstance(error, SignInLocked):
        return {"retry-after": str(max(1, math.ceil((error.until - datetime.now(UTC)).total_seconds())))}
    if isinstance(error, Busy):
        return {"retry-after": str(RETRY_AFTER_S)}
    return {"www-authenticate": "Bearer"} if isinstance(error, SignInRefused) else {}


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _of_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for these only)
    return _of_vasti_error(request, InvalidParameters([_refused(fault) for fault in error.errors()]))


def _refused(fault: Mapping[str, Any]) -> InvalidParameter:
    # The first part says where it was, such as "query"; the second is its name.
    return invalid_parameter(fault, fault["loc"][1:2] or fault["loc"][:1])


def _of_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for these only)
    status = HTTPStatus(error.status_code)
    headers: Mapping[str, str] | None = error.headers
    detail: Any = error.detail
    match status:
        case HTTPStatus.NOT_FOUND:
            said = Message("address_unknown")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            said = Message("method_not_allowed")
            # The router names those of one route only, where several share an address.
            headers = {"allow": ", ".join(request.app.state.addresses.methods(request.scope["path"]))}
        case _:
            said = (
                detail if isinstance(detail, Message) else Message("request_malformed", reason=_sentence(str(detail)))
            )
    return problem(request, status, said, headers=headers)


class FaultWall:
    """Turns an exception nobody expected into a fixed answer with a number, under which the log tells where it was.

    What the exception says is kept out of both: it may quote somebody's answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and catches what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Event) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            mark = uuid.uuid4()
            path = shortened(scope["path"], LONGEST_PATH)
            logger.error("fault", extra={"facts": {"id": str(mark), "path": path, "where": where(error)}})
            if not started:
                request, said = Request(scope), Message("fault", mark=str(mark))
                answer = problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, said, instance=f"urn:uuid:{mark}")
                await answer(scope, receive, send)
