"""Originals: every file received is kept, byte for byte, under its sha256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

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


def keep(original: Original, url: str) -> None:
    """Stores the original under `<url>/<first two digits>/<sha256>`, whole or not at all; twice is once."""
    filesystem, root = fsspec.core.url_to_fs(url)
    folder = f"{root}/{original.sha256[:2]}"
    target = f"{folder}/{original.sha256}"
    if filesystem.exists(target):
        return
    if isinstance(filesystem, LocalFileSystem):
        # Households' answers are in there: nobody else on the machine may look.
        Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
    filesystem.makedirs(folder, exist_ok=True)
    # A rename is atomic, so a reader or a crash never meets half a file.
    partial = f"{folder}/.{uuid4().hex}"
    filesystem.put_file(str(original.path), partial)
    filesystem.mv(partial, target)
