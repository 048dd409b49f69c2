"""The walk through docs/own-indicators.md: its file is written, its commands are run, and print what is shown there."""

import re
import tomllib
from pathlib import Path

from geo.indicators.definitions import Definition, check_own
from geo.indicators.definitions.definition import OwnColumn
from tests.support.cli import Shell
from tests.support.project import ROOT
from tests.support.walks import shown_commands, walk

DOCUMENT = (ROOT / "docs" / "own-indicators.md").read_text(encoding="utf-8")


def test_the_walk_prints_what_is_shown(fresh_url: str, tmp_path: Path) -> None:
    """The first block of TOML is the file, each later one a line that stands in it from there on."""
    shell = Shell(fresh_url, tmp_path)
    file = tmp_path / "low.toml"
    walked = 0
    for part in DOCUMENT.split("```toml\n")[1:]:
        block, _, rest = part.partition("```\n")
        key = block.split(" = ")[0]
        whole = (
            block
            if walked == 0 and not file.exists()
            else re.sub(rf"(?m)^{key} = .*\n", block, file.read_text("utf-8"))
        )
        file.write_text(whole, encoding="utf-8")
        commands = list(shown_commands(rest))
        walk(shell, commands)
        walked += len(commands)
    assert walked > 10


def test_every_key_is_told() -> None:
    keys = DOCUMENT.partition("## Keys")[2].partition("## Expressions")[0]
    told = set(
        re.findall(r"`([a-z]+)`", " ".join(line.split("|")[1] for line in keys.splitlines() if line.startswith("|")))
    )
    assert told == set(Definition.model_fields)
    own = DOCUMENT.partition("## Own columns")[2]
    assert all(f"{key} = " in own for key in OwnColumn.model_fields)


def test_expressions_shown_are_sound() -> None:
    table = DOCUMENT.partition("| to say | write |")[2].partition("\n\n")[0]
    columns = '[columns."house/fan"]\ntype = "text"\n'
    file = tomllib.loads(DOCUMENT.split("```toml\n")[1].partition("```")[0])
    head = "".join(f'{key} = "{file[key]}"\n' for key in file if key not in ("base", "numerator", "columns"))
    shown = [e for line in table.splitlines() for e in re.findall(r"`([^`]* (?:[=>]|IN|IS|>=|BETWEEN) [^`]*)`", line)]
    assert len(shown) > 10
    for expression in shown:
        used = columns if "house/fan" in expression else ""
        check_own(None, f'{head}numerator = """{expression}"""\n{used}', "shown.toml")


def test_the_score_shown_is_sound() -> None:
    scores = DOCUMENT.partition("## Scores")[2].partition("`score` is")[0]
    shown = "\n".join(line.removeprefix("    ") for line in scores.splitlines() if line.startswith("    "))
    measure, _, deprivations = shown.partition("[[deprivations]]")
    file = tomllib.loads(DOCUMENT.split("```toml\n")[1].partition("```")[0])
    kept = ("id", "name", "description", "why", "direction", "counted", "unknown", "source")
    head = "".join(f'{key} = "{file[key]}"\n' for key in kept)
    columns = '[columns.has_fan]\ntype = "text"\n'
    text = f'{head}unit = "things"\n{measure}[[deprivations]]{deprivations}\n{columns}'
    assert check_own(None, text, "shown.toml").score == "count"
