"""Mapping profiles: which column of a source holds which standard field, and what its values mean."""

import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.base import describe_fault, fold
from geo.database.schema.facilities import FacilityKind
from geo.errors import Fault, ProfileInvalid
from geo.fields import Field as StandardField
from geo.fields import standard_fields
from geo.messages import Message, Param

Value = str | bool | int | float
Meanings = Mapping[str, Mapping[str, Value]]
"""What answers mean: by standard field, an answer as the file has it to the standard one."""
UNKNOWN = "unknown"
"""The standard value that stands for don't know, refused and missing."""

YES_NO: dict[str, Value] = {
    word: answer
    for words, answer in ((("true", "yes", "y", "1", "t"), True), (("false", "no", "n", "0", "f"), False))
    for word in words
}
"""What each word for yes and no means, folded."""


class Multiple(BaseModel):
    """How a question with several answers (select_multiple) becomes the one answer of a standard field.

    The answers stand in one cell, parted by `separator`, or in a column of 0 and 1 for each, named after the question
    and the choice (`water/borehole`). The first standard value of `prefer` that was given counts; a yes/no field is
    yes where any answer means yes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    separator: str = " "
    prefer: list[Value] = []
    others: Value | None = None
    """What an answer means that `values` does not list. None: it is reported, as everywhere."""


class Detail(BaseModel):
    """A second column that tells more of some answers: where it flushes to, what "other" is.

    Where the row's answer is one of `answer`, what stands in `column` decides by `values`, as far as it says anything;
    else the answer means what it means alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: str | Annotated[list[str], Field(min_length=1)]
    column: str
    values: dict[str, Value] = {}
    """The second column's value to the standard one."""

    def answers(self) -> list[str]:
        """The answers it tells more of."""
        return [self.answer] if isinstance(self.answer, str) else self.answer


class FieldMapping(BaseModel):
    """Where one standard field comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    plus: list[str] = []
    """For a number: further columns, which are added to it. Where one of them says nothing, the sum is unknown."""
    values: dict[str, Value] = {}
    """The file's value to the standard one. Blank is always unknown."""
    format: str | Annotated[list[str], Field(min_length=1)] | None = None
    """How dates are written, as for strptime, or the several ways; ISO where absent."""
    unit: str | None = None
    """What the file's numbers count, where that is not the field's own unit: one of the field's `units`."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark. None: told from each number, and one that could be read either way is reported."""
    multiple: Multiple | None = None
    when: list[Detail] = []
    """Columns that tell more of some answers; of two for the same answer the first that says anything counts."""

    def formats(self) -> list[str]:
        """The ways dates are written."""
        return [self.format] if isinstance(self.format, str) else self.format or []

    def columns(self) -> list[str]:
        """The columns of the file it is read from."""
        return [self.column, *self.plus]

    def fault(self, field: StandardField) -> Message | None:
        """What is wrong with it as the mapping of a standard field, if anything is."""
        return (
            _unused(self, field)
            or _sum_fault(self, field)
            or next((fault for values in self._tables() if (fault := _conflicting(values))), None)
            or next((fault for v in self._standard_values() if (fault := _impossible(v, field))), None)
            or next(
                (Message("format_of_no_dates", format=form) for form in self.formats() if not _is_format(form)),
                None,
            )
        )

    def _tables(self) -> list[dict[str, Value]]:
        return [self.values, *(detail.values for detail in self.when)]

    def _standard_values(self) -> list[Value]:
        told = [value for values in self._tables() for value in values.values()]
        if self.multiple is None:
            return told
        others = [] if self.multiple.others is None else [self.multiple.others]
        return [*told, *self.multiple.prefer, *others]


