"""Rows for machines: plain values from a frame, and CSV that a spreadsheet opens without harm."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geo.indicators.figures import REASONS

COUNTS = frozenset(
    {
        *("definition_version", "n", "n_before", "n_unknown", "n_pairs", "population"),
        *("unserved", "unserved_low", "unserved_high"),
        *("rank_unserved", "rank_coverage", "to_target", "rounded_to"),
    }
)
"""Columns of whole numbers; a frame holds them as floats, because some are missing."""

# A spreadsheet runs a cell that begins so as a formula, also one that came from a file somebody else wrote.
_LINE_END = "\r\n"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_PLACE_TAGS = {
    "level": "#meta+level",
    "ward_code": "#loc+ward+code",
    "ward_name": "#loc+ward+name",
    "settlement_code": "#loc+settlement+code",
    "settlement_name": "#loc+settlement+name",
    "group_by": "#meta+group+field",
    "group": "#meta+group+code",
    "indicator": "#indicator+code",
    "indicator_name": "#indicator+name",
    "definition_version": "#meta+version",
    "counted": "#meta+counted",
    "unit": "#meta+unit",
}
_HOW_TAGS = {"rounded_to": "#meta+rounded_to", "method": "#meta+method", "flags": "#meta+flags"}
_WITHHELD_TAGS = {"status": "#status", "reason": "#status+reason+code", "reason_text": "#status+reason"}

_ROUND_TAGS = {"city": "#loc+city", "survey": "#date+round", "starts_on": "#date+start", "ends_on": "#date+end"}

VALUE_TAGS: Mapping[str, str] = {
    **_ROUND_TAGS,
    **_PLACE_TAGS,
    "value": "#indicator+num",
    "low": "#indicator+num+ci_low",
    "high": "#indicator+num+ci_high",
    "n": "#meta+n+hh",
    "n_unknown": "#meta+n_unknown+hh",
    "bound_low": "#indicator+num+bound_low",
    "bound_high": "#indicator+num+bound_high",
    "population": "#population",
    "unserved": "#inneed",
    "unserved_low": "#inneed+ci_low",
    "unserved_high": "#inneed+ci_high",
    "response_rate": "#meta+response_rate+pct",
    "deff": "#meta+deff",
    "n_eff": "#meta+n_eff",
    **_HOW_TAGS,
    **_WITHHELD_TAGS,
}
"""The columns of values in CSV, with their HXL hashtags."""

CHANGE_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    "from_survey": "#date+round+from",
    "from_starts_on": "#date+start+from",
    "from_ends_on": "#date+end+from",
    "to_survey": "#date+round+to",
    "to_starts_on": "#date+start+to",
    "to_ends_on": "#date+end+to",
    **_PLACE_TAGS,
    "from_value": "#indicator+num+from",
    "to_value": "#indicator+num+to",
    "change": "#indicator+num+change",
    "low": "#indicator+num+ci_low",
    "high": "#indicator+num+ci_high",
    "p_value": "#meta+p_value",
    "n_before": "#meta+n+hh+from",
    "n": "#meta+n+hh+to",
    "n_pairs": "#meta+n+hh+pairs",
    **_HOW_TAGS,
    **_WITHHELD_TAGS,
}
"""The columns of changes in CSV, with their HXL hashtags."""

GAP_TAGS: Mapping[str, str] = {
    **_ROUND_TAGS,
    **{name: tag for name, tag in _PLACE_TAGS.items() if not name.startswith("group")},
    "direction": "#meta+direction",
    "value": "#indicator+num",
    "low": "#indicator+num+ci_low",
    "high": "#indicator+num+ci_high",
    "n": "#meta+n+hh",
    "population": "#population",
    "unserved": "#inneed",
    "unserved_low": "#inneed+ci_low",
    "unserved_high": "#inneed+ci_high",
    "rank_unserved": "#meta+rank+unserved",
    "rank_coverage": "#meta+rank+coverage",
    "target": "#indicator+num+target",
    "to_target": "#inneed+to_target",
    "gi_z": "#indicator+gi_star+z",
    "gi_p": "#indicator+gi_star+p_value",
    "hot_spot": "#indicator+hot_spot+code",
    "hot_spot_reason": "#status+hot_spot+reason+code",
    **_HOW_TAGS,
    **_WITHHELD_TAGS,
}
"""The columns of gaps in CSV, with their HXL hashtags."""

TREND_TAGS: Mapping[str, str] = {
    "city": "#loc+city",
    **{name: tag for name, tag in _PLACE_TAGS.items() if not name.startswith("group")},
    "direction": "#meta+direction",
    "slope_per_year": "#indicator+num+slope",
    "fitted": "#indicator+num+fitted",
    "last_survey": "#date+round+to",
    "starts_on": "#date+start",
    "ends_on": "#date+end",
    "rounds": "#date+round+list",
    "flags": "#meta+flags",
    **_WITHHELD_TAGS,
}
"""The columns of trends in CSV, with their HXL hashtags."""

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
}
"""The columns of survey rounds in CSV, with their HXL hashtags; of uploads their numbers."""

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

_COUNTED = ("population", "unserved", "unserved_low", "unserved_high", "to_target")
_NUMBERS = ("value", "from_value", "to_value", "target", "fitted")
_COUNTED_TAGS = {"households": "+hh", "persons": "+ind"}

_MOST_EXACT = 2.0**53
"""Beyond it, not every whole number is one a float, or a JavaScript program, can hold."""


def explained(figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with the reason of each withheld one in words, as `reason_text`."""
    words = [None if pd.isna(code) else REASONS.get(code, code) for code in figures["reason"]]
    return figures.assign(reason_text=pd.Series(words, index=figures.index, dtype=object))


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows with plain values: whole numbers whole, what is missing or no finite number None."""
    columns = {str(name): _plain(frame[name], whole=name in COUNTS) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series, *, whole: bool) -> list[Any]:
    if column.name in ("flags", "rounds"):
        return [list(several) for several in column]
    if pd.api.types.is_float_dtype(column):
        column = column.replace([np.inf, -np.inf], np.nan)
    known = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [None if missing else _whole(value) if whole else value for value, missing in known]


def _whole(count: float) -> int | float:
    """A count as a whole number, where a float holds whole numbers exactly."""
    return int(count) if abs(count) <= _MOST_EXACT else count


def rounds_text(rounds: Sequence[Mapping[str, Any]]) -> str:
    """The rounds of a trend and their values as one text, such as `2019=20.0 2024=60.0`."""
    return " ".join(f"{one['survey']}={one['value']}" for one in rounds)


def hashtags(tags: Mapping[str, str], figures: pd.DataFrame) -> dict[str, str]:
    """The hashtags of these figures: per cent only where every row is, households or persons only where all are."""
    exact = dict(tags)
    if (figures["unit"] == "%").all():
        exact |= {name: exact[name].replace("+num", "+num+pct", 1) for name in _NUMBERS if name in exact}
    counted = set(figures["counted"])
    if len(counted) == 1:
        attribute = _COUNTED_TAGS[counted.pop()]
        exact |= {name: _with(exact[name], attribute) for name in _COUNTED if name in exact}
    return exact


def _with(hashtag: str, attribute: str) -> str:
    """A hashtag with an attribute after its name."""
    name, *attributes = hashtag.split("+")
    return "+".join([f"{name}{attribute}", *attributes])


def figures_csv(figures: pd.DataFrame, tags: Mapping[str, str], *, hxl: bool) -> str:
    """Figures as CSV, with their hashtags where `hxl` asks for them."""
    return csv_text(figures, list(tags), hashtags=hashtags(tags, figures) if hxl else None)


def rows_csv(rows: Sequence[Mapping[str, Any]], tags: Mapping[str, str], *, hxl: bool) -> str:
    """Rows of a list as CSV: of each what has a hashtag, several of a kind as one text."""
    flat = [{name: _one_text(row[name]) for name in tags} for row in rows]
    return csv_text(pd.DataFrame(flat, columns=list(tags), dtype=object), list(tags), hashtags=tags if hxl else None)


def _one_text(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


def csv_text(frame: pd.DataFrame, names: Sequence[str], *, hashtags: Mapping[str, str] | None = None) -> str:
    """A frame as CSV (RFC 4180): the columns named, a header row and, where given, a row of their HXL hashtags."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator=_LINE_END)
    rows.writerow(names)
    if hashtags:
        rows.writerow(hashtags[name] for name in names)
    rows.writerows(zip(*(_csv_cells(frame[name]) for name in names), strict=True))
    return out.getvalue()


def _csv_cells(column: pd.Series) -> list[Any]:
    """The texts of a column's cells, empty where nothing is known: counts without a point, lists parted by blanks.

    A text a spreadsheet would run as a formula is kept from it by an apostrophe.
    """
    if column.name == "flags":
        column = column.map(" ".join)
    elif column.name == "rounds":
        column = column.map(rounds_text)
    elif column.name in COUNTS:
        column = column.astype(float).replace([np.inf, -np.inf], np.nan)
    elif pd.api.types.is_float_dtype(column):
        column = column + 0.0  # no minus before 0
    # Each value once: a column of figures says the same few over and over.
    codes, values = pd.factorize(column)
    told = [_whole(each) for each in values] if column.name in COUNTS else values
    texts = [f"'{each}" if isinstance(each, str) and each.startswith(_FORMULA_STARTS) else str(each) for each in told]
    return [*np.array([*texts, ""], dtype=object)[codes]]
