"""Grants: a survey's full figures, shared by the organisation whose survey it is with another."""

from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.database.schema.access import survey_grant
from geo.database.schema.places import organisation
from geo.errors import NotFound
from geo.people.organisations import find_organisation


def grant_survey(connection: Connection, survey_id: int, organisation_slug: str) -> bool:
    """Shares a survey's full figures with an organisation; whether that changed anything.

    Raises:
        NotFound: there is no such organisation.
    """
    values = {"survey_id": survey_id, "organisation_id": _organisation(connection, organisation_slug)}
    added = upsert(survey_grant).values(values).on_conflict_do_nothing().returning(survey_grant.c.survey_id)
    return connection.execute(added).first() is not None


def end_grant(connection: Connection, survey_id: int, organisation_slug: str) -> bool:
    """Shares them no longer; whether that changed anything.

    Raises:
        NotFound: there is no such organisation.
    """
    of = _organisation(connection, organisation_slug)
    ended = delete(survey_grant).where(survey_grant.c.survey_id == survey_id, survey_grant.c.organisation_id == of)
    return bool(connection.execute(ended).rowcount)


def list_grants(connection: Connection, survey_id: int) -> list[dict[str, Any]]:
    """With whom a survey's full figures are shared: organisation and granted_at."""
    rows = (
        select(organisation.c.slug.label("organisation"), survey_grant.c.granted_at)
        .join(organisation, organisation.c.id == survey_grant.c.organisation_id)
        .where(survey_grant.c.survey_id == survey_id)
        .order_by(organisation.c.slug)
    )
    return [dict(row) for row in connection.execute(rows).mappings()]


def _organisation(connection: Connection, slug: str) -> int:
    found = find_organisation(connection, slug)
    if found is None:
        raise NotFound("organisation_unknown", organisation=slug)
    return found