class BoundaryColumns(BaseModel):
    """The columns of a file of boundaries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settlement_code: str
    settlement_name: str | None = None
    ward_code: str | None = None
    ward_name: str | None = None
    shape: str | None = None
    """The column that holds the shape as text, in a table without geometry."""
    radius: str | None = None
    """Of settlements known by a point: the column that says how far around it they reach, in metres."""


class FacilityColumns(BaseModel):
    """How the columns of a file of facilities are called. None: by the standard name, where the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None = None
    name: str | None = None
    kind: str | None = None
    seats: str | None = None
    seats_working: str | None = None
    working: str | None = None
    opened_on: str | None = None
    closed_on: str | None = None
    longitude: str | None = None
    """Longitude and latitude go together. None: the layer's own shapes, or a table's columns for positions."""
    latitude: str | None = None
    all_of_kind: FacilityKind | None = None
    """What every row is, whether or not the file says so."""
    ignored: list[str] = []
    """Columns that hold something else, whatever they are called."""

    @model_validator(mode="after")
    def _is_whole(self) -> "FacilityColumns":
        if (self.longitude is None) != (self.latitude is None):
            raise Fault("profile_half_position")
        return self


class PositionColumns(BaseModel):
    """The columns that hold a position, in a table without geometry, and the CRS they are in.

    Either longitude and latitude, or one `column` with the position as text: WKT, `lat lon altitude accuracy` as Kobo
    and ODK write it, or `lon,lat`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    longitude: str | None = None
    latitude: str | None = None
    column: str | None = None
    crs: str = "EPSG:4326"

    @model_validator(mode="after")
    def _is_whole(self) -> "PositionColumns":
        given = (self.longitude is not None, self.latitude is not None, self.column is not None)
        if given not in ((True, True, False), (False, False, True)):
            raise Fault("profile_position_twice")
        return self

    def columns(self) -> list[str]:
        """The columns of the file it needs."""
        return [name for name in (self.longitude, self.latitude, self.column) if name is not None]


class Part(BaseModel):
    """Some of a settlement's households, which answer alike: how many stands in a column of a register."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    answers: dict[str, Value]
    """Standard field to standard value."""
    steps: dict[str, float | Literal["unknown"]] = {}
    """For a scale: each word of it to the percentage it stands for, such as Total = 100, Inexistente = 0."""


class Share(BaseModel):
    """How a settlement's households divide by their answer to one question, in a settlement-unit file.

    `kind` says what the columns of `parts` hold: the number of households (count), their percentage of the households
    that the column `of` counts (percent), or a word on a scale (scale). Households in no part give the answers `rest`;
    where that is not said, theirs are unknown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["count", "percent", "scale"]
    parts: Annotated[list[Part], Field(min_length=1)]
    of: str | None = None
    rest: dict[str, Value] | None = None

    def columns(self) -> list[str]:
        """The columns of the file it needs."""
        return [*(part.column for part in self.parts), *([] if self.of is None else [self.of])]

    def fields(self) -> set[str]:
        """The standard fields it answers."""
        return set().union(*(part.answers for part in self.parts), self.rest or ())

    def fault(self, *, has_weight: bool) -> Message | None:
        """Why households cannot be told from it, if they cannot."""
        if self.kind == "percent" and self.of is None:
            return Message("share_percent_without_base")
        if self.kind == "count" and self.of is None and self.rest is not None:
            return Message("share_rest_without_base")
        if self.kind == "scale" and self.of is None and not has_weight:
            return Message("share_scale_without_base")
        steps = (_steps_fault(part, is_scale=self.kind == "scale") for part in self.parts)
        answers = (_answers_fault(said) for said in (*(part.answers for part in self.parts), self.rest or {}))
        return next((fault for fault in (*steps, *answers) if fault), None)


class Profile(BaseModel):
    """A mapping profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    title: str = ""
    boundaries: BoundaryColumns | None = None
    facilities: FacilityColumns | None = None
    position: PositionColumns | None = None
    blank: list[str] = []
    """Words that say nothing, in whichever column: `n/a`, `-`, `Sin dato`. `values` of a field come first."""
    keep: list[str] = []
    """Columns that are kept with the rows though they seem to be about persons."""
    leave_out: list[str] = []
    """Columns that are not kept with the rows."""
    fields: dict[str, FieldMapping] = {}
    shares: dict[str, Share] = {}

    @model_validator(mode="after")
    def _keeps_or_leaves_out(self) -> "Profile":
        both = sorted(set(self.keep) & set(self.leave_out))
        if both:
            raise Fault("profile_keeps_and_leaves_out", column=both[0])
        return self

    def choosing(self, keep: Sequence[str], leave_out: Sequence[str]) -> "Profile":
        """The same with these columns kept, and these left out, whatever it says of them."""
        kept = dict.fromkeys([*self.keep, *keep])
        left = dict.fromkeys([*self.leave_out, *leave_out])
        return self.model_copy(
            update={
                "keep": [column for column in kept if column not in leave_out],
                "leave_out": [column for column in left if column not in keep or column in leave_out],
            }
        )

    @model_validator(mode="after")
    def _fields_are_standard(self) -> "Profile":
        known = standard_fields()
        for name, mapping in self.fields.items():
            if name not in known:
                near = difflib.get_close_matches(name, list(known), n=1)
                if near:
                    raise Fault("field_not_standard_near", field=name, nearest=near[0])
                raise Fault("field_not_standard", field=name)
            fault = mapping.fault(known[name])
            if fault:
                raise Fault("profile_field_faulty", field=name, fault=fault)
        return self

    @model_validator(mode="after")
    def _shares_are_whole(self) -> "Profile":
        taken = dict.fromkeys(self.fields, "fields")
        for name, share in self.shares.items():
            fault = share.fault(has_weight="weight" in self.fields)
            if fault:
                raise Fault("profile_share_faulty", share=name, fault=fault)
            for field in sorted(share.fields()):
                if field in taken:
                    raise Fault("profile_share_answered_twice", share=name, field=field, taken=taken[field])
                taken[field] = f"shares.{name}"
        return self


