"""Uploads that were taken back, and the households of those that were."""

from sqlalchemy import Connection, select, update

from geo.database.schema.uploads import COUNTING, upload
from geo.errors import Conflict
from geo.indicators.tallies import refresh_tallies
from geo.ingestion.loading.household_copy import withdraw_households


def mark_withdrawn(connection: Connection, upload_id: int) -> None:
    """Notes that an upload no longer counts.

    Raises:
        Conflict: it has been withdrawn before.
    """
    # Read again under the lock: another process may have withdrawn it meanwhile.
    changed = connection.execute(
        update(upload).where(upload.c.id == upload_id, upload.c.state.in_(COUNTING)).values(state="withdrawn")
    )
    if changed.rowcount == 0:
        raise Conflict("upload_withdrawn_already", upload=upload_id)


def take_back_households(connection: Connection, survey_id: int, upload_id: int) -> None:
    """Makes the households of an upload no longer count, and those they replaced count again."""
    touched = withdraw_households(connection, survey_id, upload_id)
    refresh_tallies(connection, survey_id, touched)


def withdraw_snapshots(
    connection: Connection, survey_id: int, upload_id: int, pulled_from: str | None
) -> tuple[int, ...]:
    """Withdraws what earlier snapshots of a source loaded, once the new one is in.

    A submission that is in both is superseded by then; one that was deleted at the source no longer counts.
    """
    if pulled_from is None:
        return ()
    found = select(upload.c.id).where(
        upload.c.survey_id == survey_id,
        upload.c.state.in_(COUNTING),
        upload.c.id != upload_id,
        upload.c.profile["pulled_from"].astext == pulled_from,
    )
    earlier = tuple(connection.execute(found.order_by(upload.c.id)).scalars())
    for each in earlier:
        mark_withdrawn(connection, each)
        take_back_households(connection, survey_id, each)
    return earlier
