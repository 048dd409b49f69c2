"""`/api/v1/openapi.json`."""

from fastapi import APIRouter, Request, Response

from service.http.responses import json_bytes
from service.http.transactions import note_fixed

router = APIRouter()


@router.get("/openapi.json")
def document(request: Request) -> Response:
    """What can be asked, with every parameter and answer."""
    note_fixed(request)
    return json_bytes(request.app.openapi())
