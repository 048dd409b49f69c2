"""CQL2 over Arrow columns with SQL's three-valued logic: an unknown answer stays unknown, as in PostGIS."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pygeofilter import ast, values
from pygeofilter.backends.evaluator import Evaluator, handle

from geo.indicators.definitions.expressions.check import Expression

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
    # What is divided by nothing is unknown.
    "/": lambda lhs, rhs: pc.divide(lhs, pc.if_else(pc.equal(rhs, 0.0), pa.scalar(None, pa.float64()), rhs)),
    "AND": pc.and_kleene,
    "OR": pc.or_kleene,
}


class Columns(Evaluator):
    """Answers as Arrow columns of one length, against which expressions are evaluated.

    A piece that several expressions share is computed once.
    """

    def __init__(self, columns: Mapping[str, pa.Array], types: Mapping[str, pa.DataType], n: int) -> None:
        """`types` are those of all fields there may be: one that is absent is unknown for everybody."""
        self.n = n
        self._columns = dict(columns)
        self._types = types
        self._computed: dict[Hashable, Any] = {}
        # A node stays alive as long as its identity stands for it.
        self._pieces: dict[int, tuple[ast.Node, Hashable]] = {}

    def add(self, own: Mapping[str, pa.Array]) -> None:
        """Adds an organisation's own columns, in place of any of the same names."""
        if own:
            self._columns |= own
            self._computed.clear()

    def holds(self, expression: Expression) -> pa.Array:
        """Whether a condition holds in each row: true, false or null."""
        return self.evaluate(expression.tree)

    def evaluate(self, node: Any, adopt_result: bool = True) -> Any:
        """The value of a piece of a syntax tree in each row."""
        if not isinstance(node, ast.Node):
            return super().evaluate(node, adopt_result)
        piece = self._piece(node)
        if piece not in self._computed:
            self._computed[piece] = super().evaluate(node, adopt_result)
        return self._computed[piece]

    def _piece(self, node: ast.Node) -> Hashable:
        """What a piece says: the same for two that say the same."""
        _, piece = self._pieces.get(id(node), (node, None))
        if piece is None:
            parts = [self._piece(p) if isinstance(p, ast.Node) else (type(p), p) for p in node.get_sub_nodes()]
            piece = (type(node), getattr(node, "name", None), getattr(node, "not_", None), *parts)
            self._pieces[id(node)] = node, piece
        return piece

    @handle(ast.And, ast.Or)
    def _combine(self, node: Any, lhs: Any, rhs: Any) -> Any:
        return _OPERATIONS[node.op.value](lhs, rhs)

    @handle(ast.Not)
    def _negate(self, _node: Any, sub: Any) -> Any:
        return pc.invert(sub)

    @handle(ast.Comparison, subclasses=True)
    def _compare(self, node: Any, lhs: Any, rhs: Any) -> Any:
        return _OPERATIONS[node.op.value](lhs, rhs)

    @handle(ast.Arithmetic, subclasses=True)
    def _compute(self, node: Any, lhs: Any, rhs: Any) -> Any:
        return _OPERATIONS[node.op.value](_double(lhs), _double(rhs))

    @handle(ast.Between)
    def _between(self, node: Any, lhs: Any, low: Any, high: Any) -> Any:
        inside = pc.and_kleene(pc.greater_equal(lhs, low), pc.less_equal(lhs, high))
        return pc.invert(inside) if node.not_ else inside

    @handle(ast.In)
    def _contained(self, node: Any, lhs: Any, *options: Any) -> Any:
        # is_in says False for a null; SQL says NULL.
        are_numbers = pa.types.is_integer(lhs.type) or pa.types.is_floating(lhs.type)
        found = pc.is_in(_double(lhs) if are_numbers else lhs, pa.array(options, pa.float64() if are_numbers else None))
        found = pc.if_else(pc.is_null(lhs), pa.scalar(None, pa.bool_()), found)
        return pc.invert(found) if node.not_ else found

    @handle(ast.IsNull)
    def _is_null(self, node: Any, lhs: Any) -> Any:
        return pc.is_valid(lhs) if node.not_ else pc.is_null(lhs)

    @handle(ast.Attribute)
    def _attribute(self, node: Any) -> Any:
        if node.name not in self._columns:
            self._columns[node.name] = pa.nulls(self.n, self._types[node.name])
        return self._columns[node.name]

    @handle(*values.LITERALS)
    def _literal(self, node: Any) -> Any:
        return node


def _double(value: Any) -> Any:
    """A number as a double, in which everything is computed: no whole number of any size runs over."""
    is_column = isinstance(value, pa.Array | pa.ChunkedArray | pa.Scalar)
    return pc.cast(value, pa.float64()) if is_column else pa.scalar(float(value))
