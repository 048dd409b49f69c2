"""Taking a load back: its rows no longer count, and what they had replaced does."""

from sqlalchemy import Connection, select

from geo.database import lock_final, raise_data_version
from geo.database.schema.uploads import upload
from geo.errors import NotFound
from geo.ingestion.loading.decided import check_decided
from geo.ingestion.loading.kinds.registry import KINDS
from geo.ingestion.loading.taken_back import mark_withdrawn


def withdraw(connection: Connection, upload_id: int, *, as_decided: bool = False) -> int:
    """Takes back an upload and restores what it replaced; returns how many rows it had.

    `as_decided`: because somebody decided it on the service.

    Raises:
        NotFound: there is no such upload.
        Conflict: it has been withdrawn before, holds what others rest on, such as boundaries with households in them,
            or somebody else has to decide it by now.
    """
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("upload_unknown", upload=upload_id)
    kind = KINDS[row["content"]]
    kind.lock(connection, row)
    lock_final(connection)
    if as_decided:
        check_decided(connection, upload_id, kind.decided_by)
    mark_withdrawn(connection, upload_id)
    kind.take_back(connection, row)
    raise_data_version(connection, row["city_id"])
    return int(row["rows_loaded"])
