"""Walks through pages of docs/: each command shown there is run, and prints what is shown there."""

import re
import shlex
from collections.abc import Iterator

from tests.support.cli import Shell


def shown_commands(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command of a page or part of one, with the lines shown below it."""
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, flags=re.MULTILINE):
        for shown in re.split(r"^    \$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = re.sub(r"\\\n +", "", shown).split("\n")
            yield shlex.split(command), [line.removeprefix("    ") for line in lines if line.strip()]


def walk(shell: Shell, commands: list[tuple[list[str], list[str]]]) -> None:
    """Runs commands, each of which must print what is shown."""
    for command, shown in commands:
        program, *arguments = command
        assert program == "vasti"
        refused = any(line.startswith("Error:") for line in shown)
        done = shell.run(*arguments, code=1 if refused else 0)
        assert_shown(done.stderr + done.stdout, shown, command)


def same_everywhere(line: str) -> str:
    """A line without what differs from one run to the next: how long it took, and upload numbers."""
    return re.sub(r"upload \d+", "upload N", re.sub(r"in \d+\.\d s", "in N s", line)).rstrip()


def assert_shown(printed: str, shown: list[str], command: list[str]) -> None:
    """Every shown line was printed, in this order; `...` stands for lines left out."""
    lines = [same_everywhere(line) for line in printed.splitlines() if line.strip()]
    at = 0
    may_skip = False
    for expected in map(same_everywhere, shown):
        if expected == "...":
            may_skip = True
            continue
        found = next((i for i, line in enumerate(lines[at:], start=at) if line == expected), None)
        assert found is not None, f"{shlex.join(command)} prints no line {expected!r} but\n{printed}"
        assert may_skip or found == at, f"{shlex.join(command)} also prints {lines[at]!r}"
        at, may_skip = found + 1, False
    assert may_skip or at == len(lines), f"{shlex.join(command)} also prints {lines[at:]}"
