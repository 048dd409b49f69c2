"""The audit: what was done, by whom and when. Rows are only added."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from geo.base import Page, PageRequest, fetch_page
from geo.database.schema.audit import audit
from geo.database.schema.places import organisation

Facts = Mapping[str, Any]


def note(
    connection: Connection, action: str, subject: str, *, before: Facts | None = None, after: Facts | None = None
) -> None:
    """Notes what the transaction's bearer does, with what it was before and what it is after."""
    facts = [literal(None if of is None else dict(of), JSONB(none_as_null=True)) for of in (before, after)]
    connection.execute(select(func.gate.note(action, subject, *facts)))


def note_as(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    *,
    organisation_id: int | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Notes what is done in somebody's name with the rights of the tables' owner.

    Whose it is, the stewards may read it.
    """
    connection.execute(
        insert(audit).values(
            organisation_id=organisation_id,
            actor=actor,
            action=action,
            subject=subject,
            before=None if before is None else dict(before),
            after=None if after is None else dict(after),
        )
    )


def has_audit(connection: Connection) -> bool:
    """Whether the database has an audit: a backup from before there was one brought none."""
    return connection.execute(select(func.to_regclass(audit.name))).scalar_one() is not None


def find_audit(connection: Connection, page: PageRequest, *, after: int = 0) -> Page:
    """What was done that the reader may know, the oldest first, from the row behind `after` on.

    The rows have id, at, organisation, actor, action, subject, before and after.
    """
    rows = (
        select(
            audit.c.id,
            audit.c.at,
            organisation.c.slug.label("organisation"),
            *(audit.c.actor, audit.c.action, audit.c.subject, audit.c.before, audit.c.after),
        )
        .outerjoin(organisation, organisation.c.id == audit.c.organisation_id)
        .where(audit.c.id > after)
    )
    return fetch_page(connection, rows, [audit.c.id], page)
