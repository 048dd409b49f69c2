"""Rows for machines: plain values from a frame, and CSV that a spreadsheet opens without harm."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from geo.base import kept_from_formulas
from geo.indicators.figures import KNOWN_COLUMNS, Column

COUNTS = frozenset(name for name, column in KNOWN_COLUMNS.items() if column.is_whole)
"""Columns of whole numbers; a frame holds them as floats, because some are missing."""

_LINE_END = "\r\n"

CITY_TAGS: Mapping[str, str] = {
    "slug": "#loc+city",
    "name": "#loc+city+name",
    "settlements": "#meta+settlements+num",
    "surveys": "#meta+rounds+num",
}
"""The columns of cities in CSV, with their HXL hashtags."""

SETTLEMENT_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "code": "#loc+settlement+code",
    "name": "#loc+settlement+name",
    "ward_code": "#loc+ward+code",
    "ward_name": "#loc+ward+name",
    "area_km2": "#loc+settlement+area_km2",
    "valid_from_on": "#date+start",
    "valid_to_on": "#date+end",
    "ended_on": "#date+ended",
}
"""The columns of settlements in CSV, with their HXL hashtags."""

SURVEY_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "slug": "#date+round",
    "name": "#date+round+name",
    "organisation": "#org",
    "starts_on": "#date+start",
    "ends_on": "#date+end",
    "unit": "#meta+unit",
    "mode": "#meta+mode",
    "licence": "#meta+license",
    "uploads": "#meta+uploads",
    "rows_loaded": "#meta+rows",
}
"""The columns of survey rounds in CSV, with their HXL hashtags; of uploads their numbers."""

PUBLICATION_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "survey": "#date+round",
    "number": "#meta+publication+num",
    "state": "#status",
    "made_at": "#date+published",
    "settlements": "#meta+settlements+num",
    "indicators": "#meta+indicators+num",
    "note": "#description+note",
    "sha256": "#meta+sha256",
    "download_bytes": "#meta+download+bytes+num",
}
"""The columns of publications in CSV, with their HXL hashtags."""

INDICATOR_TAGS: Mapping[str, str] = {
    "id": "#indicator+code",
    "version": "#meta+version",
    "name": "#indicator+name",
    "description": "#description",
    "why": "#description+why",
    "direction": "#meta+direction",
    "measure": "#meta+measure",
    "counted": "#meta+counted",
    "unit": "#meta+unit",
    "unknown": "#meta+unknown",
    "source": "#meta+source",
    "numerator": "#meta+numerator",
    "base": "#meta+base",
    "score": "#meta+score",
    "cutoff": "#meta+cutoff",
    "facility": "#meta+facility",
    "sensitive": "#meta+sensitive",
    "ladder": "#meta+ladder",
    "decimals": "#meta+decimals",
    "fields": "#meta+fields",
}
"""The columns of indicators in CSV, with their HXL hashtags; what is nested is in the JSON form only."""

_ANY = Column("", object, "Anything else than a figure's column.")

_MOST_EXACT = 2.0**53
"""Beyond it, not every whole number is one a float, or a JavaScript program, can hold."""


def plain_rows(frame: pd.DataFrame, declared: Mapping[str, Column] = KNOWN_COLUMNS) -> list[dict[str, Any]]:
    """A frame's rows with plain values: whole numbers whole, what is missing or no finite number None."""
    columns = {str(name): _plain(frame[name], declared.get(str(name), _ANY)) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series, declared: Column) -> list[Any]:
    if declared.is_several:
        return [list(several) for several in column]
    if pd.api.types.is_float_dtype(column):
        column = column.replace([np.inf, -np.inf], np.nan)
    whole = declared.is_whole
    known = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [None if missing else _whole(value) if whole else value for value, missing in known]


def _whole(count: float) -> int | float:
    """A count as a whole number, where a float holds whole numbers exactly."""
    return int(count) if abs(count) <= _MOST_EXACT else count


def rounds_text(rounds: Sequence[Mapping[str, Any]]) -> str:
    """The rounds of a trend and their values as one text, such as `2019=20.0 2024=60.0`."""
    return " ".join(f"{one['survey']}={one['value']}" for one in rounds)


def one_text(several: Sequence[Any]) -> str:
    """Several of a kind as one text."""
    if not several:
        return ""
    return rounds_text(several) if isinstance(several[0], dict) else " ".join(map(str, several))


def csv_text(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    hashtags: Mapping[str, str] | None = None,
    declared: Mapping[str, Column] = KNOWN_COLUMNS,
) -> str:
    """Rows as CSV (RFC 4180): the columns named, a header row and, where given, a row of their HXL hashtags."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator=_LINE_END)
    lines.writerow(names)
    if hashtags:
        lines.writerow(hashtags[name] for name in names)
    columns = [declared.get(name, _ANY) for name in names]
    if isinstance(rows, pd.DataFrame):
        cells = (_csv_cells(rows[name], column) for name, column in zip(names, columns, strict=True))
        lines.writerows(zip(*cells, strict=True))
    else:
        lines.writerows([_cell(row[name], column) for name, column in zip(names, columns, strict=True)] for row in rows)
    return out.getvalue()


def _csv_cells(column: pd.Series, declared: Column) -> list[Any]:
    """The texts of a column's cells."""
    # Each value once: a column of figures says the same few over and over.
    codes, values = pd.factorize(column.map(one_text) if declared.is_several else column)
    return [*np.array([*(_cell(each, declared) for each in values), ""], dtype=object)[codes]]


def _cell(value: Any, declared: Column) -> str:
    """The text of a cell, empty where nothing is known: counts without a point, lists parted by blanks.

    A text a spreadsheet would run as a formula is kept from it by an apostrophe.
    """
    match value:
        case None:
            return ""
        case str():
            return kept_from_formulas(value)
        case list() | tuple():
            return _cell(one_text(value), declared)
        case datetime():
            return value.isoformat()
        case float():
            return _number(value, declared)
        case _:
            return str(value)


def _number(value: float, declared: Column) -> str:
    if declared.is_whole:
        return str(_whole(value)) if math.isfinite(value) else ""
    return "" if math.isnan(value) else str(value + 0.0)  # no minus before 0
