"""`/api/v1/changes`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.changes import find_changes
from geo.indicators.query import ValuesQuery
from service import bodies
from service.access import reading_figures, seen_with
from service.answers import Format, Rows, csv_answer, json_answer
from service.parameters import (
    AccessParameter,
    AllowBreak,
    By,
    CityParameter,
    CountedParameter,
    Cursor,
    Earlier,
    Hxl,
    Indicators,
    JsonOrCsv,
    Later,
    LevelParameter,
    Limit,
    Settlements,
    Version,
    page_request,
)
from service.routes.described import responses
from service.tables import CHANGE_TAGS, csv_text, explained, hashtags, plain_rows

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "city,from_survey,to_survey,settlement_code,indicator,from_value,to_value,change\r\n"
    "#loc+city,#date+round+from,#date+round+to,#loc+settlement+code,#indicator+code,#indicator+num+pct+from,"
    "#indicator+num+pct+to,#indicator+num+change\r\n"
    "khandesh,2019,2024,S02,household_toilet,20.0,60.0,40.0\r\n"
)


@router.get("/changes", responses=responses(bodies.Changes, csv_example=_CSV_EXAMPLE, full=True), summary="Changes")
def changes(
    request: Request,
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
    hxl: Hxl = True,
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
        page=page_request(limit, cursor, everything=output == "csv"),
    )
    with reading_figures(request, access) as reading:
        page = find_changes(reading.connection, query, earlier=earlier, later=later, allow_break=allow_break)
    figures = explained(page.figures)
    if output == "csv":
        text = csv_text(figures, list(CHANGE_TAGS), hashtags=hashtags(CHANGE_TAGS, figures) if hxl else None)
        return csv_answer(request, text, page.next_cursor, _FORMATS, ["changes", city, earlier, later, *indicator])
    found = Rows("changes", plain_rows(figures), page.total, page.next_cursor, reading.data_version)
    return json_answer(request, found, _FORMATS)
