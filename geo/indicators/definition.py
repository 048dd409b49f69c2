"""What an indicator is: a reviewed definition with its version, read from TOML."""

import tomllib
from typing import Annotated, Any, Literal

from lark.exceptions import LarkError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pygeofilter import ast
from pygeofilter.parsers.cql2_text import parse

from geo.errors import DefinitionInvalid
from geo.fields import standard_fields

Counted = Literal["households", "persons"]
Direction = Literal["up", "down", "report"]
Part = Literal["numerator", "base"]


class Definition(BaseModel):
    """One version of an indicator.

    `numerator` and `base` are OGC CQL2 text over the standard fields, read with three-valued logic as in SQL: a
    household belongs to the base where `base` is true; within it, the numerator is yes, no, or unknown (NULL). The
    numerator of a density says who is counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
    version: Annotated[int, Field(ge=1)]
    name: str
    description: str
    why: str
    direction: Direction
    measure: Literal["share", "density"]
    counted: Counted
    """The level of the headline figure: shares of households, or of the persons who live in them."""
    unit: str
    unknown: Literal["excluded", "unserved"]
    """Whether an unknown answer leaves the share, or counts as not served."""
    source: str
    numerator: Annotated[str, Field(min_length=1)]
    base: Annotated[str, Field(min_length=1)]

    def counted_levels(self) -> tuple[Counted, ...]:
        """The levels this indicator is tallied at, the headline first."""
        if self.measure == "density":
            return (self.counted,)
        return ("households", "persons") if self.counted == "households" else ("persons", "households")


def parse_expression(definition: Definition, part: Part) -> ast.Node:
    """The syntax tree of the definition's numerator or base, its attributes checked to be standard fields.

    Raises:
        DefinitionInvalid: the text is not CQL2 or names a field that does not exist.
    """
    where = f"Indicator {definition.id}: the {part}"
    try:
        tree = parse(" ".join(getattr(definition, part).split()))
    except LarkError as error:
        first_line = str(error).strip().splitlines()[0]
        raise DefinitionInvalid(f"{where} is not valid CQL2 text: {first_line}") from error
    unknown = sorted(attributes(tree) - standard_fields().keys())
    if unknown:
        raise DefinitionInvalid(
            f"{where} uses {', '.join(unknown)}, which is no standard field; see data/catalogue/fields.toml."
        )
    return tree


def attributes(node: Any) -> set[str]:
    """The field names a syntax tree asks for."""
    if isinstance(node, ast.Attribute):
        return {node.name}
    if isinstance(node, (list, tuple)):
        return set().union(*(attributes(part) for part in node))
    if isinstance(node, ast.Node):
        return attributes(list(node.get_sub_nodes()))
    return set()


def asked_fields(definition: Definition) -> frozenset[str]:
    """The fields a row must have been asked to count: the numerator's, and of the base all but design fields.

    Who was interviewed, and with which weight, holds of a whole settlement as of each part of its households.
    """
    design = {name for name, field in standard_fields().items() if field.role in ("identifier", "design")}
    base = attributes(parse_expression(definition, "base"))
    return frozenset(attributes(parse_expression(definition, "numerator")) | (base - design))


def read_definition(text: str, *, name: str) -> Definition:
    """The definition in one TOML file.

    Raises:
        DefinitionInvalid: the file is not TOML, lacks a key, or its expressions cannot be read.
    """
    try:
        definition = Definition.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionInvalid(f"{name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DefinitionInvalid(f"{name}: {key}: {first['msg']}.") from error
    parse_expression(definition, "base")
    parse_expression(definition, "numerator")
    return definition
