"""Where downloads are kept: beside the originals, each under its own sha256, whole or not at all."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

from geo.base import put_whole

_FOLDER = "publications"
_CHUNK = 1 << 20

_HALF_WRITTEN = timedelta(days=1)
"""A file that no publication names and that is older was left by a process that was stopped."""


class File(NamedTuple):
    """A download as it is kept."""

    sha256: str
    size_bytes: int


def _place(sha256: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}.zip"


def keep(path: Path, file: File, url: str) -> None:
    """Keeps a file below the folder of originals; twice is once.

    Raises:
        OSError: there is no room, for instance; nothing of it is left.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    put_whole(path, filesystem, root, _place(file.sha256))


def is_kept(file: File, url: str) -> bool:
    """Whether the file is there, as large as it was when it was written."""
    filesystem, root = fsspec.core.url_to_fs(url)
    try:
        return bool(filesystem.size(f"{root}/{_place(file.sha256)}") == file.size_bytes)
    except FileNotFoundError:
        return False


def find_path(file: File, url: str) -> Path | None:
    """Where the file is on this machine; None: it is kept elsewhere."""
    filesystem, root = fsspec.core.url_to_fs(url)
    return Path(f"{root}/{_place(file.sha256)}") if isinstance(filesystem, LocalFileSystem) else None


def read_kept(file: File, url: str) -> Iterator[bytes]:
    """The bytes of the file, bit by bit."""
    filesystem, root = fsspec.core.url_to_fs(url)
    with filesystem.open(f"{root}/{_place(file.sha256)}") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk


def remove_kept(file: File, url: str) -> None:
    """Removes the file, where it is there."""
    filesystem, root = fsspec.core.url_to_fs(url)
    with suppress(FileNotFoundError):
        filesystem.rm_file(f"{root}/{_place(file.sha256)}")


def clear_folder(known: set[str], url: str) -> None:
    """Removes files older than a day whose sha256 is not among the known ones: a stopped process left them."""
    filesystem, root = fsspec.core.url_to_fs(url)
    folder = f"{root}/{_FOLDER}"
    if not filesystem.exists(folder):
        return
    before = datetime.now(UTC) - _HALF_WRITTEN
    for place in filesystem.find(folder):
        name = place.rpartition("/")[2]
        # Another process may have removed it just now.
        with suppress(FileNotFoundError):
            if name.removesuffix(".zip") not in known and filesystem.modified(place) < before:
                filesystem.rm_file(place)
