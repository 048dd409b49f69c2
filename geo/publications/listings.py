"""Which publications there are, for everybody."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from geo.base import Listing, PageRequest, fetch_page, listing, refuse_unknown
from geo.database.schema.places import city
from geo.database.schema.publications import publication, publication_download, published_block, published_place
from geo.database.schema.surveys import survey
from geo.surveys import is_seen


def find_publications(
    connection: Connection, cities: Sequence[str], surveys: Sequence[str], page: PageRequest
) -> Listing:
    """The publications of published rounds, of each the oldest first; `note` says why one was made.

    `download_bytes` is None where the download is still to be made.

    Raises:
        InvalidParameters: there is no such city or round; the message names those there are.
    """
    known = {
        "city": (cities, select(city.c.slug)),
        "survey": (surveys, select(survey.c.slug).where(is_seen("published"))),
    }
    refuse_unknown(connection, known)
    places = select(func.count()).where(
        published_place.c.publication_id == publication.c.id, published_place.c.level == "settlement"
    )
    indicators = select(func.count(published_block.c.indicator_id.distinct())).where(
        published_block.c.publication_id == publication.c.id
    )
    rows = (
        select(
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            *(publication.c[name] for name in ("number", "state", "made_at")),
            places.scalar_subquery().label("settlements"),
            indicators.scalar_subquery().label("indicators"),
            *(publication.c[name] for name in ("note", "sha256")),
            publication_download.c.size_bytes.label("download_bytes"),
        )
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .outerjoin(publication_download, publication_download.c.publication_id == publication.c.id)
        .where(is_seen("published"), publication.c.state != "retracted")
    )
    if cities:
        rows = rows.where(city.c.slug.in_(cities))
    if surveys:
        rows = rows.where(survey.c.slug.in_(surveys))
    key = [city.c.slug, survey.c.starts_on, survey.c.slug, publication.c.number]
    return listing(fetch_page(connection, rows, key, page))
