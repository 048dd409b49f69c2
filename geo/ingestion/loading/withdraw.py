"""Taking a load back: its rows no longer count, and what they had replaced does."""

from functools import partial

from sqlalchemy import Connection, select, update

from geo.database import lock_city, lock_final, lock_places, lock_survey, raise_data_version
from geo.database.schema.uploads import COUNTING, upload
from geo.errors import Conflict, NotFound
from geo.indicators.tallies import refresh_tallies
from geo.ingestion.loading.decided import check_decided
from geo.ingestion.loading.household_copy import withdraw_households
from geo.places import withdraw_boundaries, withdraw_facilities


def withdraw(connection: Connection, upload_id: int, *, as_decided: bool = False) -> int:
    """Takes back an upload and restores what it replaced; returns how many rows it had.

    `as_decided`: because somebody decided it on the service.

    Raises:
        NotFound: there is no such upload.
        Conflict: it has been withdrawn before, holds boundaries on which others, or households, rest, or somebody else
            has to decide it by now.
    """
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no upload {upload_id}.")
    counting = partial(_begin_withdrawing, connection, upload_id, as_decided=as_decided)
    if row["content"] == "survey":
        lock_survey(connection, row["survey_id"])
        counting()
        _withdraw(connection, row["survey_id"], upload_id)
    else:
        lock_city(connection, row["city_id"])
        if row["content"] == "boundaries":
            lock_places(connection, row["city_id"], "none is placed in them")
        counting()
        _mark_withdrawn(connection, upload_id)
        take_back = withdraw_boundaries if row["content"] == "boundaries" else withdraw_facilities
        take_back(connection, upload_id)
    raise_data_version(connection)
    return int(row["rows_loaded"])


def _begin_withdrawing(connection: Connection, upload_id: int, *, as_decided: bool) -> None:
    lock_final(connection)
    if as_decided:
        check_decided(connection, upload_id)


def _withdraw(connection: Connection, survey_id: int, upload_id: int) -> None:
    _mark_withdrawn(connection, upload_id)
    touched = withdraw_households(connection, survey_id, upload_id)
    refresh_tallies(connection, survey_id, touched)


def _mark_withdrawn(connection: Connection, upload_id: int) -> None:
    # Read again under the lock: another process may have withdrawn it meanwhile.
    changed = connection.execute(
        update(upload).where(upload.c.id == upload_id, upload.c.state.in_(COUNTING)).values(state="withdrawn")
    )
    if changed.rowcount == 0:
        raise Conflict(f"Upload {upload_id} has been withdrawn already.")


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
        _withdraw(connection, survey_id, each)
    return earlier
