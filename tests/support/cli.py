"""The command line as its users run it: a process, its exit code, and what it prints.

Commands are forked from one process that has imported them already: importing takes most of a command's time.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.support.forks import FORKS

_NUMBERS = count(1)


def _become(arguments: Sequence[str], folder: str, environment: Mapping[str, str], out: str, err: str) -> None:
    """What the forked process does: it becomes `vasti` with these arguments."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    sys.argv = ["vasti", *arguments]
    from service.cli.main import run  # noqa: PLC0415 (the process that forks has it; this module's readers need not)

    run()


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Running:
    """A command under way."""

    process: ForkServerProcess
    out: Path
    err: Path

    def is_alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def wait(self, timeout: float = 100) -> Done:
        self.process.join(timeout)
        assert not self.process.is_alive(), "the command does not end"
        return Done(self.process.exitcode, self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Shell:
    """A database and a folder to work in."""

    url: str
    folder: Path

    def start(self, *arguments: object, **changes: str) -> Running:
        """Starts a command on this database, with its state in this folder."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VASTI_")}
        named = {"VASTI_DATABASE_URL": self.url, "VASTI_STATE_DIR": str(self.folder / "state"), "COLUMNS": "200"}
        number = next(_NUMBERS)
        printed = self.folder / "printed"
        printed.mkdir(exist_ok=True)
        out, err = printed / f"{number}.out", printed / f"{number}.err"
        process = FORKS.Process(
            target=_become,
            args=([str(a) for a in arguments], str(self.folder), inherited | named | changes, str(out), str(err)),
        )
        process.start()
        return Running(process, out, err)

    def run(self, *arguments: object, code: int = 0, **changes: str) -> Done:
        """Runs a command to its end, which must have this exit code; never a traceback."""
        done = self.start(*arguments, **changes).wait()
        assert done.code == code, (arguments, done)
        assert "Traceback" not in done.stderr
        assert "Warning" not in done.stderr
        assert code == 0 or done.stderr.strip()
        return done


def survey_arguments(path: Path, survey: str = "2024") -> list[Any]:
    """Arguments that load a file into a round of pune."""
    dates = ["--starts", "2024-01-01", "--ends", "2024-06-30"]
    return ["load", "survey", path, "--city", "pune", "--survey", survey, "--mode", "census", *dates]
