"""What an indicator is: a reviewed definition with its version, read from TOML."""

import re
import tomllib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from geo.base import describe_fault
from geo.database.schema.facilities import FacilityKind
from geo.errors import DefinitionInvalid, ExpressionInvalid, Fault
from geo.fields import standard_fields
from geo.indicators.definitions.expressions.check import Expression, OwnColumns, read_expression
from geo.messages import Message

Counted = Literal["households", "persons"]
Direction = Literal["up", "down", "report"]
Measure = Literal["share", "mean", "density", "seat_load", "distance"]
Score = Literal["count", "headcount", "intensity", "adjusted"]

OF_ANSWERS: tuple[Measure, ...] = ("share", "mean")
"""The measures that are estimated from answers alone."""

CUTOFF_SLACK = 1e-9
"""Weights such as 0.1 and 0.2 do not add up to 0.3 exactly, and are meant to."""

NUMBER_PATTERN = r"^[+-]?[0-9]{1,15}([.][0-9]{1,15})?$"
"""A text of an organisation's own column that is a number; any other is unknown."""

MOST_COLUMN_LETTERS = 255

_ID = re.compile(r"[a-z][a-z0-9_]{1,62}")
_JOINERS = "\u200c\u200d"
"""What cannot be seen and yet belongs to the words of many scripts."""


def _check_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise Fault("id_invalid", given=text[:70])
    return text


def _read_plain(text: str) -> str:
    """A text as people read it: on one line, and nothing in it that a page or terminal would obey."""
    line = " ".join(text.split())
    hidden = next((c for c in line if not (c.isprintable() or c in _JOINERS)), None)
    if hidden is not None:
        raise Fault("text_character_unseen", character=f"U+{ord(hidden):04X}")
    if not line:
        raise Fault("text_empty")
    return line


Id = Annotated[str, AfterValidator(_check_id)]
ShortText = Annotated[str, Field(max_length=30), AfterValidator(_read_plain)]
Name = Annotated[str, Field(max_length=120), AfterValidator(_read_plain)]
LongText = Annotated[str, Field(max_length=1000), AfterValidator(_read_plain)]


class Deprivation(BaseModel):
    """One of the things a household may go without: true where it does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    expression: str
    # A score is squared, and must stay what a double can hold.
    weight: Annotated[float, Field(ge=0.001, le=1000)] = 1.0


class OwnColumn(BaseModel):
    """A column of an organisation's own files, kept with the households beside the standard fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["text", "number"]
    description: LongText | None = None
    sensitive: bool = False
    """Whether an answer could harm who gave it."""


