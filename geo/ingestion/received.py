"""Files somebody sent: received, with choices of how they are read, and decided on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import Connection, Select, func, insert, select, update

from geo.access import Bearer
from geo.errors import Conflict, InvalidParameter, InvalidParameters, NotFound, quoted, shortened
from geo.fields import Content, standard_fields
from geo.ingestion.facility_columns import STANDARD
from geo.ingestion.formats import MAX_COLUMNS
from geo.ingestion.layers import LimitedReadOptions, ReadOptions
from geo.ingestion.loads import Target
from geo.ingestion.originals import Original
from geo.ingestion.placement import GPS_TOLERANCE_M, Placement
from geo.ingestion.profile import FieldMapping, Profile, Value, parse_profile, shipped_profile, shipped_profiles
from geo.ingestion.profile_text import add_answers, add_kept
from geo.ingestion.source import SourceOptions
from geo.ingestion.suggest import DETAIL, NOTHING, TARGETS
from geo.paging import Page, PageRequest, fetch_page
from geo.schema.facilities import FacilityKind
from geo.schema.places import city, organisation
from geo.schema.surveys import survey
from geo.schema.uploads import STATES, State, upload, upload_progress
from geo.text import is_storable

Step = Literal["checking", "loading", "withdrawing"]

BEGINS_AS: Mapping[Step, State] = {"checking": "received", "loading": "accepted", "withdrawing": "withdrawing"}
"""The state an upload must be in for a step to begin."""

AXES = ("longitude", "latitude")

_HOLDS: Mapping[Content, tuple[str, ...]] = {
    "survey": (*standard_fields(), *TARGETS, DETAIL),
    "boundaries": ("settlement_code", "settlement_name", "ward_code", "ward_name", *AXES, "radius"),
    "facilities": (*STANDARD.values(), *AXES),
}
"""What a column may hold, by what the file is of."""

_ONLY_OF: Mapping[str, tuple[Content, ...]] = {
    "answers": ("survey",),
    "details": ("survey",),
    "keep": ("survey",),
    "leave_out": ("survey",),
    "placement": ("survey",),
    "tolerance_m": ("survey",),
    "fix": ("survey",),
    "new_settlements": ("survey",),
    "kind": ("facilities",),
    "valid_from_on": ("boundaries",),
    "moved": ("boundaries",),
}
"""Choices that only some files have."""

_MOST_ANSWERS, _LONGEST_ANSWER = 1_000, 500


class Choices(BaseModel):
    """How a file is to be read, as its sender chose; what is not chosen, the file says itself."""

    model_config = ConfigDict(extra="forbid")

    crs: str | None = Field(
        default=None, max_length=2_000, description="CRS of the positions.", examples=["EPSG:32643"]
    )
    encoding: str | None = Field(default=None, max_length=100, description="Encoding of the text.", examples=["cp1252"])
    layer: str | None = Field(default=None, max_length=500, description="Layer, sheet or file to read.")
    profile: str | None = Field(
        default=None,
        max_length=1_000_000,
        description="A mapping profile: the name of a shipped one, or its TOML text.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        max_length=MAX_COLUMNS,
        description="What columns hold, where that was not understood rightly: a standard field, longitude, latitude, "
        "position (both in one text), detail (it tells more of an answer to another question), or nothing (an empty "
        "text); of boundaries, settlement_code, settlement_name, "
        "ward_code or ward_name; of facilities, what their standard columns are called. It counts where there is no "
        "profile.",
        examples=[{"q12_toilet": "toilet_type", "old_code": ""}],
    )
    answers: dict[str, dict[str, Value]] = Field(
        default_factory=dict,
        max_length=len(standard_fields()),
        description="What answers mean, where that was not understood: by standard field, an answer as the file has "
        "it, and its code, true or false, or unknown. The mapping profile takes them up.",
        examples=[{"drainage": {"nala": "open", "not seen": "unknown"}}],
    )
    details: dict[str, dict[str, Value]] = Field(
        default_factory=dict,
        max_length=len(standard_fields()),
        description="The same of columns that tell more of an answer, such as where a toilet flushes to: by standard "
        "field, what the column's texts make of the answer.",
        examples=[{"toilet_type": {"Creek": "flush_open", "Tank behind": "flush_septic"}}],
    )
    keep: list[str] = Field(
        default_factory=list,
        max_length=MAX_COLUMNS,
        description="Columns to keep with the rows, though they seem to be about persons (`read_as.personal`).",
    )
    leave_out: list[str] = Field(
        default_factory=list, max_length=MAX_COLUMNS, description="Columns not to keep with the rows."
    )
    placement: Placement | None = Field(default=None, description="How rows are placed.")
    tolerance_m: float = Field(default=GPS_TOLERANCE_M, ge=0, le=1_000, description="GPS tolerance in metres.")
    fix: bool = Field(default=False, description="Correct positions that are certain to be wrong.")
    kind: FacilityKind | None = Field(
        default=None, description="Of facilities: what all of them are, where the file does not say so."
    )
    valid_from_on: date | None = Field(
        default=None,
        description="Of boundaries: the day from which they hold. Where it is not said, those of new settlements "
        "hold for all rounds, and changes hold from the day they are loaded.",
    )
    moved: bool = Field(
        default=False,
        description="Of boundaries: most settlements lie where they did not lie before, and that is meant. Else such a "
        "file waits: its codes may stand for other settlements now.",
    )
    new_settlements: bool = Field(
        default=False,
        description="Of a survey: settlements that its rows name and the city does not have are made of what they "
        "name. A steward decides.",
    )
    skip_errors: bool = Field(default=False, description="Load the rows without errors.")

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        if not all(map(is_storable, _texts(value))):
            raise ValueError("contains a character that no text may hold")
        return value

    @field_validator("columns")
    @classmethod
    def _one_column_a_field(cls, columns: dict[str, str]) -> dict[str, str]:
        held = Counter(field for field in columns.values() if field not in (NOTHING, DETAIL))
        if twice := [field for field, times in held.items() if times > 1]:
            raise ValueError(f"say of two columns that they hold {shortened(twice[0])}; only one can")
        return columns

    @field_validator("answers", "details")
    @classmethod
    def _mean_something(cls, answers: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        for name, meanings in answers.items():
            field = standard_fields().get(name)
            if field is None or field.type not in ("code", "boolean"):
                raise ValueError(f"name {quoted([name])}, which is no standard field of codes, or of yes and no")
            fault = FieldMapping(column=name, values=meanings).fault(field)
            if fault:
                raise ValueError(f"say of {name} what cannot be: {fault}")
            if len(meanings) > _MOST_ANSWERS or any(not 0 < len(text.strip()) <= _LONGEST_ANSWER for text in meanings):
                raise ValueError(
                    f"name more than {_MOST_ANSWERS} answers of {name}, an empty one, or one longer than "
                    f"{_LONGEST_ANSWER} characters"
                )
        return answers

    def check(self, content: Content) -> None:
        """Holds that they can be chosen of a file of such content.

        Raises:
            InvalidParameters: one of them cannot.
        """
        wrong = [
            InvalidParameter(name, f"goes with files of {' and '.join(contents)} only")
            for name, contents in _ONLY_OF.items()
            if name in self.kept() and content not in contents
        ]
        held = [field for field in self.columns.values() if field != NOTHING]
        for field in held:
            if field not in _HOLDS[content]:
                what = "standard field" if content == "survey" else f"column of {content}"
                wrong.append(InvalidParameter("columns", f"name {field!r}, which is no {what}"))
        if content != "survey" and ("longitude" in held) != ("latitude" in held):
            wrong.append(InvalidParameter("columns", "name longitude without latitude, or latitude without longitude"))
        if wrong:
            raise InvalidParameters(wrong)

    def reading(self, max_rows: int | None = None) -> ReadOptions:
        """How to read the file itself, which may have so many rows."""
        return LimitedReadOptions(self.encoding, self.layer, self.crs, max_rows)

    def source(self, max_rows: int | None = None) -> SourceOptions:
        """How to read a file of observations, which may have so many rows.

        Raises:
            ProfileInvalid: the profile is none.
        """
        return SourceOptions(
            read=self.reading(max_rows),
            profile=self.mapping(),
            placement=self.placement,
            tolerance_m=self.tolerance_m,
            fix=self.fix,
            keep=tuple(self.keep),
            leave_out=tuple(self.leave_out),
            tell_answers=True,
        )

    def kept(self) -> dict[str, Any]:
        """The same as an upload keeps it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def mapping(self) -> Profile | None:
        """The mapping profile, if there is one.

        Raises:
            ProfileInvalid: it is none.
        """
        if self.profile is None:
            return None
        # Never the path of a file of this machine.
        return parse_profile(self._text(self.profile), "sent along")

    def with_answers(self) -> "Choices":
        """The same with a mapping profile that holds answers and which columns are kept, if there is one.

        Raises:
            ProfileInvalid: it is none.
        """
        if self.profile is None:
            return self
        profile = self.profile
        if self.answers or self.details:
            profile = add_answers(self._text(profile), self.answers, self.details)
        if self.keep or self.leave_out:
            profile = add_kept(self._text(profile), self.keep, self.leave_out)
        return self.model_copy(update={"profile": profile})

    @staticmethod
    def _text(profile: str) -> str:
        is_name = profile in shipped_profiles() or "\n" not in profile.strip()
        return shipped_profile(profile) if is_name else profile


