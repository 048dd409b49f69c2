"""Mapping profiles: which column of a source holds which standard field, and what its values mean."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.errors import MissingColumn, ProfileInvalid
from geo.fields import standard_fields
from geo.ingestion.names import fold_name

Value = str | bool | int | float
UNKNOWN = "unknown"
"""The standard value that stands for don't know, refused and missing."""

_YES_NO: dict[str, Value] = {
    word: answer
    for words, answer in ((("true", "yes", "y", "1", "t"), True), (("false", "no", "n", "0", "f"), False))
    for word in words
}

# Column names that say position, code or name by themselves, most telling first.
_LONGITUDE = (
    "longitude",
    "lon",
    "lng",
    "long",
    "longitud",
    "x",
    "gps_lon",
    "gps_lng",
    "gps_long",
    "coord_x",
    "point_x",
)
_LATITUDE = ("latitude", "lat", "latitud", "y", "gps_lat", "coord_y", "point_y")
_COMPANION = re.compile(r"(.*?)(?:(?P<lat>latitude?|lat)|(?P<lon>longitude?|lon|lng|long))")
"""A column that goes with a position of the same name: `_gps_latitude`, `location.longitude`, `pos/lat`."""
_SETTLEMENT_CODE = ("settlement_code", "settl_code", "code")
_SETTLEMENT_NAME = ("settlement_name", "settl_name", "name")
_WARD_CODE = ("ward_code", "ward")
_WARD_NAME = ("ward_name",)


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


class FieldMapping(BaseModel):
    """Where one standard field comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    values: dict[str, Value] = {}
    """The file's value to the standard one. Blank is always unknown."""
    format: str | None = None
    """How dates are written, as for strptime; ISO where absent."""
    unit: str | None = None
    """What the file's numbers count, where that is not the field's own unit: one of the field's `units`."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark. None: told from each number, and one that could be read either way is reported."""
    multiple: Multiple | None = None


class BoundaryColumns(BaseModel):
    """The columns of a file of boundaries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settlement_code: str
    settlement_name: str | None = None
    ward_code: str | None = None
    ward_name: str | None = None
    shape: str | None = None
    """The column that holds the shape as text, in a table without geometry."""


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
            raise ValueError("name either longitude and latitude, or one column that holds both")
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


class Profile(BaseModel):
    """A mapping profile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    title: str = ""
    boundaries: BoundaryColumns | None = None
    position: PositionColumns | None = None
    fields: dict[str, FieldMapping] = {}
    shares: dict[str, Share] = {}

    @model_validator(mode="after")
    def _fields_are_standard(self) -> "Profile":
        known = standard_fields()
        for name, mapping in self.fields.items():
            if name not in known:
                raise ValueError(f"{name} is not a standard field")
            codes = known[name].codes
            bad = [v for v in mapping.values.values() if codes and v != UNKNOWN and v not in codes]
            if bad:
                raise ValueError(f"{name} has no code {bad[0]!r}; it has {', '.join(codes)}")
        return self


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
            raise ProfileInvalid(f"The profile {name_or_path} is not UTF-8 text; save it as UTF-8.") from error
    else:
        shipped = files("data").joinpath("profiles")
        entry = shipped.joinpath(f"{name_or_path}.toml")
        if "/" in name_or_path or not entry.is_file():
            names = sorted(p.name.removesuffix(".toml") for p in shipped.iterdir() if p.name.endswith(".toml"))
            raise ProfileInvalid(
                f"There is no mapping profile {name_or_path!r}; "
                f"give the path of a .toml file or one of {', '.join(names)}."
            )
        text = entry.read_text(encoding="utf-8")
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"The profile {name_or_path} is not valid TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ProfileInvalid(
            f"The profile {name_or_path} cannot be used: {key + ': ' if key else ''}{first['msg']}."
        ) from error


def standard_profile(columns: list[str]) -> Profile:
    """The profile of a file whose columns carry the standard names already, in any case."""
    by_name = {column.lower(): column for column in reversed(columns)}

    def first(names: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in names if name in by_name), None)

    code, longitude, latitude = first(_SETTLEMENT_CODE), first(_LONGITUDE), first(_LATITUDE)
    if longitude is None or latitude is None:
        longitude, latitude = _companions(columns)
    fields = {name: FieldMapping(column=by_name[name]) for name in standard_fields() if name in by_name}
    if "declared_settlement_code" not in fields and "settlement_code" in by_name:
        fields["declared_settlement_code"] = FieldMapping(column=by_name["settlement_code"])
    return Profile(
        name="standard",
        title="Columns with the standard names",
        boundaries=None
        if code is None
        else BoundaryColumns(
            settlement_code=code,
            settlement_name=first(_SETTLEMENT_NAME),
            ward_code=first(_WARD_CODE),
            ward_name=first(_WARD_NAME),
        ),
        position=None
        if longitude is None or latitude is None
        else PositionColumns(longitude=longitude, latitude=latitude),
        fields=fields,
    )


def _companions(columns: list[str]) -> tuple[str | None, str | None]:
    """The one pair of columns whose names end in longitude and latitude, and begin alike; none where there are more."""
    longitudes: dict[str, str] = {}
    latitudes: dict[str, str] = {}
    for column in columns:
        match = _COMPANION.fullmatch(fold_name(column))
        if match and (not match[1] or match[1].endswith(" ")):
            (latitudes if match["lat"] else longitudes).setdefault(match[1], column)
    both = [before for before in longitudes if before in latitudes]
    return (longitudes[both[0]], latitudes[both[0]]) if len(both) == 1 else (None, None)


def check_columns(profile: Profile, wanted: list[str], columns: list[str], file_name: str) -> None:
    """Holds the columns a profile names against those the file has.

    Raises:
        MissingColumn: the file lacks one; the message lists what it has.
    """
    missing = [column for column in dict.fromkeys(wanted) if column not in columns]
    if missing:
        has = ", ".join(columns[:40]) + (", ..." if len(columns) > 40 else "")
        raise MissingColumn(
            f"{file_name} has no column {', '.join(repr(m) for m in missing)}, which the mapping profile "
            f"{profile.name!r} names; it has {has}."
        )


def value_table(field_name: str, mapping: FieldMapping) -> dict[str, Value | None]:
    """What each text of a coded or yes/no field means: folded text to standard value, None for unknown."""
    field = standard_fields()[field_name]
    table: dict[str, Value | None] = {UNKNOWN: None}
    if not mapping.values:
        table |= {code: code for code in field.codes}
        if field.type == "boolean":
            table |= _YES_NO
    return table | {fold(text): None if value == UNKNOWN else value for text, value in mapping.values.items()}


def fold(text: str) -> str:
    """A value as profiles compare it: without case, and with single blanks."""
    return " ".join(text.split()).casefold()
