"""Files somebody sent: received, with choices of how they are read, and decided on."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, insert, select

from geo.base import Page, PageRequest, fetch_page
from geo.database.schema.places import city, organisation
from geo.database.schema.surveys import survey
from geo.database.schema.uploads import STATES, State, upload, upload_progress
from geo.errors import NotFound
from geo.ingestion.loading import Choices, Original, Target
from geo.people import Bearer

Step = Literal["checking", "loading", "withdrawing"]

BEGINS_AS: Mapping[Step, State] = {"checking": "received", "loading": "accepted", "withdrawing": "withdrawing"}
"""The state an upload must be in for a step to begin."""


def receive(connection: Connection, sender: Bearer, target: Target, original: Original, choices: Choices) -> int:
    """Takes a file in that is kept already; the upload's id. It is for the caller to have it checked."""
    return int(
        connection.execute(
            insert(upload)
            .values(
                organisation_id=sender.organisation_id,
                account_id=sender.account_id,
                city_id=target.city_id,
                content=target.content,
                survey_id=target.survey_id,
                sha256=original.sha256,
                file_name=original.file_name,
                size_bytes=original.size_bytes,
                uploaded_by=sender.email,
                profile={},
                state="received",
                choices=choices.kept(),
            )
            .returning(upload.c.id)
        ).scalar_one()
    )


def kept_bytes(connection: Connection, organisation_id: int, original: Original) -> int:
    """How much the files kept of an organisation take with this one; one that was sent twice is kept once."""
    known = (upload.c.organisation_id == organisation_id, upload.c.sha256 != original.sha256)
    others = select(upload.c.sha256, upload.c.size_bytes).where(*known).distinct().subquery()
    taken = connection.execute(select(func.coalesce(func.sum(others.c.size_bytes), 0))).scalar_one()
    return int(taken) + original.size_bytes


def list_uploads(
    connection: Connection, page: PageRequest, survey_id: int | None = None, places_of: int | None = None
) -> Page:
    """The uploads the reader may see, the newest first; of one round, or of a city's places, where it is named."""
    rows = uploads()
    if survey_id is not None:
        rows = rows.where(upload.c.survey_id == survey_id)
    if places_of is not None:
        rows = rows.where(upload.c.city_id == places_of, upload.c.survey_id.is_(None))
    return fetch_page(connection, rows, [(-upload.c.id).label("newest")], page)


def find_upload(connection: Connection, upload_id: int) -> Any:
    """An upload with its city, survey and progress.

    Raises:
        NotFound: there is no such upload that the reader may see.
    """
    row = connection.execute(uploads().where(upload.c.id == upload_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("upload_unknown", upload=upload_id)
    return row


def count_states(connection: Connection) -> dict[str, int]:
    """How many uploads the installation has in each state; nothing for anybody but the operator."""
    found = dict.fromkeys(STATES, 0)
    counted = select(func.gate.upload_states().table_valued("state", "uploads"))
    return found | {row.state: row.uploads for row in connection.execute(counted)}


def of_same_organisation(upload_id: int) -> Select[tuple[int]]:
    """The ids of all uploads of the organisation this one is of."""
    sender = select(upload.c.organisation_id).where(upload.c.id == upload_id).scalar_subquery()
    return select(upload.c.id).where(upload.c.organisation_id == sender)


def city_of(connection: Connection, upload_id: int) -> int:
    """The city an upload is for."""
    return int(connection.execute(select(upload.c.city_id).where(upload.c.id == upload_id)).scalar_one())


def uploads() -> Any:
    """Every upload the reader may see, with its city, survey and progress."""
    return (
        select(
            *(column for column in upload.c if column.name != "city_id"),
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            survey.c.state.label("survey_state"),
            survey.c.unit,
            organisation.c.slug.label("organisation"),
            *(upload_progress.c[name] for name in ("step", "rows_done", "rows_total")),
            upload_progress.c.at.label("step_at"),
        )
        .join(city, city.c.id == upload.c.city_id)
        .join(organisation, organisation.c.id == upload.c.organisation_id)
        .outerjoin(survey, survey.c.id == upload.c.survey_id)
        .outerjoin(upload_progress, upload_progress.c.upload_id == upload.c.id)
    )
