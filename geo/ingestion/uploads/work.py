"""The work on a file somebody sent: checked by a trial load, loaded, or taken back.

Each step looks at the upload's state under a lock and does nothing where the state is not its own, so that a step that
is asked for twice, or by two workers, is done once.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database import check_disk, limit_lock_waits, lock_survey, transaction, translated_errors
from geo.database.schema.access import account
from geo.database.schema.uploads import State, finding, remembered_profile, upload, upload_progress
from geo.errors import (
    Busy,
    ChoiceNeeded,
    Conflict,
    DatabaseUnavailable,
    InputError,
    Locked,
    NotFound,
    UnknownFormat,
    UnreadableFile,
    VastiError,
)
from geo.ingestion.findings.stored import write_findings
from geo.ingestion.loading import (
    KINDS,
    Choices,
    ErrorsFound,
    LoadOptions,
    LoadResult,
    Original,
    Progress,
    choices_of,
    originals,
    withdraw,
)
from geo.ingestion.loading.partitions import make_partition, shrink_empty
from geo.ingestion.suggesting.understand import columns_key
from geo.ingestion.uploads.preview import NOTHING_READ, compare, find_figures, outcome, read_as, to_choose_from
from geo.ingestion.uploads.upload import BEGINS_AS, Step, uploads
from geo.messages import Message
from geo.people import note_as

_TELL_EVERY_S = 0.5
_LOCK_NAMESPACE = 0x75706C64

# A load has read its file by the time it waits for its turn. What waits in vain is tried again, behind other uploads.
_CHECK_WAITS_S, _LOAD_WAITS_S, _TIDYING_WAITS_S = 20.0, 120.0, 0.5


@dataclass(frozen=True)
class Limits:
    """What the work on one file may take."""

    max_rows: int | None = None
    disk: Path | None = None
    """A folder on the disk that must have room for the file once more before it is read."""


class Work:
    """A step of the work on one upload, done by the account that owns the tables."""

    def __init__(self, engine: Engine, upload_id: int, originals_url: str, limits: Limits | None = None) -> None:
        self._engine = engine
        self._id = upload_id
        self._originals_url = originals_url
        self._limits = limits or Limits()
        self._told_s = 0.0

    def do(self, step: Step) -> bool:
        """Does the step where it is the upload's turn; whether it was.

        Raises:
            DatabaseUnavailable: the database went away; nothing of the step was saved.
            StorageFull: there is no room to read the file; nothing was begun.
            Locked: others had for long what the step needs; it is to be tried again.
        """
        with translated_errors(), self._engine.connect() as holding:
            # The lock is the connection's, which ends with this block: of two workers the second waits, and finds the
            # first one's work.
            holding.detach()
            holding.execute(select(func.pg_advisory_lock(_LOCK_NAMESPACE, self._id)))
            holding.commit()
            with transaction(self._engine) as connection:
                row = connection.execute(uploads().where(upload.c.id == self._id)).mappings().one_or_none()
            if row is None or row["state"] != BEGINS_AS[step]:
                return False
            if self._limits.disk is not None and step != "withdrawing":
                check_disk(self._limits.disk, row["size_bytes"])
            self._make_room(row)
            self._tell(step, 0, None)
            {"checking": self._check, "loading": self._load, "withdrawing": self._withdraw}[step](row)
            return True

    def _make_room(self, row: Any) -> None:
        """Makes the round's part of the table of households beforehand.

        Where others have the tables for long, or load the round's first file, this is left to the load.
        """
        if row["survey_id"] is None:
            return
        with suppress(Locked), transaction(self._engine) as connection:
            make_partition(connection, row["survey_id"])

    def _give_room_back(self, row: Any) -> None:
        """What a trial load wrote and took back takes room until then."""
        if row["survey_id"] is None:
            return
        with suppress(Locked), transaction(self._engine) as connection:
            limit_lock_waits(connection, _TIDYING_WAITS_S)
            lock_survey(connection, row["survey_id"])
            shrink_empty(connection, row["survey_id"])

    def _check(self, row: Any) -> None:
        """Loads the file, looks at what came of it, and takes it back."""
        result: LoadResult | None = None
        preview: dict[str, Any] | None = None
        values: dict[str, Any] = {}
        choices = choices_of(row)
        try:
            with (
                originals.as_file(originals.Kept.of(row), self._originals_url) as path,
                transaction(self._engine) as connection,
                connection.begin_nested() as trial,
            ):
                limit_lock_waits(connection, _CHECK_WAITS_S)
                choices, values = self._understand(connection, path, row)
                before = find_figures(connection, row)
                result = self._ingest(connection, path, row, choices, "checking", skip_errors=True)
                preview = compare(before, find_figures(connection, row), result.changes)
                trial.rollback()
        except ErrorsFound as error:
            result = error.result
        except Locked:
            raise
        except (InputError, Conflict, NotFound) as error:
            # What a choice may mend waits for one.
            is_hopeless = isinstance(error, UnknownFormat | UnreadableFile) and not isinstance(error, ChoiceNeeded)
            state = "refused" if is_hopeless else "waiting"
            values |= {
                "state": state,
                "problem": error.message.as_json(),
                **NOTHING_READ,
                "read_as": to_choose_from(error),
            }
        if result is not None:
            understood = values.get("understood", row["understood"]) or {}
            guessed = [] if understood.get("is_remembered") else understood.get("guessed", [])
            answers = choices.told_answers(result.answers, guessed)
            values |= outcome(result, preview) | {"read_as": read_as(result, answers)}
        with transaction(self._engine) as connection:
            # Somebody may have refused it meanwhile.
            still = upload.c.state == BEGINS_AS["checking"]
            changed = connection.execute(update(upload).where(upload.c.id == self._id, still).values(values))
            connection.execute(delete(finding).where(finding.c.upload_id == self._id))
            if changed.rowcount and result is not None:
                write_findings(connection, self._id, result.findings)
            self._done(connection)
        self._give_room_back(row)

    def _load(self, row: Any) -> None:
        """Loads the file; what has come up since it was checked makes it wait again."""
        choices = choices_of(row)
        try:
            with (
                originals.as_file(originals.Kept.of(row), self._originals_url) as path,
                transaction(self._engine) as connection,
            ):
                limit_lock_waits(connection, _LOAD_WAITS_S)
                result = self._ingest(connection, path, row, choices, "loading", skip_errors=choices.skip_errors)
                if result.state == "already loaded":
                    values = outcome(result, None)
                    connection.execute(update(upload).where(upload.c.id == self._id).values(values))
                else:
                    counts = {"rows_loaded": result.rows_loaded, "rows_rejected": result.rows_rejected}
                    self._note(connection, row, "file loaded", counts)
                    _remember(connection, row, choices, result)
                self._done(connection)
        except Locked:
            raise
        except ErrorsFound as error:
            self._wait(outcome(error.result, None)["problem"])
        except (InputError, Conflict, NotFound) as error:
            self._wait(error.message.as_json())

    def _withdraw(self, row: Any) -> None:
        try:
            with transaction(self._engine) as connection:
                limit_lock_waits(connection, _LOAD_WAITS_S)
                rows = withdraw(connection, self._id, as_decided=True)
                self._note(connection, row, "upload withdrawn", {"rows_withdrawn": rows})
                self._done(connection)
        except (Busy, DatabaseUnavailable, Locked):
            raise
        except VastiError as error:
            with transaction(self._engine) as connection:
                values = {"state": "loaded", "problem": error.message.as_json()}
                connection.execute(update(upload).where(upload.c.id == self._id).values(values))
                self._done(connection)

    def _understand(self, connection: Connection, path: Path, row: Any) -> tuple[Choices, dict[str, Any]]:
        """How the file is read, and what was understood of it.

        Where nobody has chosen a profile it is the one the organisation used last for such columns, or what they seem
        to hold; it becomes the choice, so that what is accepted is what was checked.
        """
        choices = choices_of(row)
        if choices.profile is not None:
            choices = choices.completed()
            return choices, {"choices": choices.kept()}
        kind = KINDS[row["content"]]
        understood = kind.understand(path, row, choices, self._limits.max_rows)
        known = select(remembered_profile.c.profile).where(
            remembered_profile.c.organisation_id == row["organisation_id"],
            remembered_profile.c.columns_sha256 == columns_key(understood.columns, kind.remembered_as),
        )
        # What somebody says of this file goes before what was right for another.
        remembered = None if choices.is_told() else connection.execute(known).scalar_one_or_none()
        choices = choices.model_copy(update={"profile": remembered or understood.profile}).completed()
        facts = understood.facts() | {"is_remembered": remembered is not None}
        return choices, {"understood": facts, "choices": choices.kept()}

    def _ingest(
        self, connection: Connection, path: Path, row: Any, choices: Choices, step: Step, *, skip_errors: bool
    ) -> LoadResult:
        kind = KINDS[row["content"]]
        options = LoadOptions(
            row["uploaded_by"],
            self._originals_url,
            row["organisation"],
            skip_errors=skip_errors,
            max_rows=self._limits.max_rows,
            on_trial=step == "checking",
            upload_id=self._id,
            only_own=not _is_from_operator(connection, row),
            original=Original(path, row["file_name"], row["sha256"], row["size_bytes"]),
            decided_by=kind.decided_by,
        )
        progress: Progress = lambda done, total: self._tell(step, done, total)  # noqa: E731 (it needs its type)
        return kind.load(connection, path, row, choices, options, progress)

    def _tell(self, step: Step, done: int, total: int | None) -> None:
        """Notes how far it has come, in a transaction of its own."""
        if done:
            if time.monotonic() - self._told_s < _TELL_EVERY_S:
                return
            self._told_s = time.monotonic()
        values = {"step": step, "rows_done": done, "rows_total": total, "at": func.now()}
        told = upsert(upload_progress).values(upload_id=self._id, **values)
        with transaction(self._engine) as connection:
            connection.execute(told.on_conflict_do_update(index_elements=["upload_id"], set_=values))

    def _wait(self, problem: dict[str, Any]) -> None:
        with transaction(self._engine) as connection:
            values = {"state": "waiting", "problem": problem}
            connection.execute(update(upload).where(upload.c.id == self._id).values(values))
            self._done(connection)

    def _done(self, connection: Connection) -> None:
        connection.execute(delete(upload_progress).where(upload_progress.c.upload_id == self._id))

    def _note(self, connection: Connection, row: Any, action: str, after: dict[str, Any]) -> None:
        """Notes in the audit what was done, in the name of who sent the file."""
        of = row["organisation_id"]
        note_as(connection, row["uploaded_by"], action, f"upload {self._id}", organisation_id=of, after=after)


def _is_from_operator(connection: Connection, row: Any) -> bool:
    return connection.execute(select(account.c.role).where(account.c.id == row["account_id"])).scalar() == "operator"


def _remember(connection: Connection, row: Any, choices: Choices, result: LoadResult) -> None:
    """Keeps the profile a file was loaded with, for the next file with its columns."""
    if result.read_as is None or choices.profile is None:
        return
    key = {
        "organisation_id": row["organisation_id"],
        "columns_sha256": columns_key(result.read_as.columns, KINDS[row["content"]].remembered_as),
    }
    kept = upsert(remembered_profile).values(**key, profile=choices.profile)
    connection.execute(kept.on_conflict_do_update(index_elements=list(key), set_={"profile": choices.profile}))


def give_up(engine: Engine, upload_id: int, step: Step, problem: Message) -> None:
    """Refuses an upload whose reading broke off; a load or a withdrawal that did goes back to where it was."""
    state: State = {"checking": "refused", "loading": "waiting", "withdrawing": "loaded"}[step]  # type: ignore[assignment]
    with transaction(engine) as connection:
        begun = upload.c.state == BEGINS_AS[step]
        values = {"state": state, "problem": problem.as_json()}
        connection.execute(update(upload).where(upload.c.id == upload_id, begun).values(values))
        connection.execute(delete(upload_progress).where(upload_progress.c.upload_id == upload_id))


def find_waiting(connection: Connection) -> list[tuple[int, Step]]:
    """The uploads a worker has something to do with, and what: to ask for what nobody is doing."""
    steps = {state: step for step, state in BEGINS_AS.items()}
    rows = connection.execute(
        select(upload.c.id, upload.c.state).where(upload.c.state.in_(steps)).order_by(upload.c.id)
    )
    return [(row.id, steps[row.state]) for row in rows]
