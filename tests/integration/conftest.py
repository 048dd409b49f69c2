"""The API over the small city."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.service_role import service_url
from service.app import create_app
from tests.published_city import SmallCity


@pytest.fixture(scope="session")
def client(small_city: SmallCity) -> Iterator[TestClient]:
    """Asks the API over the small city, which no test changes."""
    engine = database.create_engine(service_url(small_city.url, None))
    with TestClient(create_app(engine)) as asking:
        yield asking
    engine.dispose()


@pytest.fixture
def changing_client(changing_city: SmallCity) -> Iterator[TestClient]:
    """Asks the API over a city of the test's own."""
    engine = database.create_engine(service_url(changing_city.url, None))
    with TestClient(create_app(engine)) as asking:
        yield asking
    engine.dispose()
