"""How often one address of the network may try to sign in, send files, or ask what is not kept as bytes."""

import math
import time
from collections.abc import Mapping
from http import HTTPStatus

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage as AsyncMemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from geo.messages import Message
from geo.settings import Settings
from service.http.addresses import is_file
from service.http.middleware.turns import lane_of
from service.http.network import network_of
from service.http.problems import problem


class RateLimits:
    """ASGI middleware that turns away who signs in or sends too often. It counts within this process alone."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        sign_in = RateLimitItemPerMinute(settings.sign_ins_per_minute, namespace="sign-in")
        upload = RateLimitItemPerHour(settings.uploads_per_hour, namespace="upload")
        self._limits: Mapping[str, RateLimitItem] = {
            "/api/v1/session": sign_in,
            "/api/v1/password": sign_in,
            "/api/v1/uploads": upload,
            "/api/v1/incoming": upload,
            "/sign-in": sign_in,
            "/password": sign_in,
            "/uploads": upload,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers 429."""
        limit = self._limits.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if limit is None or self._limiter.hit(limit, network_of(scope)):
            await self.app(scope, receive, send)
            return
        reset_time = self._limiter.get_window_stats(limit, network_of(scope)).reset_time
        await _turn_away(reset_time, scope, receive, send)


class QuestionLimits:
    """ASGI middleware that turns away who asks too often what has to be worked out; it stands behind the cache."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        # There may be many of them: counting by the minute takes one number for an address, and no thread.
        self._limiter = FixedWindowRateLimiter(AsyncMemoryStorage())
        self._limit = RateLimitItemPerMinute(settings.questions_per_minute, namespace="question")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a question on, or answers 429."""
        is_public = lane_of(scope) in ("figures", "lists") or (scope["type"] == "http" and is_file(scope["path"]))
        if not is_public or await self._limiter.hit(self._limit, network_of(scope)):
            await self.app(scope, receive, send)
            return
        stats = await self._limiter.get_window_stats(self._limit, network_of(scope))
        await _turn_away(stats.reset_time, scope, receive, send)


async def _turn_away(reset_time: float, scope: Scope, receive: Receive, send: Send) -> None:
    seconds = max(1, math.ceil(reset_time - time.time()))
    said, headers = Message("requests_too_many", seconds=seconds), {"retry-after": str(seconds)}
    await problem(Request(scope), HTTPStatus.TOO_MANY_REQUESTS, said, headers=headers)(scope, receive, send)
