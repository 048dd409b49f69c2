"""`/api/v1/values`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.figures import ValuesQuery, find_values
from service.formats.csv_tables import VALUE_TAGS, explained, figures_csv, plain_rows
from service.http import bodies
from service.http.access import reading_figures, seen_with
from service.http.described import responses
from service.http.parameters import (
    AccessParameter,
    AnyFormat,
    AsCsv,
    By,
    Cities,
    CountedParameter,
    Cursor,
    Indicators,
    LevelParameter,
    Limit,
    Settlements,
    Surveys,
    Version,
    limit_note,
    page_request,
)
from service.http.responses import Format, Link, Rows, address, csv_answer, geojson_answer, json_answer, template

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv", "geojson")

_FEATURE_ID = ("city", "survey", "indicator", "counted", "ward_code", "settlement_code", "group")

_CSV_EXAMPLE = (
    "city,survey,settlement_code,indicator,value,low,high,n\r\nkhandesh,2024,S04,household_toilet,67.0,,,30\r\n"
)


@router.get(
    "/values", responses=responses(bodies.Values, csv_example=_CSV_EXAMPLE, geojson=True, full=True), summary="Figures"
)
def values(
    request: Request,
    as_csv: AsCsv,
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
        page=page_request(limit, cursor, everything=output != "json"),
    )
    with reading_figures(request, access) as reading:
        page = find_values(reading.connection, query)
    figures = explained(page.figures)
    names = ["values", *city, *survey, *indicator]
    if output == "csv":
        text = figures_csv(figures, VALUE_TAGS, hxl=as_csv.hxl)
        return csv_answer(
            request, text, page.next_cursor, _FORMATS, names, excel=as_csv.excel, templates=[_sources(request)]
        )
    found = Rows(
        "values",
        plain_rows(figures),
        page.total,
        page.next_cursor,
        reading.data_version,
        templates=[_sources(request)],
        note=limit_note(limit),
    )
    if output == "geojson":
        return geojson_answer(request, found, _FEATURE_ID, _FORMATS, names)
    return json_answer(request, found, _FORMATS)


def _sources(request: Request) -> Link:
    """Where each figure says what it rests on, filled in with its own city, survey and indicator."""
    href = address(request, "/api/v1/values/{city}/{survey}/{indicator}/sources")
    return template("sources", href, "application/json")
