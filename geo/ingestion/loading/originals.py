"""Originals: every file received is kept, byte for byte, under the organisation whose it is and its sha256.

An upload reads what its own organisation sent and nothing else, even if it names the sha256 of another one's file.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from geo.base import put_whole
from geo.errors import NotFound, UnreadableFile

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Original:
    """A file received: its bytes, by their sha256 and size, and the name it came under."""

    path: Path
    file_name: str
    sha256: str
    size_bytes: int


def identify(path: Path, file_name: str) -> Original:
    """Reads a file once to know it by its sha256."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return Original(path, file_name, digest.hexdigest(), path.stat().st_size)


@dataclass(frozen=True)
class Kept:
    """Where an upload's original is."""

    organisation: str
    sha256: str
    file_name: str
    is_with_all_others: bool
    """It was kept before each organisation's were kept apart."""

    @classmethod
    def of(cls, row: Any) -> "Kept":
        """That of the upload of this row, with its organisation's slug."""
        return cls(row["organisation"], row["sha256"], row["file_name"], row["kept_under"] == "installation")

    def place(self, root: str) -> str:
        """Its path below the folder of originals."""
        below = _below(self.sha256) if self.is_with_all_others else _place(self.organisation, self.sha256)
        return f"{root}/{below}"


def open_kept(kept: Kept, url: str) -> Iterator[bytes]:
    """The bytes of an original, bit by bit.

    Raises:
        NotFound: it is not kept there, or no longer.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    try:
        opened = filesystem.open(kept.place(root))
    except FileNotFoundError:
        raise NotFound("original_gone", file=kept.file_name) from None

    def chunks() -> Iterator[bytes]:
        with opened:
            while chunk := opened.read(_CHUNK):
                yield chunk

    return chunks()


def _place(organisation: str, sha256: str) -> str:
    return f"organisations/{organisation}/{_below(sha256)}"


def _below(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


@contextmanager
def as_file(kept: Kept, url: str) -> Iterator[Path]:
    """An original as a file of its own name, whose suffix tells its format; gone when the block ends.

    Raises:
        UnreadableFile: it is not kept there.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    place = kept.place(root)
    with TemporaryDirectory(prefix="vasti-") as folder:
        path = Path(folder) / Path(kept.file_name).name
        try:
            if isinstance(filesystem, LocalFileSystem):
                path.symlink_to(Path(place).resolve(strict=True))
            else:
                filesystem.get_file(place, str(path))
        except FileNotFoundError:
            raise UnreadableFile("original_gone_send_again", file=kept.file_name) from None
        yield path


def keep(original: Original, organisation: str, url: str) -> None:
    """Stores the original of an organisation, by its slug, whole or not at all; twice is once."""
    filesystem, root = fsspec.core.url_to_fs(url)
    place = _place(organisation, original.sha256)
    if not filesystem.exists(f"{root}/{place}"):
        put_whole(original.path, filesystem, root, place)
