"""Server processes on the loopback address, and a client that asks them a fixed number of times."""

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
        with _Reader(self.port) as reader:
            return bytes(reader.ask(_question(path)))

    def requests_per_second(self, paths: Sequence[str], count: int, readers: int = CLIENTS) -> float:
        """Asks for the paths in turn, so often in all, from several connections that stay open."""
        asked = [_question(path) for path in islice(cycle(paths), count)]
        started = time.perf_counter()
        with ThreadPoolExecutor(readers) as threads:
            list(threads.map(self._ask_all, (asked[i::readers] for i in range(readers))))
        return count / (time.perf_counter() - started)

    def _ask_all(self, questions: Sequence[bytes]) -> None:
        with _Reader(self.port) as reader:
            for question in questions:
                reader.ask(question)

    def peak_mb(self) -> float:
        """The most memory the server's process has held."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024


def _question(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


class _Reader:
    """A connection that asks and reads to the end of the answer, and does nothing else.

    It runs on the cores of those it measures: what it took itself would be taken from both, and most from the faster.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=60)
        self._received = bytearray(_LARGEST_ANSWER)

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, question: bytes) -> memoryview:
        """The body of an answer, until the next one is asked for."""
        self._socket.sendall(question)
        whole, n, end, begins = memoryview(self._received), 0, None, 0
        while end is None or n < end:
            came = self._socket.recv_into(whole[n:])
            if came == 0:
                raise RuntimeError("The server hung up.")
            n += came
            if end is None and (begins := self._received.find(_HEAD_ENDS, 0, n) + len(_HEAD_ENDS)) >= len(_HEAD_ENDS):
                end = begins + _length(bytes(whole[:begins]), question)
        return whole[begins:end]


_HEAD_ENDS = b"\r\n\r\n"

_LARGEST_ANSWER = 8_000_000
"""The most that is read of an answer, its head with it, in bytes."""


def _length(head: bytes, question: bytes) -> int:
    """How long the body after a head is."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if b" 200 " not in head[:13] or found is None:
        raise RuntimeError(f"{question[:200]!r} was answered {head[:500]!r}")
    return int(found[1])


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
