"""Bodies of requests, held to a size and to a pace: nobody fills the disk, or keeps a connection for ever."""

import asyncio
import time
from http import HTTPStatus

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

from geo.errors import TooLarge
from geo.messages import Message

MAX_BYTES = 100_000
"""Of a body that is no file: it is taken apart before it is known who sends it."""

MAX_CHOICES_BYTES = 1_000_000
"""Of what is decided of an upload, a mapping profile among it; and of what comes with a file."""

SILENCE_S = 60.0
"""How long nothing may come; and how long a body may take whatever its pace."""

MIN_BYTES_PER_S = 200
"""After that, on the average. The slowest telephone networks bring ten times as much."""


def declared_bytes(scope: Scope) -> int:
    """How long a request says that its body is; 0 where it does not say."""
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


class BodyLimits:
    """Ends a request whose body is too large or comes too slowly."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        files_at: tuple[str, ...],
        files_under: tuple[str, ...],
        choices_under: tuple[str, ...],
        max_file_bytes: int,
    ) -> None:
        """At the paths `files_at`, and under `files_under`, bodies may hold a file, and so much.

        Under `choices_under` they say how a file is to be read.
        """
        self.app = app
        self._files_at = files_at
        self._files_under = files_under
        self._choices_under = choices_under
        # A form has its other fields and its boundaries.
        self._max_with_file = max_file_bytes + MAX_CHOICES_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, whose body is looked at as it comes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self._max_bytes(scope["path"])
        # Not one of our own errors: it is raised while FastAPI reads a body, and it lets only these through.
        too_large = HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TooLarge(max_bytes).message, {"connection": "close"}
        )
        declared = declared_bytes(scope)
        began, received, is_whole = time.monotonic(), 0, False

        async def limited() -> Event:
            nonlocal received, is_whole
            # After the body comes only that the client has gone, which may take as long as the answer does.
            if is_whole:
                return await receive()
            if declared > max_bytes:
                raise too_large
            try:
                async with asyncio.timeout(SILENCE_S):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, Message("body_too_slow")) from None
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise too_large
            late_s = time.monotonic() - began - SILENCE_S
            if not is_whole and received < late_s * MIN_BYTES_PER_S:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, Message("body_too_slow"))
            return message

        await self.app(scope, limited, send)

    def _max_bytes(self, path: str) -> int:
        if path in self._files_at or path.startswith(self._files_under):
            return self._max_with_file
        return MAX_CHOICES_BYTES if path.startswith(self._choices_under) else MAX_BYTES
