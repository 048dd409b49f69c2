"""Ticks: columns of 0 and 1 that are the options of one question, and households that were not asked it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.base import fold_name
from geo.ingestion.mapping.cells import texts
from geo.ingestion.mapping.vocabulary import vocabulary
from geo.ingestion.reading import as_mask

_TICKED, _NOT_TICKED = {"1", "1.0", "true"}, {"0", "0.0", "false"}
_SAYS_NOTHING = {"", "n/a", "na"}
_ENDS = {
    *("none", "none of these", "none of the above", "nothing", "other", "others"),
    *("ninguno", "ninguna", "otro", "otra", "nenhum", "nenhuma", "outro", "outra", "aucun", "aucune", "autre"),
}
"""Options that stand at the end of a question, folded, beside "don't know": who was asked ticks one of all."""
_SEVERAL = 4
"""From so many options on, columns of ticks under one name are one question; fewer may be questions of their own."""


def split_option(column: str) -> tuple[str, str]:
    """The question and the option of a column for one option: water/borehole, or water.borehole."""
    mark = "/" if "/" in column else "."
    question, _, option = column.rpartition(mark)
    return question, option


def options_by_question(columns: Collection[str]) -> dict[str, list[str]]:
    """The columns that may be options of a question, two at least, by the question."""
    groups: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        question, option = split_option(column)
        if question and option:
            groups[question].append(column)
    # A group whose name is another column's is that column's question.
    return {
        question: members
        for question, members in groups.items()
        if len(members) >= _SEVERAL
        or (len(members) > 1 and (question in columns or any(_is_end(split_option(m)[1]) for m in members)))
    }


def _is_end(option: str) -> bool:
    return fold_name(option) in _ENDS or vocabulary().is_unknown(option)


class Ticks:
    """Tells in which rows nothing of a question's options is ticked, batch by batch."""

    def __init__(self, columns: Collection[str], read: Collection[str | None]) -> None:
        """`columns` are those of the file; `read` those that are read by themselves, as yes or no."""
        groups = options_by_question(columns)
        self._groups = {question: members for question, members in groups.items() if set(members) & set(read)}

    def unasked(self, columns: Mapping[str, pa.Array]) -> dict[str, tuple[str, NDArray[np.bool_]]]:
        """Each column that is an option, with its question and the rows in which all its question's options are 0."""
        found: dict[str, tuple[str, NDArray[np.bool_]]] = {}
        for question, members in self._groups.items():
            nothing = nothing_ticked([columns[member] for member in members])
            if nothing is not None:
                found |= dict.fromkeys(members, (question, nothing))
        return found


def nothing_ticked(options: Sequence[pa.Array]) -> NDArray[np.bool_] | None:
    """The rows in which every option says 0; None where some option holds more than ticks."""
    rows = np.ones(len(options[0]), dtype=bool)
    for option in options:
        coded = texts(option).dictionary_encode()
        distinct = [text.strip().casefold() for text in coded.dictionary.to_pylist()]
        if not set(distinct) <= _TICKED | _NOT_TICKED | _SAYS_NOTHING:
            return None
        no = pa.array([text in _NOT_TICKED for text in distinct], pa.bool_())
        rows &= as_mask(pc.fill_null(no.take(coded.indices), False))
    return rows
