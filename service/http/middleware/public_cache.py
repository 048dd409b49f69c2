"""Public answers kept as bytes, so that asking again costs neither a thread nor the database.

An answer is public when the route that made it noted which data version it shows, and of which cities
(`service.http.transactions`). It is kept for as long as this is their current version, and given away while the
data-version watch is sure of that. Each is kept as it is and in the codings that were asked for: it is compressed once.
What is for somebody goes out as it is: compressed beside what a stranger can have put into the page, a session's token
could be guessed by its length.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.base import KeptBySize
from geo.database import DataVersionWatch, Seen
from service.http import coding
from service.http.addresses import PUBLIC_PATHS, is_file
from service.http.middleware.turns import lane_of
from service.http.responses import CACHE_CONTROL, NO_STORE, names_etag
from service.http.transactions import ALWAYS

MAX_BYTES = 24 * 1024 * 1024

_KEPT_PATHS = (*PUBLIC_PATHS, "/static/")

# One answer may take up no more than this part of the whole, lest it push out all others.
_LARGEST_PART = 4

# Python's own share of a kept answer, roughly: the key, the headers, the entry.
_OVERHEAD_BYTES = 1_000

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, tuple[bytes, ...], coding.Coding | None]

# What tells a reader who has the answer already that it is still right (RFC 9110, 15.4.5), and where it leads.
_UNCHANGED = (b"etag", b"cache-control", b"vary", b"link", b"link-template")


@dataclass(frozen=True)
class KeptAnswer:
    """A whole answer, which is public."""

    status: int
    headers: Headers
    body: bytes
    data_version: int
    cities: Sequence[str] | None = None
    """The slugs of those it shows; None: all there are."""

    @cached_property
    def etag(self) -> bytes:
        """The answer's ETag."""
        return next((value for name, value in self.headers if name == b"etag"), b"")


