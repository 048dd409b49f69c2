"""Words that people stumble over stand nowhere in what they read: pages, messages, documents, docstrings, comments."""

import re
import subprocess

from tests.support.project import ROOT

READ = ("*.py", "*.pyi", "*.md", "*.html", "*.toml", "*.sql", "*.js", "*.css", "Makefile")
HABITS = re.compile(
    r"whoever|since ever|\bone's own\b|\(any more\)|\bsaid so\b|\bfor who (?!is )|by which it is known",
    re.IGNORECASE,
)


def test_the_worst_habits_stand_nowhere() -> None:
    listed = subprocess.run(["git", "ls-files", *READ], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in listed.splitlines()
        # What has been applied to databases is never rewritten.
        if not name.startswith(("tests/", "geo/database/migrations/"))
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
        if HABITS.search(line)
    ]
    assert found == []


def test_the_search_finds_them() -> None:
    assert HABITS.search("Whoever sends a file")
    assert HABITS.search("a key of one's own")
