"""The audit of a publication: what somebody who reads all of it could work out of what is withheld."""

import pandas as pd
from sqlalchemy import Connection, select

from geo.base import PageRequest
from geo.database.schema.publications import published_block, published_place
from geo.errors import NotFound
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import LEVELS, ValuesQuery
from geo.indicators.figures.disclosure.audit import Finding, audit
from geo.publications.values import current_publications, read_page

_M2_PER_HA = 10_000.0


def audit_publication(connection: Connection, city: str, survey: str, by: str | None = None) -> list[Finding]:
    """What could be learnt of protected households from a round's current publication; nothing, where it is safe.

    All its figures are looked at together: of all indicators and levels, of households and of persons; with `by`, those
    by the groups of a field too, of which there are many more to look for.

    Raises:
        NotFound: the round has no publication.
    """
    found = current_publications(connection, [city], [survey])
    if not found:
        raise NotFound("publication_missing", survey=survey, city=city)
    (publication,) = found
    block, place = published_block.c, published_place.c
    blocks = connection.execute(
        select(block.indicator_id, block.definition_version, block.group_field, block.counted)
        .where(block.publication_id == publication.id)
        .distinct()
    ).all()
    frames = []
    for field, counted in sorted({(row.group_field, row.counted) for row in blocks if row.group_field in ("", by)}):
        for level in LEVELS:
            query = ValuesQuery(level=level, counted=counted, by=field or None, page=PageRequest(limit=None))
            frames.append(read_page(connection, [publication], query).figures)
    settlements = select(place.code, place.ward_code, place.area_m2).where(
        place.publication_id == publication.id, place.level == "settlement"
    )
    places = connection.execute(settlements).all()
    catalogue = read_catalogue(connection)
    return audit(
        pd.concat([frame for frame in frames if len(frame)], ignore_index=True),
        {row.code: row.ward_code for row in places},
        [catalogue.version(i, v) for i, v in sorted({(row.indicator_id, row.definition_version) for row in blocks})],
        {row.code: row.area_m2 / _M2_PER_HA for row in places if row.area_m2},
    )
