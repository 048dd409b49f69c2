"""A kind of figures that there is not: what somebody who adds one writes, and no more."""

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
from shapely import MultiPolygon, box
from sqlalchemy import Connection

from geo.base import PageRequest
from geo.indicators.figures import Access, Column, FigurePage
from geo.surveys import Seen
from service.api.figures.route import FigureKind
from service.http.parameters import CityParameter, Earlier

COLUMNS = (
    Column("city", str, "The city's slug.", "#loc+city", "khandesh"),
    Column("unit", str, "The unit.", "#meta+unit", "%"),
    Column("counted", Literal["households", "persons"], "What is counted.", "#meta+counted", "households"),
    Column("gain", float | None, "What was gained.", "#indicator+num+gain", 12.5, "figure"),
    Column("reached", int | None, "How many were reached.", "#reached+total", 40, "counted"),
    Column("marks", list[str], "What else is to be said.", "#meta+marks", ["late", "small"]),
    Column("working", str, "Not for a table.", example="from two rounds"),
    Column("why", str | None, "Why nothing is said, as a code.", "#status+code"),
    Column("why_text", str | None, "Why, in words.", "#status", words_of="why"),
)


@dataclass(frozen=True)
class Query:
    """Whose gains are asked for, since when, and by whom."""

    city: str
    since: str
    access: Access = "public"
    seen: Seen = "published"
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)


def find(_: Connection, query: Query) -> FigurePage:
    """Gains with and without a number."""
    rows = pd.DataFrame(
        {
            "city": query.city,
            "unit": "%",
            "counted": "persons",
            "gain": [12.5, float("nan")],
            "reached": [40.0, float("nan")],
            "marks": [("late", "small"), ()],
            "working": f"since {query.since}",
            "why": [None, "protected"],
        }
    )
    shown = rows.assign(geometry=[MultiPolygon([box(73, 18, 74, 19)])] * len(rows)) if query.geometry else rows
    return FigurePage(shown, len(rows), None)


def ask(city: CityParameter, since: Earlier) -> Query:
    """The query that parameters say."""
    return Query(city, since)


KIND = FigureKind(
    "gains",
    "Gains",
    "What was gained since a round.",
    row="Gain",
    about_row="What was gained.",
    about_rows="Gains.",
    columns=COLUMNS,
    ask=ask,
    find=find,
    find_published=find,
    feature_id=("city", "working"),
)
