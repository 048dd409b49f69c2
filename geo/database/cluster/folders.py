"""The folders of the private cluster: where each part lies, whom it belongs to, and how the server is set up.

Directory permissions are the cluster's whole access control: it has no password, so only who may enter its
folders (their owner, and root) may connect. PostgreSQL refuses to run as root; root's cluster therefore runs
as the `postgres` account, and root writes only into the state folder, which that account cannot write to.
"""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geo.errors import SetupError

ROLE = "vasti"
DATABASE = "vasti"
PORT = 5432  # names the socket file only: nothing listens on TCP

# A socket's whole path must fit into 104 bytes (macOS; Linux 108), with `/.s.PGSQL.5432` at its end.
MAX_SOCKET_DIR_BYTES = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._@+-]+")
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class SystemAccount:
    """The system account PostgreSQL's programs run as when we are root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Folders:
    """Where the parts of one private cluster lie. Two spellings of a state folder are the same cluster."""

    state_dir: Path

    @classmethod
    def of(cls, state_dir: Path) -> "Folders":
        """The folders under a state folder, which need not exist yet."""
        return cls(state_dir.expanduser().resolve())

    @property
    def data_dir(self) -> Path:
        """PostgreSQL's own folder; it is there only once it is whole."""
        return self.state_dir / "cluster"

    @property
    def conf(self) -> Path:
        """The configuration Vasti writes at each start; the data folder's postgresql.conf includes it."""
        return self.state_dir / "cluster.conf"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.state_dir / "cluster.log"

    @property
    def lock(self) -> Path:
        """Held while a process starts or stops the cluster."""
        return self.state_dir / "cluster.lock"

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket: in the state folder, or a short one where that path cannot hold a socket.

        The short one follows from the state folder alone, not from the environment, so that a scheduled job
        and a person's shell find the same cluster.
        """
        own = self.state_dir / "socket"
        if len(os.fsencode(own)) <= MAX_SOCKET_DIR_BYTES and PLAIN_PATH.fullmatch(str(own)):
            return own
        digest = hashlib.sha256(os.fsencode(self.state_dir)).hexdigest()[:16]
        if os.geteuid() == 0 and Path("/run").is_dir():
            return Path("/run") / f"vasti-{digest}"
        return Path("/tmp") / f"vasti-{os.geteuid()}-{digest}"  # noqa: S108 (made 0700 and its owner checked)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL. The port is named so that a PGPORT in the environment cannot change it."""
        return f"postgresql+psycopg://{ROLE}@/{DATABASE}?host={quote(str(self.socket_dir))}&port={PORT}"

    @property
    def major(self) -> int | None:
        """The PostgreSQL major version the cluster was made with, or None while there is no cluster."""
        version = self.data_dir / "PG_VERSION"
        return int(version.read_text().strip()) if version.exists() else None

    def account(self) -> SystemAccount | None:
        """Whom PostgreSQL runs as: ourselves (None), or as root the cluster's owner, else `postgres`.

        Raises:
            SetupError: the cluster is another user's, or root finds no `postgres` account.
        """
        owner = self.data_dir.stat().st_uid if self.data_dir.exists() else None
        if os.geteuid() != 0:
            if owner is not None and owner != os.geteuid():
                raise SetupError("cluster_of_other_user", folder=self.state_dir)
            return None
        try:
            found = pwd.getpwuid(owner) if owner else pwd.getpwnam("postgres")
        except KeyError:
            raise SetupError("postgresql_user_missing") from None
        return SystemAccount(found.pw_name, found.pw_uid, found.pw_gid)

    def prepare(self, account: SystemAccount | None) -> None:
        """Make the state and socket folders ready for `account`; called under the lock.

        Raises:
            SetupError: `account` cannot reach the state folder, or the socket folder is not ours.
        """
        status = self.state_dir.stat()
        # 0750 is how `make_state_dir` leaves a new folder; one that was there before keeps its permissions.
        if account and status.st_uid == 0 and stat.S_IMODE(status.st_mode) == 0o750:
            os.chown(self.state_dir, -1, account.gid)
        if account:
            self._check_reachable(account)
        make_private(self.socket_dir, account)
        for path, mode in ((self.conf, 0o640), (self.log, 0o600)):
            os.close(os.open(path, os.O_CREAT | os.O_NOFOLLOW, mode))
        if account:
            # The owner of the state folder writes this one; PostgreSQL only reads it.
            os.chown(self.conf, status.st_uid, account.gid, follow_symlinks=False)
            os.chown(self.log, account.uid, account.gid, follow_symlinks=False)

    def write_configuration(self) -> None:
        """Write the server's settings anew."""
        with os.fdopen(os.open(self.conf, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as conf:
            conf.write(configuration(self))

    def make_state_dir(self) -> None:
        """Make the state folder where it is missing, closed to other users."""
        self.state_dir.parent.mkdir(parents=True, exist_ok=True)
        self.state_dir.mkdir(mode=0o750 if os.geteuid() == 0 else 0o700, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the cluster's lock; it is let go whenever this process ends, however it ends."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def plain_os_errors(self) -> Iterator[None]:
        """Say in a sentence what the file system refused."""
        try:
            yield
        except OSError as error:
            raise SetupError(
                "cluster_folder_not_writable", folder=self.state_dir, reason=error.strerror or str(error)
            ) from error

    def _check_reachable(self, account: SystemAccount) -> None:
        """Ask the account itself whether it can enter every folder down to the state folder."""
        script = 'for d in "$@"; do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done'
        parents = [str(p) for p in (*reversed(self.state_dir.parents), self.state_dir)]
        asked = run_as(account, ["/bin/sh", "-c", script, "sh", *parents], cwd="/", capture_output=True)
        if asked.returncode:
            raise SetupError("folder_closed_to_postgresql", account=account.name, folder=asked.stdout)


def make_private(folder: Path, account: SystemAccount | None) -> None:
    """Make a folder only its owner may enter, or check that the one there is such a folder.

    Raises:
        SetupError: something else, or someone else's folder, is in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
        raise SetupError("folder_not_ours", folder=folder)
    folder.chmod(0o700)
    if account and status.st_uid != account.uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def is_private(folder: Path, account: SystemAccount | None) -> bool:
    """Whether a folder is there and only its right owner (and root) may enter it."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    owner = account.uid if account else os.geteuid()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and not status.st_mode & 0o077


def run_as(account: SystemAccount | None, args: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a program as `account`, in a session of its own and a bare environment.

    In its own session Ctrl-C here never reaches it. The environment is bare because PGPORT, PGDATA and
    their like would change what the programs do.
    """
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if account:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    options = {"env": environment, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run(args, text=True, start_new_session=True, **options)  # noqa: PLW1510 (the caller says)


def configuration(folders: Folders) -> str:
    """The server's settings, sized to this machine; ALTER SYSTEM still overrides each of them."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEBIBYTE

    def share(part: int, least: int, most: int) -> str:
        return f"{max(least, min(most, memory // part))}MB"

    lines = [
        "# Written by Vasti at each start. Change a setting with ALTER SYSTEM, not here.",
        "listen_addresses = ''",
        f"port = {PORT}",
        f"unix_socket_directories = '{folders.socket_dir}'",
        "unix_socket_permissions = 0700",
        "timezone = 'UTC'",
        "log_timezone = 'UTC'",
        "# Memory: modest, so that an old laptop copes.",
        f"shared_buffers = {share(8, 64, 1024)}",
        f"work_mem = {share(256, 4, 32)}",
        f"maintenance_work_mem = {share(16, 64, 512)}",
        f"effective_cache_size = {share(2, 256, 16384)}",
        *_shared_memory(),
        "jit = off",
        "# Nothing committed is lost in a power cut. Nothing is replicated, so a load into a new table may",
        "# skip the write-ahead log.",
        "fsync = on",
        "synchronous_commit = on",
        "full_page_writes = on",
        "wal_level = minimal",
        "max_wal_senders = 0",
        "max_wal_size = 2GB",
        "checkpoint_timeout = 15min",
        "# A household's answer must never reach the log. An error's text can quote one, so errors are told",
        "# to the program that made them and not logged; LOG ranks above ERROR in this setting.",
        "log_min_messages = log",
        "log_min_error_statement = panic",
        "log_error_verbosity = terse",
        "log_statement = none",
        "log_min_duration_statement = -1",
        "log_parameter_max_length = 0",
        "log_parameter_max_length_on_error = 0",
        "log_checkpoints = off",
        "log_line_prefix = '%m [%p] '",
    ]
    return "\n".join(lines) + "\n"


def _shared_memory() -> list[str]:
    """How parallel queries share memory, where initdb's own choice will not do.

    initdb tries whether /dev/shm works, but not whether it is large enough: a container's 64 MB are too small
    for a large join.
    """
    shm = Path("/dev/shm")  # noqa: S108 (asked for its size only)
    if shm.is_dir() and shutil.disk_usage(shm).total < 256 * MEBIBYTE:
        return ["dynamic_shared_memory_type = mmap"]
    return []
