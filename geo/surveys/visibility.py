"""Which survey rounds somebody may see."""

from typing import Literal

from sqlalchemy import func, literal, select
from sqlalchemy.sql import ColumnElement

from geo.database.schema.surveys import survey

Seen = Literal["published", "granted", "all"]
"""Of which rounds figures are shown: published ones; those whose full figures the transaction's bearer may see, drafts
among them; or whatever there is."""


def is_seen(seen: Seen) -> ColumnElement[bool]:
    """The condition on a survey."""
    match seen:
        case "published":
            return survey.c.state == "published"
        case "granted":
            return survey.c.id.in_(select(func.gate.full_surveys()))
        case "all":
            return literal(True)
