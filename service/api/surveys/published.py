"""`/api/v1/surveys`."""

from fastapi import APIRouter, Request, Response

from geo.surveys import find_surveys
from service.formats.csv_tables import SURVEY_TAGS, rows_csv
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cities, Cursor, JsonOrCsv, Limit, limit_note, page_request
from service.http.responses import Format, Rows, csv_answer, json_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = (
    "city,slug,name,organisation,starts_on,ends_on,unit,mode,licence,uploads\r\n"
    "khandesh,2024,Round of 2024,Shelter,2024-01-01,2024-03-31,household,census,CC-BY-4.0,3 5\r\n"
)


@router.get("/surveys", responses=responses(bodies.Surveys, csv_example=_CSV_EXAMPLE), summary="Survey rounds")
def surveys(
    request: Request,
    as_csv: AsCsv,
    city: Cities,
    output: JsonOrCsv = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The published survey rounds, each with the uploads its figures rest on; as CSV, with their numbers."""
    page = page_request(limit, cursor, everything=output != "json")
    with public_reading(request) as reading:
        found = find_surveys(reading.connection, city, page)
    if output == "csv":
        rows = [row | {"uploads": [upload["id"] for upload in row["uploads"]]} for row in found.rows]
        text = rows_csv(rows, SURVEY_TAGS, hxl=as_csv.hxl)
        return csv_answer(request, text, found.next_cursor, _FORMATS, ["surveys", *city], excel=as_csv.excel)
    told = Rows("surveys", found.rows, found.total, found.next_cursor, reading.data_version, note=limit_note(limit))
    return json_answer(request, told, _FORMATS)
