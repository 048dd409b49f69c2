"""Sources: what a figure rests on, its uploads and its definition."""

from typing import Any

from sqlalchemy import Connection, Select, column, func, select

from geo.database.schema.places import city, organisation
from geo.database.schema.publications import publication, published_block
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import tallied
from geo.database.schema.uploads import public_upload
from geo.errors import NotFound
from geo.indicators.definitions import read_catalogue
from geo.surveys import Seen, is_seen, rows_of_rounds

_UPLOAD = ("id", "uploaded_at")


def find_sources(
    connection: Connection, city_slug: str, survey_slug: str, indicator: str, seen: Seen
) -> dict[str, Any]:
    """The uploads whose rows a round's figures of an indicator are made of, and the definition they are counted by.

    How many rows the uploads brought together is rounded to 5 for the public, exact where the round is seen in full.

    Raises:
        NotFound: the reader sees no such round, or it has no figures of this indicator.
    """
    found = (
        select(
            survey.c.id,
            city.c.slug.label("city"),
            survey.c.slug.label("survey"),
            organisation.c.name.label("organisation"),
            survey.c.licence,
            _version(indicator, seen).scalar_subquery().label("definition_version"),
        )
        .join(city, city.c.id == survey.c.city_id)
        .join(organisation, organisation.c.id == survey.c.organisation_id)
        .where(city.c.slug == city_slug, survey.c.slug == survey_slug, is_seen(seen))
    )
    row = connection.execute(found).mappings().one_or_none()
    if row is None or row["definition_version"] is None:
        raise NotFound("figures_unknown", indicator=indicator, survey=survey_slug, city=city_slug)
    definition = read_catalogue(connection).version(indicator, row["definition_version"])
    return {
        **{name: value for name, value in row.items() if name != "id"},
        "indicator": indicator,
        "definition": definition.model_dump(mode="json"),
        **_uploads(connection, row["id"], seen),
    }


def _version(indicator: str, seen: Seen) -> Select[tuple[int]]:
    """The version of an indicator's definition that a round's figures are counted by, or were when it was published."""
    if seen == "published":
        return (
            select(published_block.c.definition_version)
            .join(publication, publication.c.id == published_block.c.publication_id)
            .where(publication.c.survey_id == survey.c.id, publication.c.state == "current")
            .where(published_block.c.group_field == "", published_block.c.indicator_id == indicator)
            .limit(1)
        )
    counted = (tallied.c.survey_id == survey.c.id, tallied.c.group_field == "", tallied.c.indicator_id == indicator)
    return select(func.max(tallied.c.definition_version)).where(*counted)


def _uploads(connection: Connection, survey_id: int, seen: Seen) -> dict[str, Any]:
    if seen == "published":
        found = select(*(public_upload.c[name] for name in _UPLOAD)).where(public_upload.c.survey_id == survey_id)
        n_rows = rows_of_rounds(connection, [survey_id]).get(survey_id, 0)
    else:
        full = func.gate.full_uploads(survey_id).table_valued(*_UPLOAD, "rows_loaded")
        found = select(*map(column, _UPLOAD)).select_from(full)
        n_rows = int(connection.execute(select(func.coalesce(func.sum(full.c.rows_loaded), 0))).scalar_one())
    uploads = [dict(each) for each in connection.execute(found.order_by("id")).mappings()]
    return {"uploads": uploads, "rows_loaded": n_rows}
