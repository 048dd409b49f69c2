"""Questions with several answers become one standard answer, and no answer is lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from geo.ingestion.mapping import Profile, Value
from geo.ingestion.mapping.profile import FieldMapping, Multiple
from tests.support.factories import write_csv
from tests.support.mapping import Found, mapped

WATER: dict[str, Value] = {"taps": "public_tap", "borehole": "borehole", "wells": "unprotected_well", "dk": "unknown"}
BEST_FIRST: list[Value] = ["public_tap", "borehole"]


def answers(tmp_path: Path, name: str, rows: list[dict[str, Any]], **mapping: Any) -> tuple[list[Any], Found]:
    """What rows of a question called `q` become, beside a household's code."""
    path = write_csv(tmp_path / "rows.csv", [{"code": f"H{i}", **row} for i, row in enumerate(rows)])
    profile = Profile(name="p", fields={name: FieldMapping(column="q", **mapping)})
    observations, found = mapped(path, profile)
    assert observations.extra is not None
    for row, line in zip(rows, observations.extra.to_pylist(), strict=True):
        assert {k: v for k, v in json.loads(line).items() if v is not None and k != "code"} == {
            k: str(v) for k, v in row.items() if v is not None
        }
    return observations.fields[name].to_pylist(), found


def test_map_one_cell_takes_the_preferred_answer(tmp_path: Path) -> None:
    cells = ["wells borehole taps", "wells borehole", "wells", "dk wells", "dk", None, "  "]
    given, found = answers(
        tmp_path, "water_source", [{"q": c} for c in cells[:-1]], values=WATER, multiple=Multiple(prefer=BEST_FIRST)
    )
    assert given == ["public_tap", "borehole", "unprotected_well", "unprotected_well", None, None]
    assert found == []


def test_map_one_cell_in_file_order_without_preference(tmp_path: Path) -> None:
    given, _ = answers(tmp_path, "water_source", [{"q": "wells taps"}], values=WATER, multiple=Multiple())
    assert given == ["unprotected_well"]


def test_map_one_cell_reports_each_unknown_answer(tmp_path: Path) -> None:
    rows = [{"q": "river taps rain"}, {"q": "rain"}]
    given, found = answers(tmp_path, "water_source", rows, values=WATER, multiple=Multiple())
    assert given == ["public_tap", None]
    assert sorted(found) == [
        (2, "value_unmapped", "water_source", "rain"),
        (2, "value_unmapped", "water_source", "river"),
        (3, "value_unmapped", "water_source", "rain"),
    ]
    others = Multiple(others="other", prefer=["public_tap"])
    assert answers(tmp_path, "water_source", rows, values=WATER, multiple=others) == (["public_tap", "other"], [])


@pytest.mark.parametrize("cell", ["ANDE, irregular", "ande,irregular", " irregular ,ANDE"])
def test_map_one_cell_with_another_separator(tmp_path: Path, cell: str) -> None:
    values = {"ANDE": "metered", "irregular": "irregular"}
    multiple = Multiple(separator=", ", prefer=["irregular"])
    given, found = answers(tmp_path, "electricity", [{"q": cell}], values=values, multiple=multiple)
    assert (given, found) == (["irregular"], [])


@pytest.mark.parametrize(
    ("separator", "cell"),
    [(" ", "Open well Tap in the yard"), (", ", "Open well, Tap, in the yard"), (", ", "Open well")],
)
def test_map_one_cell_answers_that_hold_the_separator(tmp_path: Path, separator: str, cell: str) -> None:
    values = {"Tap in the yard": "piped_yard", "Tap, in the yard": "piped_yard", "Open well": "unprotected_well"}
    multiple = Multiple(separator=separator, prefer=["unprotected_well"])
    given, found = answers(tmp_path, "water_source", [{"q": cell}], values=values, multiple=multiple)
    assert (given, found) == (["unprotected_well"], [])


def test_map_one_cell_yes_or_no(tmp_path: Path) -> None:
    """Any yes is yes; an answer nobody understood may have been one, so no stays open beside it."""
    cells = ["phone radio", "radio", "radio radio2", "odd phone", "odd radio", "dk", "dk radio"]
    values: dict[str, Any] = {"phone": True, "radio": False, "radio2": False, "dk": "unknown"}
    given, found = answers(tmp_path, "device", [{"q": c} for c in cells], values=values, multiple=Multiple())
    assert given == [True, False, False, True, None, None, False]
    assert [(f[0], f[3]) for f in found] == [(5, "odd"), (6, "odd")]
    others = Multiple(others=False)
    given, found = answers(tmp_path, "device", [{"q": c} for c in cells], values=values, multiple=others)
    assert (given, found) == ([True, False, False, True, False, None, False], [])


@pytest.mark.parametrize("mark", ["/", ".", ":"])
@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("TRUE", "FALSE"), ("yes", "no")])
def test_map_choices_of_a_column_each(tmp_path: Path, mark: str, yes: str, no: str) -> None:
    rows: list[dict[str, Any]] = [
        {f"q{mark}wells": yes, f"q{mark}taps": yes, f"q{mark}river": no},
        {f"q{mark}wells": yes, f"q{mark}taps": no, f"q{mark}river": no},
        {f"q{mark}wells": no, f"q{mark}taps": no, f"q{mark}river": no},
        {f"q{mark}wells": None, f"q{mark}taps": None, f"q{mark}river": None},
        {f"q{mark}wells": no, f"q{mark}taps": yes, f"q{mark}river": yes},
    ]
    multiple = Multiple(prefer=["public_tap"])
    given, found = answers(tmp_path, "water_source", rows, values=WATER, multiple=multiple)
    assert given == ["public_tap", "unprotected_well", None, None, "public_tap"]
    assert found == [(6, "value_unmapped", "water_source", "river")]


def test_map_choices_where_the_cell_is_blank(tmp_path: Path) -> None:
    """The cell comes first; a column may hold the choice itself, and what is neither yes nor no is reported."""
    rows: list[dict[str, Any]] = [
        {"q": "wells", "q/taps": 1, "q/wells": 0},
        {"q": None, "q/taps": 1, "q/wells": 0},
        {"q": None, "q/taps": 0, "q/wells": "wells"},
        {"q": None, "q/taps": "some", "q/wells": 1},
        {"q": "wells", "q/taps": "some", "q/wells": 1},
    ]
    given, found = answers(tmp_path, "water_source", rows, values=WATER, multiple=Multiple(prefer=BEST_FIRST))
    assert given == ["unprotected_well", "public_tap", "unprotected_well", "unprotected_well", "unprotected_well"]
    assert found == [(5, "value_unmapped", "water_source", "taps: some")]


def test_map_choices_yes_or_no(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"q/phone": a, "q/radio": b, "q/odd": c} for a, b, c in [(1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 0), (1, 0, 1)]
    ]
    values = {"phone": True, "radio": False}
    given, found = answers(tmp_path, "device", rows, values=values, multiple=Multiple())
    assert given == [True, False, None, None, True]
    assert [(f[0], f[3]) for f in found] == [(4, "odd"), (6, "odd")]


def test_map_choices_under_the_name_r_gives_them(tmp_path: Path) -> None:
    rows = [{"q.Open.well": 1, "q.Tap": 0}]
    values = {"Open well": "unprotected_well", "Tap": "public_tap"}
    assert answers(tmp_path, "water_source", rows, values=values, multiple=Multiple()) == (["unprotected_well"], [])
