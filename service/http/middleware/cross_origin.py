"""What pages of other sites may read (CORS): all that is for everybody, and nothing that is for somebody.

Starlette's own middleware adds its header only where a request has an `Origin`. What a proxy on the way kept from a
request without one would then be closed to the next page that asks for it, so public answers always carry it.
"""

from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.addresses import Addresses
from service.http.asked import access_asked

_READABLE = b"Link, Link-Template, ETag, Content-Disposition, Retry-After, X-Request-Id"

_OPEN = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _READABLE))

_BEFOREHAND = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    # The wildcard is every header but Authorization; browsers from before it take the one by its name.
    "access-control-allow-headers": "*, If-None-Match",
    "access-control-max-age": "86400",
}


class CrossOrigin:
    """ASGI middleware that opens public answers, refusals among them, and answers OPTIONS where they are."""

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self.app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, and opens what comes back where it is for everybody."""
        if scope["type"] != "http" or not self._addresses.is_public(scope["path"]) or _asks_in_full(scope):
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            allowed = ", ".join(self._addresses.methods(scope["path"])) or "OPTIONS"
            await Response(status_code=204, headers=_BEFOREHAND | {"allow": allowed})(scope, receive, send)
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                if not _is_private(headers):
                    message = {**message, "headers": [*headers, *_OPEN]}
            await send(message)

        await self.app(scope, receive, opened)


def _is_private(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:  # noqa: SIM110 (it is asked of every answer, and takes half as long as any())
        if name == b"cache-control" and b"private" in value:
            return True
    return False


def _asks_in_full(scope: Scope) -> bool:
    """Whether it asks for what only somebody who has signed in may see: not even the refusal is for other sites."""
    return any(access != "public" for access in access_asked(scope["query_string"]))
