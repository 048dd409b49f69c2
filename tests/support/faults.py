"""Loads that are broken off, and what is left of them."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, text

from geo.database.cluster.folders import Folders
from geo.database.cluster.server import running_pid
from tests.support import factories as f

N_ROWS = 40_000


def many_rows(path: Path, n: int = N_ROWS, *, members: int = 4) -> Path:
    """A file of households big enough that loading it takes a while."""
    lines = ["household_code,longitude,latitude,members,toilet_type,toilet_users,toilet_location,note"]
    for i in range(n):
        lon, lat = f.centre(i % 4)
        lines.append(f"B{i},{lon - 0.0003 - i * 1e-9},{lat},{members},vip,own,on_premises,{'x' * 40}")
    path.write_text("\n".join(lines))
    return path


Snapshot = dict[str, list[tuple[Any, ...]]]


def snapshot(url: str) -> Snapshot:
    """Everything a reader could see, and every table there is."""
    queries = {
        "uploads": "SELECT id, state, rows_loaded FROM upload ORDER BY id",
        "live": "SELECT count(*) FILTER (WHERE is_live), count(*) FROM household",
        "tallies": "SELECT * FROM tally ORDER BY 1, 2, 3, 4",
        "findings": "SELECT count(*) FROM finding",
        "version": "SELECT version FROM data_version",
        "tables": "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname !~ '^pg_|^sql_' ORDER BY 1",
    }
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def whole(engine: Engine, slug: str) -> None:
    with engine.connect() as connection:
        survey_id = connection.execute(text("SELECT id FROM survey WHERE slug = :slug"), {"slug": slug}).scalar_one()
        f.assert_tallies_whole(connection, survey_id)


def kill_server(state_dir: Path) -> None:
    """kill -9 of the postmaster and all its children, but those that end by themselves at that moment."""
    postmaster = running_pid(Folders.of(state_dir))
    assert postmaster is not None
    found = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=True)
    os.kill(postmaster, signal.SIGKILL)
    for pid in map(int, found.stdout.split()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
