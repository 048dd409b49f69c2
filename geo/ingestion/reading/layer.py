"""Layers: one table of a file as a stream of Arrow batches, however the file is written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyproj
from numpy.typing import NDArray

from geo.errors import ChoiceNeeded, UnreadableFile
from geo.messages import Message

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: their numbers as the spreadsheet or attribute table shows them, columns, and WKB."""

    row_numbers: NDArray[np.int32]
    columns: dict[str, pa.Array]
    geometry: pa.Array | None


@dataclass(frozen=True)
class BadRow:
    """A row that could not even be split into columns, or one whose quoted cell took in the rows after it."""

    row_number: int
    n_cells: int
    n_columns: int
    code: str = "row_malformed"
    n_lines: int = 1

    def value(self) -> Message:
        """What there is to say of it."""
        if self.n_lines > 1:
            return Message("row_lines", lines=self.n_lines)
        return Message("row_cells", cells=self.n_cells, columns=self.n_columns)


@dataclass(frozen=True)
class Note:
    """Something about the whole file its owner should know: a finding by its code, with what it is about."""

    code: str
    value: str | Message | None = None
    field: str | None = None
    row: int | None = None
    """The row it is about, which is no record; None: the whole file."""


@dataclass(frozen=True)
class ReadAs:
    """Which part of a file is read, and how."""

    layer: str | None = None
    """The layer, sheet, table or file in an archive; None: the file is one table."""
    layers: tuple[str, ...] = ()
    """All there are to choose from, where there are several."""
    encoding: str | None = None
    """Of its text, where that can be one or another."""
    crs: str | None = None
    """In words, that of its positions; None: it has none, or they have not been read yet."""
    columns: tuple[str, ...] = ()
    """All it has, as the file names them."""


@dataclass
class Layer:
    """One table of a file. `total_rows` is None where it is known only at the end."""

    columns: list[str]
    crs: pyproj.CRS | None
    has_geometry: bool
    total_rows: int | None
    batches: Iterator[Batch]
    bad_rows: list[BadRow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    read_as: ReadAs = ReadAs()


@dataclass(frozen=True)
class ReadOptions:
    """What a person may say about a file that the file does not say, or says wrongly."""

    encoding: str | None = None
    layer: str | None = None
    crs: str | None = None


@dataclass(frozen=True)
class LimitedReadOptions(ReadOptions):
    """The same of a file that somebody sent: one with more rows is refused."""

    max_rows: int | None = None


def reading_of(name: str, names: Sequence[str], encoding: str | None = None) -> ReadAs:
    """How a layer of this name among these is read."""
    return ReadAs(name, tuple(names) if len(names) > 1 else (), encoding)


Noun = Literal["file", "layer", "sheet", "table"]

_NONE: Mapping[Noun, str] = {
    "file": "files_none",
    "layer": "layers_none",
    "sheet": "sheets_none",
    "table": "tables_none",
}
_SEVERAL: Mapping[Noun, str] = {
    "file": "files_several",
    "layer": "layers_several",
    "sheet": "sheets_several",
    "table": "tables_several",
}
_UNKNOWN: Mapping[Noun, str] = {
    "file": "file_unknown",
    "layer": "layer_unknown",
    "sheet": "sheet_unknown",
    "table": "table_unknown",
}
"""What to say of the layers of a file, by what they are called there."""


def choose(names: list[str], wanted: str | None, *, name: str, noun: Noun) -> str:
    """The one name there is, or the one wanted.

    Raises:
        ChoiceNeeded: there are several and none was chosen, or not the one wanted.
        UnreadableFile: there is none.
    """
    if wanted is not None:
        if wanted not in names:
            said = Message(_UNKNOWN[noun], file=name, wanted=wanted, known=names)
            raise ChoiceNeeded(said, names)
        return wanted
    if not names:
        raise UnreadableFile(Message(_NONE[noun], file=name))
    if len(names) > 1:
        raise ChoiceNeeded(Message(_SEVERAL[noun], file=name, known=names), names)
    return names[0]


def no_encoding(encoding: str | None) -> Message:
    """What to say of an encoding that does not exist."""
    return Message("encoding_unknown", encoding=encoding)


def distinct_names(names: list[str]) -> list[str]:
    """Column names as given, with `_2`, `_3` after repeats and a name for the nameless."""
    distinct: list[str] = []
    taken, given = set(names), set[str]()
    repeats: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        label = plain = name or f"column {position}"
        repeat = repeats.get(plain, 2)
        while label in given or (label != name and label in taken):
            label, repeat = f"{plain}_{repeat}", repeat + 1
        repeats[plain] = repeat
        distinct.append(label)
        given.add(label)
    return distinct


def plain_column(column: pa.Array) -> pa.Array:
    """A column as the rest of the way knows it: lists and nested values as JSON text, text as one kind of text."""
    if pa.types.is_nested(column.type):
        texts = [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        ]
        return pa.array(texts, type=pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.string())
    return column


def as_mask(where: pa.Array) -> NDArray[np.bool_]:
    """An Arrow column of booleans without nulls, for numpy."""
    return np.asarray(where.to_numpy(zero_copy_only=False), dtype=bool)
