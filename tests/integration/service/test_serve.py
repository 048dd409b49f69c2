"""`vasti serve` as a process of its own."""

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from geo import database
from geo.database.cluster import server as cluster
from geo.errors import PortTaken, SetupError
from geo.settings import Settings
from service import serve
from tests.support.published_city import SmallCity
from tests.support.serving import free_port, serving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("worker", ["true", "false"])
def test_serve_answers_and_ends_when_told(small_city: SmallCity, number: signal.Signals, worker: str) -> None:
    port = free_port()
    environment = {"VASTI_DATABASE_URL": small_city.url, "VASTI_WORKER": worker}
    with serving(environment, "--port", str(port)) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/api/v1/cities" in process.stdout.readline()
        # It listens before it is up: a request waits rather than being refused.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/readyz").status_code == 200
            answer = client.get("/api/v1/values?survey=2024&level=city")
            assert answer.json()["returned"] > 0
            again = client.get(
                "/api/v1/values?survey=2024&level=city", headers={"If-None-Match": answer.headers["etag"]}
            )
            assert (again.status_code, again.content) == (304, b"")
            head = client.head("/api/v1/values?survey=2024&level=city")
            assert head.headers["content-length"] == answer.headers["content-length"]
            assert "server" not in answer.headers
            assert client.get("/api/v1/values?settlement=%00secret").status_code == 400
        process.send_signal(number)
        out, logged = process.communicate(timeout=20)
        assert process.returncode == 0, logged
        assert "Traceback" not in logged
        assert "secret" not in logged + out
        assert '"path": "/api/v1/values"' in logged


_NOTES_IMPORTS = """
import importlib.abc, os, sys, threading

class Notes(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if threading.active_count() > 1 and name.partition(".")[0] not in sys.stdlib_module_names:
            with open(os.environ["NOTED"], "a") as noted:
                print(name, file=noted)

sys.meta_path.insert(0, Notes())
"""


def test_libraries_are_imported_before_anything_runs_beside(small_city: SmallCity, tmp_path: Path) -> None:
    # SQLAlchemy fails in one thread while another imports its mapper; other libraries change shared state as well.
    (tmp_path / "sitecustomize.py").write_text(_NOTES_IMPORTS, encoding="utf-8")
    noted = tmp_path / "noted"
    noted.touch()
    port = free_port()
    environment = {"VASTI_DATABASE_URL": small_city.url, "PYTHONPATH": str(tmp_path), "NOTED": str(noted)}
    with serving(environment, "--port", str(port)) as process:
        assert process.stdout is not None
        process.stdout.readline()  # It listens by then.
        for asked in ("readyz", "api/v1/values?survey=2024", "api/v1/gaps?city=khandesh&indicator=household_toilet"):
            answer = httpx.get(f"http://127.0.0.1:{port}/{asked}", timeout=30)
            assert answer.status_code == 200, answer.text
    roots = {name.partition(".")[0] for name in noted.read_text(encoding="utf-8").split()}
    # One thread alone uses these: the server's or the worker's.
    assert roots <= {"anyio", "fastapi", "uvicorn", "uvloop", "httptools", "websockets", "procrastinate"}


def test_a_taken_port_is_one_sentence_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(state_dir=tmp_path / "state", database_url=None, host="127.0.0.1", port=port)
        with pytest.raises(PortTaken) as refused:
            serve.serve(settings)
    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 is in use by another program; choose another with --port or VASTI_PORT."
    )
    assert list(tmp_path.iterdir()) == []


def test_two_servers_cannot_have_one_port() -> None:
    with serve.listen("127.0.0.1", 0) as first, pytest.raises(PortTaken):
        serve.listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine_is_one_sentence(host: str) -> None:
    with pytest.raises(SetupError, match="is not an address of this machine; choose another with --host"):
        serve.listen(host, 0)


def test_readyz_says_so_when_the_database_stops(new_state_dir: Callable[[], Path]) -> None:
    folder = new_state_dir()
    port = free_port()
    environment = {"VASTI_STATE_DIR": str(folder), "VASTI_WORKER": "true"}
    with serving(environment, "--port", str(port)) as process:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            # A private cluster is brought up to date by itself.
            assert client.get("/readyz").status_code == 200
            assert client.get("/api/v1/cities").json()["total"] == 0
            cluster.stop(folder)
            assert client.get("/readyz").status_code == 503
            answer = client.get("/api/v1/cities")
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert client.get("/healthz").status_code == 200
            url = cluster.start(folder)
            assert client.get("/readyz").status_code == 200
        engine = database.create_engine(url)
        with engine.begin() as connection:
            # The worker finds its way back too.
            deadline = time.monotonic() + 20
            while not connection.exec_driver_sql("SELECT to_regclass('procrastinate.procrastinate_jobs')").scalar():
                assert time.monotonic() < deadline
                time.sleep(0.2)
        engine.dispose()
        process.send_signal(signal.SIGINT)
        _, logged = process.communicate(timeout=20)
        assert process.returncode == 0, logged
