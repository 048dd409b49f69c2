"""Making the tallies a survey lacks: after an upgrade or a new indicator, and of groups and pairs after a load."""

from sqlalchemy import Connection, select

from geo.indicators.tally_store import make_missing
from geo.ingestion import store
from geo.schema.surveys import survey


def recompute(connection: Connection, survey_id: int, *, derived: bool = True) -> bool:
    """Makes the tallies a survey lacks, in its turn with loads; tells whether it lacked any.

    Without `derived`, those of groups and of pairs of rounds are left for later.
    """
    store.lock_survey(connection, survey_id)
    store.lock_final(connection)
    if connection.execute(select(survey.c.id).where(survey.c.id == survey_id)).first() is None:
        return False
    lacked = make_missing(connection, survey_id, derived=derived)
    if lacked:
        store.raise_data_version(connection)
    return lacked
