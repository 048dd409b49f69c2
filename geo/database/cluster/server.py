"""A private PostGIS cluster on this machine: the database when VASTI_DATABASE_URL is unset.

It is made on first use from the machine's own PostgreSQL, listens on a unix socket only and keeps running
after the process that started it ends. `start` is safe at any moment: from two processes at once, after a
killed `initdb`, after a power cut.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from pgtoolkit.ctl import PGCtl

from geo.base import sync
from geo.database.cluster.folders import DATABASE, MEBIBYTE, PORT, ROLE, Folders, SystemAccount, is_private, run_as
from geo.database.cluster.programs import Programs, find_programs
from geo.errors import DatabaseUnavailable

EXTENSIONS = ("postgis", "btree_gist")
START_TIMEOUT_S = 300  # replaying the WAL after a power cut can take minutes on a slow disk
ORPHAN_TIMEOUT_S = 20  # the children of a killed server end by themselves within seconds
MAX_LOG_BYTES = 8 * MEBIBYTE


@dataclass(frozen=True)
class ClusterStatus:
    """How the private cluster stands. Versions are None while it is not running."""

    running: bool
    pid: int | None
    data_dir: Path
    socket_dir: Path
    size_bytes: int
    postgresql_version: str | None = None
    postgis_version: str | None = None


def start(state_dir: Path, *, program_folders: Sequence[Path] | None = None) -> str:
    """Start the private cluster unless it runs, making it on first use; the SQLAlchemy URL of its database.

    Args:
        state_dir: the folder that holds the cluster.
        program_folders: where to look for PostgreSQL's programs instead of this machine's usual folders.

    Raises:
        PostgisMissing: there is no PostGIS on this machine.
        SetupError: the folder cannot be used, or PostgreSQL's version changed.
        DatabaseUnavailable: the server does not start.
    """
    folders = Folders.of(state_dir)
    with folders.plain_os_errors():
        if _is_ready(folders):
            return folders.url
        programs = find_programs(program_folders, folders.major)
        folders.make_state_dir()
        with folders.locked():
            # Another process may have made or started it while this one waited for the lock.
            if not _is_ready(folders):
                account = folders.account()
                folders.prepare(account)
                if folders.major is None:
                    _make(folders, programs, account)
                if running_pid(folders) is None:
                    _launch(folders, programs, account)
                _await_answer(folders)
                _complete(folders)
    return folders.url


def stop(state_dir: Path, *, program_folders: Sequence[Path] | None = None) -> bool:
    """Stop the private cluster; whether it was running."""
    folders = Folders.of(state_dir)
    with folders.plain_os_errors():
        if running_pid(folders) is None:
            return False
        programs = find_programs(program_folders, folders.major)
        with folders.locked():
            if running_pid(folders) is None:
                return False
            try:
                _ctl(programs, folders.account(), folders).stop(folders.data_dir.name, mode="fast", wait=60)
            except subprocess.CalledProcessError:
                raise DatabaseUnavailable("cluster_not_stopped", folder=folders.state_dir) from None
            if folders.socket_dir.parent != folders.state_dir:
                with suppress(OSError):
                    folders.socket_dir.rmdir()
    return True


def status(state_dir: Path) -> ClusterStatus:
    """How the private cluster stands; it is neither made nor started."""
    folders = Folders.of(state_dir)
    with folders.plain_os_errors():
        pid = running_pid(folders)
        size = sum(_size(path) for path in folders.data_dir.rglob("*"))
        postgresql, postgis = server_versions(folders.url) if pid and _is_ready(folders) else (None, None)
    return ClusterStatus(
        running=pid is not None,
        pid=pid,
        data_dir=folders.data_dir,
        socket_dir=folders.socket_dir,
        size_bytes=size,
        postgresql_version=postgresql,
        postgis_version=postgis,
    )


def program(state_dir: Path, name: str) -> Path:
    """The path of one of the cluster's own programs: psql, pg_dump, pg_restore."""
    return find_programs(major=Folders.of(state_dir).major).path(name)


def server_versions(url: str) -> tuple[str, str | None]:
    """The versions of PostgreSQL and of PostGIS (None where it is absent) behind a SQLAlchemy URL."""
    try:
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql", 1), connect_timeout=10) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'),"
                " (SELECT extversion FROM pg_extension WHERE extname = 'postgis')"
            ).fetchone()
    except psycopg.Error:
        raise DatabaseUnavailable("database_silent") from None
    assert row is not None  # noqa: S101 (a SELECT without FROM yields one row)
    return str(row[0]).split()[0], row[1]


