"""`/maps`: maps as pages of their own."""

from fastapi import APIRouter, Request, Response

from maps.leaflet import policy_of
from service.drawing.coverage import coverage_map
from service.http.described import REFUSALS, Responses
from service.http.parameters import CityParameter, CountedParameter, IndicatorParameter, SurveyParameter
from service.http.responses import html_answer
from service.http.transactions import public_reading

router = APIRouter()

_RESPONSES: Responses = {
    200: {
        "description": "The map as one HTML page that loads nothing from anywhere.",
        "content": {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>..."}},
    },
    **REFUSALS,
}


@router.get("/coverage", responses=_RESPONSES, summary="Coverage map")
def coverage(
    request: Request,
    city: CityParameter,
    survey: SurveyParameter,
    indicator: IndicatorParameter,
    counted: CountedParameter = None,
) -> Response:
    """The map of one indicator in one published round: where it is reached, and how many households it is not."""
    with public_reading(request) as reading:
        html = coverage_map(reading.connection, city, survey, indicator, counted=counted, seen="published")
    return html_answer(html, ["coverage", city, survey, indicator], policy_of(html))
