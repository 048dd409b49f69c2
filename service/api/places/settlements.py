"""`/api/v1/settlements`."""

from fastapi import APIRouter, Request, Response

from geo.places import SettlementsQuery, find_settlements
from service.formats.csv_tables import SETTLEMENT_TAGS, rows_csv
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AnyFormat, AsCsv, Cities, Codes, Cursor, Limit, Wards, limit_note, page_request
from service.http.responses import Format, Rows, csv_answer, geojson_answer, json_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "csv", "geojson")

_CSV_EXAMPLE = (
    "city,code,name,ward_code,ward_name,area_km2,valid_from_on,valid_to_on,ended_on\r\n"
    "khandesh,S01,Indira Nagar,A,Ward A,0.011682,,,\r\n"
)


@router.get(
    "/settlements",
    responses=responses(bodies.Settlements, csv_example=_CSV_EXAMPLE, geojson=True),
    summary="Settlements",
)
def settlements(
    request: Request,
    as_csv: AsCsv,
    city: Cities,
    ward: Wards,
    code: Codes,
    output: AnyFormat = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The settlements, with the newest version of each one's boundary as GeoJSON."""
    page = page_request(limit, cursor, everything=output != "json")
    with public_reading(request) as reading:
        found = find_settlements(reading.connection, SettlementsQuery(city, ward, code, output == "geojson", page))
    names = ["settlements", *city]
    if output == "csv":
        text = rows_csv(found.rows, SETTLEMENT_TAGS, hxl=as_csv.hxl)
        return csv_answer(request, text, found.next_cursor, _FORMATS, names, excel=as_csv.excel)
    rows = Rows("settlements", found.rows, found.total, found.next_cursor, reading.data_version, note=limit_note(limit))
    if output == "geojson":
        return geojson_answer(request, rows, ("city", "code"), _FORMATS, names)
    return json_answer(request, rows, _FORMATS)
