"""Servers: asking one over HTTP, patiently, and saying in one sentence what went wrong."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx

from geo.errors import AccessRefused, AnswerUnusable, InputError, NotFound, ServerUnavailable

_TIMEOUT = httpx.Timeout(60, connect=15)
_TRIES = 5
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_MOST_REDIRECTS = 5
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_BUSY = frozenset({408, 429, 500, 502, 503, 504})


class Server:
    """One server, asked with the same credentials each time. They go to its own host only."""

    def __init__(self, url: str, *, signed_by: str) -> None:
        """`signed_by` says where its credentials come from, for the sentence when they are refused.

        Raises:
            InputError: the URL is none, or would send the credentials in the open.
        """
        try:
            self.url = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise InputError(f"{url!r} is no address of a server; write it as https://kf.kobotoolbox.org.") from error
        if self.url.userinfo:
            raise InputError("--server holds a name or password; leave it out, and give it in the environment.")
        if self.url.scheme not in ("http", "https") or not self.url.host:
            raise InputError(f"{url!r} is no address of a server; write it as https://kf.kobotoolbox.org.")
        if self.url.scheme == "http" and self.url.host not in _THIS_MACHINE:
            raise InputError(
                f"{url} would send the token where others can read it; write --server https://{self.url.host}."
            )
        self._signed_by = signed_by
        # Redirects are followed by hand: the credentials must not go elsewhere.
        self._client = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "vasti"})

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def sign(self, authorization: str) -> None:
        """Signs every question from now on."""
        self._client.headers["Authorization"] = authorization

    def get_json(self, path: str, params: Mapping[str, str] | None = None, *, what: str) -> Any:
        """What the server answers under a path; `what` names it for the sentence when there is none.

        Raises:
            ServerUnavailable, AccessRefused, NotFound, AnswerUnusable: each a sentence.
        """
        return self._json(self._ask("GET", path, what, params=params))

    def post_json(self, path: str, body: Mapping[str, str], *, what: str) -> Any:
        """What the server answers to a form that is sent; it raises as `get_json` does."""
        return self._json(self._ask("POST", path, what, json=body))

    def get_file(self, path: str, *, what: str) -> bytes:
        """A file under a path; it raises as `get_json` does."""
        return self._ask("GET", path, what).content

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise AnswerUnusable(
                f"{self.url.host} answered with something else than JSON; check that --server is the address of the "
                "server itself, and that no login page stands before it."
            ) from error

    def _ask(self, method: str, path: str, what: str, **options: Any) -> httpx.Response:
        wait = _FIRST_WAIT_S
        for attempt in range(1, _TRIES + 1):
            told = None
            try:
                response = self._follow(method, path, **options)
                if response.status_code not in _BUSY:
                    return self._checked(response, what)
                problem = f"it is busy or out of order (HTTP {response.status_code})"
                told = response.headers.get("Retry-After")
            except httpx.RequestError as error:
                problem = _problem(error)
            if attempt < _TRIES:
                time.sleep(min(float(told) if told and told.isdigit() else wait, _LONGEST_WAIT_S))
                wait *= 2
        raise ServerUnavailable(
            f"{self.url.host} cannot be reached: {problem}. Nothing was changed; try again later."
        ) from None

    def _follow(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = f"{self.url}{path}"
        for _ in range(_MOST_REDIRECTS):
            response = self._client.request(method, url, **options)
            if not response.is_redirect:
                return response
            target = httpx.URL(urljoin(url, response.headers.get("Location", "")))
            if (target.scheme, target.host, target.port) != (self.url.scheme, self.url.host, self.url.port):
                raise AnswerUnusable(
                    f"{self.url.host} sends us on to {target.host}, which must not see the token; if that is the "
                    f"server, write --server {target.scheme}://{target.host}."
                )
            # The address it sends us to holds the question's parameters already.
            url, options = str(target), {key: value for key, value in options.items() if key != "params"}
        raise AnswerUnusable(f"{self.url.host} sends us on and on; check the address of --server.")

    def _checked(self, response: httpx.Response, what: str) -> httpx.Response:
        status = response.status_code
        if status in (401, 403):
            raise AccessRefused(
                f"{self.url.host} does not let us in (HTTP {status}); check {self._signed_by}, and that its account "
                f"may see {what}."
            )
        if status == 404:
            raise NotFound(f"{self.url.host} has no {what}, or does not show it to this account.")
        if not response.is_success:
            raise AnswerUnusable(f"{self.url.host} refuses the question for {what} (HTTP {status}).")
        return response


def _problem(error: httpx.RequestError) -> str:
    """What went wrong on the way, without an address that might hold more than its host."""
    if isinstance(error, httpx.TimeoutException):
        return "it does not answer in time"
    if isinstance(error, httpx.ConnectError):
        certificate = "CERTIFICATE" in str(error).upper()
        return "its certificate is not to be trusted" if certificate else "there is no connection to it"
    return "the connection broke off"
