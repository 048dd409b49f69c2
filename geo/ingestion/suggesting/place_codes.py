"""Which columns tell the settlements or households of a file apart: one, or several together."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from geo.ingestion.mapping import ColumnEvidence, FileEvidence, on_one_line
from geo.ingestion.mapping.made_columns import made_name
from geo.messages import Message

_CODE = re.compile(r"0\d+|(?=\S*\d)(?=\S*[^\d.,])\S{1,20}")
"""A code as offices write it: short, in one piece, with a digit and a letter or sign, or a zero before its number.

Another number may be a count."""

_LEAST_LETTERS = 0.6
"""How many of a name's characters are letters."""


@dataclass(frozen=True)
class Held:
    """A column that is taken for a code, and whether its name says of what."""

    column: str
    is_named: bool


@dataclass(frozen=True)
class CodeChoice:
    """A column that is proposed instead, or where there was none."""

    target: Literal["settlement_code", "settlement_name", "household_code"]
    column: str
    confidence: Literal["likely", "unsure"]
    why: tuple[Message, ...]


def choose_settlement_columns(
    evidence: FileEvidence, code: Held | None, taken: Mapping[str, str], others: Collection[str]
) -> Iterator[CodeChoice]:
    """The settlements' code and name in a file of outlines or of settlements, where they are other than was thought.

    A row number is no code while anything else is: the next file is sorted otherwise. `taken` are the columns that
    hold settlement_name, ward_code and ward_name; `others` those that hold something else.
    """
    columns = evidence.columns
    free = [name for name in columns if name not in {*taken.values(), *others}]
    name = taken.get("settlement_name")
    ward = taken.get("ward_code") or taken.get("ward_name")
    if code is not None and not evidence.tells_apart([code.column]):
        made = _with_place(evidence, code.column, [ward])
        if made is not None:
            yield CodeChoice("settlement_code", made, "likely", _of_both(code.column, ward))
        return
    is_row_number = code is not None and not code.is_named and is_running(columns[code.column])
    if code is not None and not is_row_number:
        return
    better = next((c for c in free if columns[c].may_be_code and columns[c].share_where(_CODE.fullmatch) == 1), None)
    if name is None:
        name = next((c for c in free if c != better and _are_names(columns[c]) and evidence.tells_apart([c])), None)
        if name is not None:
            yield CodeChoice("settlement_name", name, "likely", (Message("name_of_letters"),))
    if better is not None:
        yield CodeChoice("settlement_code", better, "likely", (Message("code_no_running_number"),))
    elif name is not None and evidence.tells_apart([name]):
        yield CodeChoice("settlement_code", name, "likely", (Message("name_as_code"),))
    elif name is not None and (made := _with_place(evidence, name, [ward])) is not None:
        yield CodeChoice("settlement_code", made, "likely", _of_both(name, ward))
    elif code is not None:
        yield CodeChoice("settlement_code", code.column, "unsure", (Message("code_row_number"),))
    elif (some := next((c for c in free if columns[c].may_be_code), None)) is not None:
        why = Message("code_row_number" if is_running(columns[some]) else "code_like")
        yield CodeChoice("settlement_code", some, "unsure", (why,))


def choose_household_code(evidence: FileEvidence, code: str, places: Collection[str | None]) -> CodeChoice | None:
    """The households' code, where their numbers restart in each place; None where they do not, or nothing helps."""
    if evidence.tells_apart([code]):
        return None
    for place in places:
        made = _with_place(evidence, code, [place])
        if made is not None:
            return CodeChoice("household_code", made, "likely", _of_both(code, place))
    return None


def is_running(seen: ColumnEvidence) -> bool:
    """Whether a column numbers the rows: whole numbers without a gap, each once."""
    numbers = seen.numbers
    is_whole = len(numbers) == len(seen.counts) == seen.n_rows and all(n == int(n) for n in numbers)
    return bool(numbers) and is_whole and max(numbers) - min(numbers) == seen.n_rows - 1 and min(numbers) in (0, 1)


def _with_place(evidence: FileEvidence, column: str, places: Collection[str | None]) -> str | None:
    """The column made of a place and another, where these are different in every row."""
    parts = [place for place in places if place is not None and place != column]
    return made_name([*parts, column]) if parts and evidence.tells_apart([*parts, column]) else None


def _of_both(column: str, place: str | None) -> tuple[Message, ...]:
    again = Message("comes_again_in_place", column=on_one_line(column), place=on_one_line(place or ""))
    return again, Message("both_different_in_rows")


def _are_names(seen: ColumnEvidence) -> bool:
    """Whether values are mostly letters, and short."""
    texts = "".join(text for text, _ in seen.counts)
    letters = sum(character.isalpha() for character in texts)
    return bool(texts) and letters >= _LEAST_LETTERS * len(texts) and seen.share_where(lambda t: len(t) > 60) == 0
