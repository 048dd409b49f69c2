"""Cities: asked for by stewards, added by operators."""

from typing import Any

from geo import places
from geo.database import raise_data_version
from geo.errors import Conflict
from geo.people import Acting, SignedIn
from geo.places import check_city, find_request, is_there
from service.actions.inputs import CityAnswer, NewCityRequest


def add_city(done: Acting, slug: str, name: str, *, may_exist: bool = False) -> dict[str, str]:
    """Adds a city, which an operator may. `may_exist`: one of this slug and name is left as it is.

    Raises:
        InputError: the slug is not one, or the name is empty.
        Conflict: there is one of this slug.
    """
    name = check_city(slug, name)
    if places.add_city(done.connection, slug, name):
        _note_added(done, slug, name)
    elif not may_exist:
        raise Conflict(is_there(slug, name))
    return {"slug": slug, "name": name}


def ask_for_city(done: SignedIn, new: NewCityRequest) -> dict[str, Any]:
    """Asks for a city, which a steward may; the request.

    Raises:
        as geo.places.city_requests.ask_for_city.
    """
    told = (new.note or "").strip() or None
    bearer = done.bearer
    number = places.ask_for_city(done.connection, bearer.organisation_id, bearer.account_id, new.slug, new.name, told)
    asked = find_request(done.connection, number)
    done.note("city asked for", f"city {new.slug}", after={"name": asked["name"], "note": told})
    return asked


def answer_request(done: Acting, number: int, given: CityAnswer) -> dict[str, Any]:
    """Adds a city that was asked for, or declines to, which an operator may; the request as it is then.

    Raises:
        as geo.places.city_requests.answer_request.
    """
    reason = (given.reason or "").strip() or None
    answered = places.answer_request(done.connection, number, given.state, reason)
    if given.state == "added":
        _note_added(done, answered["slug"], answered["name"], asked_by=answered["organisation"])
    else:
        facts = {"asked_by": answered["organisation"], "reason": reason}
        done.note("city declined", f"city {answered['slug']}", after=facts)
    return answered


def _note_added(done: Acting, slug: str, name: str, **facts: str) -> None:
    raise_data_version(done.connection, places.find_city(done.connection, slug))
    done.note("city added", f"city {slug}", after={"name": name, **facts})
