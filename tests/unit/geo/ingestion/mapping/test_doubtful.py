"""Numbers that stand for no answer, nothings that were blanks, and numbers far above the others."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.loading.facilities.rows import settle_rows
from geo.ingestion.mapping import Profile
from geo.ingestion.mapping.doubtful import not_answers
from geo.ingestion.mapping.profile import FieldMapping
from tests.support.factories import write_csv
from tests.support.mapping import mapped


class Seen(Protocol):
    """What a column of numbers becomes, and how many findings of each kind there are."""

    def __call__(
        self, field: str, given: Sequence[Any], *, results: Sequence[str] = (), **mapping: Any
    ) -> tuple[list[Any], Counter[str]]: ...


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """Reads a file with one column of numbers, and one of the results of visits."""

    def read(
        field: str, given: Sequence[Any], *, results: Sequence[str] = (), **mapping: Any
    ) -> tuple[list[Any], Counter[str]]:
        visits = results or ["completed"] * len(given)
        rows = [{"q": number, "result": result} for number, result in zip(given, visits, strict=True)]
        fields = {field: FieldMapping(column="q", **mapping), "interview_result": FieldMapping(column="result")}
        path = write_csv(tmp_path / "rows.csv", rows)
        observations, found = mapped(path, Profile(name="p", fields=fields))
        return observations.fields[field].to_pylist(), Counter(code for _, code, _, _ in found)

    return read


@pytest.mark.parametrize(
    ("field", "others", "codes"),
    [
        ("members", [3, 4, 5, 6, 9], [99, 88, 98, 77]),
        ("rooms", [1, 2, 3, 1, 2], [99, 88]),
        ("water_minutes", [5, 10, 30, 60, 45], [998, 999, 996]),
        ("head_age", [25, 35, 40, 44, 38], [99, 98]),
    ],
)
def test_codes_far_above_the_others_are_no_answers(seen: Seen, field: str, others: list[int], codes: list[int]) -> None:
    column, found = seen(field, [*others, *codes])
    assert column == [*others, *[None] * len(codes)]
    assert found["value_coded"] == len(codes)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        # Nothing stands apart: there are households, or heads, nearly as large or old.
        ("members", [3, 5, 60, 99]),
        ("head_age", [30, 75, 88, 99]),
        ("water_minutes", [10, 60, 99]),
        # Nothing to compare with, and a large household that no form writes for don't know.
        ("members", [99, 99]),
        ("members", [4, 5, 6, 40]),
    ],
)
def test_numbers_that_may_be_meant_stay(seen: Seen, field: str, given: list[int]) -> None:
    column, found = seen(field, given)
    assert column == given
    assert not found


def test_a_number_far_above_the_others_is_told_and_stays(seen: Seen) -> None:
    sizes = [3, 4, 5, 6] * 5
    column, found = seen("members", [*sizes, 45])
    assert column[-1] == 45
    assert found == {"value_far_above": 1}
    assert seen("members", [*sizes, 24])[1] == {}
    assert seen("rooms", [*[1, 2, 3, 2] * 5, 40])[1] == {"value_far_above": 1}


def test_what_the_profile_says_of_a_number_holds(seen: Seen) -> None:
    column, found = seen("members", [*[3, 4, 5, 6] * 5, 99], values={"99": 99})
    assert column[-1] == 99
    assert found == {"value_far_above": 1}
    assert seen("members", ["3", "99"], values={"99": "unknown"}) == ([3, None], Counter())


def test_nobody_and_no_room_are_unknown_where_somebody_was_asked(seen: Seen) -> None:
    column, found = seen("members", [0, 4, 0], results=["completed", "completed", "vacant"])
    assert column == [None, 4, 0]
    assert found == {"value_impossible": 1}
    assert seen("rooms", [0, 2])[0] == [None, 2]
    # To fetch water may take no time.
    assert seen("water_minutes", [0, 2])[0] == [0, 2]


def test_codes_in_another_unit_are_told_as_they_are_written(seen: Seen) -> None:
    column, found = seen("water_minutes", [1.5, 2, 99], unit="hours")
    assert column == [90, 120, None]
    assert sum(found.values()) == 1


def test_not_answers() -> None:
    assert not_answers([1, 2, 99, 999]) == {99, 999}
    assert not_answers([]) == set()
    assert not_answers([50, 99]) == set()


def test_seats_that_may_be_no_answer_are_told() -> None:
    findings = Findings()
    rows = pd.DataFrame(
        {
            "row_number": [2, 3, 4],
            "code": ["a", "b", "c"],
            "seats": pd.array([8, 10, 99], dtype="Int64"),
            "seats_working": pd.array([8, None, None], dtype="Int64"),
            "is_working": pd.array([True, True, True], dtype="boolean"),
            "opened_on": [None] * 3,
            "closed_on": [None] * 3,
            "seats_misread": False,
        }
    )
    settled = settle_rows(rows, findings)
    assert list(settled["seats"]) == [8, 10, 99]
    (told,) = findings.frame().to_dict("records")
    assert (told["code"], told["row_number"], told["value"]) == ("seats_doubtful", 4, "99")
