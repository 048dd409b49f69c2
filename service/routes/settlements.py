"""`/api/v1/settlements`."""

from fastapi import APIRouter, Request, Response

from geo.listings import SettlementsQuery, find_settlements
from service import bodies
from service.answers import Format, Rows, geojson_answer, json_answer
from service.parameters import Cities, Codes, Cursor, JsonOrGeojson, Limit, Wards, page_request
from service.reading import public_reading
from service.routes.described import responses

router = APIRouter()

_FORMATS: tuple[Format, ...] = ("json", "geojson")


@router.get("/settlements", responses=responses(bodies.Settlements, geojson=True), summary="Settlements")
def settlements(
    request: Request,
    city: Cities,
    ward: Wards,
    code: Codes,
    output: JsonOrGeojson = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The settlements, with the newest version of each one's boundary as GeoJSON."""
    query = SettlementsQuery(city, ward, code, output == "geojson", page_request(limit, cursor))
    with public_reading(request) as reading:
        found = find_settlements(reading.connection, query)
    rows = Rows("settlements", found.rows, found.total, found.next_cursor, reading.data_version)
    if output == "geojson":
        return geojson_answer(request, rows, ("city", "code"), _FORMATS)
    return json_answer(request, rows, _FORMATS)
