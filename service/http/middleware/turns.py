"""Public questions that have to be worked out: a few at once, in turns that are fair to every address of the network.

What is kept as bytes is answered before anything here is asked (service.http.middleware.public_cache).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from geo.errors import Busy
from geo.messages import Message
from service.http.addresses import is_file
from service.http.asked import access_asked
from service.http.network import network_of
from service.http.problems import RETRY_AFTER_S, problem

WAIT_S = 10.0
"""How long a question waits for its turn."""

MOST_WAITING = 200

Lane = Literal["figures", "lists", "full"]
"""What waits for each other: figures, which are worked out; lists, which are looked up; and what those who have signed
in ask for, who do not wait for strangers."""

_FIGURES = ("/api/v1/values", "/api/v1/changes", "/api/v1/gaps", "/api/v1/trends", "/maps/")
_LISTS = ("/api/v1/cities", "/api/v1/settlements", "/api/v1/surveys", "/api/v1/publications", "/api/v1/indicators")


def lane_of(scope: Scope) -> Lane | None:
    """Where a question waits; None: it need not."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    path = scope["path"]
    # Who reads a file slowly would hold a turn all the while.
    if not path.startswith((*_FIGURES, *_LISTS)) or is_file(path):
        return None
    if "full" in access_asked(scope["query_string"]):
        return "full"
    return "figures" if path.startswith(_FIGURES) else "lists"


@dataclass
class _Share:
    """What one address of the network may have of the turns, and how many of its questions are here."""

    turns: asyncio.Semaphore
    asking: int = 0


@dataclass
class Turns:
    """The turns of one lane."""

    at_once: int
    asking: int = 0
    _shares: dict[str, _Share] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)

    @asynccontextmanager
    async def turn(self, network: str) -> AsyncIterator[None]:
        """Waits for a turn. One address has at most half of them: who floods the service waits for itself.

        Raises:
            Busy: none came in time, or too many wait already.
        """
        if self.asking >= self.at_once + MOST_WAITING:
            raise Busy
        share = self._shares.setdefault(network, _Share(asyncio.Semaphore(max(1, self.at_once // 2))))
        share.asking += 1
        self.asking += 1
        held: list[asyncio.Semaphore] = []
        try:
            try:
                async with asyncio.timeout(WAIT_S):
                    for semaphore in (share.turns, self._turns):
                        await semaphore.acquire()
                        held.append(semaphore)
            except TimeoutError:
                raise Busy from None
            yield
        finally:
            for semaphore in held:
                semaphore.release()
            self.asking -= 1
            share.asking -= 1
            if share.asking == 0:
                self._shares.pop(network, None)


class PublicTurns:
    """ASGI middleware that lets a few questions of each lane be worked out at once."""

    def __init__(self, app: ASGIApp, at_once: int) -> None:
        self.app = app
        self._lanes: Mapping[Lane, Turns] = {lane: Turns(at_once) for lane in ("figures", "lists", "full")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a question on when it is its turn, or answers 503."""
        lane = lane_of(scope)
        if lane is None:
            await self.app(scope, receive, send)
            return
        try:
            async with self._lanes[lane].turn(network_of(scope)):
                await self.app(scope, receive, send)
        except Busy:
            headers = {"retry-after": str(RETRY_AFTER_S)}
            answer = problem(Request(scope), HTTPStatus.SERVICE_UNAVAILABLE, Message("questions_busy"), headers=headers)
            await answer(scope, receive, send)
