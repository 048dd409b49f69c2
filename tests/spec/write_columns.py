"""Writes docs/columns.md from the declared columns and output formats: `make docs`."""

from collections.abc import Sequence
from datetime import date
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from geo.indicators.figures import Column
from service.api.figures.kinds import KINDS
from service.formats.table import FORMATS, formats_for
from tests.support.project import ROOT

PAGE = ROOT / "docs" / "columns.md"

INTRODUCTION = """\
# Columns and formats

What the lists of figures hold ([the API](api.md)), and the formats they come in. `make docs` writes this page from what
the service itself answers by.

A column has the same name in every format; in GeoJSON it is a property of a feature. CSV with `hxl=true` has the
[HXL](https://hxlstandard.org) hashtags as its second row. There a figure's hashtag has `+pct` besides where all rows
are in per cent, and a count's has `+hh` or `+ind` where all rows count households, or persons.

## Formats
"""

WORDS = {str: "text", float: "number", int: "whole number", date: "date"}


def page() -> str:
    """The whole page."""
    shared = [column for column in KINDS[0].columns if all(column in kind.columns for kind in KINDS)]
    parts = [INTRODUCTION.strip(), _formats(), "## Of all figures", _table(shared)]
    for kind in KINDS:
        parts += [f"## `{kind.name}`", kind.about_row, _table([c for c in kind.columns if c not in shared])]
    return "\n\n".join(parts) + "\n"


def _formats() -> str:
    lines = ["| `format=` | media type | an answer is | of |", "|---|---|---|---|"]
    for one in FORMATS.values():
        lists = [f"`{kind.name}`" for kind in KINDS if one in formats_for(*kind.has)]
        lines.append(
            f"| `{one.name}` | `{one.media_type}` | {one.about} | {', '.join(lists) or 'findings of an upload'} |"
        )
    return "\n".join(lines)


def _table(columns: Sequence[Column]) -> str:
    lines = ["| column | holds | means | hashtag |", "|---|---|---|---|"]
    for column in columns:
        hashtag = "" if column.hxl is None else f"`{column.hxl}`"
        lines.append(f"| `{column.name}` | {_held(column.type)} | {column.description} | {hashtag} |")
    return "\n".join(lines)


def _held(kind: Any) -> str:
    """What a cell holds, in words."""
    if kind in WORDS:
        return WORDS[kind]
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{code}`" for code in inner)
    if get_origin(kind) is list:
        return f"any of: {_held(inner[0])}" if get_args(inner[0]) else f"several, each with {_held(inner[0])}"
    if inner:
        return " or ".join("null" if one is NoneType else _held(one) for one in inner)
    return ", ".join(f"`{name}`" for name in kind.model_fields)
