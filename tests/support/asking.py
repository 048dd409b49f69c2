"""Asking an application directly, with requests no client would send, and measuring the work it makes of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from starlette.types import ASGIApp

from geo.settings import Settings

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Question:
    """A request as it comes in from the network."""

    path: str
    query: bytes = b""
    method: str = "GET"
    headers: Headers = ()
    body: bytes = b""
    address: str = "192.0.2.1"


@dataclass(frozen=True)
class Answered:
    """What came of it."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask_async(app: ASGIApp, question: Question) -> Answered:
    """The application's answer."""
    sent: list[Any] = []
    parts = [question.body[i : i + 65_536] for i in range(0, len(question.body), 65_536)] or [b""]

    async def receive() -> Any:
        if not parts:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": question.method,
        "scheme": "https",
        "path": question.path,
        "raw_path": question.path.encode(),
        "root_path": "",
        "query_string": question.query,
        "headers": [(b"host", b"testserver"), *question.headers],
        "client": (question.address, 50_000),
        "server": ("testserver", 443),
        "state": {},
        "app": SimpleNamespace(state=SimpleNamespace(settings=Settings())),
    }
    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answered(start["status"], headers, body)


def ask(app: ASGIApp, question: Question) -> Answered:
    """The same from a test that waits for it."""
    return asyncio.run(ask_async(app, question))


def seconds_of(work: Callable[[], object], times: int = 3) -> float:
    """The processor time of some work, the least of a few tries: others use this machine too."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


async def seconds_async(work: Callable[[], Awaitable[object]], times: int = 3) -> float:
    """The same of work that is waited for."""
    found = []
    for _ in range(times):
        began = time.process_time()
        await work()
        found.append(time.process_time() - began)
    return min(found)
