"""A file on its way in: streamed to disk, held to its size, known by its sha256."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from geo.errors import InputError, TooLarge
from geo.ingestion.originals import Original

_CHUNK = 1 << 20
_LONGEST_NAME, _LONGEST_SUFFIX = 180, 20


@contextmanager
def written(source: BinaryIO, file_name: str, max_bytes: int, folder: Path) -> Iterator[Original]:
    """The bytes of `source` as a file that is gone when the block ends.

    Raises:
        TooLarge: there are more bytes than there may be.
        InputError: there are none, or the name is none.
    """
    name = plain_name(file_name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "received"
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        if size == 0:
            raise InputError(f"{name} is empty: there is nothing in it to load.")
        yield Original(path, name, digest.hexdigest(), size)


def plain_name(file_name: str) -> str:
    """The name of a file without folders and without what no name holds.

    Raises:
        InputError: nothing is left of it.
    """
    last = file_name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip()
    if kept.strip(".") == "":
        raise InputError("The file has no name; its suffix says how it is to be read.")
    stem, dot, suffix = kept.rpartition(".") if "." in kept else (kept, "", "")
    suffix = suffix[:_LONGEST_SUFFIX]
    # File systems count bytes; a letter cut in two is left out.
    return stem.encode()[:_LONGEST_NAME].decode(errors="ignore") + dot + suffix


def _too_large(max_bytes: int) -> TooLarge:
    most = f"{max_bytes / 1_000_000:,.0f} MB"
    return TooLarge(f"The file is larger than {most}, the most this service takes: send it zipped, or in parts.")
