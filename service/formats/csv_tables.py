"""Rows for machines: plain values from a frame, and CSV that a spreadsheet opens without harm."""

import csv
import io
from collections.abc import Mapping, Sequence
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
    frame: pd.DataFrame,
    names: Sequence[str],
    *,
    hashtags: Mapping[str, str] | None = None,
    declared: Mapping[str, Column] = KNOWN_COLUMNS,
) -> str:
    """A frame as CSV (RFC 4180): the columns named, a header row and, where given, a row of their HXL hashtags."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator=_LINE_END)
    rows.writerow(names)
    if hashtags:
        rows.writerow(hashtags[name] for name in names)
    rows.writerows(zip(*(_csv_cells(frame[name], declared.get(name, _ANY)) for name in names), strict=True))
    return out.getvalue()


def _csv_cells(column: pd.Series, declared: Column) -> list[Any]:
    """The texts of a column's cells, empty where nothing is known: counts without a point, lists parted by blanks.

    A text a spreadsheet would run as a formula is kept from it by an apostrophe.
    """
    if declared.is_several:
        column = column.map(one_text)
    elif declared.is_whole:
        column = column.astype(float).replace([np.inf, -np.inf], np.nan)
    elif pd.api.types.is_float_dtype(column):
        column = column + 0.0  # no minus before 0
    # Each value once: a column of figures says the same few over and over.
    codes, values = pd.factorize(column)
    told = [_whole(each) for each in values] if declared.is_whole else values
    texts = [kept_from_formulas(str(each)) if isinstance(each, str) else str(each) for each in told]
    return [*np.array([*texts, ""], dtype=object)[codes]]
