"""Public answers kept as bytes, so that asking again costs neither a thread nor the database.

An answer is public when the route that made it noted which data version it shows (`service.reading`). It is kept for
as long as the data-version watch is sure that this version is the current one, and not at all while it is not sure.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.data_version import DataVersionWatch, Seen
from service.answers import NO_STORE

MAX_BYTES = 64 * 1024 * 1024

CACHE_CONTROL = b"public, max-age=0, must-revalidate"

PUBLIC_PATHS = ("/api/v1/", "/maps/")

# One answer may take up no more than this part of the whole, lest it push out all others.
_LARGEST_PART = 4

# Python's own share of a kept answer, roughly: the key, the headers, the entry.
_OVERHEAD_BYTES = 1_000

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Answer:
    """A whole answer; `data_version` None: it is not public."""

    status: int
    headers: Headers
    body: bytes
    data_version: int | None = None

    @property
    def etag(self) -> bytes:
        """The answer's ETag, empty for one that is not public."""
        return next((value for name, value in self.headers if name == b"etag"), b"")


class PublicCache:
    """ASGI middleware that keeps public answers, tells each by its ETag, and turns HEAD into GET without a body."""

    def __init__(self, app: ASGIApp, watch: DataVersionWatch, max_bytes: int = MAX_BYTES) -> None:
        self.app = app
        self._watch = watch
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._kept_for: Seen | None = None
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers from what is kept, or passes the request on and keeps the answer."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        answer = _kept_by_nobody(await self._answer(scope, receive))
        if answer.status == 200 and answer.etag and _has_etag(scope["headers"], answer.etag):
            headers = [(n, v) for n, v in answer.headers if n in (b"etag", b"cache-control", b"link")]
            answer = Answer(304, headers, b"")
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if not scope["path"].startswith(PUBLIC_PATHS):
            return await self._ask(scope, receive)
        # Taken before the question is put: what is true later is not what the answer shows.
        seen = self._watch.seen()
        if seen is not self._kept_for:
            self._forget(seen)
        key = _key(scope)
        kept = self._kept.get(key)
        if seen is not None and kept is not None:
            self._kept.move_to_end(key)
            return kept
        answer = await self._ask(scope, receive)
        if answer.status == 200 and answer.data_version is not None:
            answer = _public(answer)
            if seen is not None and seen is self._kept_for and answer.data_version == seen.version:
                self._keep(key, answer)
        return answer

    async def _ask(self, scope: Scope, receive: Receive) -> Answer:
        """The app's own answer, whole."""
        scope = dict(scope, method="GET", state=dict(scope.get("state") or {}))
        status, headers, body = 500, [], bytearray()

        async def collect(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self.app(scope, receive, collect)
        return Answer(status, headers, bytes(body), scope["state"].get("data_version"))

    def _keep(self, key: Key, answer: Answer) -> None:
        size = len(answer.body) + _OVERHEAD_BYTES
        if size * _LARGEST_PART > self._max_bytes or key in self._kept:
            return
        self._kept[key] = answer
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body) + _OVERHEAD_BYTES

    def _forget(self, seen: Seen | None) -> None:
        self._kept.clear()
        self._bytes = 0
        self._kept_for = seen


def _key(scope: Scope) -> Key:
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return scope["path"], tuple(sorted(query))


def _public(answer: Answer) -> Answer:
    """The answer with what lets others keep it, and ask whether it is still right."""
    digest = hashlib.blake2b(answer.body, digest_size=16).hexdigest()
    etag = f'"{answer.data_version}-{digest}"'.encode()
    headers = [*answer.headers, (b"etag", etag), (b"cache-control", CACHE_CONTROL)]
    return Answer(answer.status, headers, answer.body, answer.data_version)


def _kept_by_nobody(answer: Answer) -> Answer:
    """Holds that what is not said to be for all is for one: nobody on the way keeps it."""
    if any(name == b"cache-control" for name, _ in answer.headers):
        return answer
    headers = [*answer.headers, *((name.encode(), value.encode()) for name, value in NO_STORE.items())]
    return Answer(answer.status, headers, answer.body, answer.data_version)


def _has_etag(request_headers: Iterable[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether the reader has this very answer (If-None-Match)."""
    for name, value in request_headers:
        if name == b"if-none-match":
            named = [part.strip().removeprefix(b"W/") for part in value.split(b",")]
            if etag in named or b"*" in named:
                return True
    return False
