"""Survey rounds: opening, finding, publishing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from geo.base import check_slug
from geo.database.schema.places import settlement
from geo.database.schema.surveys import survey, survey_frame
from geo.errors import Conflict, InputError, NotFound
from geo.fields import Unit
from geo.messages import Message
from geo.people import open_organisation

Publishing = Literal["automatic", "steward"]
"""Whether a round's next publication is made by itself, or when a steward asks."""

Mode = Literal["census", "sample", "phone"]

MODE_ASKED: Mapping[Unit, str] = {
    "household": "mode_of_households",
    "settlement": "mode_of_settlements",
}
"""The question that is asked of a round that is new, by what it counts.

No answer is taken for granted: it decides whether figures have intervals."""


@dataclass(frozen=True)
class SurveySpec:
    """A survey round as a person names it; None where an existing round is meant to say."""

    slug: str
    organisation: str
    name: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    unit: Unit | None = None
    mode: Mode | None = None
    licence: str | None = None


def open_survey(connection: Connection, city_id: int, spec: SurveySpec) -> int:
    """The id of the round, which is opened as a draft when the city has none of this slug.

    Raises:
        InputError: the round is new and its dates, unit or mode are not named, or its dates are the wrong way round.
        Conflict: the round exists and differs from what is named.
    """
    if _find(connection, city_id, spec.slug) is None:
        check_slug(spec.slug, "survey")
        _check_new(spec)
        connection.execute(
            upsert(survey)
            .values(
                organisation_id=open_organisation(connection, spec.organisation),
                city_id=city_id,
                slug=spec.slug,
                name=spec.name or spec.slug,
                starts_on=spec.starts_on,
                ends_on=spec.ends_on,
                unit=spec.unit or "household",
                mode=spec.mode,
                licence=spec.licence,
            )
            # Another load may open the same round at this moment: this one waits for it, then joins.
            .on_conflict_do_nothing()
        )
        if _find(connection, city_id, spec.slug) is None:
            # A draft that is not for this reader to see.
            raise Conflict("survey_slug_taken", survey=spec.slug)
    existing = find_survey(connection, city_id, spec.slug)
    for key in ("name", "starts_on", "ends_on", "unit", "mode", "licence"):
        wanted = getattr(spec, key)
        if wanted is not None and wanted != existing[key]:
            is_one, other = str(existing[key]), str(wanted)
            raise Conflict("survey_differs", survey=spec.slug, key=key.removesuffix("_on"), is_one=is_one, other=other)
    return int(existing["id"])


def _check_new(spec: SurveySpec) -> None:
    dates = [name for name, value in (("starts_on", spec.starts_on), ("ends_on", spec.ends_on)) if value is None]
    question = Message(MODE_ASKED[spec.unit or "household"])
    if dates and spec.mode is None:
        raise InputError("survey_new_without_dates_and_mode", survey=spec.slug, dates=dates, question=question)
    if dates:
        raise InputError("survey_new_without_dates", survey=spec.slug, dates=dates)
    if spec.mode is None:
        raise InputError("survey_new_without_mode", survey=spec.slug, question=question)
    if spec.starts_on and spec.ends_on and spec.starts_on > spec.ends_on:
        raise InputError("survey_dates_reversed", survey=spec.slug, ends_on=spec.ends_on, starts_on=spec.starts_on)


def _find(connection: Connection, city_id: int, slug: str) -> Any:
    found = select(survey).where(survey.c.city_id == city_id, survey.c.slug == slug)
    return connection.execute(found).mappings().one_or_none()


def find_survey(connection: Connection, city_id: int, slug: str) -> Any:
    """The round's row.

    Raises:
        NotFound: the city has none of this slug; the message lists those it has.
    """
    row = _find(connection, city_id, slug)
    if row is None:
        slugs = (
            connection.execute(select(survey.c.slug).where(survey.c.city_id == city_id).order_by(survey.c.starts_on))
            .scalars()
            .all()
        )
        if not slugs:
            raise NotFound("survey_unknown_none_yet", survey=slug)
        raise NotFound("survey_unknown", survey=slug, known=slugs)
    return row


def set_state(connection: Connection, city_id: int, slug: str, state: Literal["draft", "published"]) -> bool:
    """Publishes a round or makes it a draft again; tells whether that changed anything."""
    row = find_survey(connection, city_id, slug)
    changed = connection.execute(
        update(survey).where(survey.c.id == row["id"], survey.c.state != state).values(state=state)
    )
    return bool(changed.rowcount)


def set_publishing(connection: Connection, survey_id: int, publishing: Publishing) -> bool:
    """Says when the round's next publications are made; tells whether that changed anything."""
    others = (survey.c.id == survey_id, survey.c.publishing != publishing)
    return bool(connection.execute(update(survey).where(*others).values(publishing=publishing)).rowcount)


def frame_sizes(connection: Connection, survey_id: int) -> dict[str, int]:
    """How many households settlements are known to have in a round, by their codes."""
    rows = connection.execute(
        select(settlement.c.code, survey_frame.c.households)
        .join(survey_frame, survey_frame.c.settlement_id == settlement.c.id)
        .where(survey_frame.c.survey_id == survey_id)
    )
    return {row.code: row.households for row in rows}
