"""`vasti serve` as it is shipped, on a cluster of its own, with another worker; killed and restarted on the way."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from geo import database
from geo.database import service_url
from geo.database.cluster import server
from geo.people import add_account, make_link
from service.work import jobs
from tests.support import factories as f
from tests.support.publishing import publish
from tests.support.serving import free_port
from tests.support.two_organisations import PASSWORD, set_password, sign_in

ROUNDS: Mapping[str, tuple[str, ...]] = {"north": ("north-1", "north-2"), "south": ("south-1",)}
"""The rounds of each organisation; the last one is a draft in the beginning, the others are published."""

_VASTI = Path(sys.executable).with_name("vasti")


@dataclass
class Office:
    """The service and the worker, as processes."""

    folder: Path
    url: str
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    peaks_mb: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, command: str) -> None:
        """Starts `serve` or `worker`, whose output goes to a file of that name."""
        settings = {
            "VASTI_STATE_DIR": str(self.folder),
            "VASTI_PORT": str(self.port),
            "VASTI_UPLOADS_PER_HOUR": "90000",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VASTI_")}
        with (self.folder / f"{command}.log").open("ab") as log:
            self.running[command] = subprocess.Popen(
                [_VASTI, command], env=inherited | settings, stdout=log, stderr=log
            )
        if command == "serve":
            self._is_ready()

    def _is_ready(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(f"the service does not come up: {self.log('serve')}")

    def kill(self, command: str) -> None:
        """kill -9, and starts it anew."""
        self.look_at_memory()
        process = self.running.pop(command)
        process.kill()
        process.wait(30)
        self.start(command)

    def restart_database(self) -> None:
        """Ends all its connections in the middle of what they do."""
        server.stop(self.folder)
        server.start(self.folder)

    def look_at_memory(self) -> None:
        """Notes the most memory that the service's process has held."""
        status = Path(f"/proc/{self.running['serve'].pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        self.peaks_mb.append(int(found[1]) / 1024)

    def log(self, command: str) -> str:
        """What a process has said."""
        return (self.folder / f"{command}.log").read_text(encoding="utf-8", errors="replace")

    def errors(self) -> list[str]:
        """What the processes say went wrong."""
        lines = [line for command in ("serve", "worker") for line in self.log(command).splitlines()]
        return [line for line in lines if '"level": "error"' in line]

    def end(self) -> None:
        """Ends what runs."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)


def furnish(url: str, folder: Path) -> Mapping[str, str]:
    """A city with three rounds of two organisations, each with a first file; a steward's session of each."""
    database.upgrade(url)
    jobs.prepare(url)
    engine = database.create_engine(url)
    with database.transaction(engine) as connection:
        f.load_city(connection, folder, f.small_city())
        for organisation, slugs in ROUNDS.items():
            for slug in slugs:
                rows = [row | {"household_code": f"{slug}-first-{i}"} for i, row in enumerate(f.households(each=15))]
                path = f.write_csv(folder / f"{slug}-first.csv", rows)
                spec = replace(f.spec(slug), organisation=organisation, mode="census")
                f.load(connection, folder, path, survey=spec)
                if slug != slugs[-1]:
                    publish(connection, "pune", slug)
        for organisation in ROUNDS:
            account = add_account(connection, f"steward@{organisation}.org", "S", "steward", organisation)
            set_password(connection, make_link(connection, account)[0], PASSWORD)
    engine.dispose()
    as_service = database.create_engine(service_url(url, None))
    with database.transaction(as_service) as connection:
        sessions = {each: sign_in(connection, f"steward@{each}.org", PASSWORD) for each in ROUNDS}
    as_service.dispose()
    return sessions


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Office, Mapping[str, str]]]:
    """The service at work on a new cluster in this folder, and a steward's session of each organisation."""
    url = server.start(folder)
    files = folder / "files"
    files.mkdir()
    sessions = furnish(url, files)
    office = Office(folder, url)
    try:
        office.start("serve")
        office.start("worker")
        yield office, sessions
    finally:
        office.end()