def running_pid(folders: Folders) -> int | None:
    """The server's process, or None; a killed server's process id in use by another process is not one."""
    try:
        pid = int((folders.data_dir / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if Path("/proc/self/cwd").exists():
        # PostgreSQL works in its data folder; a stranger's process does not, or may not be asked.
        try:
            return pid if Path(f"/proc/{pid}/cwd").samefile(folders.data_dir) else None
        except OSError:
            return None
    told = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return pid if "postgres" in told.stdout else None


def _is_ready(folders: Folders) -> bool:
    """Whether the server answers and its database is complete; a socket others could make is not asked."""
    if not folders.data_dir.exists() or not is_private(folders.socket_dir, folders.account()):
        return False
    try:
        with _connect(folders, DATABASE) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_extension WHERE extname = ANY(%s)", [list(EXTENSIONS)]
            ).fetchone()
    except psycopg.OperationalError:
        return False
    return found == (len(EXTENSIONS),)


def _make(folders: Folders, programs: Programs, account: SystemAccount | None) -> None:
    """Run initdb into a sibling and rename it, so that the data folder is whole or absent."""
    for leftover in folders.state_dir.glob("cluster.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=folders.state_dir))
    try:
        if account:
            os.chown(fresh, account.uid, account.gid)
        _ctl(programs, account, folders).init(
            fresh.name,
            username=ROLE,
            encoding="UTF8",
            data_checksums=True,
            auth_local="trust",
            auth_host="reject",
            **_locale(programs),
        )
        # Beside the data folder: root must not write inside a folder that PostgreSQL's account owns.
        descriptor = os.open(fresh / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "w") as conf:
            conf.write("\ninclude_if_exists = '../cluster.conf'\n")
            conf.flush()
            os.fsync(conf.fileno())
        fresh.rename(folders.data_dir)
        sync(folders.state_dir)
    except subprocess.CalledProcessError as error:
        reason = _last_line(error.stderr or error.stdout or "")
        raise DatabaseUnavailable("cluster_not_made", folder=folders.state_dir, reason=reason) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _locale(programs: Programs) -> dict[str, str]:
    """Unicode's character classes with plain code-point order, which no operating system update changes."""
    known = run_as(None, ["locale", "-a"], capture_output=True).stdout.lower().split()
    if "c.utf-8" in known or "c.utf8" in known:
        return {"locale": "C.UTF-8"}
    return {"locale": "C"} | ({"locale_provider": "icu", "icu_locale": "und"} if programs.major >= 15 else {})


def _launch(folders: Folders, programs: Programs, account: SystemAccount | None) -> None:
    """Start the server and wait until it has recovered whatever a crash left behind."""
    if folders.log.stat().st_size > MAX_LOG_BYTES:
        folders.log.rename(folders.log.with_suffix(".log.1"))
        folders.prepare(account)
    folders.write_configuration()
    # No server is behind these, as `running_pid` found; PostgreSQL itself would believe a reused process id.
    # It still refuses while a killed server's children hold the shared memory, which it finds without them.
    for stale in (folders.data_dir / "postmaster.pid", *folders.socket_dir.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)
    deadline = time.monotonic() + ORPHAN_TIMEOUT_S
    while True:
        logged = folders.log.stat().st_size
        try:
            _ctl(programs, account, folders).start(
                folders.data_dir.name, wait=START_TIMEOUT_S, logfile=folders.log.name
            )
        except subprocess.CalledProcessError:
            with folders.log.open(encoding="utf-8", errors="replace") as log:
                log.seek(logged)
                reason = _last_line(log.read())
            if "still in use" in reason and time.monotonic() < deadline:
                time.sleep(0.3)
                continue
            raise DatabaseUnavailable(
                "cluster_not_started", folder=folders.state_dir, reason=reason, log=folders.log
            ) from None
        return


def _await_answer(folders: Folders) -> None:
    """Wait for a server that another process left starting or recovering."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            _connect(folders, "postgres").close()
        except psycopg.OperationalError:
            # With no socket to wait for, the server runs but its socket's folder was removed under it.
            gone = not (folders.socket_dir / f".s.PGSQL.{PORT}").exists()
            if time.monotonic() > deadline or (gone and time.monotonic() > deadline - START_TIMEOUT_S + 15):
                raise DatabaseUnavailable("cluster_silent", folder=folders.state_dir) from None
            time.sleep(0.2)
        else:
            return


def _complete(folders: Folders) -> None:
    """Make the database and its extensions where a killed first start left them out."""
    with _connect(folders, "postgres") as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
    with _connect(folders, DATABASE) as connection:
        for extension in EXTENSIONS:
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")


def _connect(folders: Folders, database: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection over the cluster's socket, each statement its own transaction."""
    return psycopg.connect(
        host=str(folders.socket_dir),
        port=PORT,
        user=ROLE,
        dbname=database,
        connect_timeout=10,
        autocommit=True,
    )


def _ctl(programs: Programs, account: SystemAccount | None, folders: Folders) -> PGCtl:
    """pg_ctl as the right account, working in the state folder.

    pg_ctl hands its paths to a shell; relative names keep whatever the state folder is called out of it.
    """
    run = partial(run_as, account, cwd=folders.state_dir)

    def run_command(
        args: Sequence[str], *, capture_output: bool = True, check: bool = False, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        return run(args, check=check, **{"capture_output": capture_output, **options})

    return PGCtl(programs.bindir, run_command=run_command)


def _last_line(text: str) -> str:
    """The line that says why: the last fatal or error line, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [m[1].strip() for line in lines if (m := re.search(r"(?:FATAL|PANIC|error):\s+(.*)", line))]
    return (telling or lines or ["no reason was given."])[-1]


def _size(path: Path) -> int:
    """A file's size, or nothing for one the server has just removed."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
