"""Pages: HTML from this package's templates, and what browsers are told to allow them."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import Scope

from geo.people import Bearer
from service.http.access import csrf_of, token_of
from service.http.responses import NO_STORE, address

STATIC_DIR = Path(__file__).parent.parent / "static"

HEADERS = {
    **NO_STORE,
    # No script, style, picture or form but our own: a name that slipped through as HTML could do nothing.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # An address may hold a link that sets a password.
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
}


def page(
    request: Request, template: str, *, bearer: Bearer | None = None, status: int = 200, **context: Any
) -> Response:
    """A page; `bearer` is the account it is for, `context` what its template is given beside what all are."""
    token = token_of(request)
    html = (
        _environment()
        .get_template(template)
        .render(
            **context,
            bearer=bearer,
            csrf=csrf_of(token) if token else "",
            href=lambda path, **parameters: address(request, path, **parameters),
            static=lambda name: address(request, f"/static/{name}", v=static_version(name)),
        )
    )
    return Response(html, status, HEADERS, media_type="text/html; charset=utf-8")


def see_other(request: Request, path: str, **parameters: str) -> Response:
    """Sends a browser on to another page, after a form."""
    return Response(status_code=303, headers=NO_STORE | {"location": address(request, path, **parameters)})


def is_page(scope: Scope) -> bool:
    """Whether the request prefers a page to a problem as programs read it."""
    accepts = next((value for name, value in scope.get("headers", ()) if name == b"accept"), b"")
    return b"text/html" in accepts and not scope["path"].startswith("/api/")


@cache
def static_version(name: str) -> str:
    """What changes when a file does: browsers keep each version for good."""
    return hashlib.sha256((STATIC_DIR / name).read_bytes()).hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("service"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["size"] = _size
    environment.filters["day"] = lambda at: f"{at.day} {at:%B %Y}"
    environment.filters["minute"] = lambda at: f"{at.day} {at:%B %Y, %H:%M} UTC"
    return environment


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{max(1, round(n_bytes / 1e3)):,} KB"
