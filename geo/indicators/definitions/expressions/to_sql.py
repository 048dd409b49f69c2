"""CQL2 as SQL, where PostgreSQL and the columns in memory would part: arithmetic, and numbers in lists."""

from collections.abc import Mapping
from typing import Any

from pygeofilter import ast
from pygeofilter.backends.evaluator import handle
from pygeofilter.backends.sqlalchemy.evaluate import SQLAlchemyFilterEvaluator
from sqlalchemy import Double, cast, func, literal
from sqlalchemy.sql import ColumnElement

from geo.indicators.definitions.expressions.check import Expression


def to_condition(expression: Expression, fields: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """An expression as a condition on the columns that its fields are."""
    condition: ColumnElement[bool] = _Conditions(fields, None).evaluate(expression.tree)
    return condition


class _Conditions(SQLAlchemyFilterEvaluator):
    """pygeofilter's SQL, but for what would fail in one row, or differ in its last digit."""

    @handle(ast.Arithmetic, subclasses=True)
    def _compute(self, node: Any, lhs: Any, rhs: Any) -> Any:
        # In doubles no product of whole numbers runs over; what is divided by nothing is unknown.
        lhs, rhs = _double(lhs), _double(rhs)
        match node.op:
            case ast.ArithmeticOp.ADD:
                return lhs + rhs
            case ast.ArithmeticOp.SUB:
                return lhs - rhs
            case ast.ArithmeticOp.MUL:
                return lhs * rhs
        return lhs / func.nullif(rhs, literal(0.0, Double))

    @handle(ast.In)
    def _contained(self, node: Any, lhs: Any, *options: Any) -> Any:
        # Beside a whole number, PostgreSQL would round the others in the list to whole ones.
        if all(type(option) in (int, float) for option in options):
            lhs, options = _double(lhs), tuple(map(float, options))
        found = lhs.in_(options)
        return ~found if node.not_ else found


def _double(value: Any) -> ColumnElement[float]:
    return literal(float(value), Double) if isinstance(value, int | float) else cast(value, Double)
