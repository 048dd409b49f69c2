"""Bringing tallies up to date with the catalogue, after an upgrade changed or added a definition."""

from collections import defaultdict

from sqlalchemy import Connection, select

from geo.indicators.catalogue import catalogue
from geo.ingestion import store
from geo.schema.surveys import survey
from geo.schema.values import tally


def stale_surveys(connection: Connection) -> list[int]:
    """The ids of surveys with a tally of another version than the catalogue's, or without one of its indicators.

    A survey none of whose households are in any base has no tallies at all, and computing them again makes none.
    """
    wanted = {(d.id, counted, d.version) for d in catalogue().values() for counted in d.counted_levels()}
    key = (tally.c.indicator_id, tally.c.counted, tally.c.definition_version)
    there: dict[int, set[tuple[str, str, int]]] = defaultdict(set)
    for survey_id, *of_tally in connection.execute(select(tally.c.survey_id, *key).distinct()):
        there[survey_id].add(tuple(of_tally))
    return sorted(survey_id for survey_id, tallies in there.items() if tallies != wanted)


def recompute(connection: Connection, survey_id: int) -> bool:
    """Computes a survey's tallies anew, in its turn with loads; tells whether there is such a survey."""
    store.lock_survey(connection, survey_id)
    store.lock_final(connection)
    if connection.execute(select(survey.c.id).where(survey.c.id == survey_id)).first() is None:
        return False
    store.refresh_tallies(connection, survey_id, list(catalogue().values()))
    store.raise_data_version(connection)
    return True
