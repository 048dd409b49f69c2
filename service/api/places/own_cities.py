"""`/api/v1/own/cities` and `/api/v1/own/city-requests`: cities, added by an operator and asked for by stewards."""

from fastapi import APIRouter, Request, Response

from geo.places import find_requests
from service.actions.cities import add_city, answer_request, ask_for_city
from service.actions.inputs import CityAnswer, NewCity, NewCityRequest
from service.api.places.bodies import AddedCity, CityRequest, CityRequests
from service.http.access import acting, reading_in_full
from service.http.described import private_responses
from service.http.parameters import Id
from service.http.responses import private_answer

router = APIRouter()

_REQUESTS = "/own/city-requests"


@router.post("/own/cities", responses=private_responses(AddedCity, status=201), status_code=201, summary="Add a city")
def add(request: Request, body: NewCity) -> Response:
    """Adds a city, which an operator may. Open requests for it, by this slug and name, are answered with that."""
    with acting(request, "operator") as done:
        added = add_city(done, body.slug, body.name)
    return private_answer(added, status=201)


@router.get(_REQUESTS, responses=private_responses(CityRequests), summary="Cities that were asked for")
def requests(request: Request) -> Response:
    """Requests of the organisation for cities, open ones first; the operator sees all. At most 200 are listed."""
    with reading_in_full(request, "steward") as reading:
        return private_answer({"requests": find_requests(reading.connection)})


@router.post(_REQUESTS, responses=private_responses(CityRequest, status=201), status_code=201, summary="Ask for a city")
def ask(request: Request, body: NewCityRequest) -> Response:
    """Asks the operator for a city, which a steward may."""
    with acting(request, "steward") as done:
        asked = ask_for_city(done, body)
    return private_answer(asked, status=201)


@router.patch(f"{_REQUESTS}/{{number}}", responses=private_responses(CityRequest), summary="Answer a request")
def decide(request: Request, number: Id, body: CityAnswer) -> Response:
    """Adds the city that was asked for, or declines the request, which an operator may."""
    with acting(request, "operator") as done:
        answered = answer_request(done, number, body)
    return private_answer(answered)
