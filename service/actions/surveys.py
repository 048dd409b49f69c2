"""Survey rounds of the bearer's organisation: opened, found, published. The same for programs and for pages."""

from typing import Any, Literal

from geo.database import raise_data_version
from geo.errors import Conflict, NotAllowed
from geo.people import SignedIn, note
from geo.places import find_city
from geo.surveys import SurveySpec, find_own_surveys, find_survey, open_survey, set_state
from service.actions.inputs import NewSurvey


def open_own(done: SignedIn, new: NewSurvey) -> dict[str, Any]:
    """Opens a round as a draft; how it is listed.

    Raises:
        NotFound: there is no such city.
        Conflict: the city has a round of this slug.
        InputError: its dates are the wrong way round.
    """
    city_id = find_city(done.connection, new.city)
    if any((row["city"], row["slug"]) == (new.city, new.slug) for row in find_own_surveys(done.connection)):
        raise Conflict(f"{new.city} has a survey {new.slug} already.")
    spec = SurveySpec(organisation=done.bearer.organisation, **new.model_dump(exclude={"city"}))
    open_survey(done.connection, city_id, spec)
    note(done.connection, "survey opened", f"survey {new.city}/{new.slug}", after=new.model_dump(mode="json"))
    return listed(done, new.city, new.slug)


def find_own(done: SignedIn, city: str, survey: str) -> Any:
    """A round of the bearer's own organisation.

    Raises:
        NotFound: there is no such round that the bearer may see.
        NotAllowed: it is another organisation's.
    """
    row = find_survey(done.connection, find_city(done.connection, city), survey)
    if row["organisation_id"] != done.bearer.organisation_id:
        raise NotAllowed(f"Survey {survey} of {city} is another organisation's.")
    return row


def change_state(done: SignedIn, city: str, survey: str, state: Literal["draft", "published"]) -> None:
    """Publishes a round, or takes it back to draft.

    Raises:
        as find_own.
    """
    before = find_own(done, city, survey)
    if set_state(done.connection, before["city_id"], survey, state):
        raise_data_version(done.connection)
        facts = {"before": {"state": before["state"]}, "after": {"state": state}}
        note(done.connection, "state set", f"survey {city}/{survey}", **facts)


def listed(done: SignedIn, city: str, survey: str) -> dict[str, Any]:
    """How a round is listed that may be seen in full."""
    rows = find_own_surveys(done.connection)
    return next(row for row in rows if (row["city"], row["slug"]) == (city, survey))
