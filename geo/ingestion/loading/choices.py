"""Choices: how the sender of a file wants it read. What all files have is here; each kind of file adds its own."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from geo.base import is_storable
from geo.errors import Fault
from geo.ingestion.mapping import Profile, parse_profile
from geo.ingestion.mapping.answers_seen import AnswerSeen, tell_answers
from geo.ingestion.mapping.profile import shipped_profile, shipped_profiles
from geo.ingestion.reading import ReadOptions
from geo.ingestion.reading.formats import MAX_COLUMNS
from geo.ingestion.reading.layer import LimitedReadOptions
from geo.ingestion.suggesting import DETAIL, NOTHING
from geo.messages import shortened


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
    skip_errors: bool = Field(default=False, description="Load the rows without errors.")

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        if not all(map(is_storable, _texts(value))):
            raise Fault("text_unstorable")
        return value

    @field_validator("columns")
    @classmethod
    def _one_column_a_field(cls, columns: dict[str, str]) -> dict[str, str]:
        held = Counter(field for field in columns.values() if field not in (NOTHING, DETAIL))
        if twice := [field for field, times in held.items() if times > 1]:
            raise Fault("columns_hold_twice", field=shortened(twice[0]))
        return columns

    def is_told(self) -> bool:
        """Whether somebody said what the file holds: that goes before what was right for another."""
        return bool(self.columns)

    def needs_steward(self) -> bool:
        """Whether loading a file with these choices changes what every round of the city rests on."""
        return False

    def reading(self, max_rows: int | None = None) -> ReadOptions:
        """How to read the file itself, which may have so many rows."""
        return LimitedReadOptions(self.encoding, self.layer, self.crs, max_rows)

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
        return parse_profile(self._profile_text(self.profile), "sent along")

    def completed(self) -> Self:
        """The same with a mapping profile that holds all that was chosen.

        Raises:
            ProfileInvalid: the profile is none.
        """
        return self

    def told_answers(self, seen: Sequence[AnswerSeen], guessed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """A file's answers with how sure their meaning is, as `tell_answers` has them."""
        return tell_answers(seen, guessed, {}, {})

    @staticmethod
    def _profile_text(profile: str) -> str:
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


def half_a_position(choices: Choices) -> Sequence[str]:
    """What is wrong where only one of the two columns of a position is told: the code of a reason, or nothing."""
    held = set(choices.columns.values())
    if ("longitude" in held) == ("latitude" in held):
        return ()
    return ("position_by_half",)
