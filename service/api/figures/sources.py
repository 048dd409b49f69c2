"""`/api/v1/values/{city}/{survey}/{indicator}/sources`."""

from fastapi import APIRouter, Request, Response

from geo.indicators.figures import find_sources
from service.http import bodies
from service.http.access import reading_figures, seen_with
from service.http.described import responses
from service.http.parameters import AccessParameter, SlugInPath
from service.http.responses import body_answer

router = APIRouter()


@router.get(
    "/values/{city}/{survey}/{indicator}/sources",
    responses=responses(bodies.Sources, full=True, found=True),
    summary="What a figure rests on",
)
def sources(
    request: Request, city: SlugInPath, survey: SlugInPath, indicator: SlugInPath, access: AccessParameter = "public"
) -> Response:
    """The uploads whose rows a round's figures of an indicator are made of, and the definition they are counted by."""
    with reading_figures(request, access) as reading:
        found = find_sources(reading.connection, city, survey, indicator, seen_with(access))
    return body_answer(request, found | {"data_version": reading.data_version})
