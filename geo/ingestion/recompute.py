"""Bringing tallies up to date with the catalogue, after an upgrade changed or added a definition."""

from sqlalchemy import Connection, column, exists, func, literal, select, values
from sqlalchemy.sql import FromClause

from geo.indicators.catalogue import catalogue
from geo.ingestion import store
from geo.schema.people import household
from geo.schema.surveys import survey
from geo.schema.values import tally


def stale_surveys(connection: Connection) -> list[int]:
    """The ids of surveys with a tally of another version than the catalogue's, or without one of its indicators.

    A survey none of whose households are in any base has no tallies at all, and is not asked for again and again:
    an indicator is missing where its neighbours are there.
    """
    wanted = _wanted()
    other_version = exists().where(
        tally.c.survey_id == survey.c.id,
        tally.c.indicator_id == wanted.c.indicator_id,
        tally.c.definition_version != wanted.c.version,
    )
    there = exists().where(
        tally.c.survey_id == survey.c.id,
        tally.c.indicator_id == wanted.c.indicator_id,
        tally.c.counted == wanted.c.counted,
    )
    has_households = exists().where(household.c.survey_id == survey.c.id, household.c.is_live)
    found = (
        select(survey.c.id)
        .where(
            has_households,
            exists(select(wanted.c.indicator_id).where(other_version)).correlate(survey)
            | (
                exists().where(tally.c.survey_id == survey.c.id)
                & exists(select(wanted.c.indicator_id).where(~there)).correlate(survey)
            ),
        )
        .order_by(survey.c.id)
    )
    return list(connection.execute(found).scalars())


def _wanted() -> FromClause:
    """The catalogue's indicators, each at the levels it is tallied at."""
    rows = [(d.id, counted, d.version) for d in catalogue().values() for counted in d.counted_levels()]
    return values(
        column("indicator_id", tally.c.indicator_id.type),
        column("counted", tally.c.counted.type),
        column("version", tally.c.definition_version.type),
        name="wanted",
    ).data(rows)


def recompute(connection: Connection, survey_id: int) -> bool:
    """Computes a survey's tallies anew, in its turn with loads; tells whether there is such a survey."""
    store.lock_survey(connection, survey_id)
    store.lock_final(connection)
    if connection.execute(select(func.count()).where(survey.c.id == literal(survey_id))).scalar_one() == 0:
        return False
    store.refresh_tallies(connection, survey_id, list(catalogue().values()))
    store.raise_data_version(connection)
    return True