def _steps_fault(part: Part, *, is_scale: bool) -> Message | None:
    """Why the words of a part's scale cannot be turned into percentages, if they cannot."""
    if is_scale and not part.steps:
        return Message("share_part_without_steps", column=part.column)
    if part.steps and not is_scale:
        return Message("share_part_with_steps", column=part.column)
    outside = [word for word, step in part.steps.items() if step != UNKNOWN and not 0 <= float(step) <= 100]
    if outside:
        return Message("share_step_out_of_range", step=outside[0], column=part.column)
    return _conflicting(dict(part.steps))


def _answers_fault(answers: dict[str, Value]) -> Message | None:
    """Why some households of a settlement cannot give these answers, if they cannot."""
    known = standard_fields()
    for name, value in answers.items():
        if name not in known:
            return Message("field_not_standard", field=name)
        field = known[name]
        if field.role in ("identifier", "design") or field.type in ("text", "date"):
            return Message("field_no_answer", field=name)
        fault = _impossible(value, field)
        if fault:
            return Message("field_faulty", field=name, fault=fault)
    return None


def _unused(mapping: FieldMapping, field: StandardField) -> Message | None:
    """What a mapping says that its field has no use for."""
    is_number, is_date = field.type in ("integer", "number"), field.type == "date"
    if mapping.format is not None and not is_date:
        return Message("format_of_no_date", field=field.name)
    if mapping.decimal is not None and not is_number:
        return Message("decimal_of_no_number", field=field.name)
    if mapping.unit is not None and mapping.unit not in (field.unit, *field.units):
        if not field.unit:
            return Message("unit_of_counts", field=field.name, unit=mapping.unit)
        return Message("unit_unknown", field=field.name, unit=mapping.unit, known=[field.unit, *field.units])
    return _unasked(mapping, field)


def _unasked(mapping: FieldMapping, field: StandardField) -> Message | None:
    """What a mapping says of answers that its field cannot have."""
    asked = [name for name, given in (("when", mapping.when), ("multiple", mapping.multiple is not None)) if given]
    if asked and field.type not in ("code", "boolean"):
        return Message("details_of_no_answer", key=asked[0], field=field.name)
    if len(asked) > 1:
        return Message("when_beside_multiple")
    if mapping.multiple is not None and mapping.multiple.prefer and field.type == "boolean":
        return Message("prefer_of_yes_or_no")
    return None


