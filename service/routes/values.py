"""`/api/v1/values`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.query import ValuesQuery
from geo.indicators.values import find_values
from service import bodies
from service.access import reading_figures, seen_with
from service.answers import Format, Rows, address, csv_answer, geojson_answer, json_answer, link
from service.parameters import (
    AccessParameter,
    AnyFormat,
    By,
    Cities,
    CountedParameter,
    Cursor,
    Hxl,
    Indicators,
    LevelParameter,
    Limit,
    Settlements,
    Surveys,
    Version,
    page_request,
)
from service.routes.described import responses
from service.tables import VALUE_TAGS, csv_text, explained, hashtags, plain_rows

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv", "geojson")

_FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code", "group")

_CSV_EXAMPLE = (
    "city,survey,settlement_code,indicator,value,low,high,n\r\n"
    "#loc+city,#date+round,#loc+settlement+code,#indicator+code,#indicator+num+pct,#indicator+num+ci_low,"
    "#indicator+num+ci_high,#meta+n+hh\r\n"
    "khandesh,2024,S04,household_toilet,67.0,,,30\r\n"
)


@router.get(
    "/values", responses=responses(bodies.Values, csv_example=_CSV_EXAMPLE, geojson=True, full=True), summary="Figures"
)
def values(
    request: Request,
    city: Cities,
    survey: Surveys,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    by: By = None,
    version: Version = None,
    access: AccessParameter = "public",
    output: AnyFormat = "json",
    hxl: Hxl = True,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Figures of published survey rounds. One that may not be said is there with its reason, and without its value."""
    query = ValuesQuery(
        cities=city,
        surveys=survey,
        indicators=indicator,
        settlements=settlement,
        level=level,
        counted=counted,
        by=by,
        version=version,
        geometry=output == "geojson",
        access=access,
        seen=seen_with(access),
        page=page_request(limit, cursor, everything=output == "csv"),
    )
    with reading_figures(request, access) as reading:
        page = find_values(reading.connection, query)
    figures = explained(page.figures)
    if output == "csv":
        text = csv_text(figures, list(VALUE_TAGS), hashtags=hashtags(VALUE_TAGS, figures) if hxl else None)
        return csv_answer(request, text, page.next_cursor, _FORMATS, ["values", *city, *survey, *indicator])
    rows = plain_rows(figures)
    found = Rows("values", rows, page.total, page.next_cursor, reading.data_version, templates=[_sources(request)])
    if output == "geojson":
        return geojson_answer(request, found, _FEATURE_ID, _FORMATS)
    return json_answer(request, found, _FORMATS)


def _sources(request: Request) -> dict[str, str]:
    """Where each figure says what it rests on."""
    return link("sources", address(request, "/api/v1/values/{city}/{survey}/{indicator}/sources"), "application/json")
