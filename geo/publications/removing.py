"""Taking back what was published: one publication of a round is hidden from everybody, or removed for good."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from geo.database import limit_lock_waits, lock_download, raise_data_version
from geo.database.schema.places import city
from geo.database.schema.publications import publication, published_figure
from geo.database.schema.surveys import survey
from geo.errors import Conflict, NotFound
from geo.publications.downloads.standing import remove_download
from geo.publications.parts import drop_part

_WAITS_S = 10.0
"""How long it waits for readers of figures."""


class _Held(NamedTuple):
    """A publication that may be taken back."""

    id: int
    city_id: int
    state: str
    is_newest: bool


def retract_publication(connection: Connection, city_slug: str, survey_slug: str, number: int, url: str) -> None:
    """Hides a superseded publication from everybody; its number stays used.

    Args:
        connection: a transaction of the tables' owner.
        city_slug: the city.
        survey_slug: the round.
        number: which of its publications.
        url: where originals are kept, and downloads beside them.

    Raises:
        NotFound: there is no such publication.
        Conflict: it is what everybody reads, or it is retracted already.
    """
    row = _find(connection, city_slug, survey_slug, number)
    if row.state == "retracted":
        raise Conflict("publication_retracted_before", number=number, survey=survey_slug)
    connection.execute(update(publication).where(publication.c.id == row.id).values(state="retracted"))
    raise_data_version(connection, row.city_id)
    remove_download(connection, row.id, url)


def remove_publication(connection: Connection, city_slug: str, survey_slug: str, number: int, url: str) -> None:
    """Removes a superseded or retracted publication with all that belongs to it, for good.

    With it goes what it was made from: publications made later are no longer held against it (former.py), though people
    may have read it.

    Raises:
        NotFound: there is no such publication.
        Conflict: it is what everybody reads, the newest of its round, or later ones still have figures of it.
        Locked: somebody reads published figures for too long.
    """
    row = _find(connection, city_slug, survey_slug, number)
    if row.is_newest:
        raise Conflict("publication_newest_stays", number=number, survey=survey_slug)
    # Few households have changed since: figures of it are still what may be said.
    keeping = _keep_figures_of(connection, row.id, number)
    if keeping:
        raise Conflict("publication_kept_stays", number=number, survey=survey_slug, keeping=keeping)
    # What waits for the table of figures holds up all who come after it.
    limit_lock_waits(connection, _WAITS_S)
    drop_part(connection, row.id)
    raise_data_version(connection, row.city_id)
    # Last: where the transaction fails after all, the file is made anew.
    remove_download(connection, row.id, url)
    connection.execute(delete(publication).where(publication.c.id == row.id))


def _find(connection: Connection, city_slug: str, survey_slug: str, number: int) -> _Held:
    """A publication that is not the current one, held as it is until the transaction ends.

    Raises:
        as retract_publication.
    """
    of_round = (
        select(publication.c.id, publication.c.number, survey.c.city_id)
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(city.c.slug == city_slug, survey.c.slug == survey_slug)
    )
    rows = {row.number: row for row in connection.execute(of_round)}
    if number not in rows:
        raise NotFound("publication_unknown", number=number, survey=survey_slug, city=city_slug)
    # Before its row, as who makes the download does.
    lock_download(connection, rows[number].id)
    held = select(publication.c.state).where(publication.c.id == rows[number].id).with_for_update()
    state = connection.execute(held).scalar_one_or_none()
    if state is None:
        raise NotFound("publication_unknown", number=number, survey=survey_slug, city=city_slug)
    if state == "current":
        raise Conflict("publication_current_stays", number=number, survey=survey_slug)
    return _Held(rows[number].id, rows[number].city_id, state, number == max(rows))


def _keep_figures_of(connection: Connection, publication_id: int, number: int) -> list[str]:
    """The numbers of the publications of a round that still have figures of one of them."""
    of_round = select(publication.c.survey_id).where(publication.c.id == publication_id).scalar_subquery()
    others = select(publication.c.id, publication.c.number).where(publication.c.survey_id == of_round)
    figure = published_figure.c
    # One after another, so that each looks into its own part of the table alone.
    return [
        str(row.number)
        for row in connection.execute(others.order_by(publication.c.number)).all()
        if connection.execute(
            select(figure.block).where(figure.publication_id == row.id, figure.kept_from == number).limit(1)
        ).first()
    ]
