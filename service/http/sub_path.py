"""A service under a path of another's: https://city.example.org/vasti. Which path that is, `VASTI_PUBLIC_URL` says.

Some proxies take the path away before they hand a request on, others leave it. Inside the service there is none, so
that nothing here has to know of it but what makes links (`service.http.responses.address`) and the session's cookie.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class SubPath:
    """ASGI middleware that takes the path away where a proxy has left it."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on as if people reached the service at its host's root."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self._path}/"):
            scope = dict(scope, path=scope["path"].removeprefix(self._path) or "/")
            scope.pop("raw_path", None)
        await self.app(scope, receive, send)
