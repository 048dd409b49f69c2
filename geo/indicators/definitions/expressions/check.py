"""What an indicator's expression may say, and where it breaks when it says something else."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from pygeofilter import ast

from geo.errors import ExpressionInvalid
from geo.fields import Field, FieldType, standard_fields
from geo.indicators.definitions.expressions.parser import Piece, parse_condition
from geo.indicators.definitions.expressions.tokens import Unreadable

Kind = Literal["condition", "yes-or-no", "number", "text", "date"]
"""What a piece of an expression is: a condition is made of comparisons, a yes-or-no is an answer to be compared."""

_KIND_OF_FIELD: Mapping[FieldType, Kind] = {
    "boolean": "yes-or-no",
    "integer": "number",
    "number": "number",
    "code": "text",
    "text": "text",
    "date": "date",
}
_KIND_OF_VALUE: Mapping[type, Kind] = {bool: "yes-or-no", int: "number", float: "number", str: "text", date: "date"}

_ORDERED: tuple[Kind, ...] = ("number", "date")
"""The kinds of which one value is more or less than another, whatever alphabet a database sorts by."""

MOST_VALUES = 500
"""How many values an expression may compare with: each is a parameter of the statement that counts."""

MOST_SUMS = 10
"""How many signs of arithmetic a computation may have: with these no number grows past what a double holds."""

_LARGEST, _SMALLEST = 1e12, 1e-9


@dataclass(frozen=True)
class Expression:
    """A condition: its syntax tree, the fields it asks for, and how many values it compares with."""

    tree: ast.Node
    attributes: frozenset[str]
    n_values: int


OwnColumns = frozenset[tuple[str, Literal["text", "number"]]]
"""Columns beyond the standard fields, each with what it holds."""


def read_expression(text: str, own_columns: OwnColumns = frozenset(), *, where: str) -> Expression:
    """Reads a condition over the standard fields and an organisation's own columns.

    Raises:
        ExpressionInvalid: the text is not CQL2, names a field or code that does not exist, compares what cannot be
            compared, or is no condition; the message names the field, and line and column of the text.
    """
    try:
        return _read(text, own_columns)
    except Unreadable as error:
        raise ExpressionInvalid(where, error.what, text, error.position) from error


@lru_cache(maxsize=8192)
def _read(text: str, own_columns: OwnColumns) -> Expression:
    whole = parse_condition(text)
    _Checker(own_columns).require_condition(whole)
    pieces = list(whole.walk())
    values = [piece for piece in pieces if not isinstance(piece.node, ast.Node)]
    if len(values) > MOST_VALUES:
        raise Unreadable(f"compares with more than {MOST_VALUES} values", values[MOST_VALUES].start)
    attributes = frozenset(piece.node.name for piece in pieces if isinstance(piece.node, ast.Attribute))
    return Expression(whole.node, attributes, len(values))


class _Checker:
    """Whether each piece of an expression makes sense."""

    def __init__(self, own_columns: OwnColumns) -> None:
        self._own = dict(own_columns)
        self._fields = standard_fields()

    def require_condition(self, *pieces: Piece) -> None:
        """Holds that pieces are conditions, and all below them what they must be."""
        for piece in pieces:
            kind = self._kind_of(piece)
            if kind == "yes-or-no" and isinstance(piece.node, ast.Attribute):
                name = _named(piece)
                raise Unreadable(f"has {name} alone; a yes-or-no answer is compared, as in {name} = TRUE", piece.start)
            if kind != "condition":
                raise Unreadable(f"has {_named(piece)}, a {kind}, where a condition belongs", piece.start)

    def _kind_of(self, piece: Piece) -> Kind:
        kind: Kind = "condition"
        match piece.node:
            case ast.And() | ast.Or() | ast.Not():
                self.require_condition(*piece.parts)
            case ast.IsNull():
                self._check_is_null(*piece.parts)
            case ast.Comparison():
                self._compare(piece, ordered=not isinstance(piece.node, ast.Equal | ast.NotEqual))
            case ast.Between():
                self._compare(piece, ordered=True)
                if not _has_field(piece.parts[0]):
                    raise Unreadable("has BETWEEN after something that names no field", piece.parts[0].start)
            case ast.In():
                self._check_options(piece.parts[1:])
                self._compare(piece, ordered=False)
            case ast.Arithmetic():
                self._check_arithmetic(piece)
                kind = "number"
            case ast.Attribute():
                kind = self._kind_of_field(piece)
            case _:
                kind = _kind_of_value(piece)
        return kind

    def _kind_of_field(self, piece: Piece, beside: Piece | None = None) -> Kind:
        name = piece.node.name
        if name in self._own:
            return self._own[name]
        if name in self._fields:
            field = self._fields[name]
            if field.role == "identifier":
                raise Unreadable(f"uses {name}, which tells one household or place from another", piece.start)
            return _KIND_OF_FIELD[field.type]
        raise Unreadable(self._unknown(piece, beside), piece.start)

    def _unknown(self, piece: Piece, beside: Piece | None) -> str:
        """What is wrong with a name that is no field's, compared with the piece beside it."""
        name = piece.node.name
        near = difflib.get_close_matches(name, [*self._own, *self._fields], n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        if piece.is_quoted:
            text = f"a code or other text stands between single ones: '{name}'"
            return f'uses "{name}", which is no column, as the double quotes say{hint}; {text}'
        coded = self._coded(beside) if beside else None
        if coded is not None and name in coded.codes:
            return f"uses {name}, a code of {coded.name}, without quotes: write '{name}'"
        other = beside.node.name if beside and isinstance(beside.node, ast.Attribute) else ""
        kind = self._own.get(other) or (_KIND_OF_FIELD[self._fields[other].type] if other in self._fields else None)
        if not near and kind == "text":
            hint = f"; a text stands between single quotes: '{name}'"
        if not near and kind == "yes-or-no":
            hint = f"; {other} is compared with TRUE or FALSE"
        return f"uses {name}, which is neither a standard field nor one of its own [columns]{hint}"

    def _check_is_null(self, field: Piece) -> None:
        if not isinstance(field.node, ast.Attribute):
            raise Unreadable("has IS NULL after something that is not a field", field.start)
        self._kind_of_field(field)

    def _check_options(self, options: Sequence[Piece]) -> None:
        for option in options:
            if isinstance(option.node, ast.Attribute):
                # Its name may be a code without quotes, which is said below.
                continue
            if isinstance(option.node, ast.Node):
                raise Unreadable("has more than plain values in the list after IN", option.start)

    def _check_arithmetic(self, piece: Piece) -> None:
        for part in piece.parts:
            kind = self._kind_of(part)
            if kind != "number":
                raise Unreadable(f"computes with {_named(part)}, a {kind}", part.start)
        signs = [each for each in piece.walk() if isinstance(each.node, ast.Arithmetic)]
        if len(signs) > MOST_SUMS:
            raise Unreadable(f"computes with more than {MOST_SUMS} signs in a row", piece.start)

    def _compare(self, comparison: Piece, *, ordered: bool) -> None:
        lhs, *others = comparison.parts
        kind = self._kind_beside(lhs, others[0])
        for other in others:
            found = self._kind_beside(other, lhs)
            for piece, its in ((lhs, kind), (other, found)):
                if its == "condition":
                    raise Unreadable("compares a condition; join conditions with AND or OR", piece.start)
            if found != kind:
                raise Unreadable(
                    f"compares {_named(lhs)}, a {kind}, with {_named(other)}, a {found}{_remedy(lhs, kind, other)}",
                    other.start,
                )
        if not any(map(_has_field, comparison.parts)):
            raise Unreadable("compares without naming a field", lhs.start)
        if ordered and kind not in _ORDERED:
            raise Unreadable(f"asks whether {_named(lhs)}, a {kind}, is more or less; compare it with =", lhs.start)
        if isinstance(comparison.node, ast.In) and any(map(_has_field, others)):
            option = next(filter(_has_field, others))
            raise Unreadable(f"has the field {_named(option)} in the list after IN; compare it with =", option.start)
        for piece in others:
            self._check_codes(lhs, piece)
            self._check_codes(piece, lhs)

    def _kind_beside(self, piece: Piece, other: Piece) -> Kind:
        """What a piece is that is compared with another."""
        return self._kind_of_field(piece, other) if isinstance(piece.node, ast.Attribute) else self._kind_of(piece)

    def _coded(self, piece: Piece) -> Field | None:
        """The coded field a piece is, if it is one."""
        name = piece.node.name if isinstance(piece.node, ast.Attribute) else ""
        field = None if name in self._own else self._fields.get(name)
        return field if field is not None and field.type == "code" else None

    def _check_codes(self, piece: Piece, value: Piece) -> None:
        field = self._coded(piece)
        if field is None:
            return
        if not isinstance(value.node, str):
            raise Unreadable(f"compares {field.name} with {_named(value)}; it is compared with its codes", value.start)
        if value.node not in field.codes:
            near = difflib.get_close_matches(value.node, field.codes, n=1)
            hint = f" (the nearest is {near[0]})" if near else ""
            raise Unreadable(
                f"compares {field.name} with {_named(value)}, which is none of its codes{hint}: "
                f"{', '.join(field.codes)}",
                value.start,
            )


def _kind_of_value(piece: Piece) -> Kind:
    kind = _KIND_OF_VALUE[type(piece.node)]
    if kind == "number" and piece.node != 0 and not _SMALLEST <= abs(piece.node) <= _LARGEST:
        too = "large" if abs(piece.node) > 1 else "small"
        raise Unreadable(f"has a number that is too {too}", piece.start)
    return kind


def _has_field(piece: Piece) -> bool:
    return any(isinstance(each.node, ast.Attribute) for each in piece.walk())


def _named(piece: Piece) -> str:
    """A piece as a sentence names it."""
    node = piece.node
    if isinstance(node, ast.Attribute):
        return str(node.name)
    if isinstance(node, bool):
        return str(node).upper()
    if isinstance(node, int | float):
        return f"{node:g}" if isinstance(node, float) or abs(node) > _LARGEST else str(node)
    if isinstance(node, str):
        return f"'{node}'" if len(node) <= 40 else f"'{node[:40]}...'"
    return f"DATE('{node}')" if isinstance(node, date) else "a computation"


def _remedy(lhs: Piece, kind: Kind, other: Piece) -> str:
    """How to write what two kinds were compared for, where that can be told."""
    name = lhs.node.name if isinstance(lhs.node, ast.Attribute) else None
    value = other.node
    if name is None or isinstance(value, ast.Node):
        return ""
    if kind == "number" and isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        return f": write {value.strip()} without quotes"
    if kind == "yes-or-no":
        return ": write TRUE or FALSE, without quotes"
    if kind == "date":
        return ": write it as DATE('2024-05-31')"
    return ": a text stands between single quotes" if kind == "text" else ""
