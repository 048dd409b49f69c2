"""Settlements that are there already: ended, and reopened."""

from datetime import date

from sqlalchemy.exc import ProgrammingError

from geo import places
from geo.database import raise_data_version
from geo.errors import NotAllowed
from geo.people import Acting
from geo.places import Ended, told_of_end


def end_settlement(done: Acting, city: str, code: str, ended_on: date | None) -> Ended:
    """Ends a settlement on a day, or reopens it (None); how it is.

    Raises:
        NotFound: the city has no such settlement.
        NotAllowed: another organisation gave it.
        Conflict: households have been placed in it in a round that starts on that day or later.
    """
    try:
        with done.connection.begin_nested():
            before, after = places.end_settlement(done.connection, city, code, ended_on)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise NotAllowed("settlement_of_others", settlement=code) from None
    raise_data_version(done.connection, places.find_city(done.connection, city))
    action, facts = told_of_end(before, after)
    done.note(action, f"settlement {city}/{code}", before=facts["before"], after=facts["after"])
    return after


_NOT_ALLOWED = "42501"
