"""Servers that speak as KoboToolbox's API v2 and ODK Central's OData service do, on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-nobody-may-see"


@dataclass
class Served:
    """What a server holds and how it behaves; a test changes both."""

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    content: dict[str, Any] = field(default_factory=dict)
    workbook: bytes | None = None
    page_rows: int = 10
    asked: list[str] = field(default_factory=list)
    before: Callable[[int], str | None] = lambda _number: None
    """What goes wrong with a question for submissions, by its number from 1: "429", "cut", "hang", "html", or None."""
    resume: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    served: Served

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the signature is the library's)
        pass

    def answer(self, content: Any, status: int = 200, **headers: str) -> None:
        body = content.encode() if isinstance(content, str) else content
        body = body if isinstance(body, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def spoiled(self, content: Any) -> bool:
        """Whether this question for submissions went wrong as the test wants."""
        self.served.asked.append(self.path)
        match self.served.before(len(self.served.asked)):
            case "429":
                self.answer({"detail": "throttled"}, 429, Retry_After="0")
            case "html":
                self.answer("<html>Please log in</html>")
            case "elsewhere":
                self.answer("", 302, Location="https://other.example/")
            case "hang":
                self.served.hanging.set()
                self.served.resume.wait(60)
                self.close_connection = True
            case "cut":
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case _:
                return False
        return True


class _Kobo(_Handler):
    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return self.answer({"detail": "Invalid token."}, 401)
        if path == "/api/v2/assets/aUID/":
            return self.answer({"uid": "aUID", "content": self.served.content})
        if path != "/api/v2/assets/aUID/data/":
            return self.answer({"detail": "Not found."}, 404)
        after = json.loads(query.get("query", "{}")).get("_id", {}).get("$gt", -1)
        rows = sorted((row for row in self.served.rows if row["_id"] > after), key=lambda row: row["_id"])
        start, limit = int(query.get("start", 0)), min(int(query.get("limit", 100)), self.served.page_rows)
        page = rows[start : start + limit]
        more = f"http://internal/api/v2/assets/aUID/data/?start={start + limit}" if start + limit < len(rows) else None
        content = {"count": len(rows), "next": more, "previous": None, "results": page}
        if not self.spoiled(content):
            self.answer(content)
        return None


class _Central(_Handler):
    def do_POST(self) -> None:
        account = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/sessions" or account != {"email": "ana@example.org", "password": TOKEN}:
            return self.answer({"code": 401.2, "message": "Could not authenticate."}, 401)
        return self.answer({"token": "session", "expiresAt": "2030-01-01T00:00:00Z"})

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if self.headers.get("Authorization") != "Bearer session":
            return self.answer({"code": 401.2}, 401)
        if path == "/v1/projects/3/forms/my%20form.xlsx" and self.served.workbook is not None:
            return self.answer(self.served.workbook)
        if path != "/v1/projects/3/forms/my%20form.svc/Submissions":
            return self.answer({"code": 404.1, "message": "Could not find the resource."}, 404)
        keys = [row["__id"] for row in self.served.rows]
        start = keys.index(query["$skiptoken"]) + 1 if "$skiptoken" in query else 0
        limit = min(int(query.get("$top", 250)), self.served.page_rows)
        page = self.served.rows[start : start + limit]
        content = {"value": page, "@odata.context": "x", "@odata.count": len(keys)}
        if start + limit < len(keys):
            content["@odata.nextLink"] = (
                f"https://public.example{path}?%24top={limit}&%24count=true&%24skiptoken=" + (page[-1]["__id"])
            )
        if not self.spoiled(content):
            self.answer(content)
        return None


@contextmanager
def serving(kind: str) -> Iterator[Served]:
    """A server of this kind, `kobo` or `odk`, for as long as the test uses it."""
    served = Served()
    handler = type("Handler", ({"kobo": _Kobo, "odk": _Central}[kind],), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.resume.set()
        server.shutdown()
        server.server_close()
        thread.join()
