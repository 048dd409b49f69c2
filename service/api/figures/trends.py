"""`/api/v1/trends`."""

from geo.indicators.figures import TREND_COLUMNS, TrendsQuery, find_trends
from geo.publications import find_published_trends
from service.api.figures.route import FigureKind
from service.http.parameters import (
    AllowTrendBreak,
    CityParameter,
    CountedParameter,
    Indicators,
    LevelParameter,
    Settlements,
)


def _ask(
    city: CityParameter,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    allow_break: AllowTrendBreak = False,
) -> TrendsQuery:
    return TrendsQuery(city, indicator, settlement, level, counted, allow_break)


KIND = FigureKind(
    "trends",
    "Trends",
    "The straight line through each place's figures of all published rounds, where there are three or more.",
    row="Trend",
    about_row="The straight line through a place's figures of three rounds or more.",
    about_rows="Trends.",
    columns=TREND_COLUMNS,
    ask=_ask,
    find=find_trends,
    find_published=find_published_trends,
)
