"""Uploads: what is told of them and decided of them, and reading their findings and files."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from geo.base import Page, PageRequest
from geo.database import limit_lock_waits
from geo.errors import InvalidParameter, InvalidParameters
from geo.ingestion.findings import FindingGroup, find_findings, find_groups
from geo.ingestion.loading import KINDS, Choices, all_choices, checked_choices, choices_of, originals
from geo.ingestion.uploads import (
    BEGINS_AS,
    NEXT_STEP,
    Decision,
    decide,
    decisions_for,
    find_upload,
    list_uploads,
)
from geo.messages import Audience, Message, clauses_of_json, say_clauses
from geo.people import Acting
from service.work.queue import defer_upload, waiting_before

_NEWEST = 200

_DECIDING_WAITS_S = 2.0

logger = logging.getLogger("vasti.uploads")


def decide_upload(done: Acting, number: int, decision: Decision, choices: Choices | None) -> Any:
    """Notes what is decided of an upload and asks a worker to do it; the upload's row.

    `choices` are those of a recheck, as a model of `every_choice`.

    Raises:
        InvalidParameters: some of it cannot be chosen of such a file.
        NotFound: there is no such upload, or it is not the bearer's to see.
        NotAllowed: it changes published figures, settlements or facilities, which is for a steward.
        Conflict: in its state that cannot be decided.
    """
    limit_lock_waits(done.connection, _DECIDING_WAITS_S)
    before = find_upload(done.connection, number)
    if choices is not None and decision != "recheck":
        raise InvalidParameters([InvalidParameter("choices", "choices_without_recheck")])
    if is_for_steward(before, decision):
        done.require("steward")
    decide(done.connection, number, decision, choices and checked_choices(KINDS[before["content"]], choices))
    step = NEXT_STEP.get(decision)
    if step is not None:
        defer_upload(done.connection, number, step)
    after = find_upload(done.connection, number)
    facts = {"before": {"state": before["state"]}, "after": {"state": after["state"]}}
    logger.info("decided", extra={"facts": {"upload": number, "decision": decision}})
    done.note(f"decided: {decision}", f"upload {number}", owner_id=before["organisation_id"], **facts)
    return after


def is_for_steward(row: Any, decision: Decision) -> bool:
    """Whether a decision changes published figures, or what every round of the city rests on."""
    changes_published = row["survey_state"] == "published" and decision in ("accept", "skip_errors", "withdraw")
    makes_places = decision in ("accept", "skip_errors") and choices_of(row).needs_steward()
    return changes_published or makes_places or KINDS[row["content"]].decided_by == "steward"


def read_findings(done: Acting, number: int, page: PageRequest, form: str) -> tuple[Any, Page, list[dict[str, Any]]]:
    """Reads what is wrong with which row of a file, which the audit notes: the upload's row, and the findings as
    geo.ingestion.findings.find_findings has them. `form` is how they are handed out, such as `csv`.

    Raises:
        NotFound: there is no such upload that the actor may see.
    """
    row = find_upload(done.connection, number)
    found, rows = find_findings(done.connection, number, page, "page" if form == "page" else "api")
    facts = {"format": form, "rows": len(rows)}
    done.note("findings read", f"upload {number}", owner_id=row["organisation_id"], after=facts)
    return row, found, rows


def read_file(done: Acting, number: int, originals_url: str) -> tuple[str, Iterator[bytes]]:
    """Reads a file as it was sent, which the audit notes: its name and its bytes.

    Raises:
        NotFound: there is no such upload that the actor may see.
        as geo.ingestion.loading.originals.open_kept.
    """
    row = find_upload(done.connection, number)
    kept = originals.open_kept(originals.Kept.of(row), originals_url)
    done.note("file read", f"upload {number}", owner_id=row["organisation_id"])
    return row["file_name"], kept


def newest(
    reading: Acting, audience: Audience, *, survey_id: int | None = None, places_of: int | None = None
) -> list[Any]:
    """The newest uploads of a round, or of a city's places, as `describe` has them."""
    found = list_uploads(reading.connection, PageRequest(limit=_NEWEST), survey_id, places_of)
    return describe(reading.connection, [row._mapping for row in found.rows], audience)


