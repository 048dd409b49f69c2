"""A disk without room: what is refused says so, nothing half is left, and the rest goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support import factories as f
from tests.support.disks import small_disk_at
from tests.support.office import Office, bearer, send
from tests.support.parts import announce, append
from tests.support.two_organisations import TwoOrganisations

ROOM = 3_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    with small_disk_at(tmp_path, ROOM) as disk:
        yield disk


@pytest.fixture
def office(two: TwoOrganisations, small_disk: Path) -> Iterator[Office]:
    """North's officer, whose files are kept on it."""
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    settings = Settings(state_dir=small_disk)
    with TestClient(create_app(two.service, settings), base_url="https://testserver") as client:
        yield Office(client, bearer(two, "contributor"), two, settings)


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


# The second fits on its way in, and not where it is kept.
@pytest.mark.parametrize("size", [4_000_000, 2_000_000])
def test_a_file_without_room_is_refused_and_a_smaller_one_goes_through(
    office: Office, small_disk: Path, tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    large = elsewhere / "large.csv"
    large.write_bytes(b"household_code,longitude,latitude\n" + b"x" * size)
    answer = send(office.client, office.header, large)
    assert answer.status_code == 507
    assert answer.json()["detail"].startswith("There is no room left where files are kept. Nothing was loaded or lost;")
    assert left(small_disk) == []
    rows = [f.household(9_700 + size // 1_000_000)]
    assert office.sent(f.write_csv(elsewhere / "small.csv", rows))["state"] == "checked"


def test_parts_that_came_are_kept_when_the_disk_fills(office: Office) -> None:
    client, header = office.client, dict(office.header)
    at = announce(client, header, 4_000_000).headers["location"]
    assert append(client, header, at, 0, b"x" * 1_000_000).status_code == 204
    assert append(client, header, at, 1_000_000, b"x" * 3_000_000).status_code == 507
    assert int(client.head(at, headers=header).headers["upload-offset"]) >= 1_000_000
    assert client.delete(at, headers=header).status_code == 204
