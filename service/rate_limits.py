"""How often one address of the network may try to sign in, or send files."""

import math
import time
from collections.abc import Mapping
from http import HTTPStatus

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from geo.settings import Settings
from service.problems import problem

_SENTENCE = "This was asked for too often from your address of the network: try again in {seconds} seconds."


class RateLimits:
    """ASGI middleware that turns away who asks too often. It counts within this process alone."""

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
        address = (scope.get("client") or ("unknown",))[0]
        if limit is None or self._limiter.hit(limit, address):
            await self.app(scope, receive, send)
            return
        until = self._limiter.get_window_stats(limit, address).reset_time
        seconds = str(max(1, math.ceil(until - time.time())))
        detail = _SENTENCE.format(seconds=seconds)
        headers = {"retry-after": seconds}
        await problem(Request(scope), HTTPStatus.TOO_MANY_REQUESTS, detail, headers=headers)(scope, receive, send)
