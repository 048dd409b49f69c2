"""Reading CQL2 text: what an indicator's expression may say, and where it breaks when it says something else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from lark.exceptions import LarkError, UnexpectedInput
from pygeofilter import ast
from pygeofilter.parsers.cql2_text import parse

from geo.errors import DefinitionInvalid
from geo.fields import FieldType, standard_fields

Kind = Literal["condition", "number", "text", "date"]
"""What a piece of an expression is."""

_KIND_OF_FIELD: Mapping[FieldType, Kind] = {
    "boolean": "condition",
    "integer": "number",
    "number": "number",
    "code": "text",
    "text": "text",
    "date": "date",
}


@dataclass(frozen=True)
class Expression:
    """A condition: its syntax tree, and the fields it asks for."""

    tree: ast.Node
    attributes: frozenset[str]


OwnColumns = frozenset[tuple[str, Literal["text", "number"]]]
"""Columns beyond the standard fields, each with what it holds."""


@lru_cache(maxsize=4096)
def read_expression(text: str, own_columns: OwnColumns = frozenset(), *, where: str) -> Expression:
    """Reads a condition over the standard fields and an organisation's own columns.

    Raises:
        DefinitionInvalid: the text is not CQL2, names a field or code that does not exist, compares what cannot be
            compared, or is no condition; the message names the field, and line and column of the text.
    """
    reader = _Reader(text, own_columns, where)
    tree = reader.parse()
    kind = reader.kind_of(tree)
    if kind != "condition":
        raise reader.fault(f"is a {kind}, not a condition that is true or false", None)
    return Expression(tree, frozenset(_attributes(tree)))


def _attributes(node: Any) -> Iterator[str]:
    if isinstance(node, ast.Attribute):
        yield node.name
    elif isinstance(node, ast.Node):
        for part in node.get_sub_nodes():
            yield from _attributes(part)


class _Reader:
    """One text on its way to a syntax tree, with what is needed to say where it breaks."""

    def __init__(self, text: str, own_columns: OwnColumns, where: str) -> None:
        self._text = text
        self._where = where
        self._own = dict(own_columns)
        self._fields = standard_fields()

    def parse(self) -> ast.Node:
        """The syntax tree. The grammar knows no line ends: each stands for a space, so that columns stay true."""
        try:
            tree = parse(re.sub(r"\s", " ", self._text))
        except UnexpectedInput as error:
            # -1 stands for the end of the text.
            at = len(self._text) if error.pos_in_stream in (None, -1) else int(error.pos_in_stream or 0)
            found = self._text[at:].split()[:1]
            what = f"cannot be read from {found[0]!r} on{self._hint(at)}" if found else "ends too early"
            raise self.fault(f"is not CQL2 text: it {what}", at if found else len(self._text.rstrip())) from error
        except (LarkError, ValueError) as error:
            raise self.fault("is not CQL2 text", None) from error
        if not isinstance(tree, ast.Node):
            raise self.fault("is no condition", None)
        return tree

    def _hint(self, at: int) -> str:
        """What a yes-or-no field that stands alone should have been: CQL2 wants it compared."""
        for name in (*self._text[:at].split()[-1:], *self._text[at:].split()[:1]):
            field = self._fields.get(name.strip("()"))
            if field is not None and field.type == "boolean":
                return f"; a yes-or-no field is compared, as in {field.name} = TRUE"
        return ""

    def fault(self, what: str, position: int | None) -> DefinitionInvalid:
        """The error to raise: what is wrong, and at which line and column of the text."""
        if position is None:
            return DefinitionInvalid(f"{self._where} {what}.")
        # A text that begins on the line after the quotes has its first line there.
        before = self._text[:position].lstrip("\n")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return DefinitionInvalid(f"{self._where} {what} (line {line}, column {column}).")

    def kind_of(self, node: Any) -> Kind:
        """What a piece of the tree is, every piece below it having been checked."""
        kind: Kind = "condition"
        match node:
            case ast.And() | ast.Or():
                self._require("condition", node.lhs, node.rhs)
            case ast.Not():
                self._require("condition", node.sub_node)
            case ast.IsNull():
                self.kind_of(node.lhs)
            case ast.Comparison():
                self._compare(node.lhs, [node.rhs])
            case ast.Between():
                self._compare(node.lhs, [node.low, node.high])
            case ast.In():
                self._compare(node.lhs, node.sub_nodes)
            case ast.Arithmetic():
                self._require("number", node.lhs, node.rhs)
                kind = "number"
            case ast.Attribute():
                kind = self._kind_of_field(node.name)
            case _:
                kind = self._kind_of_value(node)
        return kind

    def _kind_of_value(self, node: Any) -> Kind:
        kinds: dict[type, Kind] = {bool: "condition", int: "number", float: "number", str: "text", date: "date"}
        if type(node) not in kinds:
            raise self.fault(f"uses {type(node).__name__}, which indicators do not know", None)
        return kinds[type(node)]

    def _kind_of_field(self, name: str) -> Kind:
        if name in self._own:
            return self._own[name]
        if name not in self._fields:
            raise self.fault(
                f"uses {name}, which is neither a standard field (data/catalogue/fields.toml) nor one of its own "
                "[columns]",
                self._position(name),
            )
        return _KIND_OF_FIELD[self._fields[name].type]

    def _require(self, kind: Kind, *nodes: Any) -> None:
        for node in nodes:
            found = self.kind_of(node)
            if found != kind:
                raise self.fault(f"has {self._named(node)}, a {found}, where a {kind} belongs", self._position(node))

    def _compare(self, lhs: Any, others: list[Any]) -> None:
        kind = self.kind_of(lhs)
        for other in others:
            found = self.kind_of(other)
            if found != kind:
                raise self.fault(
                    f"compares {self._named(lhs)}, a {kind}, with {self._named(other)}, a {found}",
                    self._position(other),
                )
        for one, values in ((lhs, others), *((other, [lhs]) for other in others)):
            self._check_codes(one, values)

    def _check_codes(self, node: Any, values: list[Any]) -> None:
        field = self._fields.get(node.name) if isinstance(node, ast.Attribute) else None
        if field is None or field.type != "code" or field.name in self._own:
            return
        for value in values:
            if isinstance(value, str) and value not in field.codes:
                raise self.fault(
                    f"compares {field.name} with {value!r}, which is none of its codes: {', '.join(field.codes)}",
                    self._position(value),
                )

    def _named(self, node: Any) -> str:
        if isinstance(node, ast.Attribute):
            return str(node.name)
        return repr(node) if isinstance(node, str | int | float) else "an expression"

    def _position(self, node: Any) -> int | None:
        """Where a field or value stands in the text: the tree itself does not say."""
        name = node.name if isinstance(node, ast.Attribute) else node
        if isinstance(name, str):
            quoted = rf"'{re.escape(name)}'"
            found = re.search(rf"(?<![\w.:'])\"?{re.escape(name)}(?![\w.:'])|{quoted}", self._text)
            return found.start() if found else None
        if isinstance(name, int | float):
            found = re.search(rf"(?<![\w.]){re.escape(str(name))}(?![\w.])", self._text)
            return found.start() if found else None
        return None
