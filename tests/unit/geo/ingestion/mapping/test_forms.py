"""XLSForms: groups, repeats, choices and labels as the sheets say them, and a sentence where they contradict."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from geo.errors import FormInvalid
from geo.ingestion.mapping import read_form
from geo.ingestion.mapping.forms.form import Choice, form_of_content
from tests.support import factories as f

SURVEY: list[list[Any]] = [
    ["type", "name", "label::English (en)", "label::Español (es)"],
    ["start", "start", None, None],
    ["begin group", "water", "Water", "Agua"],
    ["select_one source or_other", "main", "Main source", "Fuente principal"],
    ["select all that apply from source", "all", "All sources", "Todas las fuentes"],
    ["end group", None, None, None],
    ["begin_repeat", "members", "Members", "Miembros"],
    ["integer", "age", "Age", "Edad"],
    ["end_repeat", None, None, None],
    ["gps", "where", "Where", "Dónde"],
]
CHOICES: list[list[Any]] = [
    ["list name", "name", "label::English (en)", "label::Español (es)"],
    ["source", "tap", "Tap", "Grifo"],
    [None, None, None, None],
    ["source", 2, "Well", "Pozo"],
]


def test_read_form_reads_groups_choices_and_languages(tmp_path: Path) -> None:
    settings = [["default_language"], ["Español (es)"]]
    sheets: dict[str, Sequence[Sequence[Any]]] = {"survey": SURVEY, "choices": CHOICES, "settings": settings}
    form = read_form(f.write_sheet(tmp_path / "form.xlsx", sheets))
    by_column = {question.column: question for question in form.questions}
    assert list(by_column) == ["start", "water/main", "water/main_other", "water/all", "members/age", "where"]
    main = by_column["water/main"]
    assert (main.type, main.labels["Español (es)"], main.list_name) == ("select_one", "Fuente principal", "source")
    assert by_column["water/all"].type == "select_multiple"
    assert by_column["where"].type == "geopoint"
    assert by_column["members/age"].is_repeated
    assert form.choices(main) == (
        Choice("tap", {"English (en)": "Tap", "Español (es)": "Grifo"}),
        Choice("2", {"English (en)": "Well", "Español (es)": "Pozo"}),
        Choice("other", {"": "Other"}),
    )
    assert form.default_language == "Español (es)"


def test_form_of_content_is_that_of_the_workbook(tmp_path: Path) -> None:
    content = {
        "translations": ["English (en)", "Español (es)"],
        "survey": [
            {"type": "begin_group", "name": "water", "label": ["Water", "Agua"]},
            {
                "type": "select_one",
                "$autoname": "main",
                "select_from_list_name": "source",
                "label": ["Main source", "Fuente principal"],
            },
            {"type": "end_group"},
            {"type": "geopoint", "name": "where", "label": ["Where", None]},
        ],
        "choices": [{"list_name": "source", "name": "tap", "label": ["Tap", "Grifo"]}],
    }
    form = form_of_content("asset", json.loads(json.dumps(content)))
    main, where = form.questions
    assert (main.column, main.type, main.labels["Español (es)"]) == ("water/main", "select_one", "Fuente principal")
    assert [dict(labels) for labels in main.group_labels] == [{"English (en)": "Water", "Español (es)": "Agua"}]
    assert dict(where.labels) == {"English (en)": "Where"}
    assert form.choices(main) == (Choice("tap", {"English (en)": "Tap", "Español (es)": "Grifo"}),)
    with pytest.raises(FormInvalid, match="give it with --form"):
        form_of_content("asset", {"survey": "nothing"})


@pytest.mark.parametrize(
    ("survey", "choices", "sentence"),
    [
        (None, CHOICES, "it has no sheet survey, only choices"),
        ([["label"], ["Water"]], CHOICES, "needs the columns type and name"),
        ([["type", "name"], ["select_one nothing", "q"]], CHOICES, "uses the list 'nothing', which the sheet choices"),
        ([["type", "name"], ["text", "q"], ["text", "q"]], CHOICES, "the name 'q' stands on two questions of a group"),
        ([["type", "name"], ["begin group", "g"]], CHOICES, "the group 'g' does not end"),
        ([["type", "name"], ["end group", None]], CHOICES, "without its begin"),
        (SURVEY, [*CHOICES, ["source", "tap", "Stream", "Arroyo"]], "the code 'tap' twice, with different labels"),
    ],
)
def test_read_form_says_what_is_wrong(
    tmp_path: Path, survey: list[list[str]] | None, choices: list[list[str]], sentence: str
) -> None:
    sheets = {name: rows for name, rows in (("survey", survey), ("choices", choices)) if rows is not None}
    with pytest.raises(FormInvalid, match=re.escape(sentence)):
        read_form(f.write_sheet(tmp_path / "form.xlsx", sheets))


def test_read_form_refuses_what_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "form.xlsx").write_text("type,name")
    with pytest.raises(FormInvalid, match="cannot be opened as a workbook"):
        read_form(tmp_path / "form.xlsx")
    with pytest.raises(FormInvalid, match="does not exist"):
        read_form(tmp_path / "none.xlsx")


@pytest.mark.parametrize(
    ("file", "questions", "lists"),
    [
        ("kobo_ona_exports/form_with_multiple_select.xlsx", 30, 5),
        ("kobo_ona_exports/grouped_gps.xlsx", 2, 2),
        ("kobo_ona_exports/mali_health.xlsx", 15, 7),
        ("kobo_ona_exports/nested_repeats.xlsx", 9, 2),
        ("iq_reach_kobo/xlsform.xlsx", 223, 47),
    ],
)
def test_read_form_reads_real_forms(real_files: Path, file: str, questions: int, lists: int) -> None:
    form = read_form(real_files / file)
    assert (len(form.questions), len(form.lists)) == (questions, lists)
    assert all(form.choices(q) for q in form.questions if q.type in ("select_one", "select_multiple"))
