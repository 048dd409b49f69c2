"""`/api/v1/gaps`."""

from typing import Annotated, Any

from pydantic import Field

from geo.indicators.figures import GAP_COLUMNS, REASONS, GapsPage, GapsQuery, find_gaps
from geo.publications import find_published_gaps
from service.api.figures.route import FigureKind
from service.body_fields import Body
from service.http.parameters import (
    CityParameter,
    IndicatorParameter,
    RankedCounted,
    RankedLevelParameter,
    RankedSurvey,
    Target,
)


def _ask(
    city: CityParameter,
    indicator: IndicatorParameter,
    survey: RankedSurvey = None,
    level: RankedLevelParameter = "settlement",
    counted: RankedCounted = None,
    target: Target = None,
) -> GapsQuery:
    return GapsQuery(city, indicator, survey, level, counted, target)


class HotSpotTest(Body):
    """How hot spots were looked for."""

    settlements: Annotated[int, Field(description="How many were held against each other.", examples=[36])]
    band_m: Annotated[
        int | None, Field(description="Up to which distance settlements are neighbours, metres.", examples=[1056])
    ]
    p_cutoff: Annotated[float | None, Field(description="Below which p one is called hot or cold.", examples=[0.0056])]
    reason: Annotated[
        str | None,
        Field(description="Why nothing is said of any, as a code.", examples=["fewer_than_30_settlements"]),
    ]
    reason_text: Annotated[str | None, Field(description="Why, in words.")]


def _hot_spots(page: GapsPage) -> dict[str, Any]:
    """How hot spots were looked for, as HotSpotTest has it."""
    found = page.hot_spots
    return {
        "settlements": found.settlements,
        "band_m": None if found.band_m is None else round(found.band_m),
        "p_cutoff": None if found.p_cutoff is None else round(found.p_cutoff, 6),
        "reason": found.refused,
        "reason_text": None if found.refused is None else REASONS[found.refused],
    }


KIND = FigureKind(
    "gaps",
    "Priorities",
    "Where to begin: settlements or wards ranked by unserved and by coverage, what a target takes, and hot spots.",
    row="Gap",
    about_row="A figure of a settlement or ward with what it says of priorities, all of it withheld with the figure.",
    about_rows="The settlements or wards of a city in one round, those with most unserved first.",
    columns=GAP_COLUMNS,
    ask=_ask,
    find=find_gaps,
    find_published=find_published_gaps,
    feature_id=("city", "survey", "indicator", "counted", "ward_code", "settlement_code"),
    beside={"hot_spots": (HotSpotTest, _hot_spots)},
)
