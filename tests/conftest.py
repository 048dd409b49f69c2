"""What every test may ask for."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geo import cluster


def make_state_dir() -> Path:
    """A new state folder that PostgreSQL's own account can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="vasti-"))
    folder.chmod(0o711)
    return folder


def remove_state_dir(folder: Path) -> None:
    """Stop the cluster of a state folder and remove both."""
    cluster.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The URL of an empty PostGIS database, in a private cluster that lives as long as the tests."""
    folder = make_state_dir()
    try:
        yield cluster.start(folder)
    finally:
        remove_state_dir(folder)


@pytest.fixture
def new_state_dir() -> Iterator[Callable[[], Path]]:
    """Makes state folders, and stops and removes their clusters at the end of the test."""
    made: list[Path] = []

    def make() -> Path:
        made.append(make_state_dir())
        return made[-1]

    yield make
    for folder in made:
        remove_state_dir(folder)
