"""`/api/v1/surveys`."""

from fastapi import APIRouter, Request, Response

from geo.listings import find_surveys
from service import bodies
from service.answers import Rows, json_answer
from service.parameters import Cities, Cursor, Limit, page_request
from service.reading import public_reading
from service.routes.described import responses

router = APIRouter()


@router.get("/surveys", responses=responses(bodies.Surveys), summary="Survey rounds")
def surveys(request: Request, city: Cities, limit: Limit = None, cursor: Cursor = None) -> Response:
    """The published survey rounds, each with the uploads its figures rest on."""
    with public_reading(request) as reading:
        found = find_surveys(reading.connection, city, page_request(limit, cursor))
    return json_answer(request, Rows("surveys", found.rows, found.total, found.next_cursor, reading.data_version))
