"""`/api/v1/changes`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.figures import ValuesQuery, find_changes
from service.formats.csv_tables import CHANGE_TAGS, explained, figures_csv, plain_rows
from service.http import bodies
from service.http.access import reading_figures, seen_with
from service.http.described import responses
from service.http.parameters import (
    AccessParameter,
    AllowBreak,
    AsCsv,
    By,
    CityParameter,
    CountedParameter,
    Cursor,
    Earlier,
    Indicators,
    JsonOrCsv,
    Later,
    LevelParameter,
    Limit,
    Settlements,
    Version,
    limit_note,
    page_request,
)
from service.http.responses import Format, Rows, csv_answer, json_answer

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "city,from_survey,to_survey,settlement_code,indicator,from_value,to_value,change\r\n"
    "khandesh,2019,2024,S02,household_toilet,20.0,60.0,40.0\r\n"
)


@router.get("/changes", responses=responses(bodies.Changes, csv_example=_CSV_EXAMPLE, full=True), summary="Changes")
def changes(
    request: Request,
    as_csv: AsCsv,
    city: CityParameter,
    earlier: Earlier,
    later: Later,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    by: By = None,
    version: Version = None,
    allow_break: AllowBreak = False,
    access: AccessParameter = "public",
    output: JsonOrCsv = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """How figures changed from one published round of a city to another, each change with its interval."""
    query = ValuesQuery(
        cities=[city],
        indicators=indicator,
        settlements=settlement,
        level=level,
        counted=counted,
        by=by,
        version=version,
        access=access,
        seen=seen_with(access),
        page=page_request(limit, cursor, everything=output != "json"),
    )
    with reading_figures(request, access) as reading:
        page = find_changes(reading.connection, query, earlier=earlier, later=later, allow_break=allow_break)
    figures = explained(page.figures)
    if output == "csv":
        text = figures_csv(figures, CHANGE_TAGS, hxl=as_csv.hxl)
        names = ["changes", city, earlier, later, *indicator]
        return csv_answer(request, text, page.next_cursor, _FORMATS, names, excel=as_csv.excel)
    found = Rows(
        "changes", plain_rows(figures), page.total, page.next_cursor, reading.data_version, note=limit_note(limit)
    )
    return json_answer(request, found, _FORMATS)
