"""Making the tallies a survey lacks: after an upgrade or a new indicator, and of groups and pairs after a load.

It takes its turn with the last steps of loads, and does not wait for the reading of files: a load that is under way
makes the tallies of what it brings itself. Nor could it wait, where it goes on to another survey in one transaction: a
load of that one would wait for it, and neither would end.
"""

from collections.abc import Callable

from sqlalchemy import Connection, select

from geo.database import lock_final, raise_data_version
from geo.database.schema.surveys import survey
from geo.indicators.tallies.store import make_missing


def recompute(
    connection: Connection, survey_id: int, *, derived: bool = True, gives_way: Callable[[], bool] = lambda: False
) -> bool:
    """Makes the tallies a survey lacks; tells whether it lacked any.

    Without `derived`, those of groups and of pairs of rounds are left for later, and so are those that are not made yet
    when it gives way.
    """
    lock_final(connection)
    city_id = connection.execute(select(survey.c.city_id).where(survey.c.id == survey_id)).scalar()
    if city_id is None:
        return False
    lacked = make_missing(connection, survey_id, derived=derived, gives_way=gives_way)
    if lacked:
        raise_data_version(connection, city_id)
    return lacked


def recompute_all(connection: Connection) -> None:
    """Makes the tallies every survey lacks."""
    lock_final(connection)
    for survey_id in connection.execute(select(survey.c.id).order_by(survey.c.id)).scalars().all():
        recompute(connection, survey_id)
