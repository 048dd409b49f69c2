"""Server processes on the loopback address, and a client that asks them a fixed number of times."""

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

HOST = "127.0.0.1"
CLIENTS = 4
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    pid: int

    def get(self, path: str) -> bytes:
        """One answer's body."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            return _ask(connection, path)
        finally:
            connection.close()

    def requests_per_second(self, paths: Sequence[str], count: int) -> float:
        """Asks for the paths in turn, so often in all, from several connections that stay open."""
        asked = list(islice(cycle(paths), count))
        started = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(self._ask_all, (asked[i::CLIENTS] for i in range(CLIENTS))))
        return count / (time.perf_counter() - started)

    def _ask_all(self, paths: Sequence[str]) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            for path in paths:
                _ask(connection, path)
        finally:
            connection.close()

    def peak_mb(self) -> float:
        """The most memory the server's process has held."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024


def _ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path[:200]} answered {answer.status}: {body[:500]!r}")
    return body


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str | Path], port: int, environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Starts a server, waits until it listens, and ends it."""
    with log.open("w") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-4000:]}")
