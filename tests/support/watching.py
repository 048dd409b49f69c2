"""A service that watches the data version, and what reached it behind its cache."""

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo.database import DataVersionWatch, read_data_version
from service.http.middleware import public_cache


def watch_of(client: TestClient) -> DataVersionWatch:
    watch: DataVersionWatch = client.app.state.watch  # type: ignore[attr-defined]
    return watch


def wait_until_watching(client: TestClient) -> None:
    deadline = time.monotonic() + 10
    while watch_of(client).seen() is None:
        assert time.monotonic() < deadline, "the watch does not see the data version"
        time.sleep(0.02)


class CaughtUp(TestClient):
    """Asks when the watch has seen all that is committed, or is not sure: for moments after a change, kept answers
    are still those before it."""

    def request(self, *arguments: Any, **options: Any) -> Any:
        engine = self.app.state.engine  # type: ignore[attr-defined]
        with engine.connect() as connection:
            version = read_data_version(connection)
        deadline = time.monotonic() + 10
        while (seen := watch_of(self).seen()) is not None and seen.version < version:
            assert time.monotonic() < deadline, "the watch does not see the data version"
            time.sleep(0.005)
        return super().request(*arguments, **options)


def paths_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that reached the app behind the cache."""
    asked: list[str] = []
    ask = public_cache.PublicCache._ask

    async def counted(
        self: public_cache.PublicCache, scope: Any, receive: Any, send: Any
    ) -> public_cache.KeptAnswer | None:
        asked.append(scope["path"])
        return await ask(self, scope, receive, send)

    monkeypatch.setattr(public_cache.PublicCache, "_ask", counted)
    return asked
