"""`vasti suggest` as a person uses it: no database, the profile to stdout or a file, the table beside it."""

from pathlib import Path

import pytest

from data.sample.city import write_sample
from geo.ingestion.mapping import read_profile
from tests.support import factories as f
from tests.support.cli import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell whose database is nowhere: nothing here may ask for one."""
    return Shell("postgresql+psycopg://nobody@127.0.0.1:9/none", tmp_path)


ANSWERS: dict[str, list[object]] = {
    "HH_NO": ["p-01", "p-02", "p-03"],
    "respondent_name": ["Asha Kale", "Asha Kale", "Ravi More"],
    "phone": [9822012345, 9822012345, 9822054321],
    "story": ["born here", "came last year", "no tale at all"],
    "remarks": ["tap leaks", "asked twice", "no remark at all"],
    "shauchalay": ["septic tank", "khule mein shauch", "Other tank"],
    "odd\x1b[31mname": [1, 1, 2],
}


def write_answers(folder: Path) -> Path:
    rows = [dict(zip(ANSWERS, row, strict=True)) for row in zip(*ANSWERS.values(), strict=True)]
    return f.write_csv(folder / "our form.csv", rows)


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_suggest_to_stdout_is_a_profile(width: str, shell: Shell) -> None:
    path = write_answers(shell.folder)
    done = shell.run("suggest", path, COLUMNS=width)
    (shell.folder / "p.toml").write_text(done.stdout, encoding="utf-8")
    profile = read_profile(str(shell.folder / "p.toml"))
    assert profile.name == "our-form"
    assert profile.fields["toilet_type"].values == {"septic tank": "flush_septic", "khule mein shauch": "none"}
    assert '# "Other tank" = ""   # not recognised' in done.stdout
    assert "toilet_type" in done.stderr
    assert "1 answer is left to you" in " ".join(done.stderr.split())
    assert all(len(line) <= int(width) for line in done.stderr.splitlines())


def test_suggest_shows_nobody(shell: Shell) -> None:
    """No name, phone, remark or household's code, and nothing a terminal would obey."""
    done = shell.run("suggest", write_answers(shell.folder))
    for text in (
        *ANSWERS["HH_NO"],
        *ANSWERS["respondent_name"],
        *ANSWERS["phone"],
        *ANSWERS["story"],
        *ANSWERS["remarks"],
        "\x1b",
    ):
        assert str(text) not in done.stdout + done.stderr
    assert "(not shown, 2 different)" in done.stderr
    assert "(not shown, 3 different)" in done.stderr
    assert "(text, 3 different)" in done.stderr


def test_suggest_to_a_file_and_what_it_refuses(shell: Shell) -> None:
    path = write_answers(shell.folder)
    done = shell.run("suggest", path, "--out", "ours.toml", "--name", "ours")
    assert "toilet_type" in done.stdout
    assert "--profile ours.toml" in done.stdout
    assert read_profile(str(shell.folder / "ours.toml")).name == "ours"
    assert "is there already" in shell.run("suggest", path, "--out", "ours.toml", code=2).stderr
    assert ".toml" in shell.run("suggest", path, "--out", "ours.txt", code=2).stderr
    assert "does not exist" in shell.run("suggest", "nowhere.csv", code=1).stderr


def test_suggest_then_assess_gives_the_figures_of_the_shipped_profile(shell: Shell) -> None:
    """A proposal used at once, without a word changed, gives the very figures the written profile gives."""
    files = write_sample(shell.folder / "files", settlements=12, households=1_500)
    boundaries, survey = files.boundaries, files.surveys[1]
    shell.run("suggest", boundaries.path, "--out", "places.toml")
    shell.run("suggest", survey.path, "--out", "answers.toml")
    assert survey.profile is not None
    for out, places, answers in (
        ("proposed", "places.toml", "answers.toml"),
        ("shipped", boundaries.profile, survey.profile),
    ):
        arguments = ("--profile", answers, "--boundaries-profile", places, "--mode", "census", "--skip-errors")
        shell.run("assess", boundaries.path, survey.path, "--out", out, *arguments)
    proposed, shipped = (shell.folder / out / "figures.csv" for out in ("proposed", "shipped"))
    assert proposed.read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8")
    assert len(shipped.read_text(encoding="utf-8").splitlines()) > 150