def describe(connection: Connection, rows: Sequence[Any], audience: Audience) -> list[dict[str, Any]]:
    """Uploads as service.api.uploads.bodies.Upload has them, but for their links."""
    groups = find_groups(connection, [row["id"] for row in rows])
    queued = waiting_before(connection, [row["id"] for row in rows if is_queued(row)])
    return [_describe(row, groups.get(row["id"], []), queued.get(row["id"]), audience) for row in rows]


def is_queued(row: Any) -> bool:
    """Whether an upload waits for a worker to begin its next step."""
    return row["step"] is None and row["state"] in BEGINS_AS.values()


_PLAIN = (
    *("id", "city", "survey", "content", "file_name", "sha256", "size_bytes", "uploaded_by", "uploaded_at"),
    *("preview", "profile"),
)
_COUNTS = ("rows_read", "rows_loaded", "rows_warned", "rows_rejected")


def _describe(row: Any, groups: Sequence[FindingGroup], before: int | None, audience: Audience) -> dict[str, Any]:
    is_public = row["state"] == "loaded" and row["survey_state"] == "published"
    return {name: row[name] for name in _PLAIN} | {
        **_problem(row["problem"], audience),
        "understood": _understood(row["understood"], audience),
        "read_as": _read_as(row["read_as"], audience),
        "state": "published" if is_public else row["state"],
        "queued": None if before is None else {"before": before},
        "progress": _progress(row),
        "counts": None if row["rows_read"] is None else {name: row[name] for name in _COUNTS},
        "findings": [_group(group, audience) for group in groups],
        "choices": all_choices(row),
        "decisions": decisions_for(row),
    }


def _problem(kept: dict[str, Any] | None, audience: Audience) -> dict[str, Any]:
    """Why an upload waits or was refused: a sentence, its code and what it is about."""
    if kept is None:
        return dict.fromkeys(("problem", "problem_code", "problem_params"))
    said = Message.of_json(kept["code"], kept["params"]).say(audience)
    return {"problem": said, "problem_code": kept["code"], "problem_params": kept["params"]}


def _understood(kept: dict[str, Any] | None, audience: Audience) -> dict[str, Any] | None:
    """What was understood of a file, with its notes and reasons in words. Earlier versions kept them so."""
    if kept is None:
        return None
    notes = [note if isinstance(note, str) else Message.of_json(**note).say(audience) for note in kept["notes"]]
    reasoned = {name: _reasoned(kept[name], audience) for name in ("matched", "guessed") if name in kept}
    return kept | {"notes": notes} | reasoned


def _read_as(kept: dict[str, Any] | None, audience: Audience) -> dict[str, Any] | None:
    """How a file was read, with the reasons of its answers' meanings in words."""
    if kept is None or "answers" not in kept:
        return kept
    return kept | {"answers": _reasoned(kept["answers"], audience)}


def _reasoned(kept: Sequence[dict[str, Any]], audience: Audience) -> list[dict[str, Any]]:
    """What was kept with its reason, in words and as parts."""
    clauses = [clauses_of_json(each["why"]) for each in kept]
    return [
        each | {"why": say_clauses(why, audience), "why_parts": [clause.as_json() for clause in why]}
        for each, why in zip(kept, clauses, strict=True)
    ]


def _progress(row: Any) -> dict[str, Any] | None:
    if row["step"] is None:
        return None
    total = row["rows_total"]
    share = None if not total else min(1.0, row["rows_done"] / total)
    names = ("step", "rows_done", "rows_total")
    return {name: row[name] for name in names} | {"share": share, "at": row["step_at"]}


def _group(group: FindingGroup, audience: Audience) -> dict[str, Any]:
    return {
        "code": group.code,
        "severity": group.severity,
        "field": group.field,
        "count": group.count,
        "rows": list(group.rows),
        "params": group.params(),
        "sentence": group.sentence(audience),
    }
