"""`/api/v1/indicators`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.catalogue import read_catalogue
from service import bodies
from service.answers import Rows, json_answer
from service.reading import public_reading
from service.routes.described import responses

router = APIRouter()


@router.get("/indicators", responses=responses(bodies.Indicators), summary="Indicators")
def indicators(request: Request) -> Response:
    """The catalogue: what each indicator says, exactly how, by which source and why it matters."""
    with public_reading(request) as reading:
        definitions = read_catalogue(reading.connection).newest.values()
    rows = [d.model_dump(mode="json") | {"fields": d.fields} for d in definitions]
    return json_answer(request, Rows("indicators", rows, len(rows), None, reading.data_version))
