"""Rows to answer with: what every output format is handed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from geo.indicators.figures import KNOWN_COLUMNS, Column
from service.formats.csv_tables import one_text, plain_rows

Link = dict[str, str | bool]
"""A link as bodies hold it."""

_LONGEST_NAME = 80


def file_name(names: Sequence[str]) -> str:
    """The name of a file, without its suffix, made of slugs and ids."""
    return "-".join(names)[:_LONGEST_NAME]


@dataclass(frozen=True)
class CsvForm:
    """How CSV is wanted; without these it is plain, as programs read it."""

    hxl: bool = False
    """With a second row of HXL hashtags."""
    excel: bool = False
    """With a byte order mark, without which Excel takes UTF-8 for an older encoding."""


@dataclass(frozen=True)
class Rows:
    """Rows to answer with, under the name of what they are."""

    name: str
    rows: pd.DataFrame | Sequence[Mapping[str, Any]]
    total: int
    next_cursor: str | None
    data_version: int | None
    """Which state of what is published they show; None where they are for somebody."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The columns of a table of them, with their HXL hashtags. Without them it has all columns, and no hashtags."""
    declared: Mapping[str, Column] = field(default_factory=lambda: KNOWN_COLUMNS)
    """What the columns of figures hold."""
    saved_as: Sequence[str] = ()
    """Slugs and ids of which the name of a file is made."""
    feature_id: Sequence[str] = ()
    """The columns that name a feature of them."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What else the answer says of all of them, as JSON."""
    links: Sequence[Link] = ()
    note: str | None = None
    """What else is to be known of this answer, in words."""
    csv: CsvForm = CsvForm()
    shapes: Sequence[str | None] | None = None
    """The shape of each row as GeoJSON; None: rows that have shapes have them in a column `geometry`."""

    @property
    def returned(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    @property
    def file_name(self) -> str:
        """The name of a file of them, without its suffix."""
        return file_name(self.saved_as)

    @property
    def names(self) -> list[str]:
        """The columns of a table of them."""
        return list(self.tags) or list(self.frame().columns)

    def values(self, name: str) -> Sequence[Any]:
        """What the rows have in a column."""
        return list(self.rows[name]) if isinstance(self.rows, pd.DataFrame) else [row[name] for row in self.rows]

    def plain(self) -> Sequence[Mapping[str, Any]]:
        """The rows with plain values."""
        return plain_rows(self.rows, self.declared) if isinstance(self.rows, pd.DataFrame) else self.rows

    def frame(self) -> pd.DataFrame:
        """The rows as a table: of a list those columns that have a hashtag, several of a kind as one text."""
        if isinstance(self.rows, pd.DataFrame):
            return self.rows
        flat = [{name: _flat(row[name]) for name in self.tags} for row in self.rows]
        return pd.DataFrame(flat, columns=list(self.tags), dtype=object)


def _flat(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return one_text(value) if isinstance(value, list | tuple) else value


def tags_of(columns: Sequence[Column]) -> dict[str, str]:
    """The columns a table of figures has, in its order, with their hashtags."""
    tags = {column.name: column.hxl for column in columns if column.hxl is not None}
    order = [column.name for column in columns if column.name in tags and column.csv_before is None]
    for column in columns:
        if column.name in tags and column.csv_before is not None:
            order.insert(order.index(column.csv_before), column.name)
    return {name: tags[name] for name in order}