def _texts(value: Any) -> Iterator[str]:
    """Every text in a choice, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(name)
            yield from _texts(inner)


def receive(connection: Connection, sender: Bearer, target: Target, original: Original, choices: Choices) -> int:
    """Takes a file in that is kept already; the upload's id. It is for the caller to have it checked."""
    return int(
        connection.execute(
            insert(upload)
            .values(
                organisation_id=sender.organisation_id,
                account_id=sender.account_id,
                city_id=target.city_id,
                content=target.content,
                survey_id=target.survey_id,
                sha256=original.sha256,
                file_name=original.file_name,
                size_bytes=original.size_bytes,
                uploaded_by=sender.email,
                profile={},
                state="received",
                choices=choices.kept(),
            )
            .returning(upload.c.id)
        ).scalar_one()
    )


def kept_bytes(connection: Connection, organisation_id: int, original: Original) -> int:
    """How much the files kept of an organisation take with this one; one that was sent twice is kept once."""
    known = (upload.c.organisation_id == organisation_id, upload.c.sha256 != original.sha256)
    others = select(upload.c.sha256, upload.c.size_bytes).where(*known).distinct().subquery()
    taken = connection.execute(select(func.coalesce(func.sum(others.c.size_bytes), 0))).scalar_one()
    return int(taken) + original.size_bytes


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
    """Notes what somebody decided of an upload; `choices` are those of a recheck.

    Raises:
        NotFound: there is no such upload that the reader may see.
        Conflict: in its state that cannot be decided.
        InvalidParameters: a choice is none of a file of such content.
    """
    row = find_upload(connection, upload_id)
    if choices is not None:
        choices.check(row["content"])
    if decision == "skip_errors" and not row["rows_loaded"]:
        raise Conflict(f"No row of upload {upload_id} could be loaded, so there is nothing to go on with.")
    chosen = Choices.model_validate(row["choices"]) if choices is None else choices
    chosen = chosen.model_copy(update={"skip_errors": decision == "skip_errors"})
    problem = "It was refused after it was checked." if decision == "refuse" else None
    values: dict[str, Any] = {"state": _TO[decision], "choices": chosen.kept(), "problem": problem}
    changed = connection.execute(
        update(upload).where(upload.c.id == upload_id, upload.c.state.in_(_FROM[decision])).values(values)
    )
    if changed.rowcount == 0:
        raise Conflict(f"Upload {upload_id} is {row['state']}: that cannot be decided now.")


