"""The API over the small city; two organisations that share nothing."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from geo import database
from geo.database import service_url
from geo.settings import Settings
from service.app import create_app
from tests.support.published_city import SmallCity
from tests.support.two_organisations import TwoOrganisations
from tests.support.watching import CaughtUp


@pytest.fixture(scope="session")
def client(small_city: SmallCity) -> Iterator[TestClient]:
    """Asks the API over the small city, which no test changes."""
    engine = database.create_engine(service_url(small_city.url, None))
    with TestClient(create_app(engine, Settings(questions_per_minute=1_000_000))) as asking:
        yield asking
    engine.dispose()


@pytest.fixture
def changing_client(changing_city: SmallCity) -> Iterator[TestClient]:
    """Asks the API over a city of the test's own, which others change."""
    engine = database.create_engine(service_url(changing_city.url, None))
    with CaughtUp(create_app(engine, Settings(questions_per_minute=1_000_000))) as asking:
        yield asking
    engine.dispose()


@pytest.fixture
def service(two: TwoOrganisations) -> Iterator[Connection]:
    """A transaction as the service's role, in which nobody has entered yet; rolled back in the end."""
    with two.service.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(two: TwoOrganisations) -> Iterator[Connection]:
    """A transaction as the owner, rolled back in the end."""
    with two.owner.connect() as connection:
        yield connection
        connection.rollback()
