"""`/cities`: a city's settlements and facilities, and sending files of them."""

from datetime import UTC, datetime

import numpy as np
from fastapi import APIRouter, Request, Response

from geo.facilities import count_facilities
from geo.ingestion.formats import FORMATS
from geo.ingestion.placement import Places
from geo.listings import find_cities
from geo.paging import PageRequest
from geo.places import find_city, places_on
from geo.places_ended import find_ended
from geo.settings import Settings
from maps.sketch import draw_sketch
from service.access import acting, reading_in_full
from service.account_bodies import SettlementChange
from service.own_places import end_own
from service.pages.rendering import page, see_other
from service.pages.wording import KINDS, for_page
from service.parameters import SlugInPath
from service.problems import validated
from service.texts import FormText
from service.uploads import newest

router = APIRouter()


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
            kinds=KINDS,
            uploads=newest(reading, for_page, places_of=city_id) if reading.bearer.may("contributor") else [],
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
        end_own(done, city, code, change.ended_on)
    return see_other(request, f"/cities/{city}")
