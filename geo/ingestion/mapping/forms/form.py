"""Forms: the questions of a KoboToolbox or ODK form and their choices, read from its XLSForm."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from geo.base import fold_name
from geo.errors import FormInvalid
from geo.ingestion.reading.workbooks import cell_text

Labels = Mapping[str, str]
"""What a thing is called, by language; the language is blank where the form names none."""

_SELECTS = (
    (re.compile(r"(?:add )?select[ _]one(?: prompt)?(?: from| using)?[ _](?!from_file|from file)(\S+)"), "select_one"),
    (
        re.compile(r"(?:add )?select[ _](?:multiple|all that apply)(?: prompt)?(?: from| using)?[ _](?!from)(\S+)"),
        "select_multiple",
    ),
    (re.compile(r"rank[ _](\S+)"), "rank"),
)
_OR_OTHER = re.compile(r"(?<!\s)\s++(?:or[ _]other|or specify other)$", re.IGNORECASE)
_OPENS = re.compile(r"begin[ _](group|repeat|loop|score|rank|kobomatrix)\b", re.IGNORECASE)
_CLOSES = re.compile(r"end[ _](group|repeat|loop|score|rank|kobomatrix)\b", re.IGNORECASE)
_PLACES = {"location": "geopoint", "gps": "geopoint", "trace": "geotrace", "shape": "geoshape"}

OTHER, SPECIFY_OTHER = "other", "Specify other."
"""The choice and the question that `or_other` adds to a select question."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """One choice of a list: the code that answers hold, and what people read."""

    code: str
    labels: Labels


@dataclass(frozen=True, eq=False)
class FormQuestion:
    """One question: its group path and name, its type, and what people read."""

    path: tuple[str, ...]
    type: str
    labels: Labels
    list_name: str | None = None
    group_labels: tuple[Labels, ...] = ()
    is_repeated: bool = False

    @property
    def name(self) -> str:
        """Its name, without its groups."""
        return self.path[-1]

    @property
    def column(self) -> str:
        """Its column in an export: groups and name, parted by `/`."""
        return "/".join(self.path)


@dataclass(frozen=True)
class Form:
    """A form: its questions in order, and the choices of each list."""

    name: str
    questions: tuple[FormQuestion, ...]
    lists: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    default_language: str | None = None

    def choices(self, question: FormQuestion) -> tuple[Choice, ...]:
        """The choices of a select question; none where they stand outside the form."""
        return self.lists.get(question.list_name or "", ())


def read_form(path: Path) -> Form:
    """The form in an XLSForm workbook.

    Raises:
        FormInvalid: it is no XLSForm, or its sheets contradict each other; the message says where.
    """
    if not path.is_file():
        raise FormInvalid("form_missing", form=path)
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = {name.strip().lower(): workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names}
    except (CalamineError, OSError) as error:
        raise FormInvalid("form_no_workbook", form=path.name) from error
    if "survey" not in sheets:
        has = workbook.sheet_names
        raise FormInvalid("form_without_survey_sheet", form=path.name, sheets=has)
    rows = {name: _rows(sheets.get(name, [])) for name in ("survey", "choices", "settings")}
    if not {"type", "name"}.issubset(_heads(sheets["survey"])):
        raise FormInvalid("form_without_type_and_name", form=path.name)
    settings = rows["settings"][0] if rows["settings"] else {}
    return build_form(path.name, rows["survey"], rows["choices"], settings.get("default_language"))


def form_of_content(name: str, content: Mapping[str, Any]) -> Form:
    """The form as KoboToolbox's API gives it: labels are lists, in the order of `translations`.

    Raises:
        FormInvalid: the content is no form, or contradicts itself.
    """
    languages = ["" if language is None else str(language) for language in content.get("translations") or [""]]
    try:
        survey = [_row_of_content(row, languages) for row in content["survey"]]
        choices = [_row_of_content(row, languages) for row in content.get("choices") or []]
    except (KeyError, TypeError, AttributeError) as error:
        raise FormInvalid("form_otherwise_described", form=name) from error
    settings = content.get("settings") or {}
    return build_form(name, survey, choices, settings.get("default_language") if isinstance(settings, dict) else None)


def _row_of_content(row: Mapping[str, Any], languages: Sequence[str]) -> Row:
    labels = row.get("label") or []
    labels = labels if isinstance(labels, list) else [labels]
    # Beyond the translations that are named, a label has no language.
    named = {
        f"label::{language}" if language else "label": str(label)
        for language, label in zip(languages, labels, strict=False)
        if label
    }
    kind = " ".join(filter(None, [str(row.get("type", "")), row.get("select_from_list_name")]))
    if str(row.get("type", "")).endswith(str(row.get("select_from_list_name") or "\0")):
        kind = str(row["type"])
    code = row.get("name", row.get("$autoname", row.get("$autovalue", "")))
    return {"type": kind, "name": str(code), "list_name": str(row.get("list_name", "")), **named}


def _rows(cells: Sequence[Sequence[object]]) -> list[Row]:
    """The rows of a sheet by its header, without blank cells and blank rows."""
    heads = _heads(cells)
    rows = [
        {head: text.strip() for head, cell in zip(heads, row, strict=False) if head and (text := cell_text(cell))}
        for row in cells[1:]
    ]
    return [row for row in rows if any(row.values())]


def _heads(cells: Sequence[Sequence[object]]) -> list[str]:
    """The names of a sheet's columns."""
    header = [" ".join((cell_text(cell) or "").split()) for cell in (cells[0] if cells else [])]
    # Only label columns carry a language, whose spelling is kept; every other header is compared in one spelling.
    return [head if head.lower().startswith("label") else head.lower().replace(" ", "_") for head in header]


