"""Survey rounds: opened, published, shared with other organisations, and rid of a column."""

from typing import Any, Literal

from geo import people, surveys
from geo.database import raise_data_version
from geo.errors import Conflict, NotAllowed
from geo.indicators.tallies import recompute
from geo.ingestion import loading
from geo.ingestion.loading.stored_columns import Removed
from geo.people import Acting, SignedIn, list_grants
from geo.places import find_city
from geo.publications import Made, make_publication
from geo.surveys import Publishing, SurveySpec, find_own_surveys, find_survey
from service.actions.inputs import NewSurvey
from service.work.queue import defer_publication


def open_survey(done: SignedIn, new: NewSurvey) -> dict[str, Any]:
    """Opens a round as a draft; how it is listed.

    Raises:
        NotFound: there is no such city.
        Conflict: the city has a round of this slug.
        InputError: its dates are the wrong way round.
    """
    city_id = find_city(done.connection, new.city)
    if any((row["city"], row["slug"]) == (new.city, new.slug) for row in find_own_surveys(done.connection)):
        raise Conflict("survey_exists", city=new.city, survey=new.slug)
    spec = SurveySpec(organisation=done.organisation, **new.model_dump(exclude={"city"}))
    surveys.open_survey(done.connection, city_id, spec)
    done.note("survey opened", f"survey {new.city}/{new.slug}", after=new.model_dump(mode="json"))
    return listed(done, new.city, new.slug)


def find_own(done: Acting, city: str, survey: str) -> Any:
    """A round that is the actor's to change.

    Raises:
        NotFound: there is no such round that the actor may see.
        NotAllowed: it is another organisation's.
    """
    row = find_survey(done.connection, find_city(done.connection, city), survey)
    if not done.acts_for(row["organisation_id"]):
        raise NotAllowed("survey_of_others", survey=survey, city=city)
    return row


def change_state(done: Acting, city: str, survey: str, state: Literal["draft", "published"]) -> None:
    """Publishes a round, or takes it back to draft.

    Raises:
        as find_own.
    """
    before = find_own(done, city, survey)
    if surveys.set_state(done.connection, before["city_id"], survey, state):
        raise_data_version(done.connection, before["city_id"])
        facts = {"before": {"state": before["state"]}, "after": {"state": state}}
        done.note("state set", f"survey {city}/{survey}", owner_id=before["organisation_id"], **facts)


def change_publishing(done: Acting, city: str, survey: str, publishing: Publishing) -> None:
    """Says whether the round's next publications are made by themselves, or when a steward asks.

    Raises:
        as find_own.
    """
    before = find_own(done, city, survey)
    if surveys.set_publishing(done.connection, before["id"], publishing):
        facts = {"before": {"publishing": before["publishing"]}, "after": {"publishing": publishing}}
        done.note("publishing set", f"survey {city}/{survey}", owner_id=before["organisation_id"], **facts)


def publish_now(done: Acting, city: str, survey: str, *, is_correction: bool = False, note: str | None = None) -> Made:
    """Makes the round's publication at once, without waiting for a worker, which the operator may.

    Raises:
        Conflict: as geo.publications.make_publication; as find_own.
    """
    done.require("operator")
    row = find_own(done, city, survey)
    recompute(done.connection, row["id"])
    made = make_publication(done.connection, row["id"], is_correction=is_correction, note=note)
    if made.is_new:
        facts = {"number": made.number, "correction": is_correction, "note": note}
        done.note("publication made", f"survey {city}/{survey}", owner_id=row["organisation_id"], after=facts)
    return made


def ask_publication(
    done: SignedIn, city: str, survey: str, *, is_correction: bool = False, note: str | None = None
) -> None:
    """Asks a worker for the round's next publication.

    Raises:
        as find_own.
    """
    survey_id = find_own(done, city, survey)["id"]
    defer_publication(done.connection, survey_id, done.bearer.account_id, is_correction=is_correction, note=note)


def listed(done: Acting, city: str, survey: str) -> dict[str, Any]:
    """How a round is listed that may be seen in full."""
    rows = find_own_surveys(done.connection)
    return next(row for row in rows if (row["city"], row["slug"]) == (city, survey))


def grant_survey(done: Acting, city: str, survey: str, to: str) -> bool:
    """Shares a round's full figures with another organisation; whether that changed anything.

    Raises:
        NotFound: there is no such organisation; as find_own.
        NotAllowed: as find_own.
    """
    row = find_own(done, city, survey)
    is_new = people.grant_survey(done.connection, row["id"], to)
    if is_new:
        done.note("grant given", f"survey {city}/{survey}", owner_id=row["organisation_id"], after={"to": to})
    return is_new


def end_grant(done: Acting, city: str, survey: str, to: str) -> bool:
    """Shares them no longer; whether that changed anything.

    Raises:
        as grant_survey.
    """
    row = find_own(done, city, survey)
    was_there = people.end_grant(done.connection, row["id"], to)
    if was_there:
        done.note("grant ended", f"survey {city}/{survey}", owner_id=row["organisation_id"], after={"to": to})
    return was_there


def grants_of(done: Acting, city: str, survey: str) -> list[dict[str, Any]]:
    """With whom a round's full figures are shared, as geo.people.list_grants has them.

    Raises:
        as find_own.
    """
    return list_grants(done.connection, find_own(done, city, survey)["id"])


def remove_column(done: Acting, city: str, survey: str, column: str) -> Removed:
    """Takes a column that no field uses away from every row of a round, for good.

    Raises:
        NotFound: the round's rows have no such column; as find_own.
        NotAllowed: as find_own.
    """
    row = find_own(done, city, survey)
    removed = loading.remove_column(done.connection, row["id"], column)
    facts = {"column": column, "rows": removed.rows, "uploads": [number for number, _ in removed.files]}
    done.note("column removed", f"survey {city}/{survey}", owner_id=row["organisation_id"], after=facts)
    return removed
