"""The standard fields of an observation, read from the catalogue: what ingestion fills and indicators ask."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

FieldType = Literal["code", "boolean", "integer", "number", "date", "text"]
Role = Literal["identifier", "design", "answer", "group"]
Unit = Literal["household", "settlement"]
"""What one observation of a survey is of."""


@dataclass(frozen=True)
class Field:
    """One standard field: its type, the codes or range it admits, and what it means."""

    name: str
    type: FieldType
    description: str
    role: Role = "answer"
    codes: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    least: float | None = None
    """The least an answer can be, where a file writes less for none: it is unknown then. What is stored may be less."""
    large: float | None = None
    """Up to here a number is no surprise, however small the others are."""
    unit: str | None = None
    units: Mapping[str, float] = field(default_factory=dict)
    """Other units a file may use, and what one of each makes in `unit`."""
    sensitive: bool = False
    groups: bool = False
    """Whether figures can be asked for by its answers."""


@cache
def standard_fields() -> dict[str, Field]:
    """Every standard field by name, in catalogue order."""
    table = tomllib.loads(files("data").joinpath("catalogue/fields.toml").read_text(encoding="utf-8"))
    return {
        name: Field(name=name, **{**entry, "codes": tuple(entry.get("codes", ()))}) for name, entry in table.items()
    }
