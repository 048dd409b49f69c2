"""Decisions: what somebody may say of an upload in each of its states, and what follows."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, update

from geo.database.schema.uploads import State, upload
from geo.errors import Conflict
from geo.ingestion.loading import Choices, choices_of
from geo.ingestion.uploads.upload import Step, find_upload
from geo.messages import Message

Decision = Literal["accept", "skip_errors", "recheck", "refuse", "withdraw"]


_FROM: Mapping[Decision, tuple[State, ...]] = {
    "accept": ("checked",),
    "skip_errors": ("checked", "waiting"),
    "recheck": ("checked", "waiting", "refused"),
    "refuse": ("received", "checked", "waiting"),
    "withdraw": ("loaded",),
}

_TO: Mapping[Decision, State] = {
    "accept": "accepted",
    "skip_errors": "accepted",
    "recheck": "received",
    "refuse": "refused",
    "withdraw": "withdrawing",
}

NEXT_STEP: Mapping[Decision, Step] = {
    "accept": "loading",
    "skip_errors": "loading",
    "recheck": "checking",
    "withdraw": "withdrawing",
}
"""What is to be asked of a worker after a decision."""


def decide(connection: Connection, upload_id: int, decision: Decision, choices: Choices | None = None) -> None:
    """Notes what somebody decided of an upload; `choices` are those of a recheck, as the model of its kind.

    Raises:
        NotFound: there is no such upload that the reader may see.
        Conflict: in its state that cannot be decided.
    """
    row = find_upload(connection, upload_id)
    if decision == "skip_errors" and not row["rows_loaded"]:
        raise Conflict("upload_without_rows", upload=upload_id)
    chosen: Choices = choices_of(row) if choices is None else choices
    chosen = chosen.model_copy(update={"skip_errors": decision == "skip_errors"})
    problem = Message("refused_by_reviewer").as_json() if decision == "refuse" else None
    values: dict[str, Any] = {"state": _TO[decision], "choices": chosen.kept(), "problem": problem}
    changed = connection.execute(
        update(upload).where(upload.c.id == upload_id, upload.c.state.in_(_FROM[decision])).values(values)
    )
    if changed.rowcount == 0:
        raise Conflict("upload_not_decidable", upload=upload_id, state=row["state"])


def decisions_for(row: Any) -> list[Decision]:
    """What can be decided of an upload in its state."""
    possible: list[Decision] = [decision for decision, states in _FROM.items() if row["state"] in states]
    if "skip_errors" in possible and not (row["rows_loaded"] and row["rows_rejected"]):
        possible.remove("skip_errors")
    return possible
