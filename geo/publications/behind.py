"""Which rounds' publications are behind: something they rest on has changed since."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select, update

from geo.database.schema.places import city
from geo.database.schema.publications import publication, publication_download, published_figure, published_place
from geo.database.schema.surveys import survey
from geo.publications.basis import basis_of


class Behind(NamedTuple):
    """A published round of which everybody reads figures that rest on what has changed since."""

    survey_id: int
    city: str
    survey: str
    has_rows: bool
    """What has no rows is not published anew: the former publication stays."""
    is_automatic: bool
    """Whether it gets its next publication by itself, or waits for a steward."""


def find_behind(connection: Connection, city_id: int | None = None) -> list[Behind]:
    """The published rounds, of a city or all, whose publications are behind, or still to be made."""
    rows = (
        select(survey.c.id, survey.c.slug, survey.c.publishing, city.c.slug.label("city"), publication.c.basis)
        .join(city, city.c.id == survey.c.city_id)
        .outerjoin(publication, (publication.c.survey_id == survey.c.id) & (publication.c.state == "current"))
        .where(survey.c.state == "published")
        .order_by(survey.c.id)
    )
    if city_id is not None:
        rows = rows.where(survey.c.city_id == city_id)
    behind = []
    for row in connection.execute(rows).all():
        basis = basis_of(connection, row.id)
        if basis != row.basis:
            is_automatic = row.publishing == "automatic"
            behind.append(Behind(row.id, row.city, row.slug, bool(basis["uploads"]), is_automatic))
    return behind


def note_problem(connection: Connection, survey_id: int, problem: str | None) -> None:
    """Notes why the round's next publication could not be made, as the code of a message; None: it can be, or was."""
    others = (survey.c.id == survey_id, survey.c.publishing_problem.is_distinct_from(problem))
    connection.execute(update(survey).where(*others).values(publishing_problem=problem))


class Standing(NamedTuple):
    """The publication that everybody reads of a round."""

    number: int
    made_at: datetime
    is_behind: bool
    kept: int
    """In how many settlements some figure is still a former publication's, as few households have changed since."""
    download_bytes: int | None
    """None: its download is still to be made."""


def find_standing(connection: Connection, survey_id: int) -> Standing | None:
    """The round's current publication, and whether something it rests on has changed since; None: it has none."""
    current = (publication.c.survey_id == survey_id, publication.c.state == "current")
    found = select(publication, publication_download.c.size_bytes).outerjoin(publication_download).where(*current)
    row = connection.execute(found).one_or_none()
    if row is None:
        return None
    is_behind = row.basis != basis_of(connection, survey_id)
    return Standing(row.number, row.made_at, is_behind, _kept(connection, row.id), row.size_bytes)


def _kept(connection: Connection, publication_id: int) -> int:
    figure, place = published_figure.c, published_place.c
    of_settlements = select(func.count(place.place.distinct())).join(
        published_figure, (figure.publication_id == place.publication_id) & (figure.place == place.place)
    )
    found = of_settlements.where(
        place.publication_id == publication_id,
        figure.publication_id == publication_id,
        place.level == "settlement",
        figure.kept_from.is_not(None),
    )
    return int(connection.execute(found).scalar_one())
