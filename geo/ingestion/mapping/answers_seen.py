"""Answers seen: every answer of every mapped question in a file, how often it comes, and what it is taken for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold
from geo.ingestion.mapping.cells import is_blank, texts
from geo.ingestion.mapping.profile import UNKNOWN, Meanings, Value
from geo.messages import Message, clauses_of_json

Trust = Literal["sure", "likely", "unsure"]

_MOST = 100
"""Answers told of a column, the most frequent first."""


@dataclass(frozen=True)
class AnswerSeen:
    """An answer of a file. `means` is None where its meaning is unknown."""

    field: str
    column: str
    text: str
    rows: int
    means: Value | None
    is_detail: bool
    """Whether it stands in a column that tells more of an answer."""


class AnswersSeen:
    """The answers of a file, gathered batch by batch."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, bool], Counter[str]] = {}
        self._tables: dict[tuple[str, str, bool], Mapping[str, Value | None]] = {}

    def add(
        self,
        field: str,
        column: str,
        cells: pa.Array,
        table: Mapping[str, Value | None],
        blanks: frozenset[str],
        *,
        is_detail: bool = False,
    ) -> None:
        """Counts the texts of some cells, which `table` says the meaning of."""
        counted = pc.value_counts(texts(cells).drop_null())
        for text, n in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True):
            if not is_blank(text, blanks):
                # PostgreSQL has no way to store the character U+0000.
                plain = " ".join(text.replace("\x00", "").split())
                self.add_one(field, column, plain, n, table, is_detail=is_detail)

    def add_one(
        self,
        field: str,
        column: str,
        text: str,
        n: int,
        table: Mapping[str, Value | None],
        *,
        is_detail: bool = False,
    ) -> None:
        """Counts one answer."""
        key = field, column, is_detail
        self._tables[key] = table
        self._counts.setdefault(key, Counter())[text] += n

    def answers(self) -> tuple[AnswerSeen, ...]:
        """Every answer, column by column, the most frequent first; one that differs by case only once."""
        return tuple(self._told())

    def _told(self) -> Iterator[AnswerSeen]:
        for (field, column, is_detail), counts in self._counts.items():
            table = self._tables[field, column, is_detail]
            alike: dict[str, tuple[str, int]] = {}
            for text, n in counts.most_common():
                first, before = alike.get(fold(text), (text, 0))
                alike[fold(text)] = first, before + n
            for folded, (text, n) in list(alike.items())[:_MOST]:
                means = (table[folded] if table[folded] is not None else UNKNOWN) if folded in table else None
                yield AnswerSeen(field, column, text, n, means, is_detail)


def tell_answers(
    seen: Sequence[AnswerSeen], guessed: Sequence[Mapping[str, Any]], answers: Meanings, details: Meanings
) -> list[dict[str, Any]]:
    """Answers with how sure their meaning is and why, as JSON has them and an upload keeps them.

    Args:
        seen: those of the file.
        guessed: those of which the meaning was guessed, as Understanding.facts has them.
        answers: what a person said that answers mean.
        details: the same of columns that tell more of an answer.
    """
    why = {(each["field"], each["is_detail"], fold(each["text"])): clauses_of_json(each["why"]) for each in guessed}
    said = {
        (field, is_detail, fold(text))
        for is_detail, meanings in ((False, answers), (True, details))
        for field, of_field in meanings.items()
        for text in of_field
    }
    told = []
    for each in seen:
        key = each.field, each.is_detail, fold(each.text)
        trust: tuple[Trust, tuple[Message, ...]] = ("sure", ())
        if key in said:
            trust = "sure", (Message("chosen_by_you"),)
        elif each.means is None:
            trust = "unsure", (Message("answer_nobody_said"),)
        elif key in why:
            trust = "likely", why[key]
        told.append(
            {
                "field": each.field,
                "column": each.column,
                "text": each.text,
                "rows": each.rows,
                "means": each.means,
                "is_detail": each.is_detail,
                "confidence": trust[0],
                "why": [clause.as_json() for clause in trust[1]],
            }
        )
    return told
