"""Which answers several conditions can have together, found by trying what their fields can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pygeofilter import ast

from geo.fields import FieldType, standard_fields
from geo.indicators.definitions.expressions.check import Expression
from geo.indicators.definitions.expressions.to_arrow import Columns

YES, NO, UNKNOWN = 1, 0, -1

MOST_TRIED = 200_000
"""Of conditions whose fields can hold more together nothing is said."""

_TYPES: Mapping[FieldType, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.float64(),
    "number": pa.float64(),
    "code": pa.string(),
    "text": pa.string(),
    "date": pa.date32(),
}
_PLAIN_NUMBERS = (1.0, 4.0)
_OTHER_TEXT = "\u2007"
"""A text that no condition names."""


def outcomes(conditions: Sequence[Expression]) -> NDArray[np.int8] | None:
    """Every combination of YES, NO and UNKNOWN that a household can have: one a row, a column for each condition.

    None where there is too much to try. Numbers are tried at and beside those the conditions name.
    """
    names = sorted(frozenset[str]().union(*(condition.attributes for condition in conditions)))
    constants = [value for condition in conditions for value in _constants(condition.tree)]
    types = {name: _type_of(name, constants) for name in names}
    tried = [_values(name, types[name], constants) for name in names]
    if prod(map(len, tried)) > MOST_TRIED:
        return None
    rows = list(product(*tried))
    columns = {name: pa.array([row[i] for row in rows], types[name]) for i, name in enumerate(names)}
    answers = Columns(columns, types, len(rows))
    found = np.full((len(rows), len(conditions)), UNKNOWN, dtype=np.int8)
    for i, condition in enumerate(conditions):
        holds = answers.holds(condition)
        known = holds.is_valid().to_numpy(zero_copy_only=False)
        found[known, i] = holds.fill_null(False).to_numpy(zero_copy_only=False)[known]
    return np.unique(found, axis=0)


def alternatives(condition: Expression, beside: Iterable[frozenset[str]]) -> list[Expression]:
    """The conditions of which one is enough, that share no field; those of a set in `beside` stay in one."""
    parts: list[tuple[frozenset[str], list[ast.Node]]] = [(fields, []) for fields in beside]
    for node in _choices(condition.tree):
        fields = frozenset(_fields(node))
        touching = [part for part in parts if part[0] & fields]
        parts = [part for part in parts if not part[0] & fields]
        parts.append((fields.union(*(f for f, _ in touching)), [*(n for _, of in touching for n in of), node]))
    found = [nodes for _, nodes in parts if nodes]
    if len(found) == 1:
        return [condition]
    return [Expression(_any(nodes), frozenset(name for node in nodes for name in _fields(node)), 0) for nodes in found]


def _choices(node: ast.Node) -> Iterator[ast.Node]:
    if isinstance(node, ast.Or):
        yield from _choices(node.lhs)
        yield from _choices(node.rhs)
    else:
        yield node


def _any(nodes: Sequence[ast.Node]) -> ast.Node:
    whole = nodes[0]
    for node in nodes[1:]:
        whole = ast.Or(whole, node)
    return whole


def _walk(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, ast.Node):
        for part in node.get_sub_nodes():
            yield from _walk(part)


def _fields(node: ast.Node) -> Iterator[str]:
    return (each.name for each in _walk(node) if isinstance(each, ast.Attribute))


def _constants(node: ast.Node) -> Iterator[Any]:
    for each in _walk(node):
        parts = each if isinstance(each, list | tuple) else [each]
        yield from (part for part in parts if not isinstance(part, ast.Node))


def _type_of(name: str, constants: Iterable[Any]) -> pa.DataType:
    known = standard_fields().get(name)
    if known is not None:
        return _TYPES[known.type]
    # An organisation's own column is a text or a number.
    return pa.string() if any(isinstance(value, str) for value in constants) else pa.float64()


def _values(name: str, held: pa.DataType, constants: Iterable[Any]) -> list[Any]:
    """What is tried of a field: whatever the conditions can tell apart, and that it is unknown."""
    known = standard_fields().get(name)
    if pa.types.is_boolean(held):
        return [None, False, True]
    if pa.types.is_floating(held):
        numbers = {float(v) for v in constants if isinstance(v, int | float) and not isinstance(v, bool)}
        return [None, *sorted({*_PLAIN_NUMBERS, *(n + step for n in numbers for step in (-1, 0, 1))})]
    if pa.types.is_date(held):
        return [None, date.min, *sorted({v for v in constants if isinstance(v, date)}), date.max]
    texts = {v for v in constants if isinstance(v, str)}
    # Codes that no condition names are all alike.
    others = set(known.codes) - texts if known is not None and known.codes else {_OTHER_TEXT}
    named = texts & set(known.codes) if known is not None and known.codes else texts
    return [None, *sorted(named), *sorted(others)[:1]]