class LevelText(BaseModel):
    """What an indicator is called where it is counted at the level that is not its headline."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    description: LongText


class Definition(BaseModel):
    """One version of an indicator.

    `numerator`, `base` and the deprivations are OGC CQL2 text over the standard fields, read with three-valued logic
    as in SQL. A household belongs to the base where it was interviewed and `base`, if there is one, is true; within it
    the numerator is yes, no, or unknown (NULL). The numerator of a density says who is counted, that of a seat load who
    relies on the facilities.

    Deprivations make a score (Alkire and Foster 2011): the sum of the weights of those that are true, over the sum of
    all weights; unknown where any of them is. `score` says what is made of it:
        count: the sum of the weights itself, a mean.
        headcount: whether it reaches the cutoff (H), a share.
        adjusted: the score of those who reach the cutoff, 0 of the others (M0), a mean.
        intensity: the score among those who reach the cutoff (A), a mean.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    version: Annotated[int, Field(ge=1)] = 1
    name: Name
    description: LongText
    why: LongText
    direction: Direction
    measure: Measure
    counted: Counted
    """The level of the headline figure: shares of households, or of the persons who live in them."""
    unit: ShortText
    unknown: Literal["excluded", "unserved"]
    """Whether an unknown answer leaves the share, or stays in its base as not served."""
    source: LongText
    numerator: str | None = None
    base: str | None = None
    deprivations: Annotated[tuple[Deprivation, ...], Field(max_length=20)] = ()
    score: Score | None = None
    cutoff: Annotated[float, Field(gt=0, le=20_000)] | None = None
    """The sum of weights from which on a household is deprived."""
    facility: FacilityKind | None = None
    """What a seat load or a distance is about."""
    sensitive: bool | None = None
    """Whether its answers could harm who gave them; None: where any of its fields could. A count of deprivations does
    not tell which one it is."""
    ladder: Id | None = None
    """The ladder this is a rung of: the rungs of one ladder share out the same households."""
    columns: Annotated[dict[str, OwnColumn], Field(max_length=20)] = {}
    """Columns beyond the standard fields that the expressions use."""
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    households: LevelText | None = None
    persons: LevelText | None = None
    """Its name and description where households, or persons, are counted and that is not the headline level."""

    @model_validator(mode="after")
    def _fits_its_measure(self) -> Self:
        scored = self.score is not None
        needs_cutoff = self.score in ("headcount", "intensity", "adjusted")
        wrong = {
            "numerator_missing": self.numerator is None and not scored and self.measure != "distance",
            "numerator_beside_score": self.numerator is not None and scored,
            "numerator_of_distance": self.numerator is not None and self.measure == "distance",
            "mean_without_score": self.measure == "mean" and self.score in (None, "headcount"),
            "share_with_other_score": self.measure == "share" and self.score not in (None, "headcount"),
            "score_of_other_measure": scored and self.measure not in OF_ANSWERS,
            "share_unit_not_percent": self.measure == "share" and self.unit != "%",
            "unit_percent_of_other_measure": self.unit == "%"
            and (self.measure not in OF_ANSWERS or self.score == "count"),
            "score_without_deprivations": scored != bool(self.deprivations),
            "cutoff_missing": needs_cutoff and self.cutoff is None,
            "cutoff_of_other_score": self.cutoff is not None and not needs_cutoff,
            "cutoff_above_weights": self.cutoff is not None and self.cutoff > self.total_weight,
            "facility_of_other_measure": (self.facility is not None) != (self.measure in ("seat_load", "distance")),
        }
        for code, is_so in wrong.items():
            if is_so:
                raise Fault(code)
        if getattr(self, self.counted) is not None:
            raise Fault("counted_named_twice", counted=self.counted)
        return self

    @model_validator(mode="after")
    def _names_each_thing_once(self) -> Self:
        names = [deprivation.name for deprivation in self.deprivations]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Fault("deprivation_twice", name=twice)
        for name in self.columns:
            if name in standard_fields():
                raise Fault("column_is_standard", name=name)
            is_plain = all(c.isprintable() or c in _JOINERS for c in name)
            if not name.strip() or len(name) > MOST_COLUMN_LETTERS or not is_plain:
                raise Fault("column_name_invalid", column=name[:30], most=MOST_COLUMN_LETTERS)
        return self

    @property
    def total_weight(self) -> float:
        """The sum of the weights of all deprivations."""
        return sum(deprivation.weight for deprivation in self.deprivations)

    @property
    def largest(self) -> float:
        """The largest figure there can be of a share or mean, in its unit."""
        return self.total_weight if self.score == "count" else 100.0 if self.unit == "%" else 1.0

    @property
    def narrows_base(self) -> bool:
        """Whether some who were interviewed are not in its base."""
        return self.base is not None or self.score == "intensity"

    @property
    def is_tallied(self) -> bool:
        """Whether it rests on answers of households."""
        return self.measure != "distance"

    def counted_levels(self) -> tuple[Counted, ...]:
        """The levels this indicator is counted at, the headline first."""
        if self.measure not in OF_ANSWERS:
            return (self.counted,)
        return ("households", "persons") if self.counted == "households" else ("persons", "households")

    def at(self, counted: Counted) -> Self:
        """The definition with the name and description that its figures of this level have."""
        if counted == self.counted:
            return self
        text: LevelText | None = getattr(self, counted)
        name = text.name if text else f"{self.name} ({'people' if counted == 'persons' else counted} counted)"
        described = text.description if text else self.description
        return self.model_copy(update={"counted": counted, "name": name, "description": described})

    @property
    def parts(self) -> dict[str, Expression]:
        """Its expressions by name: `numerator` and `base` where it has them, and each deprivation's.

        Raises:
            DefinitionInvalid: one cannot be read; the message says where it breaks.
        """
        texts = {"numerator": self.numerator, "base": self.base}
        texts |= {f"{_DEPRIVATION}{d.name}": d.expression for d in self.deprivations}
        types = frozenset((name, column.type) for name, column in self.columns.items())
        return {name: self._read(name, text, types) for name, text in texts.items() if text is not None}

    def _read(self, name: str, text: str, types: OwnColumns) -> Expression:
        try:
            return read_expression(text, types, where=name)
        except ExpressionInvalid as error:
            where = Message("expression_of_indicator", indicator=self.id, part=_part(name))
            raise error.called(where) from error

    @property
    def terms(self) -> list[tuple[Expression, float]]:
        """The deprivations' expressions with their weights."""
        return [(self.parts[f"{_DEPRIVATION}{d.name}"], d.weight) for d in self.deprivations]

    @property
    def fields(self) -> list[str]:
        """The fields its figures need."""
        return sorted(set().union(*(part.attributes for part in self.parts.values())))

    @property
    def answer_fields(self) -> frozenset[str]:
        """The fields whose answers it counts: all but those that only say who is in its base."""
        return frozenset(set().union(*(part.attributes for name, part in self.parts.items() if name != "base")))

    @property
    def is_sensitive(self) -> bool:
        """Whether an answer it rests on could harm who gave it."""
        if self.sensitive is not None:
            return self.sensitive
        known = standard_fields()
        own = {name for name, column in self.columns.items() if column.sensitive}
        return any(name in own or (name in known and known[name].sensitive) for name in self.fields)

    @property
    def asked_fields(self) -> frozenset[str]:
        """The fields a row must have been asked to count: all but the design fields of the base.

        Who was interviewed, and with which weight, holds of a whole settlement as of each part of its households.
        """
        design = {name for name, field in standard_fields().items() if field.role in ("identifier", "design")}
        base = self.parts["base"].attributes if "base" in self.parts else frozenset()
        counted = [part.attributes for name, part in self.parts.items() if name != "base"]
        return frozenset(set().union(*counted) | (base - design))