def _sum_fault(mapping: FieldMapping, field: StandardField) -> Message | None:
    """Why columns cannot be added up, if they cannot."""
    if mapping.plus and field.type not in ("integer", "number"):
        return Message("plus_of_no_number", field=field.name)
    again = [column for n, column in enumerate(mapping.columns()) if column in mapping.columns()[:n]]
    return Message("column_added_twice", column=again[0]) if again else None


def _conflicting(values: dict[str, Value]) -> Message | None:
    """Two values that are the same to the eye and mean different things."""
    meanings: dict[str, Value] = {}
    for text, value in values.items():
        other = meanings.setdefault(fold(text), value)
        if (type(other), other) != (type(value), value):
            return Message("value_means_two_things", text=text, one=repr(other), other=repr(value))
    return None


def _impossible(value: Value, field: StandardField) -> Message | None:
    """Why a standard value is none of the field's, if it is not."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    expected = {
        "code": (value in field.codes, "value_no_code"),
        "boolean": (isinstance(value, bool), "value_no_answer"),
        "integer": (is_number and float(value).is_integer(), "value_not_whole"),
        "number": (is_number and math.isfinite(float(value)), "value_no_number"),
        "date": (_is_iso(value), "value_no_day"),
        "text": (True, ""),
    }
    fits, code = expected[field.type]
    if fits or value == UNKNOWN:
        return None
    told: dict[str, Param] = {"value": repr(value), "unknown": UNKNOWN}
    return Message(code, **told, **({"field": field.name, "codes": field.codes} if code == "value_no_code" else {}))


def _is_iso(value: Value) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_format(form: str) -> bool:
    """Whether strptime understands a format, and reads at least year and month by it."""
    day = datetime(2021, 11, 23)  # noqa: DTZ001 (a date has no zone)
    try:
        read = datetime.strptime(day.strftime(form), form)  # noqa: DTZ007
    except ValueError:
        return False
    return (read.year, read.month) == (day.year, day.month)


def shipped_profiles() -> list[str]:
    """The names of the profiles Vasti ships."""
    shipped = files("data").joinpath("profiles")
    return sorted(p.name.removesuffix(".toml") for p in shipped.iterdir() if p.name.endswith(".toml"))


def read_profile(name_or_path: str) -> Profile:
    """The shipped profile of this name, or the one in this TOML file.

    Raises:
        ProfileInvalid: there is none, or it is not a valid profile.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ProfileInvalid("profile_not_utf8", profile=name_or_path) from error
    else:
        text = shipped_profile(name_or_path)
    return parse_profile(text, name_or_path)


def shipped_profile(name: str) -> str:
    """The TOML text of a profile Vasti ships.

    Raises:
        ProfileInvalid: there is none of this name.
    """
    names = shipped_profiles()
    if name not in names:
        raise ProfileInvalid("profile_unknown", profile=name, known=names)
    return files("data").joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8")


def parse_profile(text: str, name: str) -> Profile:
    """A profile from its TOML text; `name` is what messages call it.

    Raises:
        ProfileInvalid: it is not a valid profile.
    """
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid("profile_no_toml", profile=name, reason=str(error)) from error
    except ValidationError as error:
        fault = describe_fault(error, Profile, "profile")
        raise ProfileInvalid("profile_unusable", profile=name, fault=fault) from error


def value_table(field_name: str, mapping: FieldMapping | Detail) -> dict[str, Value | None]:
    """What each text of a field's column, or of one that tells more, means: folded text to standard value or None.

    None stands for unknown.
    """
    field = standard_fields()[field_name]
    table: dict[str, Value | None] = {} if field.type == "text" else {UNKNOWN: None}
    if not mapping.values:
        table |= standard_answers(field)
    return table | {fold(text): None if value == UNKNOWN else value for text, value in mapping.values.items()}


def standard_answers(field: StandardField) -> dict[str, Value]:
    """What answers mean where a profile says it of none: the standard codes, and yes and no."""
    return {code: code for code in field.codes} | (YES_NO if field.type == "boolean" else {})
