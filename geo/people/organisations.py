"""Organisations: found by their short names, and added."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.base import check_slug
from geo.database.schema.places import organisation


def open_organisation(connection: Connection, slug: str) -> int:
    """The id of the organisation, which is added where there is none of this slug.

    Raises:
        InputError: the slug is none.
    """
    check_slug(slug, "organisation")
    # Looked for first: an account that may not add one may still name one that is there.
    if find_organisation(connection, slug) is None:
        connection.execute(upsert(organisation).values(slug=slug, name=slug).on_conflict_do_nothing())
    return int(connection.execute(select(organisation.c.id).where(organisation.c.slug == slug)).scalar_one())


def find_organisation(connection: Connection, slug: str) -> int | None:
    """The id of the organisation, or None where there is none of this slug."""
    return connection.execute(select(organisation.c.id).where(organisation.c.slug == slug)).scalar_one_or_none()
