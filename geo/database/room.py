"""Room: what is left on a disk, and what one account or organisation may take of it."""

import shutil
from pathlib import Path

from geo.errors import StorageFull

_RESERVE_BYTES = 1_000_000_000
_RESERVE_SHARE = 50
"""A gigabyte stays free, or a fiftieth of a small disk: the database may be on it too."""


def check_disk(folder: Path, wanted_bytes: int) -> None:
    """Holds that a folder's disk has room for so much, before anything is written.

    Raises:
        StorageFull: it has not.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    disk = shutil.disk_usage(there)
    if disk.free - min(_RESERVE_BYTES, disk.total // _RESERVE_SHARE) < wanted_bytes:
        raise StorageFull


def check_quota(bytes_with_it: int, quota_mb: int, code: str) -> None:
    """Holds that somebody's files stay within a quota.

    Raises:
        StorageFull: they do not; the message of this `code` says whose files they are, and what to do.
    """
    if bytes_with_it > quota_mb * 1_000_000:
        raise StorageFull(code, most_mb=quota_mb)
