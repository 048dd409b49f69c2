"""Headers without an end."""

import asyncio
from typing import Any

import uvicorn

from service.http.middleware.heads import BoundedHeads
from service.http.middleware.request_limits import MAX_HEAD_BYTES
from tests.support.serving import free_port


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def _answered(head_bytes: int) -> bytes:
    """The first line of the answer to a request with a header this long; nothing where the line is cut."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(_app, port=port, http=BoundedHeads, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nhost: here\r\nx-a: ")
        for _ in range(head_bytes // 10_000):
            writer.write(b"x" * 10_000)
            await writer.drain()
        writer.write(b"\r\n\r\n")
        return await asyncio.wait_for(reader.readline(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        server.should_exit = True
        await serving


def test_a_head_without_an_end_is_hung_up_on() -> None:
    assert asyncio.run(_answered(20 * MAX_HEAD_BYTES)) in (b"HTTP/1.1 431 Request Header Fields Too Large\r\n", b"")


def test_a_head_as_long_as_a_mapping_profile_makes_it_is_read() -> None:
    assert asyncio.run(_answered(MAX_HEAD_BYTES // 2)).startswith(b"HTTP/1.1 200")
