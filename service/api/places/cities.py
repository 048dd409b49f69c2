"""`/api/v1/cities`."""

from fastapi import APIRouter, Request, Response

from geo.places import find_cities
from service.formats.csv_tables import CITY_TAGS, rows_csv
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cursor, JsonOrCsv, Limit, limit_note, page_request
from service.http.responses import MEDIA_TYPES, Format, Link, Rows, address, csv_answer, json_answer, link
from service.http.transactions import public_reading

router = APIRouter()


_FORMATS: tuple[Format, ...] = ("json", "csv")

_CSV_EXAMPLE = "slug,name,settlements,surveys\r\nkhandesh,Khandesh,6,2\r\n"


@router.get("/cities", responses=responses(bodies.Cities, csv_example=_CSV_EXAMPLE), summary="Cities")
def cities(
    request: Request, as_csv: AsCsv, output: JsonOrCsv = "json", limit: Limit = None, cursor: Cursor = None
) -> Response:
    """The cities, with how many settlements and published survey rounds each has."""
    with public_reading(request) as reading:
        found = find_cities(reading.connection, page_request(limit, cursor, everything=output != "json"))
    if output == "csv":
        text = rows_csv(found.rows, CITY_TAGS, hxl=as_csv.hxl)
        return csv_answer(request, text, found.next_cursor, _FORMATS, ["cities"], excel=as_csv.excel)
    rows = [row | {"links": _links(request, row["slug"])} for row in found.rows]
    told = Rows("cities", rows, found.total, found.next_cursor, reading.data_version, note=limit_note(limit))
    return json_answer(request, told, _FORMATS)


def _links(request: Request, slug: str) -> list[Link]:
    return [
        link(name, address(request, f"/api/v1/{name}", city=slug), MEDIA_TYPES["json"])
        for name in ("settlements", "surveys", "values")
    ]