def read_definition(text: str, *, name: str) -> Definition:
    """The definition in one TOML file, which messages call by its name.

    Raises:
        DefinitionInvalid: the file is not TOML, lacks a key, or its expressions cannot be read.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionInvalid("definition_no_toml", file=name, reason=str(error)) from error
    except (RecursionError, ValueError) as error:
        # Brackets thousands deep, or a number of thousands of figures.
        raise DefinitionInvalid("definition_too_deep", file=name) from error
    try:
        definition = Definition.model_validate(table)
    except ValidationError as error:
        fault = describe_fault(error, Definition, "indicator")
        raise DefinitionInvalid("definition_unusable", file=name, fault=fault) from error
    try:
        used = set(definition.fields)
    except ExpressionInvalid as error:
        where = Message("expression_of_file", file=name, part=error.params["where"].params["part"])
        raise error.called(where, _line_of(error.text, text)) from error
    unused = next((column for column in definition.columns if column not in used), None)
    if unused is not None:
        raise DefinitionInvalid("definition_column_unused", file=name, column=unused)
    return definition


_DEPRIVATION = "deprivation "


def _part(name: str) -> Message:
    """What messages call a part of a definition."""
    if name.startswith(_DEPRIVATION):
        return Message("part_deprivation", name=name.removeprefix(_DEPRIVATION))
    return Message("part_numerator") if name == "numerator" else Message("part_base")


_VALUE = r"^[^\n#]*\b(?:numerator|base|expression)[\"']?\s*=\s*(?:\"\"\"\n?|'''\n?|\"|')"


def _line_of(expression: str, document: str) -> int | None:
    """The line of a document on which an expression's text begins, if it stands there as it is."""
    document = document.replace("\r\n", "\n")
    found = re.search(_VALUE + re.escape(expression), document, flags=re.MULTILINE)
    if found is None:
        return None
    skipped = len(expression) - len(expression.lstrip("\n"))
    return document.count("\n", 0, found.end() - len(expression) + skipped) + 1