class PublicCache:
    """ASGI middleware that keeps public answers, tells each by its ETag, and turns HEAD into GET without a body."""

    def __init__(self, app: ASGIApp, watch: DataVersionWatch, max_bytes: int = MAX_BYTES) -> None:
        self.app = app
        self._watch = watch
        self._kept: KeptBySize[Key, KeptAnswer] = KeptBySize(max_bytes)
        self._kept_for: Seen | None = None
        self._being_made: dict[Key, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers from what is kept, or passes the request on and keeps the answer."""
        # A file goes from the disk to who asks for it, and through no memory.
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or is_file(scope["path"]):
            await self.app(scope, receive, send)
            return
        answer = await self._answer(scope, receive, send)
        if answer is None:
            return
        if names_etag(scope["headers"], answer.etag):
            headers = [(n, v) for n, v in answer.headers if n in _UNCHANGED]
            answer = KeptAnswer(304, headers, b"", answer.data_version)
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> KeptAnswer | None:
        """The public answer; None: there is none, and what there is has been sent."""
        accepted = [value for name, value in scope["headers"] if name == b"accept-encoding"]
        wanted = coding.chosen(b",".join(accepted).decode("latin-1")) if accepted else None
        key = _key(scope, wanted)
        # Taken before the question is put: what is true later is not what the answer shows.
        seen = self._look()
        if seen is not None and (kept := self._kept.get(key)) is not None:
            return kept
        plain_key = (*key[:2], None)
        if plain_key in self._being_made and lane_of(scope) in ("figures", "lists"):
            # The same is being worked out for somebody else: once is enough, unless nothing comes of it.
            await self._being_made[plain_key].wait()
            seen = self._look()
        answer = None if seen is None else self._kept.get(plain_key)
        if answer is None:
            answer = await self._make(plain_key, seen, scope, receive, send)
        if answer is None or wanted is None or len(answer.body) < coding.MIN_BYTES:
            return answer
        packed = await run_in_threadpool(_packed, answer, wanted)
        self._keep(key, packed, seen)
        return packed

    def _look(self) -> Seen | None:
        """What the watch sees at this moment; what was kept of another state is forgotten."""
        seen, before = self._watch.seen(), self._kept_for
        # While the watch is not sure nothing is given away; what is kept may prove to be right afterwards.
        if seen is None or seen is before:
            return seen
        if before is None or before.since is not seen.since:
            self._kept.clear()
        else:
            self._kept.keep_only(lambda kept: _is_of(kept, seen))
        self._kept_for = seen
        return seen

    async def _make(self, key: Key, seen: Seen | None, scope: Scope, receive: Receive, send: Send) -> KeptAnswer | None:
        """Has an answer worked out, and keeps it where it is public."""
        made = asyncio.Event()
        if seen is not None:
            self._being_made[key] = made
        try:
            answer = await self._ask(scope, receive, send)
            self._keep(key, answer, seen)
        finally:
            made.set()
            if self._being_made.get(key) is made:
                del self._being_made[key]
        return answer

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> KeptAnswer | None:
        """The app's own answer, whole where it is public; None: it is not, and went on as it came."""
        is_head = scope["method"] == "HEAD"
        scope = dict(scope, method="GET", state=dict(scope.get("state") or {}))
        headers: Headers = []
        body: list[bytes] = []
        version: int | None = None
        cities: Sequence[str] | None = None

        async def collect(message: Message) -> None:
            nonlocal headers, version, cities
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                if message["status"] == 200 and scope["path"].startswith(_KEPT_PATHS):
                    version, cities = scope["state"].get("data_version"), scope["state"].get("cities")
                if version is None:
                    await send({**message, "headers": _kept_by_nobody(headers)})
            elif version is not None:
                body.append(message.get("body", b""))
            else:
                await send({**message, "body": b""} if is_head else message)

        await self.app(scope, receive, collect)
        return None if version is None else _public(headers, b"".join(body), version, cities)

    def _keep(self, key: Key, answer: KeptAnswer | None, seen: Seen | None) -> None:
        """Keeps an answer, asked for at one sight, that shows what is seen by now."""
        now = self._kept_for
        if answer is None or seen is None or now is None or now.since is not seen.since or not _is_of(answer, now):
            return
        # A key may be as long as an address.
        size = len(answer.body) + len(key[0]) + sum(map(len, key[1])) + _OVERHEAD_BYTES
        if size * _LARGEST_PART <= self._kept.max_size:
            self._kept.add(key, answer, size)


def _is_of(answer: KeptAnswer, seen: Seen) -> bool:
    """Whether an answer shows what is seen."""
    return answer.data_version in (ALWAYS, seen.of(answer.cities))


def _key(scope: Scope, wanted: coding.Coding | None) -> Key:
    # The same parts in another order ask the same; how they are written is not looked into.
    return scope["path"], tuple(sorted(scope["query_string"].split(b"&"))), wanted


def _public(headers: Headers, body: bytes, version: int, cities: Sequence[str] | None) -> KeptAnswer:
    """An answer with what lets others keep it, and ask whether it is still right."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    etag = f'"{digest}"' if version == ALWAYS else f'"{version}-{digest}"'
    added = [(b"etag", etag.encode()), (b"vary", b"Accept-Encoding")]
    if not any(name == b"cache-control" for name, _ in headers):
        added.append((b"cache-control", CACHE_CONTROL.encode()))
    return KeptAnswer(200, [*headers, *added], body, version, cities)


def _packed(answer: KeptAnswer, wanted: coding.Coding) -> KeptAnswer:
    """The same answer in a coding: other bytes, so another tag."""
    body = coding.compressed(answer.body, wanted)
    changed = {
        b"etag": answer.etag.removesuffix(b'"') + f'-{wanted}"'.encode(),
        b"content-length": str(len(body)).encode(),
    }
    headers = [(name, changed.get(name, value)) for name, value in answer.headers]
    return replace(answer, headers=[*headers, (b"content-encoding", wanted.encode())], body=body)


def _kept_by_nobody(headers: Headers) -> Headers:
    """Holds that what is not said to be for all is for one: nobody on the way keeps it."""
    if any(name == b"cache-control" for name, _ in headers):
        return headers
    return [*headers, *((name.encode(), value.encode()) for name, value in NO_STORE.items())]
