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
from geo.messages import Message

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


def read_expression(text: str, own_columns: OwnColumns = frozenset(), *, where: str | Message) -> Expression:
    """Reads a condition over the standard fields and an organisation's own columns; `where` is what messages call it.

    Raises:
        ExpressionInvalid: the text is not CQL2, names a field or code that does not exist, compares what cannot be
            compared, or is no condition; the message names the field, and line and column of the text.
    """
    try:
        return _read(text, own_columns)
    except Unreadable as error:
        raise ExpressionInvalid(where, error.code, error.params, text, error.position) from error


@lru_cache(maxsize=8192)
def _read(text: str, own_columns: OwnColumns) -> Expression:
    whole = parse_condition(text)
    _Checker(own_columns).require_condition(whole)
    pieces = list(whole.walk())
    values = [piece for piece in pieces if not isinstance(piece.node, ast.Node)]
    if len(values) > MOST_VALUES:
        raise Unreadable("expression_many_values", values[MOST_VALUES].start, most=MOST_VALUES)
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
                raise Unreadable("expression_answer_alone", piece.start, field=name)
            if kind != "condition":
                raise Unreadable("expression_no_condition", piece.start, value=_named(piece), kind=kind)

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
                    raise Unreadable("expression_between_without_field", piece.parts[0].start)
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
                raise Unreadable("expression_identifier", piece.start, field=name)
            return _KIND_OF_FIELD[field.type]
        raise self._unknown(piece, beside)

    def _unknown(self, piece: Piece, beside: Piece | None) -> Unreadable:  # noqa: PLR0911 (a sentence each)
        """What is wrong with a name that is no field's, compared with the piece beside it."""
        name = piece.node.name
        near = difflib.get_close_matches(name, [*self._own, *self._fields], n=1)
        if piece.is_quoted and near:
            return Unreadable("expression_column_unknown_near", piece.start, name=name, nearest=near[0])
        if piece.is_quoted:
            return Unreadable("expression_column_unknown", piece.start, name=name)
        coded = self._coded(beside) if beside else None
        if coded is not None and name in coded.codes:
            return Unreadable("expression_code_without_quotes", piece.start, name=name, field=coded.name)
        other = beside.node.name if beside and isinstance(beside.node, ast.Attribute) else ""
        kind = self._own.get(other) or (_KIND_OF_FIELD[self._fields[other].type] if other in self._fields else None)
        if near:
            return Unreadable("expression_field_unknown_near", piece.start, name=name, nearest=near[0])
        if kind == "text":
            return Unreadable("expression_field_unknown_beside_text", piece.start, name=name)
        if kind == "yes-or-no":
            return Unreadable("expression_field_unknown_beside_answer", piece.start, name=name, field=other)
        return Unreadable("expression_field_unknown", piece.start, name=name)

    def _check_is_null(self, field: Piece) -> None:
        if not isinstance(field.node, ast.Attribute):
            raise Unreadable("expression_null_test_of_no_field", field.start)
        self._kind_of_field(field)

    def _check_options(self, options: Sequence[Piece]) -> None:
        for option in options:
            if isinstance(option.node, ast.Attribute):
                # Its name may be a code without quotes, which is said below.
                continue
            if isinstance(option.node, ast.Node):
                raise Unreadable("expression_computation_in_list", option.start)

    def _check_arithmetic(self, piece: Piece) -> None:
        for part in piece.parts:
            kind = self._kind_of(part)
            if kind != "number":
                raise Unreadable("expression_computes_with_no_number", part.start, value=_named(part), kind=kind)
        signs = [each for each in piece.walk() if isinstance(each.node, ast.Arithmetic)]
        if len(signs) > MOST_SUMS:
            raise Unreadable("expression_many_signs_in_a_row", piece.start, most=MOST_SUMS)

    def _compare(self, comparison: Piece, *, ordered: bool) -> None:
        lhs, *others = comparison.parts
        kind = self._kind_beside(lhs, others[0])
        for other in others:
            found = self._kind_beside(other, lhs)
            for piece, its in ((lhs, kind), (other, found)):
                if its == "condition":
                    raise Unreadable("expression_condition_compared", piece.start)
            if found != kind:
                told = {"value": _named(lhs), "kind": kind, "other": _named(other), "other_kind": found}
                raise Unreadable("expression_kinds_differ", other.start, **told, remedy=_remedy(lhs, kind, other))
        if not any(map(_has_field, comparison.parts)):
            raise Unreadable("expression_without_field", lhs.start)
        if ordered and kind not in _ORDERED:
            raise Unreadable("expression_not_ordered", lhs.start, value=_named(lhs), kind=kind)
        if isinstance(comparison.node, ast.In) and any(map(_has_field, others)):
            option = next(filter(_has_field, others))
            raise Unreadable("expression_field_in_list", option.start, field=_named(option))
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
            raise Unreadable(
                "expression_field_compared_with_no_code", value.start, field=field.name, value=_named(value)
            )
        if value.node not in field.codes:
            near = difflib.get_close_matches(value.node, field.codes, n=1)
            told = {"field": field.name, "value": _named(value)}
            if near:
                told["nearest"] = near[0]
                raise Unreadable("expression_code_unknown_near", value.start, **told, codes=field.codes)
            raise Unreadable("expression_code_unknown", value.start, **told, codes=field.codes)


def _kind_of_value(piece: Piece) -> Kind:
    kind = _KIND_OF_VALUE[type(piece.node)]
    if kind == "number" and piece.node != 0 and not _SMALLEST <= abs(piece.node) <= _LARGEST:
        is_large = abs(piece.node) > 1
        raise Unreadable("expression_number_too_large" if is_large else "expression_number_too_small", piece.start)
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


def _remedy(lhs: Piece, kind: Kind, other: Piece) -> Message | None:
    """How to write what two kinds were compared for, where that can be told."""
    name = lhs.node.name if isinstance(lhs.node, ast.Attribute) else None
    value = other.node
    if name is None or isinstance(value, ast.Node):
        return None
    if kind == "number" and isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        return Message("expression_write_number", value=value.strip())
    if kind == "yes-or-no":
        return Message("expression_write_answer")
    if kind == "date":
        return Message("expression_write_date")
    return Message("expression_write_text") if kind == "text" else None
