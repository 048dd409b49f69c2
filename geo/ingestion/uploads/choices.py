"""Choices: how the sender of a file wants it read."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from geo.base import is_storable
from geo.database.schema.facilities import FacilityKind
from geo.errors import InvalidParameter, InvalidParameters, quoted, shortened
from geo.fields import Content, standard_fields
from geo.ingestion.loading import SourceOptions
from geo.ingestion.mapping import STANDARD, Profile, Value, parse_profile
from geo.ingestion.mapping.profile import FieldMapping, shipped_profile, shipped_profiles
from geo.ingestion.placing import GPS_TOLERANCE_M, Placement
from geo.ingestion.reading import ReadOptions
from geo.ingestion.reading.formats import MAX_COLUMNS
from geo.ingestion.reading.layer import LimitedReadOptions
from geo.ingestion.suggesting import DETAIL, NOTHING, TARGETS
from geo.ingestion.suggesting.profile_text import add_answers, add_kept

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
        description="Corrections: what a column holds, where Vasti guessed wrong: a standard field, longitude, "
        "latitude, position (both in one text), detail (it tells more of an answer to another question), or nothing "
        "(an empty text); of boundaries, settlement_code, settlement_name, ward_code or ward_name; "
        "of facilities, what their standard columns are called. It counts where there is no profile.",
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
