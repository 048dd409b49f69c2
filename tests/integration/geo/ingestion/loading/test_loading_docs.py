"""The walks through docs/loading-data.md: every command shown there is run, and prints what is shown there."""

import re
from pathlib import Path

import pytest

from tests.support.cli import Shell
from tests.support.project import ROOT
from tests.support.walks import assert_shown, shown_commands, walk

DOCUMENT = ROOT / "docs" / "loading-data.md"

SITUATIONS = "## Four situations"


def test_walks_print_what_is_shown(fresh_url: str, tmp_path: Path) -> None:
    _, _, walks = DOCUMENT.read_text(encoding="utf-8").partition(SITUATIONS)
    commands = list(shown_commands(re.split(r"^## ", walks, flags=re.MULTILINE)[0]))
    assert len(commands) > 12
    walk(Shell(fresh_url, tmp_path), commands)


@pytest.mark.parametrize("changed", ["another", ""])
def test_assert_shown_can_fail(changed: str) -> None:
    shown = ["first", "...", "last 2 rows in 0.3 s"]
    assert_shown("first\nmiddle\nlast 2 rows in 9.9 s\n", shown, ["vasti"])
    with pytest.raises(AssertionError):
        assert_shown(f"first\nmiddle\nlast{changed} 3 rows in 9.9 s\n", shown, ["vasti"])
    with pytest.raises(AssertionError):
        assert_shown(f"first\nlast 2 rows in 9.9 s\nmore {changed}\n", shown, ["vasti"])
