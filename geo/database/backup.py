"""Backup and restore of a whole database, private or not, with PostgreSQL's own pg_dump and pg_restore."""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from geo.base import sync
from geo.database.cluster.programs import find_client
from geo.errors import DatabaseUnavailable, InputError, SetupError, UnreadableFile

# Everything goes, not only what the backup also holds: a backup taken before an upgrade must not leave the
# upgrade's tables behind. Extensions first, since PostGIS owns schemas of its own. The wait for other users'
# locks is bounded, so that a forgotten open session is told and not waited for.
CLEAR_DATABASE = """
BEGIN;
SET LOCAL lock_timeout = '60s';
-- As they are from the start: functions of extensions are everybody's. `vasti db upgrade` says otherwise of our own.
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
SET LOCAL client_min_messages = warning;
DO $clear$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', name);
    END LOOP;
    FOR name IN
        SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
END
$clear$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""


def client_environment(database_url: str) -> tuple[str, dict[str, str]]:
    """The libpq connection string of a SQLAlchemy URL without its password, and the environment that has it.

    A password given as an argument would be readable by every user of the machine.
    """
    url = make_url(database_url)
    query = {k: ",".join(v) if isinstance(v, tuple) else v for k, v in url.query.items()}
    password = query.pop("password", None) or url.password
    parts = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database, **query}
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **{k: v for k, v in parts.items() if v is not None}), environment


def backup(database_url: str, file: Path) -> None:
    """Write the whole database to `file`, readable by its owner only; it appears whole or not at all.

    Raises:
        SetupError: pg_dump is missing, or the folder cannot be written to.
        DatabaseUnavailable: the database cannot be read.
    """
    conninfo, environment = client_environment(database_url)
    pg_dump = find_client("pg_dump")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise SetupError("backup_not_writable", folder=file.parent, reason=error.strerror) from error
    part = Path(name)
    try:
        done = subprocess.run(
            [pg_dump, "--format=custom", f"--file={part}", f"--dbname={conninfo}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DatabaseUnavailable("backup_failed", reason=_reason(done.stderr))
        os.fsync(descriptor)
        part.replace(file)
        sync(file.parent)
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)


def restore(database_url: str, file: Path) -> None:
    """Replace everything in the database by what the backup holds, in one transaction.

    The file is read to its end before the database is touched, and the transaction is committed only once
    pg_restore has said that all of it was sent.

    Raises:
        UnreadableFile: the file is not a whole backup.
        InputError: it is a backup, but not of Vasti.
        DatabaseUnavailable: the database refused; it is as it was.
    """
    pg_restore = find_client("pg_restore")
    check_backup(pg_restore, file)
    conninfo, environment = client_environment(database_url)
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        sender = subprocess.Popen(
            [pg_restore, "--file=-", "--no-owner", "--no-privileges", file],
            stdout=subprocess.PIPE,
            stderr=complained,
        )
        receiver = subprocess.Popen(
            [
                *(find_client("psql"), "--no-psqlrc", "--quiet", "--no-password"),
                *("--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-", f"--dbname={conninfo}"),
            ],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            _send(sender, receiver)
        finally:
            # Without a COMMIT the server undoes everything when the connection ends.
            for process in (sender, receiver):
                if process.poll() is None:
                    process.kill()
                    process.wait()
        said.seek(0)
        complained.seek(0)
        if sender.returncode or receiver.returncode:
            reason = _reason(said.read() or complained.read())
            raise DatabaseUnavailable("backup_not_restored", reason=reason)


def check_backup(pg_restore: Path, file: Path) -> None:
    """Read a backup from its first byte to its last, without a database."""
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise UnreadableFile("backup_unreadable", file=file, reason=error.strerror) from error
    listed = subprocess.run([pg_restore, "--list", file], capture_output=True, text=True, check=False)
    if "unsupported version" in listed.stderr:
        raise UnreadableFile("backup_from_newer_postgresql", file=file)
    whole = subprocess.run([pg_restore, f"--file={os.devnull}", file], capture_output=True, text=True, check=False)
    if listed.returncode or whole.returncode:
        raise UnreadableFile("backup_damaged", file=file)
    if not re.search(r" TABLE DATA \S+ alembic_version ", listed.stdout):
        raise InputError("backup_of_other_program", file=file)


def _send(sender: "subprocess.Popen[bytes]", receiver: "subprocess.Popen[bytes]") -> None:
    """Send the script, and the COMMIT only after all of it."""
    assert sender.stdout is not None  # noqa: S101 (both are pipes)
    assert receiver.stdin is not None  # noqa: S101
    try:
        receiver.stdin.write(CLEAR_DATABASE.encode())
        shutil.copyfileobj(sender.stdout, receiver.stdin)
        sender.stdout.close()
        if sender.wait() == 0:
            receiver.stdin.write(b"\nCOMMIT;\n\\set ON_ERROR_STOP 0\nANALYZE;\n")
        receiver.stdin.close()
    except BrokenPipeError:
        # psql stopped at an error, which it has told.
        sender.kill()
        sender.stdout.close()
        sender.wait()
        with suppress(BrokenPipeError):
            receiver.stdin.close()
    receiver.wait()


def _reason(text: str) -> str:
    """The first line that tells an error, without the program's and the script's names before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [m[1] for line in lines if (m := re.search(r"(?:ERROR|FATAL|error):\s+(.*)", line))]
    return (telling or lines or ["no reason was given."])[0]
