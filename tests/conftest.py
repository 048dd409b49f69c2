"""What every test may ask for."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geo import cluster
from tests import factories


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


@pytest.fixture(scope="session")
def small_city(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[factories.SmallCity]:
    """The small city of tests/factories.py in a database of its own, which tests read and leave as it is."""
    url = factories.new_database(database_url, "small_city")
    yield factories.load_small_city(url, tmp_path_factory.mktemp("small_city"))
    factories.drop_database(database_url, "small_city")


@pytest.fixture
def changing_city(database_url: str, tmp_path: Path) -> Iterator[factories.SmallCity]:
    """The small city in a database of the test's own, which it may change."""
    url = factories.new_database(database_url, "changing_city")
    yield factories.load_small_city(url, tmp_path)
    factories.drop_database(database_url, "changing_city")


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
