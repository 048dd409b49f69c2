"""Who asks: a session's cookie or an API key, and what a change needs besides so that no other site can make it.

A route that is for somebody opens `acting` (a transaction that may change things) or `reading_in_full` (one that only
reads); both act for the bearer in the database, whose policies decide once more.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from fastapi import Request, Response
from sqlalchemy import Connection

from geo.database import read_data_version, snapshot, transaction
from geo.database.schema.access import KeyRole
from geo.errors import Busy, NotAllowed
from geo.indicators.figures import Access
from geo.people import SESSION_LASTS, Bearer, SignedIn, enter, note_use, require
from geo.settings import Settings
from geo.surveys import Seen
from service.http.transactions import Reading, engine_of, reading_publications

COOKIE = "__Host-vasti"
"""The prefix holds browsers to it: over TLS only (or on this machine), for this host alone, for all its paths."""

SUB_PATH_COOKIE = "__Secure-vasti"
"""Under a path of a host that others share: over TLS only, and for that path, which the prefix above does not allow."""

_FORM_SUFFIX = "-form"
"""Of the cookie of a browser without a session: its forms bring what is made of it, which another site cannot know."""

CSRF_HEADER = "x-csrf-token"

_SAFE = ("GET", "HEAD", "OPTIONS")


def token_of(request: Request) -> str | None:
    """The token a request carries: an API key in `Authorization: Bearer`, or a session's in the cookie."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return session_of(request)


def session_of(request: Request) -> str | None:
    """The token of the session whose cookie a request carries."""
    return request.cookies.get(cookie_of(request.app.state.settings)[0])


def cookie_of(settings: Settings) -> tuple[str, str]:
    """The name of a session's cookie, and the path browsers send it to."""
    return (SUB_PATH_COOKIE, settings.base_path) if settings.base_path else (COOKIE, "/")


def _enter(connection: Connection, token: str | None, role: KeyRole) -> Bearer:
    return require(enter(connection, token) if token else None, role)


@contextmanager
def acting(request: Request, role: KeyRole, csrf: str | None = None) -> Iterator[SignedIn]:
    """A transaction that acts for the account that asks; committed when the block ends.

    `csrf` is what a form brought along, where no header can.

    Raises:
        SignInRefused: nobody has signed in, or the key is not valid.
        NotAllowed: the role is too low, or the request may come from another site.
    """
    token = token_of(request)
    if token is not None and request.method not in _SAFE:
        _check_origin(request, token, csrf)
    with _one_of_few(request), transaction(engine_of(request)) as connection:
        bearer = _enter(connection, token, role)
        if token is not None and bearer.via == "key":
            note_use(connection, token)
        yield SignedIn(connection, bearer)


MOST_ACTING = 8
"""Transactions that change something at once: were each connection one of them, which may wait for each other, nobody
could read."""

_WAIT_S = 5.0


@contextmanager
def _one_of_few(request: Request) -> Iterator[None]:
    acting: BoundedSemaphore = request.app.state.acting
    if not acting.acquire(timeout=_WAIT_S):
        raise Busy
    try:
        yield
    finally:
        acting.release()


@contextmanager
def reading_in_full(request: Request, role: KeyRole = "viewer") -> Iterator[SignedIn]:
    """One state of the database, read for the account that asks.

    Raises:
        SignInRefused: nobody has signed in, or the key is not valid.
        NotAllowed: the role is too low.
    """
    with snapshot(engine_of(request)) as connection:
        yield SignedIn(connection, _enter(connection, token_of(request), role))


@contextmanager
def reading_figures(request: Request, wanted: Access) -> Iterator[Reading]:
    """Reads for anybody, or in full for the account that asks.

    Raises:
        SignInRefused: full figures are asked for, and nobody has signed in.
    """
    if wanted == "public":
        with reading_publications(request) as reading:
            yield reading
        return
    with reading_in_full(request) as full:
        yield Reading(full.connection, read_data_version(full.connection))


def seen_with(wanted: Access) -> Seen:
    """Of which rounds figures are shown."""
    return "granted" if wanted == "full" else "published"


def csrf_of(token: str) -> str:
    """What changes by a session's own pages bring along in a header: another site cannot read it."""
    return hashlib.sha256(f"csrf|{token}".encode()).hexdigest()


def _check_origin(request: Request, token: str, csrf: str | None) -> None:
    """Holds that a change asked for with a cookie was asked for by our own page; a key no browser sends by itself.

    Raises:
        NotAllowed: it may have been another site's.
    """
    if session_of(request) != token:
        return
    csrf = csrf or request.headers.get(CSRF_HEADER)
    # Bytes: of texts, it compares those of ASCII only.
    if csrf is None or not hmac.compare_digest(csrf.encode(), csrf_of(token).encode()):
        raise NotAllowed("session_token_missing", header=CSRF_HEADER)


def form_token_of(request: Request) -> str:
    """What the forms of somebody without a session go with: the browser's, or a new one, to be left with it."""
    return _form_cookie(request) or secrets.token_urlsafe(32)


def _form_cookie(request: Request) -> str | None:
    return request.cookies.get(cookie_of(request.app.state.settings)[0] + _FORM_SUFFIX)


def check_form(request: Request, csrf: str) -> None:
    """Holds that a form of somebody who has no session yet was sent by our own page.

    Raises:
        NotAllowed: it may have been another site's.
    """
    site = request.headers.get("sec-fetch-site")
    token = _form_cookie(request)
    # Scripts cannot set the one; older browsers do not send it, and bring the other.
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = token is not None and hmac.compare_digest(csrf.encode(), csrf_of(token).encode())
    if not is_ours:
        raise NotAllowed("form_of_other_site")


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Leaves a session's token with the browser: no script reads it, no other site sends it."""
    name, path = cookie_of(request.app.state.settings)
    _set_cookie(response, name, path, token, int(SESSION_LASTS.total_seconds()))


def set_form_cookie(request: Request, response: Response, token: str) -> None:
    """Leaves with the browser, until it is closed, what its forms go with."""
    name, path = cookie_of(request.app.state.settings)
    _set_cookie(response, name + _FORM_SUFFIX, path, token, None)


def _set_cookie(response: Response, name: str, path: str, token: str, max_age: int | None) -> None:
    response.set_cookie(name, token, max_age=max_age, path=path, secure=True, httponly=True, samesite="lax")


def drop_cookie(request: Request, response: Response) -> None:
    """Takes it away again."""
    name, path = cookie_of(request.app.state.settings)
    response.delete_cookie(name, path=path, secure=True, httponly=True, samesite="lax")
