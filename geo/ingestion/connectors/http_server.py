"""Servers: asking one over HTTP, patiently, and saying in one sentence what went wrong."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import httpx

from geo.errors import AccessRefused, AnswerUnusable, InputError, NotFound, ServerUnavailable
from geo.messages import Message

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
            raise InputError("server_address_invalid", url=url) from error
        if self.url.userinfo:
            raise InputError("server_holds_password")
        if self.url.scheme not in ("http", "https") or not self.url.host:
            raise InputError("server_address_invalid", url=url)
        if self.url.scheme == "http" and self.url.host not in _THIS_MACHINE:
            raise InputError("server_insecure", url=url, host=self.url.host)
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

    def get_json(self, path: str, params: Mapping[str, str] | None = None, *, what: Message) -> Any:
        """What the server answers under a path; `what` names it for the sentence when there is none.

        Raises:
            ServerUnavailable, AccessRefused, NotFound, AnswerUnusable: each a sentence.
        """
        return self._json(self._ask("GET", path, what, params=params))

    def post_json(self, path: str, body: Mapping[str, str], *, what: Message) -> Any:
        """What the server answers to a form that is sent; it raises as `get_json` does."""
        return self._json(self._ask("POST", path, what, json=body))

    def get_file(self, path: str, *, what: Message) -> bytes:
        """A file under a path; it raises as `get_json` does."""
        return self._ask("GET", path, what).content

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise AnswerUnusable("server_answers_no_json", host=self.url.host) from error

    def _ask(self, method: str, path: str, what: Message, **options: Any) -> httpx.Response:
        wait = _FIRST_WAIT_S
        for attempt in range(1, _TRIES + 1):
            told = None
            try:
                response = self._follow(method, path, **options)
                if response.status_code not in _BUSY:
                    return self._checked(response, what)
                problem = Message("server_busy", status=response.status_code)
                told = response.headers.get("Retry-After")
            except httpx.RequestError as error:
                problem = _problem(error)
            if attempt < _TRIES:
                time.sleep(min(float(told) if told and told.isdigit() else wait, _LONGEST_WAIT_S))
                wait *= 2
        raise ServerUnavailable("server_unreachable", host=self.url.host, reason=problem) from None

    def _follow(self, method: str, path: str, **options: Any) -> httpx.Response:
        url = f"{self.url}{path}"
        for _ in range(_MOST_REDIRECTS):
            response = self._client.request(method, url, **options)
            if not response.is_redirect:
                return response
            target = httpx.URL(urljoin(url, response.headers.get("Location", "")))
            if (target.scheme, target.host, target.port) != (self.url.scheme, self.url.host, self.url.port):
                raise AnswerUnusable(
                    "server_redirects_elsewhere", host=self.url.host, other=target.host, scheme=target.scheme
                )
            # The address it sends us to holds the question's parameters already.
            url, options = str(target), {key: value for key, value in options.items() if key != "params"}
        raise AnswerUnusable("server_redirects_endlessly", host=self.url.host)

    def _checked(self, response: httpx.Response, what: Message) -> httpx.Response:
        status = response.status_code
        if status in (401, 403):
            raise AccessRefused(
                "server_refuses_account", host=self.url.host, status=status, signed_by=self._signed_by, wanted=what
            )
        if status == 404:
            raise NotFound("server_lacks", host=self.url.host, wanted=what)
        if not response.is_success:
            raise AnswerUnusable("server_refuses", host=self.url.host, wanted=what, status=status)
        return response


def _problem(error: httpx.RequestError) -> Message:
    """What went wrong on the way, without an address that might hold more than its host."""
    if isinstance(error, httpx.TimeoutException):
        return Message("server_times_out")
    if isinstance(error, httpx.ConnectError):
        certificate = "CERTIFICATE" in str(error).upper()
        return Message("server_certificate_untrusted") if certificate else Message("server_not_connected")
    return Message("server_broke_off")
