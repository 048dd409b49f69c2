"""Questions with several answers, in one cell or in a column for each, as one standard answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.base import fold, fold_name
from geo.fields import Field
from geo.indicators.tallies import arrow_type
from geo.ingestion.mapping.cells import FieldCells, is_blank, shown, texts
from geo.ingestion.mapping.profile import Multiple, Value
from geo.ingestion.mapping.yes_no import yes_or_no
from geo.ingestion.reading import as_mask


@dataclass(frozen=True)
class Question:
    """A question with several answers, and what each answer means."""

    field: Field
    multiple: Multiple
    table: Mapping[str, Value | None]

    def map(self, cells: FieldCells, choices: Mapping[str, pa.Array]) -> pa.Array:
        """The one standard answer of each row: from its cell or, where that is blank, from the choices' columns."""
        coded = texts(cells.column).dictionary_encode()
        distinct = coded.dictionary.to_pylist()
        given = [[] if is_blank(text, cells.blanks) else self.split(text) for text in distinct]
        self._report_unknown(coded.indices, given, cells)
        together = pa.array([self._answer(each) for each in given], type=arrow_type(self.field)).take(coded.indices)
        if not choices:
            return together
        blank = pc.fill_null(pa.array([not each for each in given], pa.bool_()).take(coded.indices), True)
        if not pc.any(blank).as_py():
            return together
        return pc.if_else(blank, self._by_column(cells, choices, as_mask(blank)), together)

    def split(self, text: str) -> list[str]:
        """The answers in a cell. One the profile knows stays whole, though the separator stands in it."""
        separator = self.multiple.separator.strip() or None
        words = [word.strip() for word in text.split(separator) if word.strip()]
        joint = f"{separator} " if separator else " "
        answers, first = [], 0
        while first < len(words):
            # The longest run of words that is a known answer; else the one word.
            last = next(
                (n for n in range(len(words), first + 1, -1) if fold(joint.join(words[first:n])) in self.table),
                first + 1,
            )
            answers.append(joint.join(words[first:last]))
            first = last
        return answers

    def _answer(self, answers: Sequence[str]) -> Value | None:
        meanings = [self._meaning(answer) for answer in answers]
        known = [meaning for meaning in meanings if meaning is not None]
        if self.field.type == "boolean":
            if True in known:
                return True
            # An answer that was not understood may have meant yes.
            return False if known and all(self._is_known(answer) for answer in answers) else None
        return min(known, key=self._rank, default=None)

    def _is_known(self, answer: str) -> bool:
        return self.multiple.others is not None or fold(answer) in self.table

    def _meaning(self, answer: str) -> Value | None:
        others = self.multiple.others
        return self.table.get(fold(answer), None if others == "unknown" else others)

    def _rank(self, meaning: Value) -> int:
        prefer = self.multiple.prefer
        return prefer.index(meaning) if meaning in prefer else len(prefer)

    def _report_unknown(self, indices: pa.Array, given: Sequence[Sequence[str]], cells: FieldCells) -> None:
        """Each unknown answer of a cell by itself: the second where there are two, and so on."""
        unknown = [[answer for answer in answers if not self._is_known(answer)] for answers in given]
        for nth in range(max(map(len, unknown), default=0)):
            answer = pa.array([each[nth] if len(each) > nth else None for each in unknown], pa.string()).take(indices)
            where = answer.is_valid()
            cells.report("value_unmapped", as_mask(where), shown(answer.filter(where)))

    def _by_column(self, cells: FieldCells, choices: Mapping[str, pa.Array], asked: NDArray[np.bool_]) -> pa.Array:
        """The answer of the rows asked for, where each choice has a column that says whether it was given."""
        names = {choice: self._named(choice) for choice in choices}
        # The best answer is written last.
        order = sorted(choices, key=lambda choice: self._rank(self._meaning(names[choice]) or ""))
        answers: NDArray[Any] = np.full(len(asked), None, dtype=object)
        says_yes, says_no, is_open = np.zeros((3, len(asked)), dtype=bool)
        for choice in reversed(order):
            chosen = self._chosen(choice, choices[choice], cells, asked)
            if not self._is_known(names[choice]):
                cells.report("value_unmapped", chosen, [choice] * np.count_nonzero(chosen))
                is_open |= chosen
                continue
            meaning = self._meaning(names[choice])
            says_yes |= chosen & (meaning is True)
            says_no |= chosen & (meaning is False)
            if meaning is not None:
                answers[chosen] = meaning
        if self.field.type == "boolean":
            answers[says_yes] = True
            answers[~says_yes & (is_open | ~says_no)] = None
        return pa.array(answers, type=arrow_type(self.field), from_pandas=True)

    def _named(self, choice: str) -> str:
        """A choice as the profile writes it: a column's name may have lost blanks and accents."""
        if fold(choice) in self.table:
            return choice
        return next((known for known in self.table if fold_name(known) == fold_name(choice)), choice)

    def _chosen(self, choice: str, column: pa.Array, cells: FieldCells, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The rows asked for in which a choice was given: 1, yes, or the choice itself."""
        coded = texts(column).dictionary_encode()
        distinct = [None if is_blank(text, cells.blanks) else fold(text) for text in coded.dictionary.to_pylist()]
        says = {text: yes_or_no(text) for text in distinct if text is not None} | {fold(choice): True}
        says = {text: answer for text, answer in says.items() if answer is not None}
        unread = pc.fill_null(
            pa.array([t is not None and t not in says for t in distinct], pa.bool_()).take(coded.indices), False
        )
        where = as_mask(unread) & asked
        if where.any():
            there = shown(texts(column).filter(pa.array(where)))
            cells.report("value_unmapped", where, [f"{choice}: {text}" for text in there])
        yes = pa.array([text is not None and says.get(text) is True for text in distinct], pa.bool_())
        return as_mask(pc.fill_null(yes.take(coded.indices), False)) & asked