def build_form(name: str, survey: Iterable[Row], choices: Iterable[Row], default_language: str | None) -> Form:
    """A form from the rows of its sheets.

    Raises:
        FormInvalid: groups do not close, a name stands twice in a group, or a question's list does not exist.
    """
    lists = _lists(name, choices)
    questions: list[FormQuestion] = []
    open_groups: list[tuple[str, str, Labels]] = []
    for row in survey:
        kind = " ".join(row.get("type", "").split())
        if not kind:
            continue
        opens, closes = _OPENS.match(kind), _CLOSES.match(kind)
        if opens:
            open_groups.append((row.get("name", ""), opens[1].lower(), _labels(row)))
        elif closes:
            if not open_groups:
                raise FormInvalid("form_group_ends_unbegun", form=name, found=closes[0])
            open_groups.pop()
        else:
            questions += _questions(name, row, kind, open_groups, lists)
    if open_groups:
        raise FormInvalid("form_group_open", form=name, kind=open_groups[-1][1], group=open_groups[-1][0])
    seen: set[tuple[str, ...]] = set()
    for question in questions:
        if question.path in seen:
            raise FormInvalid("form_name_twice", form=name, question=question.column)
        seen.add(question.path)
    return Form(name, tuple(questions), {key: tuple(values) for key, values in lists.items()}, default_language)


def _questions(
    form: str, row: Row, kind: str, groups: Sequence[tuple[str, str, Labels]], lists: dict[str, list[Choice]]
) -> list[FormQuestion]:
    """The question of a row, and the one `or_other` adds to it."""
    if not row.get("name"):
        return []
    takes_other = _OR_OTHER.search(kind) is not None
    type_, list_name = _type(_OR_OTHER.sub("", kind))
    if list_name is not None and list_name not in lists:
        told = {"form": form, "question": row["name"], "list": list_name}
        if not lists:
            raise FormInvalid("form_list_unknown_none_there", **told)
        raise FormInvalid("form_list_unknown", **told, known=sorted(lists))
    path = (*(group for group, _, _ in groups if group), row["name"])
    group_labels = tuple(labels for group, _, labels in groups if group)
    repeated = any(opened == "repeat" for _, opened, _ in groups)
    question = FormQuestion(path, type_, _labels(row), list_name, group_labels, repeated)
    if not takes_other or list_name is None:
        return [question]
    if OTHER not in {choice.code for choice in lists[list_name]}:
        lists[list_name].append(Choice(OTHER, {"": "Other"}))
    other = FormQuestion((*path[:-1], f"{path[-1]}_other"), "text", {"": SPECIFY_OTHER}, None, group_labels, repeated)
    return [question, other]


def _type(kind: str) -> tuple[str, str | None]:
    for pattern, type_ in _SELECTS:
        found = pattern.fullmatch(kind)
        if found:
            return type_, found[1]
    return _PLACES.get(kind.lower(), kind.lower()), None


def _lists(form: str, rows: Iterable[Row]) -> dict[str, list[Choice]]:
    lists: dict[str, list[Choice]] = {}
    seen: dict[tuple[str, str], Labels] = {}
    for row in rows:
        list_name, code = row.get("list_name", ""), row.get("name", row.get("value", ""))
        if not list_name or not code:
            continue
        labels = _labels(row)
        choices = lists.setdefault(list_name, [])
        # A cascading list may repeat a choice under several filters; only with two meanings it cannot be used.
        earlier = seen.setdefault((list_name, code), labels)
        if earlier is labels:
            choices.append(Choice(code, labels))
        elif {fold_name(text) for text in earlier.values()} != {fold_name(text) for text in labels.values()}:
            raise FormInvalid("form_code_twice", form=form, list=list_name, code=code)
    return lists


def _labels(row: Row) -> Labels:
    """The labels of a row by language: `label`, `label::Español (es)`, `label:English`."""
    labels = {}
    for head, text in row.items():
        plain, _, language = head.partition(":")
        if plain.strip().lower() == "label" and text:
            labels[language.strip(": ")] = text
    return labels
