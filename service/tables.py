"""Rows for machines: plain values from a frame, and CSV that a spreadsheet opens without harm."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from geo.indicators.disclosure import REASONS

COUNTS = frozenset({"definition_version", "n", "n_before", "n_unknown", "population", "unserved"})
"""Columns of whole numbers; a frame holds them as floats, because some are missing."""

# A spreadsheet runs a cell that begins so as a formula, also one that came from a file somebody else wrote.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_PLACE_TAGS = {
    "level": "#meta+level",
    "ward_code": "#loc+ward+code",
    "ward_name": "#loc+ward+name",
    "settlement_code": "#loc+settlement+code",
    "settlement_name": "#loc+settlement+name",
    "indicator": "#indicator+code",
    "definition_version": "#meta+version",
    "counted": "#meta+counted",
    "unit": "#meta+unit",
}
_WITHHELD_TAGS = {"status": "#status", "reason": "#status+reason+code", "reason_text": "#status+reason"}

VALUE_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "survey": "#date+round",
    **_PLACE_TAGS,
    "value": "#indicator+num",
    "low": "#indicator+num+ci_low",
    "high": "#indicator+num+ci_high",
    "n": "#meta+n+hh",
    "n_unknown": "#meta+n_unknown+hh",
    "population": "#population",
    "unserved": "#inneed",
    **_WITHHELD_TAGS,
}
"""The columns of values in CSV, with their HXL hashtags."""

CHANGE_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "from_survey": "#date+round+from",
    "to_survey": "#date+round+to",
    **_PLACE_TAGS,
    "from_value": "#indicator+num+from",
    "to_value": "#indicator+num+to",
    "change": "#indicator+num+change",
    "low": "#indicator+num+ci_low",
    "high": "#indicator+num+ci_high",
    "n_before": "#meta+n+hh+from",
    "n": "#meta+n+hh+to",
    **_WITHHELD_TAGS,
}
"""The columns of changes in CSV, with their HXL hashtags."""

_NUMBERS = ("value", "from_value", "to_value")
_COUNTED_TAGS = {"households": "+hh", "persons": "+ind"}


def figure_rows(figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Figures as plain rows: whole numbers whole, what is missing None, and a withheld one's reason in words."""
    columns = {str(name): _plain(figures[name].tolist(), whole=name in COUNTS) for name in figures.columns}
    columns["reason_text"] = [None if code is None else REASONS.get(code, code) for code in columns["reason"]]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(values: list[Any], *, whole: bool) -> list[Any]:
    known = [None if pd.isna(value) else value for value in values]
    return [None if value is None else int(value) for value in known] if whole else known


def hashtags(tags: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The hashtags of these rows: per cent only where every row is, households or persons only where all are."""
    exact = dict(tags)
    if all(row["unit"] == "%" for row in rows):
        exact |= {name: exact[name].replace("+num", "+num+pct", 1) for name in _NUMBERS if name in exact}
    counted = {row["counted"] for row in rows}
    if len(counted) == 1:
        attribute = _COUNTED_TAGS[counted.pop()]
        exact |= {name: exact[name] + attribute for name in ("population", "unserved") if name in exact}
    return exact


def csv_text(rows: Iterable[Mapping[str, Any]], tags: Mapping[str, str], *, hxl: bool) -> str:
    """Rows as CSV (RFC 4180): the columns of `tags`, a header row and, where wanted, the row of HXL hashtags."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(tags)
    if hxl:
        writer.writerow(tags.values())
    for row in rows:
        writer.writerow(_harmless(row[name]) for name in tags)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """A text a spreadsheet would run as a formula, kept from it by an apostrophe; a number stays a number."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
