"""Parsing CQL2 text: from tokens to a syntax tree whose every piece knows where it stands.

The tree is pygeofilter's, for whose evaluators it is made. Its parser is not used: there AND and OR bind equally, where
CQL2, like SQL, lets AND bind closer; NOT goes before a single comparison only; and nothing says where it stands.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn

from pygeofilter import ast

from geo.indicators.definitions.expressions.tokens import Token, Unreadable, read_tokens, shown

MOST_LETTERS = 10_000
"""The longest text that is read."""

DEEPEST = 20
"""How many brackets, NOTs and signs may stand inside one another."""

MOST_SIGNS = 100
"""How many signs of arithmetic a text may have: each makes the tree of its computation deeper."""


@dataclass(frozen=True)
class Piece:
    """A part of a text: what it means, where it begins, and the pieces it is made of."""

    node: Any
    """A node of the syntax tree, or a plain value."""
    start: int
    parts: tuple["Piece", ...] = ()
    is_quoted: bool = False
    """Whether it is a name between double quotes."""

    def walk(self) -> Iterator["Piece"]:
        """This piece and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


_COMPARISONS: Mapping[str, type[ast.Comparison]] = {
    "=": ast.Equal,
    "<>": ast.NotEqual,
    "<": ast.LessThan,
    "<=": ast.LessEqual,
    ">": ast.GreaterThan,
    ">=": ast.GreaterEqual,
}
_SUMS: Mapping[str, type[ast.Arithmetic]] = {"+": ast.Add, "-": ast.Sub}
_PRODUCTS: Mapping[str, type[ast.Arithmetic]] = {"*": ast.Mul, "/": ast.Div}

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_WHOLE = 30


def parse_condition(text: str) -> Piece:
    """The syntax tree of a text.

    Raises:
        Unreadable: the text is not CQL2 of the kind that indicators use.
    """
    if len(text) > MOST_LETTERS:
        raise Unreadable("expression_too_long", None, most=MOST_LETTERS)
    if not text.strip():
        raise Unreadable("expression_empty", None)
    return _Parser(list(read_tokens(text))).parse()


