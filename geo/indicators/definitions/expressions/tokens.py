"""Tokens of CQL2 text: names, texts, numbers and signs, each with its place."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from geo.messages import Param


class Unreadable(Exception):
    """What keeps a text from being read: a code with parameters, and where in the text; None: in all of it."""

    def __init__(self, code: str, position: int | None, **params: Param) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
        self.position = position


@dataclass(frozen=True)
class Token:
    """One token; of a text or a quoted name, what stands between the quotes."""

    kind: Literal["name", "quoted name", "text", "number", "sign", "end"]
    text: str
    start: int

    @property
    def keyword(self) -> str | None:
        """The keyword it is, in capitals, if it is one."""
        upper = self.text.upper()
        return upper if self.kind == "name" and upper in _KEYWORDS else None

    def is_sign(self, sign: str) -> bool:
        """Whether it is this sign."""
        return self.kind == "sign" and self.text == sign


_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "LIKE"})

_PATTERNS = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<text>'(?:[^'\n]|'')*')"
    r"|(?P<quoted>\"(?:[^\"\n]|\"\")*\")"
    r"|(?P<sign><>|<=|>=|[=<>+\-*/(),])"
)

# What other languages, keyboards and word processors write, and what CQL2 writes for it; the longest first.
_MEANT = {
    "!=": "<>",
    "==": "=",
    "=>": ">=",
    "=<": "<=",
    "&&": "AND",
    "||": "OR",
    "&": "AND",
    "|": "OR",
    "!": "NOT",
    **dict.fromkeys("[{（", "("),
    **dict.fromkeys("]}）", ")"),
    **dict.fromkeys("‘’‚‛′`´“”„″«»", "'"),
    **dict.fromkeys("–—−", "-"),
    "≠": "<>",
    "≥": ">=",
    "≤": "<=",
    "＝": "=",
    "×": "*",
    "÷": "/",
    "，": ",",
}

_SPEAKS = re.compile(r"[=<>(]|\b(?:AND|OR|NOT|IN|IS)\b|^\s|\s$")
_SHOWN = 30


def read_tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, the last of them its end.

    Raises:
        Unreadable: a character or quote makes no token.
    """
    at = 0
    texts: list[Token] = []
    while at < len(text):
        found = _PATTERNS.match(text, at)
        wrong = next((sign for sign in _MEANT if text.startswith(sign, at)), None)
        if wrong is not None:
            raise Unreadable("expression_sign_unknown", at, sign=wrong, instead=_MEANT[wrong])
        if found is not None:
            kind, end = found.lastgroup, found.end()
        else:
            kind, end = "name", _end_of_name(text, at)
        token_text = text[at:end]
        if kind == "number" and end < len(text) and _is_of_name(text[end]):
            run_on = text[at : _end_of_name(text, end)]
            raise Unreadable("expression_runs_on", at, text=run_on)
        if end == at:
            raise _stray(text, at, texts)
        match kind:
            case "name" | "number" | "sign":
                yield Token(kind, token_text, at)
            case "text":
                texts.append(Token("text", token_text[1:-1].replace("''", "'"), at))
                _check_characters(token_text, at)
                yield texts[-1]
            case "quoted":
                _check_characters(token_text, at)
                yield Token("quoted name", token_text[1:-1].replace('""', '"'), at)
        at = end
    yield Token("end", "", len(text.rstrip()))


def _is_of_name(letter: str) -> bool:
    """Whether a character may stand within a name; signs over and under letters of many scripts are marks."""
    return letter.isalnum() or letter in "_.:" or unicodedata.category(letter).startswith("M")


def _end_of_name(text: str, at: int) -> int:
    while at < len(text) and _is_of_name(text[at]):
        at += 1
    return at


def _check_characters(text: str, start: int) -> None:
    at = next((i for i, letter in enumerate(text) if unicodedata.category(letter) == "Cc"), None)
    if at is not None:
        raise Unreadable("expression_character_unseen", start + at, character=f"U+{ord(text[at]):04X}")


def _stray(text: str, at: int, texts: Sequence[Token]) -> Unreadable:
    """What is wrong with a character no token begins with."""
    letter = text[at]
    if letter == "'":
        # Where a closing quote was forgotten, what follows is taken for text, up to the next one.
        at = next((token.start for token in texts if _SPEAKS.search(token.text)), at)
        return Unreadable("expression_quote_open", at)
    if letter == '"':
        return Unreadable("expression_double_quote_open", at)
    if not letter.isprintable():
        return Unreadable("expression_character_unseen", at, character=f"U+{ord(letter):04X}")
    return Unreadable("expression_character_unknown", at, letter=letter)


def shown(token: Token) -> str:
    """A token as a sentence names it."""
    text = token.text if len(token.text) <= _SHOWN else token.text[:_SHOWN] + "..."
    match token.kind:
        case "text":
            return f"'{text}'"
        case "quoted name":
            return f'"{text}"'
        case "sign" if text == ",":
            return "a comma"
        case _:
            return token.keyword or text
