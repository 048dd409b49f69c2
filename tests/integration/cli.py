"""The command line as its users run it: a process, its exit code, and what it prints."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from service.cli.main import run; run()"]


@dataclass(frozen=True)
class Shell:
    """A database and a folder to work in."""

    url: str
    folder: Path

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of a process: this database, this folder's state, this source."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VASTI_")}
        return {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "VASTI_DATABASE_URL": self.url,
            "VASTI_STATE_DIR": str(self.folder / "state"),
            "COLUMNS": "200",
            **changes,
        }

    def start(self, *arguments: object, **changes: str) -> "subprocess.Popen[str]":
        """Starts a command."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object, code: int = 0, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end, which must have this exit code; never a traceback."""
        process = self.start(*arguments, **changes)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, (arguments, process.returncode, out, err)
        assert "Traceback" not in err
        assert "Warning" not in err
        if code:
            assert err.strip()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def survey_arguments(path: Path, survey: str = "2024") -> list[Any]:
    """Arguments that load a file into a round of pune."""
    dates = ["--starts", "2024-01-01", "--ends", "2024-06-30"]
    return ["load", "survey", path, "--city", "pune", "--survey", survey, *dates]
