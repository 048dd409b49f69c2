"""What is to outlast a power cut."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Waits until what a file holds, or which names a folder has, would outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
