"""`/api/v1/surveys`."""

from fastapi import APIRouter, Request, Response

from geo.surveys import find_surveys
from service.formats.csv_tables import SURVEY_TAGS
from service.formats.rows import Rows
from service.formats.table import JSON, formats_for
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cities, Cursor, Limit, RowsForm, limit_note, page_request
from service.http.responses import list_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMS = formats_for()

_CSV_EXAMPLE = (
    "city,slug,name,organisation,starts_on,ends_on,unit,mode,licence,uploads,rows_loaded\r\n"
    "khandesh,2024,Round of 2024,Shelter,2024-01-01,2024-03-31,household,census,CC-BY-4.0,3 5,95\r\n"
)


@router.get(
    "/surveys",
    responses=responses(bodies.Surveys, forms=_FORMS, examples={"csv": _CSV_EXAMPLE}),
    summary="Survey rounds",
)
def surveys(
    request: Request,
    as_csv: AsCsv,
    city: Cities,
    output: RowsForm = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The published survey rounds, each with the uploads its figures rest on; as CSV, with their numbers."""
    page = page_request(limit, cursor, output)
    with public_reading(request) as reading:
        found = find_surveys(reading.connection, city, page)
    # In a table a round's uploads are their numbers.
    rows = (
        found.rows
        if output == JSON
        else [row | {"uploads": [one["id"] for one in row["uploads"]]} for row in found.rows]
    )
    told = Rows(
        "surveys",
        rows,
        found.total,
        found.next_cursor,
        reading.data_version,
        tags=SURVEY_TAGS,
        saved_as=["surveys", *city],
        note=limit_note(limit),
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, told)
