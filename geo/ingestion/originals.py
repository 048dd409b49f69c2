"""Originals: every file received is kept, byte for byte, under its sha256."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from geo.durable import sync
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


def open_kept(sha256: str, file_name: str, url: str) -> Iterator[bytes]:
    """The bytes of the original of this hash, bit by bit.

    Raises:
        NotFound: it is not kept there (any more).
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    try:
        kept = filesystem.open(_place(root, sha256))
    except FileNotFoundError:
        raise NotFound(f"{file_name} is no longer kept.") from None

    def chunks() -> Iterator[bytes]:
        with kept:
            while chunk := kept.read(_CHUNK):
                yield chunk

    return chunks()


def _place(root: str, sha256: str) -> str:
    return f"{root}/{sha256[:2]}/{sha256}"


@contextmanager
def as_file(sha256: str, file_name: str, url: str) -> Iterator[Path]:
    """The original of this hash as a file of its own name, whose suffix tells its format; gone when the block ends.

    Raises:
        UnreadableFile: it is not kept there.
    """
    filesystem, root = fsspec.core.url_to_fs(url)
    kept = _place(root, sha256)
    with TemporaryDirectory(prefix="vasti-") as folder:
        path = Path(folder) / file_name
        try:
            if isinstance(filesystem, LocalFileSystem):
                path.symlink_to(Path(kept).resolve(strict=True))
            else:
                filesystem.get_file(kept, str(path))
        except FileNotFoundError:
            raise UnreadableFile(f"{file_name} is no longer kept; send it again.") from None
        yield path


def keep(original: Original, url: str) -> None:
    """Stores the original under `<url>/<first two digits>/<sha256>`, whole or not at all; twice is once."""
    filesystem, root = fsspec.core.url_to_fs(url)
    target = _place(root, original.sha256)
    folder = target.rpartition("/")[0]
    if filesystem.exists(target):
        return
    if isinstance(filesystem, LocalFileSystem):
        # Households' answers are in there: nobody else on the machine may look.
        Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
    filesystem.makedirs(folder, exist_ok=True)
    # A rename is atomic, so a reader or a crash never meets half a file.
    partial = f"{folder}/.{uuid4().hex}"
    try:
        filesystem.put_file(str(original.path), partial)
        if isinstance(filesystem, LocalFileSystem):
            sync(Path(partial))
        filesystem.mv(partial, target)
    except OSError:
        # Half a file is of no use, and the disk may be full.
        with suppress(OSError):
            filesystem.rm_file(partial)
        raise
    if isinstance(filesystem, LocalFileSystem):
        sync(Path(folder))
