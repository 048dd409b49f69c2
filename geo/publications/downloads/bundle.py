"""Zip files whose bytes depend on what is in them alone."""

import shutil
import zipfile
from datetime import UTC, datetime
from typing import IO

_READABLE_BY_ALL = 0o644
_UNIX = 3


def add_file(target: zipfile.ZipFile, name: str, source: IO[bytes], at: datetime) -> None:
    """Adds a file to a zip, as of that time."""
    year, month, day, hour, minute, second, *_ = at.astimezone(UTC).timetuple()
    entry = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = _READABLE_BY_ALL << 16
    # A large city's figures are larger than what an entry can say without it.
    with target.open(entry, "w", force_zip64=True) as part:
        shutil.copyfileobj(source, part)
