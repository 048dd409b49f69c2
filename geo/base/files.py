"""What is to outlast a power cut, and is there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

# fsspec imports it when it is first asked for a folder, which may be beside other threads.
import fsspec.implementations.chained  # noqa: F401
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem


def sync(path: Path) -> None:
    """Waits until what a file holds, or which names a folder has, would outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_whole(path: Path, filesystem: AbstractFileSystem, root: str, place: str) -> None:
    """Copies a file to its place below a folder, whole or not at all; folders are made where they are missing.

    Raises:
        OSError: it cannot be written there, for want of room for instance; nothing of it is left.
    """
    target = f"{root}/{place}"
    folder = target.rpartition("/")[0]
    if isinstance(filesystem, LocalFileSystem):
        # Households' answers are in there: nobody else on the machine may look.
        Path(root).mkdir(mode=0o700, parents=True, exist_ok=True)
    filesystem.makedirs(folder, exist_ok=True)
    # A rename is atomic, so a reader or a crash never meets half a file.
    partial = f"{folder}/.{uuid4().hex}"
    try:
        filesystem.put_file(str(path), partial)
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
