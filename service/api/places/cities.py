"""`/api/v1/cities`."""

from fastapi import APIRouter, Request, Response

from geo.places import find_cities
from service.formats.csv_tables import CITY_TAGS
from service.formats.rows import Link, Rows
from service.formats.table import FORMATS, JSON, formats_for
from service.http import bodies
from service.http.described import responses
from service.http.parameters import AsCsv, Cursor, Limit, RowsForm, limit_note, page_request
from service.http.responses import address, link, list_answer
from service.http.transactions import public_reading

router = APIRouter()


_FORMS = formats_for()

_CSV_EXAMPLE = "slug,name,settlements,surveys\r\nkhandesh,Khandesh,6,2\r\n"


@router.get(
    "/cities", responses=responses(bodies.Cities, forms=_FORMS, examples={"csv": _CSV_EXAMPLE}), summary="Cities"
)
def cities(
    request: Request, as_csv: AsCsv, output: RowsForm = "json", limit: Limit = None, cursor: Cursor = None
) -> Response:
    """The cities, with how many settlements and published survey rounds each has."""
    with public_reading(request) as reading:
        found = find_cities(reading.connection, page_request(limit, cursor, output))
    # In a table a city has no links.
    rows = [row | {"links": _links(request, row["slug"])} for row in found.rows]
    told = Rows(
        "cities",
        rows,
        found.total,
        found.next_cursor,
        reading.data_version,
        tags=CITY_TAGS,
        saved_as=["cities"],
        note=limit_note(limit),
        csv=as_csv,
    )
    return list_answer(request, output, _FORMS, told)


def _links(request: Request, slug: str) -> list[Link]:
    return [
        link(name, address(request, f"/api/v1/{name}", city=slug), FORMATS[JSON].media_type)
        for name in ("settlements", "surveys", "values")
    ]
