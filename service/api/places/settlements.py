"""`/api/v1/settlements`."""

from fastapi import APIRouter, Request, Response

from geo.places import SettlementsQuery, find_settlements
from service.formats.csv_tables import SETTLEMENT_TAGS
from service.formats.rows import Rows
from service.formats.table import FORMATS, formats_for
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cities, Codes, Cursor, Limit, ShapesForm, Wards, limit_note, page_request
from service.http.responses import list_answer
from service.http.transactions import public_reading

router = APIRouter()

_FORMS = formats_for("shapes")

_CSV_EXAMPLE = (
    "city,code,name,ward_code,ward_name,area_km2,valid_from_on,valid_to_on,ended_on\r\n"
    "khandesh,S01,Indira Nagar,A,Ward A,0.011682,,,\r\n"
)


@router.get(
    "/settlements",
    responses=responses(bodies.Settlements, forms=_FORMS, examples={"csv": _CSV_EXAMPLE}),
    summary="Settlements",
)
def settlements(
    request: Request,
    as_csv: AsCsv,
    city: Cities,
    ward: Wards,
    code: Codes,
    output: ShapesForm = "json",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """The settlements, with the newest version of each one's boundary as GeoJSON."""
    page = page_request(limit, cursor, output)
    with public_reading(request) as reading:
        found = find_settlements(
            reading.connection, SettlementsQuery(city, ward, code, FORMATS[output].needs == "shapes", page)
        )
    rows = Rows(
        "settlements",
        found.rows,
        found.total,
        found.next_cursor,
        reading.data_version,
        tags=SETTLEMENT_TAGS,
        saved_as=["settlements", *city],
        feature_id=("city", "code"),
        note=limit_note(limit),
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, rows)
