"""Disks with little room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk_at(folder: Path, size: int | str) -> Iterator[Path]:
    """A disk of this size at a folder, which every account may enter."""
    if os.geteuid() != 0:
        pytest.skip("a disk of a size of its own can be mounted by root alone")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", folder], check=True)
    yield folder
    # A database that was on it may not have let go yet.
    subprocess.run(["umount", "--lazy", folder], check=True)
