"""`/cities`: cities, added and asked for; a city's settlements and facilities, and sending files of them."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from geo.base import PageRequest, validated
from geo.errors import Conflict, InputError, VastiError
from geo.ingestion.loading import KINDS
from geo.ingestion.reading import FORMATS
from geo.people import SignedIn
from geo.places import (
    Places,
    check_city,
    count_facilities,
    find_cities,
    find_city,
    find_ended,
    find_requests,
    places_on,
)
from geo.settings import Settings
from maps.sketch import draw_sketch
from service.actions import cities as actions
from service.actions import settlements
from service.actions.inputs import CityAnswer, NewCity, NewCityRequest, SettlementChange
from service.actions.uploads import newest
from service.http.access import acting, reading_in_full
from service.http.html import page, see_other
from service.http.parameters import Id, SlugInPath
from service.http.problems import status_of
from service.pages.forms import FormText, slug_of

router = APIRouter()

_REFUSALS = (InputError, Conflict)


@router.get("/cities")
def cities(request: Request) -> Response:
    """The cities; for a steward those the organisation asked for, for the operator those that anybody did."""
    with reading_in_full(request) as reading:
        return _list(request, reading)


def _list(
    request: Request,
    reading: SignedIn,
    *,
    given: dict[str, str] | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "cities.html",
        bearer=reading.bearer,
        status=status,
        cities=find_cities(reading.connection, PageRequest(limit=None)).rows,
        requests=find_requests(reading.connection),
        given=given or {},
        problem=problem,
    )


def _refused(request: Request, error: VastiError, given: dict[str, str]) -> Response:
    with reading_in_full(request) as reading:
        return _list(request, reading, given=given, problem=error.say("page"), status=status_of(error))


def _named(name: str, slug: str) -> dict[str, str]:
    """What a form says of a new city; where it has no short name, that is made of the name."""
    return {"name": name.strip(), "slug": slug.strip() or slug_of(name)}


def _check(given: dict[str, str]) -> None:
    if given["slug"] == "":
        raise InputError("city_slug_missing")
    check_city(given["slug"], given["name"])


@router.post("/cities")
def add_city(request: Request, csrf: FormText, name: FormText, slug: FormText = "") -> Response:
    """Adds a city and goes on to it."""
    given = _named(name, slug)
    try:
        with acting(request, "operator", csrf) as done:
            _check(given)
            new = validated(NewCity, given)
            added = actions.add_city(done, new.slug, new.name)
    except _REFUSALS as error:
        return _refused(request, error, given)
    return see_other(request, f"/cities/{added['slug']}")


@router.post("/city-requests")
def ask_for_city(
    request: Request, csrf: FormText, name: FormText, slug: FormText = "", note: FormText = ""
) -> Response:
    """Asks the operator for a city."""
    given = _named(name, slug) | {"note": note}
    try:
        with acting(request, "steward", csrf) as done:
            _check(given)
            actions.ask_for_city(done, validated(NewCityRequest, given))
    except _REFUSALS as error:
        return _refused(request, error, given)
    return see_other(request, "/cities")


@router.post("/city-requests/{number}")
def answer_request(request: Request, number: Id, csrf: FormText, state: FormText, reason: FormText = "") -> Response:
    """Adds a city that was asked for, or declines to."""
    given: dict[str, Any] = {"state": state, "reason": reason}
    try:
        with acting(request, "operator", csrf) as done:
            actions.answer_request(done, number, validated(CityAnswer, given))
    except _REFUSALS as error:
        return _refused(request, error, {})
    return see_other(request, "/cities")


@router.get("/cities/{city}")
def one(request: Request, city: SlugInPath) -> Response:
    """A city: its settlements on a small map, and the files of them that were sent."""
    settings: Settings = request.app.state.settings
    today = datetime.now(UTC).date()
    with reading_in_full(request) as reading:
        city_id = find_city(reading.connection, city)
        row = next(r for r in find_cities(reading.connection, PageRequest(limit=None)).rows if r["slug"] == city)
        places = places_on(reading.connection, city_id, today).places
        shapes = places.shapes
        return page(
            request,
            "city.html",
            bearer=reading.bearer,
            city=row,
            map=draw_sketch(list(shapes), np.empty((0, 2)), f"The outlines of the settlements of {row['name']}."),
            undrawn=sum(shape is None for shape in shapes),
            facilities=count_facilities(reading.connection, city_id, today),
            kinds=[kind for kind in KINDS.values() if not kind.in_round],
            uploads=newest(reading, "page", places_of=city_id) if reading.bearer.may("contributor") else [],
            suffixes=",".join(sorted(FORMATS)),
            most_mb=settings.upload_max_mb,
            there=_by_name(places),
            ended=find_ended(reading.connection, city_id),
        )


def _by_name(places: Places) -> list[tuple[str, str]]:
    """Codes and names of settlements, in the order of their names."""
    return sorted(zip(places.codes, places.names, strict=True), key=lambda one: (one[1].casefold(), one[0]))


@router.post("/cities/{city}/settlements")
def end_settlement(
    request: Request, city: SlugInPath, csrf: FormText, code: FormText, ended_on: FormText = ""
) -> Response:
    """Ends a settlement on a day; without one it is reopened."""
    change = validated(SettlementChange, {"ended_on": ended_on or None})
    with acting(request, "steward", csrf) as done:
        settlements.end_settlement(done, city, code, change.ended_on)
    return see_other(request, f"/cities/{city}")
