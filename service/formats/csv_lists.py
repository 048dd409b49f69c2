"""Rows as CSV, with a row of HXL hashtags where that is asked for."""

from collections.abc import Mapping

from service.formats.csv_tables import csv_text
from service.formats.format import TEXT, Format
from service.formats.rows import Rows

_COUNTED = {"households": "+hh", "persons": "+ind"}


def _write(found: Rows) -> bytes:
    hashtags = _hashtags(found) if found.csv.hxl else None
    text = csv_text(found.rows, found.names, hashtags=hashtags, declared=found.declared)
    return text.encode("utf-8-sig" if found.csv.excel else "utf-8")


def _hashtags(found: Rows) -> Mapping[str, str]:
    """The hashtags of these rows: per cent only where every one is, households or persons only where all are."""
    exact = dict(found.tags)
    measured = {name: found.declared[name].measures for name in exact if name in found.declared}
    if not any(measured.values()):
        return exact
    unit, counted = ({*found.values(name)} for name in ("unit", "counted"))
    if unit <= {"%"}:
        in_unit = [name for name, what in measured.items() if what == "figure"]
        exact |= {name: exact[name].replace("+num", "+num+pct", 1) for name in in_unit}
    if len(counted) == 1:
        attribute = _COUNTED[counted.pop()]
        exact |= {name: _with(exact[name], attribute) for name, what in measured.items() if what == "counted"}
    return exact


def _with(hashtag: str, attribute: str) -> str:
    """A hashtag with an attribute after its name."""
    name, *attributes = hashtag.split("+")
    return "+".join([f"{name}{attribute}", *attributes])


FORMAT = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "a table of all rows (RFC 4180)",
    _write,
    saved="attachment",
    schema=TEXT,
)
