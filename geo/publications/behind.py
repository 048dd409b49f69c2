"""Which rounds' publications are behind: something they rest on has changed since."""

from sqlalchemy import Connection, select

from geo.database.schema.publications import publication
from geo.database.schema.surveys import survey
from geo.publications.basis import basis_of


def surveys_behind(connection: Connection, city_id: int | None = None) -> list[int]:
    """The ids of published rounds, of a city or all, that are to get a new publication by themselves."""
    rows = (
        select(survey.c.id, publication.c.basis)
        .outerjoin(publication, (publication.c.survey_id == survey.c.id) & (publication.c.state == "current"))
        .where(survey.c.state == "published", survey.c.publishing == "automatic")
        .order_by(survey.c.id)
    )
    if city_id is not None:
        rows = rows.where(survey.c.city_id == city_id)
    behind = []
    for survey_id, published in connection.execute(rows).all():
        basis = basis_of(connection, survey_id)
        # What has no rows is not published anew: the former publication stays.
        if basis["uploads"] and basis != published:
            behind.append(survey_id)
    return behind


def is_behind(connection: Connection, survey_id: int) -> bool:
    """Whether the round has a publication that rests on something else than there is now."""
    published = select(publication.c.basis).where(
        publication.c.survey_id == survey_id, publication.c.state == "current"
    )
    basis = connection.execute(published).scalar_one_or_none()
    return basis is not None and basis != basis_of(connection, survey_id)
