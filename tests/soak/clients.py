"""People and programs that use a service for a while: bounded in time and in how often they ask."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support import factories as f

MOST_REQUESTS = 5_000
"""Of one client, whatever the time."""

_PATIENCE_S = 150.0
"""How long an upload may take with a worker killed on the way: it is taken for dead after half a minute."""

_MAY_COME = {200, 201, 202, 304, 409, 429, 503}
"""While a process is killed and the database restarted; what else comes is a fault."""


@dataclass
class Told:
    """What the clients were told, and what went wrong."""

    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    loaded: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    was_queued: int = 0


class Client:
    """Somebody who asks the service; each runs in a thread of its own."""

    def __init__(self, url: str, token: str | None, until: float, told: Told) -> None:
        header = {} if token is None else {"authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=header, timeout=40)
        self._until = until
        self._told = told
        self._asked = 0

    def is_time(self) -> bool:
        """Whether to go on."""
        return time.monotonic() < self._until and self._asked < MOST_REQUESTS

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """The body of an answer; None where the service was away or busy."""
        self._asked += 1
        try:
            answer = self._http.request(method, path, **how)
        except httpx.TransportError:
            time.sleep(0.3)
            return None
        self._told.statuses[answer.status_code] += 1
        if answer.status_code not in _MAY_COME:
            self._told.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        if not answer.is_success:
            time.sleep(0.3)
            return None
        return answer.json()

    def close(self) -> None:
        """Hangs up."""
        self._http.close()


def send_and_decide(client: Client, told: Told, survey: str, folder: Path, name: str) -> None:
    """An officer: sends files, accepts them, and takes every third back."""
    for n, path in enumerate(_files(folder, name)):
        if not client.is_time():
            return
        with path.open("rb") as file:
            sent = client.ask(
                "POST", "/api/v1/uploads", data={"city": "pune", "survey": survey}, files={"file": (path.name, file)}
            )
        if sent is None or not _becomes(client, told, sent["id"], {"checked"}):
            continue
        if client.ask("PATCH", f"/api/v1/uploads/{sent['id']}", json={"decision": "accept"}) is None:
            continue
        if not _becomes(client, told, sent["id"], {"loaded", "published"}):
            continue
        if n % 3 != 2:
            told.loaded.add(sent["id"])
        elif client.ask("PATCH", f"/api/v1/uploads/{sent['id']}", json={"decision": "withdraw"}) is not None:
            _becomes(client, told, sent["id"], {"withdrawn"})
            told.withdrawn.add(sent["id"])


def _files(folder: Path, name: str) -> Iterator[Path]:
    """Files of 40 households each; of every second one half replaces households of the one before."""
    for n in range(MOST_REQUESTS):
        first = n * 40 - (20 if n % 2 else 0)
        rows = [
            f.household(first + i, i % 4, household_code=f"{name}-{first + i}", toilet_type="vip" if n % 2 else "none")
            for i in range(40)
        ]
        yield f.write_csv(folder / f"{name}-{n}.csv", rows)


def _becomes(client: Client, told: Told, number: int, states: set[str]) -> bool:
    """Waits until an upload is in one of the states; it may be waited for beyond the time."""
    deadline = time.monotonic() + _PATIENCE_S
    upload: Any = None
    while time.monotonic() < deadline:
        upload = client.ask("GET", f"/api/v1/uploads/{number}") or upload
        if upload is not None:
            told.was_queued += upload["queued"] is not None
            if upload["state"] in states:
                return True
            if upload["state"] in {"waiting", "refused"}:
                break
        time.sleep(0.2)
    told.faults.append(f"upload {number} does not become {' or '.join(sorted(states))}: {upload}"[:600])
    return False


def publish_and_take_back(client: Client, _told: Told, survey: str) -> None:
    """A steward: publishes a round, and makes it a draft again."""
    for n in range(MOST_REQUESTS):
        if not client.is_time():
            return
        state = "draft" if n % 2 else "published"
        client.ask("PATCH", f"/api/v1/own/surveys/pune/{survey}", json={"state": state})
        time.sleep(2)


_QUESTIONS = (
    "/api/v1/cities",
    "/api/v1/surveys",
    "/api/v1/values?level=city",
    "/api/v1/values?indicator=household_toilet&level=settlement",
    "/api/v1/values?survey=north-1&indicator=household_toilet&level=city&by=head_sex",
    "/api/v1/gaps?city=pune&indicator=household_toilet&target=80",
    "/api/v1/settlements?city=pune",
    "/healthz",
)


def look_at_figures(client: Client, told: Told) -> None:
    """A dashboard: asks for figures, four times a second."""
    for n in range(MOST_REQUESTS):
        if not client.is_time():
            return
        body = client.ask("GET", _QUESTIONS[n % len(_QUESTIONS)])
        for row in (body or {}).get("values", []):
            if row["value"] is not None and row["unit"] == "percent" and not 0 <= row["value"] <= 100:
                told.faults.append(f"a figure out of range: {row}"[:300])
        time.sleep(0.25)


class Crowd:
    """All clients at once, each in a thread."""

    def __init__(self, url: str, seconds: float) -> None:
        self.told = Told()
        self._url = url
        self._until = time.monotonic() + seconds
        self._threads: list[threading.Thread] = []

    def joins(self, does: Callable[..., None], token: str | None, **facts: Any) -> None:
        """Somebody begins."""
        self._threads.append(threading.Thread(target=self._run, args=(does, token, facts), daemon=True))
        self._threads[-1].start()

    def _run(self, does: Callable[..., None], token: str | None, facts: Mapping[str, Any]) -> None:
        client = Client(self._url, token, self._until, self.told)
        try:
            does(client, self.told, **facts)
        except Exception as error:
            self.told.faults.append(f"{does.__name__}: {error!r}")
        finally:
            client.close()

    def goes(self) -> None:
        """Waits until all have ended."""
        for thread in self._threads:
            thread.join(max(0.0, self._until - time.monotonic()) + 3 * _PATIENCE_S)
            assert not thread.is_alive(), "a client does not end"
