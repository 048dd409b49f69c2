"""Cities as people get them: asked for by stewards, added by operators. The same for programs and for pages."""

from typing import Any

from geo.database import raise_data_version
from geo.errors import Conflict
from geo.people import SignedIn, note
from geo.places import add_city, answer_request, ask_for_city, check_city, find_request, is_there
from service.actions.inputs import CityAnswer, NewCity, NewCityRequest


def add_new(done: SignedIn, new: NewCity) -> dict[str, str]:
    """Adds a city, which an operator may.

    Raises:
        InputError: the slug is not one, or the name is empty.
        Conflict: there is one of this slug.
    """
    name = check_city(new.slug, new.name)
    if not add_city(done.connection, new.slug, name):
        raise Conflict(is_there(new.slug, name))
    _added(done, new.slug, name)
    return {"slug": new.slug, "name": name}


def ask_for(done: SignedIn, new: NewCityRequest) -> dict[str, Any]:
    """Asks for a city, which a steward may; the request.

    Raises:
        as geo.places.city_requests.ask_for_city.
    """
    told = (new.note or "").strip() or None
    bearer = done.bearer
    number = ask_for_city(done.connection, bearer.organisation_id, bearer.account_id, new.slug, new.name, told)
    asked = find_request(done.connection, number)
    note(done.connection, "city asked for", f"city {new.slug}", after={"name": asked["name"], "note": told})
    return asked


def answer(done: SignedIn, number: int, given: CityAnswer) -> dict[str, Any]:
    """Adds a city that was asked for, or declines to, which an operator may; the request as it is then.

    Raises:
        as geo.places.city_requests.answer_request.
    """
    reason = (given.reason or "").strip() or None
    answered = answer_request(done.connection, number, given.state, reason)
    if given.state == "added":
        _added(done, answered["slug"], answered["name"], asked_by=answered["organisation"])
    else:
        facts = {"asked_by": answered["organisation"], "reason": reason}
        note(done.connection, "city declined", f"city {answered['slug']}", after=facts)
    return answered


def _added(done: SignedIn, slug: str, name: str, **facts: str) -> None:
    raise_data_version(done.connection)
    note(done.connection, "city added", f"city {slug}", after={"name": name, **facts})