class _Parser:
    """Reads tokens from left to right, each rule of the grammar a method."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._n_signs = 0
        self._open_comparison: Token | None = None

    def parse(self) -> Piece:
        """All tokens as one piece."""
        whole = self._any()
        if self._next.kind != "end":
            self._left_over(whole)
        return whole

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _take_sign(self, signs: str | Mapping[str, Any]) -> Token | None:
        token = self._next
        return self._take() if token.kind == "sign" and token.text in signs else None

    def _take_keyword(self, *words: str) -> Token | None:
        """The next tokens, if they are these keywords: the first of them."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [token.keyword for token in ahead] != list(words):
            return None
        self._at += len(words)
        return ahead[0]

    @contextmanager
    def _nested(self, token: Token) -> Iterator[None]:
        if self._depth == DEEPEST:
            raise Unreadable("expression_too_deep", token.start, most=DEEPEST)
        self._depth += 1
        comparison, self._open_comparison = self._open_comparison, None
        yield
        self._open_comparison = comparison
        self._depth -= 1

    def _any(self) -> Piece:
        return self._joined("OR", ast.Or, self._all)

    def _all(self) -> Piece:
        return self._joined("AND", ast.And, self._not)

    def _joined(self, word: str, node: type[ast.Combination], rule: Callable[[], Piece]) -> Piece:
        parts = [rule()]
        while self._take_keyword(word):
            parts.append(rule())
        return _balanced(node, parts)

    def _not(self) -> Piece:
        token = self._take_keyword("NOT")
        if token is None:
            return self._comparison()
        with self._nested(token):
            negated = self._not()
        return Piece(ast.Not(negated.node), token.start, (negated,))

    def _comparison(self) -> Piece:
        lhs = self._sum()
        sign = self._take_sign(_COMPARISONS)
        if sign is not None:
            return self._compared(lhs, sign)
        is_not = self._next.keyword == "NOT"
        words = ("NOT",) if is_not else ()
        if self._take_keyword(*words, "IN"):
            return self._listed(lhs, is_not=is_not)
        if self._take_keyword(*words, "BETWEEN"):
            return self._between(lhs, is_not=is_not)
        word = self._take_keyword("IS")
        if word is not None:
            is_not = self._take_keyword("NOT") is not None
            if self._take_keyword("NULL") is None:
                raise Unreadable("expression_is_without_null", word.start)
            return Piece(ast.IsNull(lhs.node, is_not), lhs.start, (lhs,))
        like = self._tokens[self._at + is_not] if self._next.kind != "end" else self._next
        if like.keyword == "LIKE":
            raise Unreadable("expression_like", like.start)
        return lhs

    def _compared(self, lhs: Piece, sign: Token) -> Piece:
        null = self._take_keyword("NULL")
        if null is not None:
            word = "IS NOT NULL" if sign.text == "<>" else "IS NULL"
            raise Unreadable("expression_compared_with_null", sign.start, sign=sign.text, instead=word)
        self._open_comparison = sign
        rhs = self._sum()
        self._open_comparison = None
        again = self._take_sign(_COMPARISONS)
        if again is not None:
            raise Unreadable("expression_compared_twice", again.start, sign=again.text)
        return Piece(_COMPARISONS[sign.text](lhs.node, rhs.node), lhs.start, (lhs, rhs))

    def _listed(self, lhs: Piece, *, is_not: bool) -> Piece:
        opening = self._take_sign("(")
        if opening is None:
            raise Unreadable("expression_in_without_list", self._next.start)
        if self._next.is_sign(")"):
            raise Unreadable("expression_list_empty", opening.start)
        options = [self._sum()]
        while self._take_sign(","):
            options.append(self._sum())
        if self._take_sign(")") is None:
            if self._next.keyword in ("AND", "OR"):
                raise Unreadable("expression_keyword_in_list", self._next.start, keyword=self._next.keyword)
            if self._next.kind in ("text", "number"):
                raise Unreadable("expression_comma_missing", self._next.start, value=shown(self._next))
            self._unclosed(opening, options[-1])
        node = ast.In(lhs.node, [option.node for option in options], is_not)
        return Piece(node, lhs.start, (lhs, *options))

    def _between(self, lhs: Piece, *, is_not: bool) -> Piece:
        low = self._sum()
        if self._take_keyword("AND") is None:
            raise Unreadable("expression_between_without_and", self._next.start)
        high = self._sum()
        return Piece(ast.Between(lhs.node, low.node, high.node, is_not), lhs.start, (lhs, low, high))

    def _sum(self) -> Piece:
        return self._computed(_SUMS, self._product)

    def _product(self) -> Piece:
        return self._computed(_PRODUCTS, self._atom)

    def _computed(self, signs: Mapping[str, type[ast.Arithmetic]], rule: Callable[[], Piece]) -> Piece:
        piece = rule()
        while (sign := self._take_sign(signs)) is not None:
            self._n_signs += 1
            if self._n_signs > MOST_SIGNS:
                raise Unreadable("expression_many_signs", sign.start, most=MOST_SIGNS)
            rhs = rule()
            piece = Piece(signs[sign.text](piece.node, rhs.node), piece.start, (piece, rhs))
        return piece

    def _atom(self) -> Piece:
        before = self._tokens[self._at - 1] if self._at else None
        token = self._take()
        match token.kind:
            case "text":
                piece = Piece(token.text, token.start)
            case "number":
                is_whole = token.text.isdigit() and len(token.text) < _LONGEST_WHOLE
                piece = Piece(int(token.text) if is_whole else float(token.text), token.start)
            case "quoted name":
                piece = Piece(ast.Attribute(token.text), token.start, is_quoted=True)
            case "name" if token.keyword in ("TRUE", "FALSE"):
                piece = Piece(token.keyword == "TRUE", token.start)
            case "name" if token.keyword is None:
                is_function = self._take_sign("(") is not None
                piece = self._function(token) if is_function else Piece(ast.Attribute(token.text), token.start)
            case "sign" if token.text == "(":
                piece = self._bracketed(token)
            case "sign" if token.text == "-":
                piece = self._negative(token)
            case _:
                raise _misplaced(token, before)
        return piece

    def _bracketed(self, opening: Token) -> Piece:
        comparison = self._open_comparison
        with self._nested(opening):
            inside = self._any()
        if self._take_sign(")") is not None:
            return inside
        if comparison is not None and self._next.is_sign(","):
            word = "NOT IN" if comparison.text == "<>" else "IN"
            raise Unreadable("expression_sign_before_list", comparison.start, sign=comparison.text, instead=word)
        return self._unclosed(opening, inside)

    def _negative(self, sign: Token) -> Piece:
        with self._nested(sign):
            piece = self._atom()
        if isinstance(piece.node, int | float) and not isinstance(piece.node, bool):
            return Piece(-piece.node, sign.start)
        return Piece(ast.Mul(-1, piece.node), sign.start, (Piece(-1, sign.start), piece))

    def _function(self, name: Token) -> Piece:
        if name.text.upper() != "DATE":
            raise Unreadable("expression_function_unknown", name.start, function=name.text)
        day = self._take()
        if day.kind != "text" or not _DATE.fullmatch(day.text) or self._take_sign(")") is None:
            raise Unreadable("expression_date_not_written", name.start)
        try:
            return Piece(date.fromisoformat(day.text), name.start)
        except ValueError:
            raise Unreadable("expression_no_day", name.start, day=day.text) from None

    def _unclosed(self, opening: Token, inside: Piece) -> NoReturn:
        if self._next.kind == "end":
            raise Unreadable("expression_bracket_open", opening.start)
        self._left_over(inside)

    def _left_over(self, piece: Piece) -> NoReturn:
        """What is wrong with the next token, which nothing before it leads to."""
        token = self._next
        before = self._tokens[self._at - 1]
        if token.is_sign(")"):
            raise Unreadable("expression_bracket_closes_nothing", token.start)
        if token.is_sign(","):
            after = self._tokens[self._at + 1]
            if (before.kind, after.kind) == ("number", "number") and after.start == token.start + 1:
                raise Unreadable("expression_comma_in_number", token.start, whole=before.text, part=after.text)
            raise Unreadable("expression_comma_outside_list", token.start)
        is_condition = isinstance(piece.node, ast.Condition | ast.Predicate)
        missing = "expression_joiner_missing" if is_condition else "expression_comparison_missing"
        raise Unreadable(missing, token.start, before=shown(before), after=shown(token))


def _balanced(node: type[ast.Combination], parts: Sequence[Piece]) -> Piece:
    """Parts joined so that a long row of them makes no deep tree."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    lhs, rhs = _balanced(node, parts[:middle]), _balanced(node, parts[middle:])
    return Piece(node(lhs.node, rhs.node), lhs.start, (lhs, rhs))


def _misplaced(token: Token, before: Token | None) -> Unreadable:
    """What is wrong with a token that stands where a field or value should."""
    if token.keyword == "NULL":
        return Unreadable("expression_null_as_value", token.start)
    if token.kind == "end" and before:
        return Unreadable("expression_ends_early_after", token.start, before=shown(before))
    if token.kind == "end":
        return Unreadable("expression_ends_early", token.start)
    if before:
        return Unreadable("expression_misplaced_after", token.start, found=shown(token), before=shown(before))
    return Unreadable("expression_misplaced", token.start, found=shown(token))
