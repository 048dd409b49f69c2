"""What a request may hold before anything looks into it: its address, its parameters, its headers.

Whatever is done with them later costs more than counting them, and some of it is done between all other requests.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from geo.messages import Message
from service.http.problems import problem

MAX_PATH_BYTES = 2_000
MAX_QUERY_BYTES = 16_000
MAX_PARAMETERS = 200
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_000

METADATA = b"upload-metadata"
"""The header that says what a file in parts is of, a mapping profile among it: the route bounds it (tus)."""

MAX_HEAD_BYTES = 400_000
"""Of all that comes before a body, that header with it."""


class RequestLimits:
    """ASGI middleware that turns away what is larger than any question there is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or says what there is too much of."""
        found = _too_much(scope) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        status, said = found
        # What there is too much of is looked at no further, also not to tell how the answer is wanted.
        plain = {**scope, "query_string": b"", "headers": []}
        await problem(Request(plain), status, said, headers={"connection": "close"})(plain, receive, send)


def _too_much(scope: Scope) -> tuple[HTTPStatus, Message] | None:
    """The status and the message that turn a request away; None: it can be looked at."""
    query = scope["query_string"]
    if len(scope["path"]) > MAX_PATH_BYTES or len(query) > MAX_QUERY_BYTES:
        most = {"most_of_path": MAX_PATH_BYTES, "most_of_parameters": MAX_QUERY_BYTES}
        return HTTPStatus.REQUEST_URI_TOO_LONG, Message("address_too_long", **most)
    named = query.count(b"&") + 1
    if named > MAX_PARAMETERS:
        return HTTPStatus.BAD_REQUEST, Message("parameters_too_many", parameters=named, most=MAX_PARAMETERS)
    headers = [(name, value) for name, value in scope["headers"] if name != METADATA]
    if len(scope["headers"]) > MAX_HEADERS or sum(len(n) + len(v) for n, v in headers) > MAX_HEADER_BYTES:
        said = Message("headers_too_large", most=MAX_HEADERS, most_bytes=MAX_HEADER_BYTES)
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, said
    return None
