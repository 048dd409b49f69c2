"""`/api/v1/cities`."""

from typing import Any

from fastapi import APIRouter, Request, Response

from geo.listings import find_cities
from service import bodies
from service.answers import MEDIA_TYPES, Rows, address, json_answer, link
from service.parameters import Cursor, Limit, page_request
from service.reading import public_reading
from service.routes.described import responses

router = APIRouter()


@router.get("/cities", responses=responses(bodies.Cities), summary="Cities")
def cities(request: Request, limit: Limit = None, cursor: Cursor = None) -> Response:
    """The cities, with how many settlements and published survey rounds each has."""
    with public_reading(request) as reading:
        found = find_cities(reading.connection, page_request(limit, cursor))
    rows = [row | {"links": _links(request, row["slug"])} for row in found.rows]
    return json_answer(request, Rows("cities", rows, found.total, found.next_cursor, reading.data_version))


def _links(request: Request, slug: str) -> list[dict[str, Any]]:
    return [
        link(name, address(request, f"/api/v1/{name}", city=slug), MEDIA_TYPES["json"])
        for name in ("settlements", "surveys", "values")
    ]
