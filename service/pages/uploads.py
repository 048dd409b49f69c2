"""`/uploads`: a file sent by a form, and the page of an upload: what was understood, what is wrong, what to decide."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, get_args

import numpy as np
from fastapi import APIRouter, Request, Response
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from geo.base import PageRequest, validated
from geo.errors import InputError
from geo.indicators.definitions import read_catalogue
from geo.ingestion.findings import FIXABLE, find_misplaced
from geo.ingestion.loading import KINDS, Asked, Choices, Kind, SurveyChoices, choices_of, every_choice
from geo.ingestion.mapping import UNKNOWN
from geo.ingestion.suggesting import DETAIL, NOTHING
from geo.ingestion.uploads import Decision, find_upload
from geo.people import Acting
from geo.places import find_city, places_on
from geo.settings import Settings
from geo.surveys import find_survey
from maps import words
from maps.sketch import Sketch, draw_sketch
from service.actions.receive import look_for_room, take_in, written
from service.actions.uploads import decide_upload, describe, is_for_steward, read_findings
from service.http.access import acting, reading_in_full
from service.http.html import page, see_other
from service.http.middleware.body_limits import declared_bytes
from service.http.parameters import Cursor, Id
from service.pages.forms import FormText, FormTexts
from service.pages.upload_columns import (
    YES_NO,
    other_columns,
    taken_answers,
    unmatched_columns,
    used_columns,
)
from service.pages.wording import (
    CONFIDENCE,
    IS_BUSY,
    QUEUED,
    STEPS,
    TRUST_OF_ANSWERS,
    queued_turn,
    state_in_words,
)

router = APIRouter()

_MISPLACED_SHOWN = 500
_FINDINGS_A_PAGE = 200
_ENCODINGS = ("utf-8", "cp1252", "cp1250", "cp1251", "cp1256", "latin-1", "iso-8859-2", "cp850", "utf-16")

_NO_TEXTS: list[str] = []


@router.post("/uploads")
async def send(request: Request) -> Response:
    """Takes a file in, as the API does, and goes on to its page."""
    # The form comes with the cookie alone: it is looked at before the file is read, and its token after.
    await run_in_threadpool(_look_who_sends, request)
    async with request.form(max_files=1, max_fields=10) as form:
        number = await run_in_threadpool(_take_in, request, form)
    return see_other(request, f"/uploads/{number}")


def _look_who_sends(request: Request) -> None:
    with reading_in_full(request, "contributor"):
        look_for_room(request.app.state.settings, declared_bytes(request.scope))


def _take_in(request: Request, form: FormData) -> int:
    settings: Settings = request.app.state.settings
    file, fields = form.get("file"), {name: value for name, value in form.items() if isinstance(value, str)}
    if not isinstance(file, UploadFile) or not file.filename:
        raise InputError("file_not_chosen")
    csrf = fields.pop("csrf", "")
    with (
        written(file.file, file.filename, settings.upload_max_bytes, settings.incoming_dir) as original,
        acting(request, "contributor", csrf) as done,
    ):
        return take_in(done, settings, original, fields)


@router.get("/uploads/{number}")
def one(request: Request, number: Id) -> Response:
    """An upload, whatever has become of it."""
    with reading_in_full(request, "contributor") as reading:
        row = find_upload(reading.connection, number)
        told = describe(reading.connection, [row], "page")[0]
        choices, kind = choices_of(row), KINDS[row["content"]]
        columns = used_columns(told, choices)
        # Two maps may be drawn, or none: while a file is worked on its page is asked for every other second.
        outlines = cache(partial(_outlines, reading.connection, row))
        return page(
            request,
            "upload.html",
            bearer=reading.bearer,
            upload=told,
            state=_state(told),
            is_busy=told["state"] in IS_BUSY,
            step=STEPS.get(row["step"]) if row["step"] else None,
            decisions=[d for d in told["decisions"] if reading.bearer.may("steward") or not is_for_steward(row, d)],
            needs_steward=any(is_for_steward(row, d) for d in told["decisions"]),
            fixable=0 if told["choices"]["fix"] else sum(g["count"] for g in told["findings"] if g["code"] in FIXABLE),
            where=_where(row, outlines),
            misplaced=_misplaced(reading, row, outlines),
            columns=columns,
            unmatched=unmatched_columns(told, columns, choices),
            others=other_columns(told, columns, choices),
            answers=taken_answers(reading.connection, told, choices),
            kind=kind,
            encodings=_ENCODINGS,
            confidence=CONFIDENCE,
            trust_of_answers=TRUST_OF_ANSWERS,
            changes=_changes(reading, told),
            places=_place_changes(told),
        )


def _place_changes(told: dict[str, Any]) -> dict[str, Any] | None:
    """What becomes of settlements or facilities; checks of earlier versions did not look at wards, or at their days."""
    places: dict[str, Any] | None = (told["preview"] or {}).get("places")
    if places is None:
        return None
    moves = [{"valid_from_on": None} | move for move in places.get("moves", [])]
    return {"moved": 0} | places | {"moves": moves}


def _state(told: dict[str, Any]) -> tuple[str, str]:
    """What has become of an upload: a heading, and what it means."""
    heading, meaning = state_in_words(told["state"], KINDS[told["content"]].words)
    if told["queued"] is None:
        return heading, meaning
    return QUEUED[told["state"]], f"{queued_turn(told['queued']['before'])} {meaning}"


def _outlines(connection: Connection, row: Any) -> Sequence[BaseGeometry | None]:
    """Those of the city: as a round is placed in them, or as they are today."""
    city_id = find_city(connection, row["city"])
    on = find_survey(connection, city_id, row["survey"])["starts_on"] if row["survey"] else datetime.now(UTC).date()
    return list(places_on(connection, city_id, on).places.shapes)


Outlines = Callable[[], Sequence[BaseGeometry | None]]


def _where(row: Any, outlines: Outlines) -> Sketch | None:
    """Where some of the file's rows lie."""
    read_as = row["read_as"] or {}
    positions = np.array(read_as.get("positions", []), dtype=np.float64).reshape(-1, 2)
    new = [shape(outline) for outline in read_as.get("outlines", [])]
    if len(positions) == 0 and not new:
        return None
    label = f"Where rows of {row['file_name']} lie beside the city's settlements."
    return draw_sketch(outlines(), positions, label, new)