def decisions_for(row: Any) -> list[Decision]:
    """What can be decided of an upload in its state."""
    possible: list[Decision] = [decision for decision, states in _FROM.items() if row["state"] in states]
    if "skip_errors" in possible and not (row["rows_loaded"] and row["rows_rejected"]):
        possible.remove("skip_errors")
    return possible


def list_uploads(
    connection: Connection, page: PageRequest, survey_id: int | None = None, places_of: int | None = None
) -> Page:
    """The uploads the reader may see, the newest first; of one round, or of a city's places, where it is named."""
    rows = uploads()
    if survey_id is not None:
        rows = rows.where(upload.c.survey_id == survey_id)
    if places_of is not None:
        rows = rows.where(upload.c.city_id == places_of, upload.c.survey_id.is_(None))
    return fetch_page(connection, rows, [(-upload.c.id).label("newest")], page)


def find_upload(connection: Connection, upload_id: int) -> Any:
    """An upload with its city, survey and progress.

    Raises:
        NotFound: there is no such upload that the reader may see.
    """
    row = connection.execute(uploads().where(upload.c.id == upload_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no upload {upload_id}.")
    return row


def count_states(connection: Connection) -> dict[str, int]:
    """How many uploads the installation has in each state; nothing for who is no operator."""
    found = dict.fromkeys(STATES, 0)
    counted = select(func.gate.upload_states().table_valued("state", "uploads"))
    return found | {row.state: row.uploads for row in connection.execute(counted)}


def of_same_organisation(upload_id: int) -> Select[tuple[int]]:
    """The ids of all uploads of the organisation this one is of."""
    sender = select(upload.c.organisation_id).where(upload.c.id == upload_id).scalar_subquery()
    return select(upload.c.id).where(upload.c.organisation_id == sender)


def uploads() -> Any:
    """Every upload the reader may see, with its city, survey and progress."""
    return (
        select(
            *(column for column in upload.c if column.name != "city_id"),
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            survey.c.state.label("survey_state"),
            survey.c.unit,
            organisation.c.slug.label("organisation"),
            *(upload_progress.c[name] for name in ("step", "rows_done", "rows_total")),
            upload_progress.c.at.label("step_at"),
        )
        .join(city, city.c.id == upload.c.city_id)
        .join(organisation, organisation.c.id == upload.c.organisation_id)
        .outerjoin(survey, survey.c.id == upload.c.survey_id)
        .outerjoin(upload_progress, upload_progress.c.upload_id == upload.c.id)
    )
