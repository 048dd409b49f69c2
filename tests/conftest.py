"""What every test may ask for."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from geo import database
from geo.database.cluster import server as cluster
from tests.support import published_city
from tests.support.two_organisations import TwoOrganisations, make_two, two_in

_NUMBERS = count(1)


def make_state_dir() -> Path:
    """A new state folder that PostgreSQL's own account can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="vasti-"))
    folder.chmod(0o711)
    return folder


def remove_state_dir(folder: Path) -> None:
    """Stop the cluster of a state folder and remove both."""
    cluster.stop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def no_folder_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings that name no folder keep nothing in that of an installation on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VASTI_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The URL of an empty PostGIS database, in a private cluster that lives as long as the tests."""
    folder = make_state_dir()
    try:
        url = cluster.start(folder)
        _commit_without_the_disk(url)
        yield url
    finally:
        remove_state_dir(folder)


def _commit_without_the_disk(url: str) -> None:
    """Lets a cluster commit before its disk has written: what these tests need of it ends with them."""
    engine = database.create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def city_template(
    database_url: str, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> published_city.SmallCity:
    """The small city of tests/support/published_city.py, loaded once for all databases that begin with it."""
    url = published_city.new_database(database_url, "city_template", migrated)
    return published_city.load_small_city(url, tmp_path_factory.mktemp("small_city"))


@pytest.fixture(scope="session")
def small_city(database_url: str, city_template: published_city.SmallCity) -> Iterator[published_city.SmallCity]:
    """The small city in a database of its own, which tests read and leave as it is."""
    url = published_city.new_database(database_url, "small_city", "city_template")
    yield published_city.SmallCity(url, city_template.folder)
    published_city.drop_database(database_url, "small_city")


@pytest.fixture
def changing_city(
    database_url: str, city_template: published_city.SmallCity, tmp_path: Path
) -> Iterator[published_city.SmallCity]:
    """The small city in a database of the test's own, which it may change."""
    url = published_city.new_database(database_url, "changing_city", "city_template")
    folder = shutil.copytree(city_template.folder, tmp_path, dirs_exist_ok=True)
    yield published_city.SmallCity(url, folder)
    published_city.drop_database(database_url, "changing_city")


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


@pytest.fixture(scope="session")
def server(database_url: str) -> Iterator[Engine]:
    """The cluster itself, to make databases in; each statement is its own transaction."""
    engine = database.create_engine(database_url).execution_options(isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated(server: Engine) -> str:
    """The name of a database with Vasti's tables and no rows, to which nobody connects: a template."""
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE migrated"))
    database.upgrade(_named(server, "migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def engine(server: Engine, migrated: str) -> Iterator[Engine]:
    """A database with Vasti's tables, in which no test commits."""
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE shared TEMPLATE {migrated}"))
    engine = database.create_engine(_named(server, "shared"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back when the test ends: the core never commits."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def module_connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back when the module's tests have ended, for those that only read."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def fresh_url(server: Engine, migrated: str) -> Iterator[str]:
    """The URL of a database of the test's own, to commit in."""
    name = f"fresh_{next(_NUMBERS)}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {migrated}"))
        yield _named(server, name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def fresh_engine(fresh_url: str) -> Iterator[Engine]:
    """A database of the test's own, to commit in."""
    engine = database.create_engine(fresh_url)
    yield engine
    engine.dispose()


def _named(server: Engine, name: str) -> str:
    return make_url(str(server.url)).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files, which are no part of the project."""
    folder = os.environ.get("VASTI_TEST_DATA")
    if not folder:
        pytest.skip("VASTI_TEST_DATA is not set: the real files to test with are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def sessions(database_url: str, migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The sessions of the two organisations' people, who are made once."""
    return make_two(database_url, tmp_path_factory.mktemp("two"), migrated)


@pytest.fixture(scope="module")
def two(request: pytest.FixtureRequest, database_url: str, sessions: Mapping[str, str]) -> Iterator[TwoOrganisations]:
    """Two organisations in a database of the module's own."""
    yield from two_in(database_url, f"two_of_{request.module.__name__.rpartition('.')[2]}", sessions)
