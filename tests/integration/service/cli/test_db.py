"""`vasti db` as a person types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geo.errors import SetupError
from service.cli.db import db_app

runner = CliRunner()


def test_start_status_psql_stop(new_state_dir: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASTI_STATE_DIR", str(new_state_dir()))
    monkeypatch.delenv("VASTI_DATABASE_URL", raising=False)
    monkeypatch.setenv("PGPORT", "9")  # another database's settings must not lead astray
    assert "was not running" in runner.invoke(db_app, ["stop"]).output
    assert "is running" in runner.invoke(db_app, ["start"]).output
    status = json.loads(runner.invoke(db_app, ["status", "--format", "json"]).output)
    assert (status["running"], status["database"]) == (True, "private cluster")
    psql = [
        sys.executable,
        "-c",
        "from service.cli.db import db_app; db_app()",
        "psql",
        "--",
        "-Atc",
        "SELECT 6*7",
    ]
    told = subprocess.run(psql, capture_output=True, text=True, check=True)
    assert told.stdout == "42\n"
    assert "is stopped" in runner.invoke(db_app, ["stop"]).output
    assert "running" in runner.invoke(db_app, ["status"]).output


def test_status_of_a_named_database_hides_its_password(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASTI_DATABASE_URL", database_url.replace("vasti@", "vasti:s3cret@"))
    told = runner.invoke(db_app, ["status"])
    assert told.exit_code == 0, told.output
    assert "s3cret" not in told.output
    assert isinstance(runner.invoke(db_app, ["start"]).exception, SetupError)


def test_restore_asks_first(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VASTI_DATABASE_URL", database_url)
    told = runner.invoke(db_app, ["restore", str(tmp_path / "absent")], input="n\n")
    assert "replaces everything" in told.output
    assert told.exit_code == 1
    assert "cannot be read" in str(runner.invoke(db_app, ["restore", str(tmp_path / "absent"), "--yes"]).exception)
