"""`/api/v1/trends`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.figures import TrendsQuery, find_trends
from service.formats.csv_tables import TREND_TAGS, explained, figures_csv, plain_rows
from service.http import bodies
from service.http.access import reading_figures, seen_with
from service.http.described import responses
from service.http.parameters import (
    AccessParameter,
    AllowTrendBreak,
    AsCsv,
    CityParameter,
    CountedParameter,
    Cursor,
    Indicators,
    JsonOrCsv,
    LevelParameter,
    Limit,
    Settlements,
    limit_note,
    page_request,
)
from service.http.responses import Format, Rows, csv_answer, json_answer

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "city,settlement_code,indicator,slope_per_year,fitted,last_survey,rounds\r\n"
    "khandesh,S04,household_toilet,9.4,66.8,2024,2019=20.0 2021=43.0 2024=67.0\r\n"
)


@router.get("/trends", responses=responses(bodies.Trends, csv_example=_CSV_EXAMPLE, full=True), summary="Trends")
def trends(
    request: Request,
    as_csv: AsCsv,
    city: CityParameter,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    allow_break: AllowTrendBreak = False,
    access: AccessParameter = "public",
    output: JsonOrCsv = "json",
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
        page=page_request(limit, cursor, everything=output != "json"),
    )
    with reading_figures(request, access) as reading:
        page = find_trends(reading.connection, query)
    figures = explained(page.figures)
    if output == "csv":
        text = figures_csv(figures, TREND_TAGS, hxl=as_csv.hxl)
        names = ["trends", city, *indicator]
        return csv_answer(request, text, page.next_cursor, _FORMATS, names, excel=as_csv.excel)
    found = Rows(
        "trends", plain_rows(figures), page.total, page.next_cursor, reading.data_version, note=limit_note(limit)
    )
    return json_answer(request, found, _FORMATS)
