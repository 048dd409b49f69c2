"""The audit of a publication: what somebody who reads all of it could work out of what is withheld."""

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, select

from geo.base import PageRequest, refuse_unknown
from geo.database.schema.publications import publication, published_block, published_place
from geo.errors import InputError, NotFound
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import LEVELS, ValuesQuery
from geo.indicators.figures.disclosure.audit import Counts, Finding, Named, Text, audit, find_of_nobody
from geo.indicators.figures.disclosure.program import Impossible
from geo.indicators.figures.disclosure.rules import MIN_HOUSEHOLDS
from geo.indicators.figures.disclosure.search import Progress
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.former import read_former
from geo.publications.made_from import as_made_from, counts_of_settlements, find_answering
from geo.publications.values import read_page

_M2_PER_HA = 10_000.0


def audit_publication(
    connection: Connection,
    city: str,
    survey: str,
    by: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """What could be learnt of protected households from a round's current publication; nothing, where it is safe.

    All its figures are looked at together: of all indicators and levels, of households and of persons, as a whole and
    by the groups of all fields, or of those in `by` only. Where figures can be kept from former publications, it is
    held against each of these that can still be read.

    Raises:
        NotFound: the round has no publication.
        InvalidParameters: it has no groups by a field of `by`.
        InputError: no survey could have its figures.
    """
    found = current_publications(connection, [city], [survey])
    if not found:
        raise NotFound("publication_missing", survey=survey, city=city)
    (last,) = found
    of_last = published_block.c.publication_id == last.id
    refuse_unknown(
        connection,
        {"by": (by or (), select(published_block.c.group_field).where(of_last, published_block.c.group_field != ""))},
    )
    text = _read(connection, last, by)
    former = _former(connection, last)
    try:
        if not former:
            return _audit(connection, [last], text, None, progress)
        each = [_audit(connection, [old, last], text, _read(connection, old, by), progress) for old in former]
    except Impossible as error:
        raise InputError("publication_impossible", number=last.number, survey=survey) from error
    return list(dict.fromkeys(finding for findings in each for finding in findings))


def _former(connection: Connection, last: CurrentPublication) -> list[CurrentPublication]:
    """The publications of the same round before this one that can still be read."""
    numbers = select(publication.c.number).where(
        publication.c.survey_id == last.survey_id, publication.c.number < last.number
    )
    return [
        found
        for number in connection.execute(numbers.order_by(publication.c.number)).scalars().all()
        for found in current_publications(connection, [last.city], [last.survey], number)
    ]


def _read(connection: Connection, of: CurrentPublication, by: Sequence[str] | None) -> Text:
    """All that a publication says, or of its groups only those by some fields."""
    block = published_block.c
    blocks = connection.execute(
        select(block.group_field, block.counted).where(block.publication_id == of.id).distinct()
    ).all()
    frames = []
    for field, counted in sorted(tuple(row) for row in blocks):
        if not field or by is None or field in by:
            for level in LEVELS:
                query = ValuesQuery(level=level, counted=counted, by=field or None, page=PageRequest(limit=None))
                frames.append(read_page(connection, [of], query).figures)
    figures = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    fields = {str(field) for field, _ in blocks if not field or by is None or field in by}
    answering: dict[Named, float] = {}
    made_from: dict[Named, Counts] = {}
    for former in read_former(connection, of.survey_id, of.number):
        counts = counts_of_settlements(former, fields)
        answering |= find_answering(counts)
        made_from |= as_made_from(counts)
    not_few = {key for key, n in answering.items() if n == 0 or n >= MIN_HOUSEHOLDS}
    return Text(figures, of.number, not_few, find_of_nobody(answering), made_from)


def _audit(
    connection: Connection,
    publications: Sequence[CurrentPublication],
    text: Text,
    former: Text | None,
    progress: Progress | None,
) -> list[Finding]:
    ids = [each.id for each in publications]
    place, block = published_place.c, published_block.c
    # Where a settlement is in both, it is as the last one has it.
    places = connection.execute(
        select(place.code, place.ward_code, place.area_m2)
        .where(place.publication_id.in_(ids), place.level == "settlement")
        .order_by(place.publication_id)
    ).all()
    versions = select(block.indicator_id, block.definition_version).where(block.publication_id.in_(ids)).distinct()
    catalogue = read_catalogue(connection)
    return audit(
        text,
        {row.code: row.ward_code for row in places},
        [catalogue.version(indicator, version) for indicator, version in connection.execute(versions)],
        {row.code: row.area_m2 / _M2_PER_HA for row in places if row.area_m2},
        former=former,
        progress=progress,
    )
