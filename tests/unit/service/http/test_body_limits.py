"""Bodies that come too slowly, or without an end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from service.http.middleware import body_limits
from service.http.middleware.body_limits import BodyLimits


def ask(messages: Callable[[], Any], path: str = "/api/v1/session", headers: Any = ()) -> int:
    """How many bytes an application got that reads its whole body, from a client that sends these."""
    read = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal read
        more = True
        while more:
            message = await receive()
            read += len(message["body"])
            more = message["more_body"]

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "path": path, "headers": list(headers)}
    limited = BodyLimits(
        app,
        files_at=("/api/v1/uploads",),
        files_under=("/api/v1/incoming/",),
        choices_under=("/api/v1/uploads/",),
        max_file_bytes=5_000_000,
    )
    asyncio.run(limited(scope, messages(), send))
    return read


def sending(size: int, pause_s: float, times: int) -> Callable[[], Any]:
    """A client that sends so many bytes so many times, with a pause before each."""

    def messages() -> Any:
        left = times

        async def receive() -> Any:
            nonlocal left
            await asyncio.sleep(pause_s)
            left -= 1
            return {"type": "http.request", "body": b"x" * size, "more_body": left > 0}

        return receive

    return messages


def refusal(*asked: Any, **named: Any) -> int:
    with pytest.raises(HTTPException) as refused:
        ask(*asked, **named)
    return refused.value.status_code


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes are tenths of seconds here."""
    monkeypatch.setattr(body_limits, "SILENCE_S", 0.1)


def test_a_body_that_stops_is_given_up() -> None:
    assert refusal(sending(1_000, 0.5, 3)) == 408


def test_a_body_that_drips_is_given_up() -> None:
    assert refusal(sending(1, 0.05, 20)) == 408


def test_a_slow_line_is_waited_for() -> None:
    assert ask(sending(100, 0.05, 10)) == 1_000


@pytest.mark.parametrize(
    ("path", "most"), [("/api/v1/session", 100_000), ("/api/v1/uploads/3", 1_000_000), ("/api/v1/uploads", 6_000_000)]
)
def test_a_body_is_held_to_its_size(path: str, most: int) -> None:
    assert ask(sending(most // 2, 0, 2), path) == most
    assert refusal(sending(most // 2 + 1, 0, 2), path) == 413
    assert refusal(sending(1, 0, 1), path, [(b"content-length", str(most + 1).encode())]) == 413
