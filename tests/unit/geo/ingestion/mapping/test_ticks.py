"""Options of a question in columns of 0 and 1: a household with zeros alone was not asked."""

from pathlib import Path
from typing import Any

import pytest

from geo.ingestion.mapping import Profile
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.mapping.ticks import options_by_question
from geo.ingestion.reading import ReadOptions
from geo.ingestion.suggesting import suggest_profile
from tests.support.factories import write_csv
from tests.support.mapping import mapped


def has_internet(tmp_path: Path, rows: list[dict[str, Any]], column: str) -> tuple[list[Any], list[tuple[int, str]]]:
    """What one option's column says of internet, and the rows and kinds of findings."""
    profile = Profile(name="p", fields={"internet": FieldMapping(column=column)})
    observations, found = mapped(write_csv(tmp_path / "rows.csv", rows), profile)
    return observations.fields["internet"].to_pylist(), [(row, code) for row, code, _, _ in found]


@pytest.mark.parametrize("mark", ["/", "."])
@pytest.mark.parametrize("others", [["none"], ["Don't know", "tv"], ["tv", "radio", "car"]])
def test_zeros_alone_are_no_answer(tmp_path: Path, mark: str, others: list[str]) -> None:
    def row(internet: int, other: int) -> dict[str, Any]:
        return {f"has{mark}internet": internet} | {f"has{mark}{option}": other for option in others}

    rows = [row(1, 0), row(0, 1), row(0, 0), {**row(0, 0), f"has{mark}{others[0]}": None}]
    answers, found = has_internet(tmp_path, rows, f"has{mark}internet")
    assert answers == [True, False, None, False]
    assert found == [(4, "question_not_asked")]


def test_zeros_beside_the_question_s_own_column_are_no_answer(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"has": "internet", "has/internet": 1, "has/tv": 0},
        {"has": "tv", "has/internet": 0, "has/tv": 1},
        {"has": None, "has/internet": 0, "has/tv": 0},
    ]
    assert has_internet(tmp_path, rows, "has/internet")[0] == [True, False, None]


@pytest.mark.parametrize(
    "rows",
    [
        # Two questions of a group; a group that has a number too; options that are none of one question.
        [{"home/internet": 0, "home/wall": 0}, {"home/internet": 1, "home/wall": 0}],
        [{"home/internet": 0, "home/rooms": 3, "home/a": 0, "home/b": 0}],
        [{"internet": 0, "tv": 0, "radio": 0, "none": 0}],
    ],
)
def test_questions_of_their_own_are_answered_no(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    column = next(name for name in rows[0] if name.endswith("internet"))
    answers, found = has_internet(tmp_path, rows, column)
    assert answers[0] is False
    assert not found


def test_a_proposal_counts_those_who_were_asked(tmp_path: Path) -> None:
    asked = [{"devices/internet": n % 2, "devices/tv": 1 - n % 2, "devices/none": 0} for n in range(4)]
    rows = [*asked, *[dict.fromkeys(asked[0], 0)] * 6]
    proposal = suggest_profile(write_csv(tmp_path / "rows.csv", rows), ReadOptions())
    seen = proposal.evidence.columns["devices/internet"]
    assert (seen.n_given, dict(seen.counts)) == (4, {"0": 2, "1": 2})


def test_options_by_question() -> None:
    columns = ["a/x", "a/y", "b", "b/x", "b/y", "c/one", "d.none", "d.one", "e"]
    assert options_by_question(columns) == {"b": ["b/x", "b/y"], "d": ["d.none", "d.one"]}
