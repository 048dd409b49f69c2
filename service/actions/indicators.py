"""Organisations' own indicators, added."""

from geo.indicators.definitions import Added
from geo.indicators.tallies import add_own
from geo.people import Acting, find_organisation


def add_indicator(done: Acting, document: str, file_name: str, organisation: str | None = None) -> Added:
    """Adds an indicator of an organisation's own, or its next version, and makes the figures of every survey for it.

    Raises:
        as geo.indicators.tallies.add_own.
    """
    of = organisation or done.organisation
    added = add_own(done.connection, document, file_name, of)
    if added.is_new:
        facts = {"version": added.definition.version}
        owner_id = find_organisation(done.connection, of)
        done.note("indicator added", f"indicator {added.definition.id}", owner_id=owner_id, after=facts)
    return added
