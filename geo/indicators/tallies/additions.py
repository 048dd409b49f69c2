"""Organisations' own indicators on their way into figures: added as a version, and counted in every survey."""

from sqlalchemy import Connection, func, insert, select

from geo.database import lock_final, raise_data_version
from geo.database.schema.places import organisation
from geo.database.schema.tallies import own_indicator, tally
from geo.errors import Conflict, DefinitionInvalid
from geo.indicators.definitions import Added, Definition, check_own
from geo.indicators.definitions.documents import newest_version, numbered
from geo.indicators.tallies.recompute import recompute_all
from geo.indicators.tallies.tally import ALL
from geo.people import open_organisation

MOST_INDICATORS = 200
"""How many an installation may have."""

MOST_VERSIONS = 1000
"""How many versions of all of them together: every load counts each."""


def add_own(connection: Connection, text: str, name: str, organisation_slug: str) -> Added:
    """Adds an indicator, or the next version of one, and makes the figures of every survey for it.

    The same definition again changes nothing. Earlier versions stay, and what was counted by them.

    Raises:
        InputError: as check_own, or there are as many indicators as there may be.
        Conflict: the id is another organisation's, or the text says a version that is not the next.
    """
    definition = check_own(None, text, name)
    # Before the lock: a load under way that adds the same organisation must be able to end.
    organisation_id = open_organisation(connection, organisation_slug)
    lock_final(connection)
    owner = connection.execute(
        select(organisation.c.slug)
        .join(own_indicator, own_indicator.c.organisation_id == organisation.c.id)
        .where(own_indicator.c.indicator_id == definition.id)
        .limit(1)
    ).scalar_one_or_none()
    if owner not in (None, organisation_slug):
        raise Conflict("indicator_of_others", file=name, indicator=definition.id, organisation=owner)
    added = numbered(definition, newest_version(connection, definition.id), name)
    if not added.is_new:
        return added
    _check_room(connection, definition.id)
    connection.execute(
        insert(own_indicator).values(
            indicator_id=definition.id,
            version=added.definition.version,
            organisation_id=organisation_id,
            document=text,
        )
    )
    recompute_all(connection)
    raise_data_version(connection, None)
    return added


def _check_room(connection: Connection, indicator_id: str) -> None:
    distinct = func.count(own_indicator.c.indicator_id.distinct())
    others = own_indicator.c.indicator_id != indicator_id
    n_others = connection.execute(select(distinct).where(others)).scalar_one()
    n_versions = connection.execute(select(func.count()).select_from(own_indicator)).scalar_one()
    if n_others >= MOST_INDICATORS:
        raise DefinitionInvalid("indicators_too_many", most=MOST_INDICATORS)
    if n_versions >= MOST_VERSIONS:
        raise DefinitionInvalid("indicator_versions_too_many", most=MOST_VERSIONS)


def count_surveys(connection: Connection, definition: Definition) -> int:
    """In how many surveys anybody answers an indicator."""
    found = connection.execute(
        select(func.count(tally.c.survey_id.distinct())).where(
            tally.c.group_field == ALL,
            tally.c.indicator_id == definition.id,
            tally.c.definition_version == definition.version,
            tally.c.n > 0,
        )
    )
    return int(found.scalar_one())
