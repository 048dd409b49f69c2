"""`/api/v1/trends`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.trends import TrendsQuery, find_trends
from service import bodies
from service.access import reading_figures, seen_with
from service.answers import Format, Rows, csv_answer, json_answer
from service.parameters import (
    AccessParameter,
    AllowTrendBreak,
    CityParameter,
    CountedParameter,
    Cursor,
    Hxl,
    Indicators,
    JsonOrCsv,
    LevelParameter,
    Limit,
    Settlements,
    page_request,
)
from service.routes.described import responses
from service.tables import TREND_TAGS, csv_text, explained, hashtags, plain_rows

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "city,settlement_code,indicator,slope_per_year,fitted,last_survey,rounds\r\n"
    "#loc+city,#loc+settlement+code,#indicator+code,#indicator+num+slope,#indicator+num+pct+fitted,#date+round+to,"
    "#date+round+list\r\n"
    "khandesh,S04,household_toilet,9.4,66.8,2024,2019=20.0 2021=43.0 2024=67.0\r\n"
)


@router.get("/trends", responses=responses(bodies.Trends, csv_example=_CSV_EXAMPLE, full=True), summary="Trends")
def trends(
    request: Request,
    city: CityParameter,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    allow_break: AllowTrendBreak = False,
    access: AccessParameter = "public",
    output: JsonOrCsv = "json",
    hxl: Hxl = True,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The straight line through each place's figures of all published rounds, where there are three or more."""
    query = TrendsQuery(
        city=city,
        indicators=indicator,
        settlements=settlement,
        level=level,
        counted=counted,
        allow_break=allow_break,
        access=access,
        seen=seen_with(access),
        page=page_request(limit, cursor, everything=output == "csv"),
    )
    with reading_figures(request, access) as reading:
        page = find_trends(reading.connection, query)
    figures = explained(page.figures)
    if output == "csv":
        text = csv_text(figures, list(TREND_TAGS), hashtags=hashtags(TREND_TAGS, figures) if hxl else None)
        return csv_answer(request, text, page.next_cursor, _FORMATS, ["trends", city, *indicator])
    found = Rows("trends", plain_rows(figures), page.total, page.next_cursor, reading.data_version)
    return json_answer(request, found, _FORMATS)
