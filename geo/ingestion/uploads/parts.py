"""Files sent in parts: what has been announced, by whom, and the folder their bytes come into."""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select

from geo.database import check_quota
from geo.database.schema.uploads import incoming
from geo.errors import Conflict, NotFound

MAX_OPEN = 20
"""How many files one account may be sending at a time."""

_S_A_DAY = 86_400


def announce(
    connection: Connection,
    account_id: int,
    file_name: str,
    size_bytes: int,
    fields: Mapping[str, str],
    quota_mb: int,
) -> UUID:
    """Notes that a file will come in parts; under what number.

    Raises:
        Conflict: too many are on their way already.
        StorageFull: with this one, those on their way would take more than `quota_mb`.
    """
    open_ = select(func.count(), func.coalesce(func.sum(incoming.c.size_bytes), 0)).where(
        incoming.c.account_id == account_id
    )
    n, announced = connection.execute(open_).one()
    if n >= MAX_OPEN:
        raise Conflict("parts_too_many", most=MAX_OPEN)
    check_quota(int(announced) + size_bytes, quota_mb, "quota_of_parts")
    row = insert(incoming).values(
        account_id=account_id, file_name=file_name, size_bytes=size_bytes, fields=dict(fields)
    )
    return UUID(str(connection.execute(row.returning(incoming.c.id)).scalar_one()))


def find_incoming(connection: Connection, number: UUID) -> Any:
    """What was announced.

    Raises:
        NotFound: nothing was under this number that the reader may see, or it has come whole.
    """
    row = connection.execute(select(incoming).where(incoming.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFound("parts_unknown")
    return row


def remove_incoming(connection: Connection, number: UUID) -> None:
    """Forgets what was announced."""
    connection.execute(delete(incoming).where(incoming.c.id == number))


def remove_older(connection: Connection, days: int) -> None:
    """Forgets what was announced so long ago and never came whole."""
    connection.execute(delete(incoming).where(incoming.c.created_at < func.now() - func.make_interval(0, 0, 0, days)))


def make_folder(folder: Path) -> None:
    """Makes the folder of files on their way, where nobody else on the machine may look."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def clear_folder(folder: Path, days: int) -> None:
    """Removes what nobody has written to for so long: parts that never became a whole, and what a crash left."""
    oldest = time.time() - days * _S_A_DAY
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.stat().st_mtime < oldest:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
