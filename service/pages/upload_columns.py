"""What an upload's page shows of a file's columns and answers: what they hold, how sure that is, what may be chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from geo.errors import ProfileInvalid
from geo.fields import standard_fields
from geo.ingestion.findings import find_unmapped
from geo.ingestion.loading import KINDS, Choices, SurveyChoices
from geo.ingestion.mapping import Profile
from geo.ingestion.suggesting import DETAIL, NOTHING
from geo.messages import Message

_ANSWERS_SHOWN = 40
YES_NO: Mapping[Any, str] = {True: "yes", False: "no"}
"""How yes and no stand in a form."""


def _profile(choices: Choices) -> Profile | None:
    """The profile a file is read with; None: there is none, or none that can be used."""
    try:
        return choices.mapping()
    except ProfileInvalid:
        return None


def used_columns(told: dict[str, Any], choices: Choices) -> list[dict[str, Any]]:
    """Each column that is used or might be, with what it holds, how sure that is and why."""
    understood = told["understood"]
    if understood is None:
        return []
    known = {(m["column"], m["field"]): m for m in understood["matched"]}
    rows: dict[str, dict[str, Any]] = {}
    for field, column in _in_use(choices, told["content"]).items():
        if column in rows:
            rows[column]["also"].append(field)
            continue
        said = known.get((column, field))
        as_before = Message("remembered_for_columns" if understood["is_remembered"] else "said_by_profile")
        rows[column] = _row(column, field, "sure", as_before.say("page"))
        if said is not None and not understood["is_remembered"]:
            rows[column] |= {"confidence": said["confidence"], "why": said["why"]}
    for column, field in _details(choices).items():
        is_said = choices.columns.get(column) == DETAIL or understood["is_remembered"]
        why = Message("tells_more_for_field", field=field)
        rows.setdefault(column, _row(column, DETAIL, "sure" if is_said else "likely", why.say("page")))
    # What somebody said stays said, also where the file cannot be read with it yet.
    for column, field in choices.columns.items():
        if column not in rows:
            rows[column] = _row(column, field, "sure", Message("chosen_by_you").say("page"))
    for (column, field), said in known.items():
        if column not in rows and said["confidence"] == "unsure":
            why = Message("perhaps_field", field=field, why=said["why"])
            rows[column] = _row(column, NOTHING, "unsure", why.say("page"))
    return list(rows.values())


def _row(column: str, field: str, confidence: str, why: str) -> dict[str, Any]:
    return {"column": column, "field": field, "confidence": confidence, "why": why, "also": []}


def _in_use(choices: Choices, content: str) -> Mapping[str, str]:
    """The column that holds each field; of a profile that cannot be used, nothing."""
    try:
        return KINDS[content].used_columns(choices)
    except ProfileInvalid:
        return {}


def _details(choices: Choices) -> dict[str, str]:
    """The columns that tell more of an answer, by the profile the file is read with, and the field each belongs to."""
    profile = _profile(choices)
    fields = {} if profile is None else profile.fields
    return {detail.column: field for field, mapping in fields.items() for detail in mapping.when}


def unmatched_columns(told: dict[str, Any], columns: Sequence[dict[str, Any]], choices: Choices) -> list[str]:
    """Columns nothing is said of yet."""
    if told["understood"] is None:
        return []
    profile = _profile(choices)
    used = {row["column"] for row in columns}
    used |= {column for mapping in (profile.fields.values() if profile else ()) for column in mapping.plus}
    return [column for column in told["understood"]["columns"] if column not in used]


def other_columns(told: dict[str, Any], columns: Sequence[dict[str, Any]], choices: Choices) -> list[dict[str, Any]]:
    """Columns that no field uses, with what persons they are about, and whether they are kept, where any can be."""
    if not isinstance(choices, SurveyChoices):
        return []
    personal = {each["column"]: each["holds"] for each in (told["read_as"] or {}).get("personal", [])}
    profile = _profile(choices)
    kept = {*choices.keep, *(profile.keep if profile else ())} - set(choices.leave_out)
    left = {*choices.leave_out, *(profile.leave_out if profile else ())} - set(choices.keep)
    used = [row for row in columns if row["field"] != NOTHING]
    listed = dict.fromkeys([*personal, *unmatched_columns(told, used, choices), *left])
    return [
        {"column": c, "holds": personal.get(c, ""), "is_kept": c not in left and (c not in personal or c in kept)}
        for c in listed
    ]


def taken_answers(connection: Connection, told: dict[str, Any], choices: Choices) -> list[dict[str, Any]]:
    """Every answer of the file with what it is taken for and may mean: what to look at first.

    A file that was checked by an earlier version has only those that nobody knew.
    """
    if not isinstance(choices, SurveyChoices):
        return []
    taken = (told["read_as"] or {}).get("answers", [])
    known = {(each["field"], each["text"]) for each in taken}
    unknown = find_unmapped(connection, told["id"], _ANSWERS_SHOWN)
    taken = taken + [
        {"field": f, "text": text, "rows": n, "means": None, "is_detail": False, "confidence": "unsure", "why": ""}
        for f, text, n in unknown
        if (f, text) not in known
    ]
    said = [(f, t, d) for d, of in ((False, choices.answers), (True, choices.details)) for f in of for t in of[f]]
    asked = [
        each
        | {
            "means": YES_NO.get(each["means"], each["means"]) if isinstance(each["means"], bool) else each["means"],
            "choices": _meanings(each["field"]),
            "was_said": (each["field"], each["text"], each["is_detail"]) in said,
        }
        for each in taken
    ]
    order = ("unsure", "likely", "sure")
    return sorted((each for each in asked if each["choices"]), key=lambda each: order.index(each["confidence"]))


def _meanings(name: str) -> list[str]:
    """What an answer to a field may mean; nothing for a field that holds numbers, dates or texts."""
    field = standard_fields().get(name)
    if field is None:
        return []
    return list(field.codes) or (list(YES_NO.values()) if field.type == "boolean" else [])
