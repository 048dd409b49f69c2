"""Files of a survey: observations of households or of settlements, which go into a round."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator
from sqlalchemy import Connection

from geo.database import lock_survey
from geo.errors import Fault
from geo.fields import standard_fields
from geo.ingestion.loading.choices import Choices
from geo.ingestion.loading.households import load_survey
from geo.ingestion.loading.kinds.kind import Asked, Fields, Kind, Words
from geo.ingestion.loading.load import LoadOptions, LoadResult
from geo.ingestion.loading.observe import Progress
from geo.ingestion.loading.source import SourceOptions
from geo.ingestion.loading.taken_back import take_back_households
from geo.ingestion.mapping import Value
from geo.ingestion.mapping.answers_seen import AnswerSeen, tell_answers
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.placing import GPS_TOLERANCE_M, Placement
from geo.ingestion.reading.formats import MAX_COLUMNS
from geo.ingestion.suggesting import DETAIL, TARGETS
from geo.ingestion.suggesting.profile_text import add_answers, add_kept
from geo.ingestion.suggesting.understand import Understanding, understand
from geo.surveys import SurveySpec

_MOST_ANSWERS, _LONGEST_ANSWER = 1_000, 500


class SurveyChoices(Choices):
    """The choices of a survey's file."""

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
    new_settlements: bool = Field(
        default=False,
        description="Of a survey: settlements that its rows name and the city does not have are made of what they "
        "name. A steward decides.",
    )

    @field_validator("answers", "details")
    @classmethod
    def _mean_something(cls, answers: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        for name, meanings in answers.items():
            field = standard_fields().get(name)
            if field is None or field.type not in ("code", "boolean"):
                raise Fault("answers_of_no_field", field=name)
            fault = FieldMapping(column=name, values=meanings).fault(field)
            if fault:
                raise Fault("answers_impossible", field=name, fault=fault)
            if len(meanings) > _MOST_ANSWERS or any(not 0 < len(text.strip()) <= _LONGEST_ANSWER for text in meanings):
                raise Fault("answers_too_many", most=_MOST_ANSWERS, field=name, letters=_LONGEST_ANSWER)
        return answers

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

    def completed(self) -> Self:
        """The same with a mapping profile that holds answers and which columns are kept, if there is one.

        Raises:
            ProfileInvalid: it is none.
        """
        if self.profile is None:
            return self
        profile = self.profile
        if self.answers or self.details:
            profile = add_answers(self._profile_text(profile), self.answers, self.details)
        if self.keep or self.leave_out:
            profile = add_kept(self._profile_text(profile), self.keep, self.leave_out)
        return self.model_copy(update={"profile": profile})

    def needs_steward(self) -> bool:
        """Settlements that are made of what rows name are everybody's."""
        return self.new_settlements

    def told_answers(self, seen: Sequence[AnswerSeen], guessed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A file's answers, with what a person said of them."""
        return tell_answers(seen, guessed, self.answers, self.details)


_ROLES = {
    "identifier": "Which household, which settlement",
    "design": "How it was surveyed",
    "answer": "Answers",
    "group": "Groups",
}


class SurveyFiles(Kind[SurveyChoices]):
    """Observations of households or of settlements."""

    name = "survey"
    in_round = True
    decided_by = "contributor"
    choices = SurveyChoices
    asked = (
        Asked("fix", "Correct positions that are certain to be wrong: swapped, or a minus lost"),
        Asked(
            "new_settlements",
            "Make settlements of what rows name, where the city does not have them: without outlines, and a steward "
            "decides",
        ),
    )
    words = Words(
        heading="Send a file",
        label="Survey file",
        accepts="A zipped shapefile, GeoPackage, Kobo export, Excel sheet or CSV, as it is",
        effect="It is checked first; nothing counts before you say so.",
        column="standard field",
        loaded="Your organisation sees its figures. Everybody does once a steward publishes the round.",
        withdrawn="Its rows no longer count, and what it had replaced counts again.",
        for_steward="The round is published, so a steward of your organisation decides whether figures change.",
    )

    @property
    def remembered_as(self) -> str | None:
        """Columns of surveys were remembered before there were other kinds of files."""
        return None

    @property
    def fields(self) -> Fields:
        """The standard fields, parts of a position, and what tells more of an answer."""
        known = standard_fields().values()
        where = {name: {"position": "longitude and latitude in one text"}.get(name, "in degrees") for name in TARGETS}
        return (
            ("Where", where),
            *((title, {f.name: f.description for f in known if f.role == role}) for role, title in _ROLES.items()),
            ("Beside another", {DETAIL: "tells more of an answer to another question"}),
        )

    def understand(self, path: Path, row: Any, choices: SurveyChoices, max_rows: int | None) -> Understanding:
        """What columns and answers seem to hold."""
        read = choices.reading(max_rows)
        return understand(path, read, row["unit"], choices.columns, choices.answers, choices.details)

    def used_columns(self, choices: SurveyChoices) -> Mapping[str, str]:
        """The columns of a position and of each mapped field."""
        profile = choices.mapping()
        if profile is None:
            return {}
        position = profile.position.model_dump(exclude_none=True, exclude={"crs"}) if profile.position else {}
        places = {("position" if axis == "column" else axis): column for axis, column in position.items()}
        return places | {field: mapping.column for field, mapping in profile.fields.items()}

    def load(
        self,
        connection: Connection,
        path: Path,
        row: Any,
        choices: SurveyChoices,
        options: LoadOptions,
        progress: Progress,
    ) -> LoadResult:
        """Loads observations into the upload's round."""
        return load_survey(
            connection,
            path,
            row["city"],
            SurveySpec(row["survey"], row["organisation"]),
            source=choices.source(options.max_rows),
            options=replace(options, new_settlements=choices.new_settlements),
            progress=progress,
        )

    def lock(self, connection: Connection, row: Any) -> None:
        """One load or withdrawal of a round at a time."""
        lock_survey(connection, row["survey_id"])

    def take_back(self, connection: Connection, row: Any) -> None:
        """Earlier rows of the same households count again."""
        take_back_households(connection, row["survey_id"], row["id"])
