"""The private cluster against real PostgreSQL: started twice, killed, hidden from others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from geo.database.cluster import server as cluster
from geo.database.cluster.folders import Folders
from geo.errors import PostgisMissing, SetupError
from tests.conftest import make_state_dir, remove_state_dir

NewStateDir = Callable[[], Path]


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def kill_server(state_dir: Path) -> int:
    """Kill the postmaster and its children at once, as a power cut would; the dead process's id."""
    pid = cluster.running_pid(Folders.of(state_dir))
    assert pid is not None
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for victim in (pid, *map(int, children)):
        os.kill(victim, signal.SIGKILL)
    return pid


@pytest.fixture(scope="module")
def state_dir() -> Iterator[Path]:
    """One cluster for the tests that leave it able to start again."""
    folder = make_state_dir()
    yield folder
    remove_state_dir(folder)


def test_start_twice_is_the_same_cluster(state_dir: Path) -> None:
    url = cluster.start(state_dir)
    pid = cluster.status(state_dir).pid
    assert cluster.start(state_dir) == url
    assert cluster.status(state_dir).pid == pid
    assert make_url(url).username == "vasti"
    with connect(url) as connection:
        row = connection.execute(
            "SELECT current_setting('fsync'), current_setting('data_checksums'),"
            " current_setting('wal_level'), current_setting('listen_addresses'),"
            " pg_encoding_to_char(encoding) FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
        assert row == ("on", "on", "minimal", "", "UTF8")


def test_start_from_two_processes_at_once_makes_one_cluster(new_state_dir: NewStateDir) -> None:
    state_dir = new_state_dir()
    script = (
        "import sys, pathlib; from geo.database.cluster.server import start; print(start(pathlib.Path(sys.argv[1])))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(state_dir)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    urls = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert urls == {cluster.start(state_dir)}
    assert not list(state_dir.glob("cluster.new-*"))
    assert (state_dir / "cluster.log").read_text().count("ready to accept connections") == 1


def test_killed_cluster_starts_with_what_was_committed(state_dir: Path) -> None:
    with connect(cluster.start(state_dir)) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (7)")
    kill_server(state_dir)
    with connect(cluster.start(state_dir)) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_process_id_of_a_killed_cluster_in_use_by_another_process(state_dir: Path) -> None:
    cluster.start(state_dir)
    kill_server(state_dir)
    folders = Folders.of(state_dir)
    account = folders.account()
    # The stranger runs as PostgreSQL's account: PostgreSQL itself would take it for its own server.
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    try:
        pid_file = folders.data_dir / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert cluster.status(state_dir).running is False
        assert cluster.stop(state_dir) is False
        with connect(cluster.start(state_dir)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_half_finished_initdb_is_redone(new_state_dir: NewStateDir) -> None:
    state_dir = new_state_dir()
    half = state_dir / "cluster.new-killed"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    cluster.start(state_dir)
    assert not half.exists()


def test_first_start_killed_before_the_database_was_made_is_completed(state_dir: Path) -> None:
    url = cluster.start(state_dir)
    with connect(url) as connection:
        connection.execute("DROP EXTENSION btree_gist")
    assert cluster.start(state_dir) == url
    with connect(url) as connection:
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'").fetchone() == (1,)


def test_stop_and_status(new_state_dir: NewStateDir) -> None:
    state_dir = new_state_dir()
    before = cluster.status(state_dir)
    assert (before.running, before.size_bytes) == (False, 0)
    assert cluster.stop(state_dir) is False
    cluster.start(state_dir)
    running = cluster.status(state_dir)
    assert running.running
    assert running.postgresql_version
    assert running.postgis_version
    assert running.size_bytes > 1_000_000
    assert cluster.stop(state_dir) is True
    assert cluster.status(state_dir).running is False


def test_no_tcp_port_is_listened_on_and_folders_are_closed(database_url: str) -> None:
    socket_dir = Path(str(make_url(database_url).query["host"]))
    found = cluster.status(socket_dir.parent)
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            listening |= {row[9] for row in rows if row[3] == "0A"}
    inodes = {str(fd.readlink()) for fd in Path(f"/proc/{found.pid}/fd").iterdir()}
    assert inodes
    assert not {f"socket:[{inode}]" for inode in listening} & inodes
    assert (socket_dir.stat().st_mode & 0o777) == 0o700
    assert (found.data_dir.stat().st_mode & 0o777) == 0o700


def test_very_long_state_dir(new_state_dir: NewStateDir) -> None:
    root = new_state_dir()
    state_dir = root / ("a settlement's données " + "x" * 100) / "y,'$HOME`"
    try:
        url = cluster.start(state_dir)
        socket_dir = Path(str(make_url(url).query["host"]))
        assert len(os.fsencode(socket_dir)) < 60
        assert (socket_dir.stat().st_mode & 0o777) == 0o700
        with connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        cluster.stop(state_dir)
    assert not socket_dir.exists()


def test_an_answer_quoted_by_an_error_stays_out_of_the_log(database_url: str) -> None:
    socket_dir = Path(str(make_url(database_url).query["host"]))
    with connect(database_url) as connection, pytest.raises(psycopg.DataError, match="Kamala"):
        connection.execute("SELECT 'Kamala, 4 children'::integer")
    time.sleep(0.1)
    assert "Kamala" not in (socket_dir.parent / "cluster.log").read_text()


def test_postgis_missing_names_every_way_to_install_it(new_state_dir: NewStateDir, tmp_path: Path) -> None:
    with pytest.raises(PostgisMissing) as caught:
        cluster.start(new_state_dir(), program_folders=[tmp_path])
    for way in ("sudo apt-get install postgresql-postgis", "brew install postgis", "docker compose up"):
        assert way in str(caught.value)


def test_cluster_of_another_version_is_told(state_dir: Path) -> None:
    cluster.start(state_dir)
    cluster.stop(state_dir)
    version = state_dir / "cluster" / "PG_VERSION"
    made_with = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(SetupError, match="made with PostgreSQL 9"):
            cluster.start(state_dir)
    finally:
        version.write_text(made_with)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's cluster runs as another user")
def test_state_dir_the_postgres_user_cannot_enter(new_state_dir: NewStateDir) -> None:
    closed = new_state_dir()
    closed.chmod(0o700)
    with pytest.raises(SetupError, match=f"cannot enter {closed}"):
        cluster.start(closed / "vasti")
