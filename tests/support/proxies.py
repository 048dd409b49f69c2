"""A small reverse proxy on this machine: what it passes on is under a path of its own host, as with nginx or Caddy."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_OF_ONE_LINE = ("connection", "transfer-encoding", "keep-alive")


@contextmanager
def proxied(path: str, port: int, *, strips: bool) -> Iterator[tuple[str, list[str]]]:
    """A proxy of what serves at a port, under a path, which it takes away from requests or leaves.

    Its own address with the path, and the paths it was asked for that are not below it.
    """
    strayed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            if not f"{urlsplit(self.path).path}/".startswith(f"{path}/"):
                strayed.append(self.path)
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked = (self.path.removeprefix(path) or "/") if strips else self.path
            asked = asked if asked.startswith("/") else f"/{asked}"
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                upstream.request(self.command, asked, body, dict(self.headers.items()))
                answer = upstream.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _OF_ONE_LINE:
                        self.send_header(name, value)
                if answer.getheader("content-length") is None and answer.status not in (204, 304):
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            finally:
                upstream.close()

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}", strayed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
