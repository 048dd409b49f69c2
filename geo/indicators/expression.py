"""CQL2 over Arrow columns with SQL's three-valued logic: an unknown answer stays unknown, as in PostGIS."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pygeofilter import ast, values
from pygeofilter.backends.evaluator import Evaluator, handle

# pygeofilter's own frame backends follow pandas, where a comparison with a missing value is False. That would count
# a household that did not answer as one without the service.
_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal,
    "<>": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "+": pc.add,
    "-": pc.subtract,
    "*": pc.multiply,
    "/": lambda lhs, rhs: pc.divide(lhs, pc.cast(rhs, pa.float64())),
    "AND": pc.and_kleene,
    "OR": pc.or_kleene,
}


class _ArrowEvaluator(Evaluator):
    """Evaluates a syntax tree against columns of one length."""

    def __init__(self, columns: Mapping[str, pa.Array]) -> None:
        self.columns = columns

    @handle(ast.And, ast.Or)
    def combine(self, node: Any, lhs: Any, rhs: Any) -> Any:
        return _OPERATIONS[node.op.value](lhs, rhs)

    @handle(ast.Not)
    def negate(self, _node: Any, sub: Any) -> Any:
        return pc.invert(sub)

    @handle(ast.Comparison, ast.Arithmetic, subclasses=True)
    def operate(self, node: Any, lhs: Any, rhs: Any) -> Any:
        return _OPERATIONS[node.op.value](lhs, rhs)

    @handle(ast.Between)
    def between(self, node: Any, lhs: Any, low: Any, high: Any) -> Any:
        inside = pc.and_kleene(pc.greater_equal(lhs, low), pc.less_equal(lhs, high))
        return pc.invert(inside) if node.not_ else inside

    @handle(ast.In)
    def contained(self, node: Any, lhs: Any, *options: Any) -> Any:
        # is_in says False for a null; SQL says NULL.
        found = pc.if_else(pc.is_null(lhs), pa.scalar(None, pa.bool_()), pc.is_in(lhs, pa.array(options)))
        return pc.invert(found) if node.not_ else found

    @handle(ast.IsNull)
    def is_null(self, node: Any, lhs: Any) -> Any:
        return pc.is_valid(lhs) if node.not_ else pc.is_null(lhs)

    @handle(ast.Attribute)
    def attribute(self, node: Any) -> Any:
        column = self.columns[node.name]
        # Sixteen bits hold a count of members, but not its square.
        return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column

    @handle(*values.LITERALS)
    def literal(self, node: Any) -> Any:
        return node


def evaluate(tree: ast.Node, columns: Mapping[str, pa.Array]) -> pa.Array:
    """The expression's value in each row: true, false or null."""
    return _ArrowEvaluator(columns).evaluate(tree)