def _misplaced(reading: Acting, row: Any, outlines: Outlines) -> Sketch | None:
    """Where rows lie that are found to lie wrongly."""
    positions = find_misplaced(reading.connection, row["id"], _MISPLACED_SHOWN)
    if len(positions) == 0:
        return None
    return draw_sketch(outlines(), positions, "Where the rows lie that have findings of their positions.")


def _changes(reading: Acting, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of the city before this upload and with it, in words."""
    definitions = read_catalogue(reading.connection).newest
    return [
        {
            "name": definition.name,
            "before": None if figure["before"] is None else words.format_value(figure["before"], definition),
            "after": None if figure["after"] is None else words.format_value(figure["after"], definition),
            "n_before": words.optional_count(figure["n_before"]),
            "n_after": words.optional_count(figure["n_after"]),
        }
        for figure in (told["preview"] or {"figures": []})["figures"]
        if (definition := definitions.get(figure["indicator"])) is not None
    ]


@router.post("/uploads/{number}/decision")
def decide(request: Request, number: Id, csrf: FormText, decision: FormText) -> Response:
    """Notes a decision and shows the upload again."""
    if decision not in get_args(Decision):
        raise InputError("decision_unknown")
    return _decide(request, number, csrf, decision, None)  # type: ignore[arg-type]


@router.post("/uploads/{number}/reading")
async def read_otherwise(request: Request, number: Id, csrf: FormText) -> Response:
    """Has a file checked again, read in another way."""
    # What is asked depends on the kind of file.
    form = await request.form()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_read_otherwise, request, number, csrf, fields)


def _read_otherwise(request: Request, number: int, csrf: str, fields: dict[str, str]) -> Response:
    before, kind = _choices(request, number)
    said: dict[str, Any] = {name: fields.get(name, "").strip() or None for name in ("layer", "encoding", "crs")}
    asked = {choice.name: _answered(choice, fields.get(choice.name, "")) for choice in kind.asked}
    return _recheck(request, number, csrf, before, said | asked)


def _answered(choice: Asked, text: str) -> str | bool | None:
    """What a form says of a choice."""
    return text or None if choice.options or choice.is_day else text == "yes"


@router.post("/uploads/{number}/columns")
def match_columns(
    request: Request, number: Id, csrf: FormText, column: FormTexts, field: FormTexts, was: FormTexts
) -> Response:
    """Has a file checked again, with other fields for its columns."""
    said = {name: now for name, now, before in _rows(column, field, was) if name and now != before}
    before, _ = _choices(request, number)
    free = {NOTHING, DETAIL}
    held = {name: now for name, now in before.columns.items() if now in free or now not in said.values()}
    return _recheck(request, number, csrf, before, {"columns": held | said})


@router.post("/uploads/{number}/answers")
def say_answers(
    request: Request,
    number: Id,
    csrf: FormText,
    field: FormTexts,
    text: FormTexts,
    means: FormTexts,
    was: FormTexts,
    kind: FormTexts,
) -> Response:
    """Has a file checked again, with what its answers mean: those that were changed, and those that were guessed.

    What stands in the form beside a guess has been looked at. `kind` is `sure` or `guessed`, after `detail` where the
    answer stands in a column that tells more of another's.
    """
    words = {word: meaning for meaning, word in YES_NO.items()}
    before = _survey_choices(request, number)
    chosen: dict[str, dict[str, dict[str, Any]]] = before.model_dump(include={"answers", "details"})
    for name, answer, meaning, earlier, of in _rows(field, text, means, was, kind):
        said = chosen["details" if "detail" in of else "answers"].setdefault(name, {})
        if meaning == earlier and "sure" in of:
            continue
        was_said = said.pop(answer, None) is not None
        if meaning:
            said[answer] = words.get(meaning, meaning)
        elif earlier and not was_said:
            said[answer] = UNKNOWN
    kept = {choice: {name: said for name, said in of.items() if said} for choice, of in chosen.items()}
    return _recheck(request, number, csrf, before, kept)


@router.post("/uploads/{number}/kept")
def keep_columns(
    request: Request, number: Id, csrf: FormText, column: FormTexts, was: FormTexts, keep: FormTexts = _NO_TEXTS
) -> Response:
    """Has a file checked again, with other columns kept beside the answers: those that are ticked."""
    before = _survey_choices(request, number)
    changed = {name for name, kept in _rows(column, was) if (kept == "kept") != (name in keep)}
    given = {
        "keep": [name for name in before.keep if name not in changed] + [n for n in column if n in changed & set(keep)],
        "leave_out": [name for name in before.leave_out if name not in changed]
        + [n for n in column if n in changed - set(keep)],
    }
    return _recheck(request, number, csrf, before, given)


def _rows(*columns: Sequence[str]) -> list[tuple[str, ...]]:
    """The rows of a form's table, each of whose columns is a field that came several times.

    Raises:
        InputError: some of it did not come.
    """
    if len({len(column) for column in columns}) > 1:
        raise InputError("form_incomplete")
    return list(zip(*columns, strict=True))


def _recheck(request: Request, number: int, csrf: str, before: Choices, given: dict[str, Any]) -> Response:
    """Has a file checked again with other choices."""
    return _decide(request, number, csrf, "recheck", validated(every_choice(), before.kept() | given))


def _choices(request: Request, number: int) -> tuple[Choices, Kind[Any]]:
    """How an upload is read, and its kind; a profile that was made of its columns is made anew."""
    with reading_in_full(request, "contributor") as reading:
        row = find_upload(reading.connection, number)
    choices: Choices = choices_of(row)
    if row["understood"] is not None:
        choices = choices.model_copy(update={"profile": None})
    return choices, KINDS[row["content"]]


def _survey_choices(request: Request, number: int) -> SurveyChoices:
    """The same of a file whose answers and columns can be chosen."""
    choices, kind = _choices(request, number)
    if not isinstance(choices, SurveyChoices):
        raise InputError("answers_not_of_kind", kind=kind.name)
    return choices


def _decide(request: Request, number: int, csrf: str, decision: Decision, choices: Choices | None) -> Response:
    with acting(request, "contributor", csrf) as done:
        decide_upload(done, number, decision, choices)
    return see_other(request, f"/uploads/{number}")


@router.get("/uploads/{number}/findings")
def findings(request: Request, number: Id, cursor: Cursor = None) -> Response:
    """Every finding, row by row."""
    with acting(request, "contributor") as done:
        row, found, rows = read_findings(done, number, PageRequest(_FINDINGS_A_PAGE, cursor), "page")
        return page(
            request,
            "findings.html",
            bearer=done.bearer,
            upload=row,
            findings=rows,
            total=found.total,
            next_cursor=found.next_cursor,
        )
