"""Downloads: everybody gets the very file, and nobody one that is not whole or not for everybody."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from geo import database
from geo.database import service_url
from geo.places import find_city
from geo.publications import clear_downloads, current_publications, find_lacking, keep_download
from geo.settings import Settings
from geo.surveys import set_state
from service.app import create_app
from service.http.middleware.public_cache import PublicCache
from service.work import jobs
from tests.support.public_addresses import FILES
from tests.support.published_city import CITY, SmallCity
from tests.support.publishing import publish_anew
from tests.support.queues import work_off

(ADDRESS,) = FILES.values()
LIST = f"/api/v1/publications?city={CITY}&survey=2024"


@dataclass(frozen=True)
class Installation:
    """The small city, its worker and its service, on a folder of their own."""

    url: str
    owner: Engine
    settings: Settings
    client: TestClient

    def work(self) -> None:
        """Does what is in the queue."""
        jobs.prepare(self.url)
        work_off(self.url, self.settings)

    def make(self) -> None:
        """Makes what is missing, without a worker."""
        with database.transaction(self.owner) as connection:
            for publication_id in find_lacking(connection, self.settings.originals_url):
                assert keep_download(connection, publication_id, self.settings)

    def files(self) -> list[Path]:
        """All that is kept of downloads, half of one too."""
        return [path for path in (self.settings.state_dir / "originals").rglob("*") if path.is_file()]

    def file(self) -> Path:
        """The download of the round of 2024."""
        with self.owner.connect() as connection:
            digest = connection.execute(
                text("SELECT sha256 FROM publication_download ORDER BY publication_id DESC LIMIT 1")
            ).scalar_one()
        (found,) = (path for path in self.files() if path.name == f"{digest}.zip")
        return found

    def links(self) -> list[dict[str, str]]:
        """The links of the round's current publication."""
        return list(self.client.get(LIST).json()["publications"][-1]["links"])


@pytest.fixture
def installation(changing_city: SmallCity, tmp_path: Path) -> Iterator[Installation]:
    owner = database.create_engine(changing_city.url)
    service = database.create_engine(service_url(changing_city.url, None))
    settings = Settings(state_dir=tmp_path / "state")
    with TestClient(create_app(service, settings)) as client:
        yield Installation(changing_city.url, owner, settings, client)
    for engine in (owner, service):
        engine.dispose()


def test_a_worker_makes_what_is_missing_and_the_list_leads_there(installation: Installation) -> None:
    client = installation.client
    refused = client.get(ADDRESS)
    assert (refused.status_code, refused.json()["code"]) == (404, "download_missing")
    assert installation.links() == []
    installation.work()
    assert installation.links() == [{"rel": "download", "href": ADDRESS, "type": "application/zip"}]
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.content == installation.file().read_bytes()
    row = client.get(LIST).json()["publications"][-1]
    assert row["download_bytes"] == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as source:
        assert hashlib.sha256(source.read("figures.csv")).hexdigest() == row["sha256"]


def test_headers_say_what_it_is(installation: Installation) -> None:
    installation.make()
    client, path = installation.client, installation.file()
    answer, head = client.get(ADDRESS), client.head(ADDRESS)
    for told in (answer, head):
        assert told.status_code == 200
        assert told.headers["content-type"] == "application/zip"
        assert told.headers["content-disposition"] == f'attachment; filename="{CITY}-2024-1.zip"'
        assert told.headers["content-length"] == str(path.stat().st_size)
        assert told.headers["etag"] == f'"{path.stem}"' == f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        assert told.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert told.headers["x-content-type-options"] == "nosniff"
        assert told.headers["access-control-allow-origin"] == "*"
        assert "content-encoding" not in told.headers
    assert head.content == b""
    again = client.get(ADDRESS, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert client.get(ADDRESS, headers={"if-none-match": '"another"'}).status_code == 200


def test_a_download_that_was_cut_off_goes_on(installation: Installation) -> None:
    installation.make()
    client, whole = installation.client, installation.file().read_bytes()
    etag = client.head(ADDRESS).headers["etag"]
    rest = client.get(ADDRESS, headers={"range": "bytes=1000-", "if-range": etag})
    assert (rest.status_code, rest.content) == (206, whole[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    # Of another file it begins anew.
    other = client.get(ADDRESS, headers={"range": "bytes=1000-", "if-range": '"another"'})
    assert (other.status_code, other.content) == (200, whole)


def test_former_publications_stay_and_others_are_not_there(installation: Installation) -> None:
    client = installation.client
    with database.transaction(installation.owner) as connection:
        publish_anew(connection, CITY, "2024")
    installation.make()
    second = ADDRESS.replace("/1/", "/2/")
    assert client.get(ADDRESS).status_code == client.get(second).status_code == 200
    assert client.get(ADDRESS).headers["etag"] != client.get(second).headers["etag"]
    for address in (
        *(ADDRESS.replace("/1/", "/3/"), ADDRESS.replace("2024", "secret-draft"), ADDRESS.replace("2024", "2023")),
        ADDRESS.replace(CITY, "nowhere"),
    ):
        refused = client.get(address)
        assert (refused.status_code, refused.json()["code"]) == (404, "publication_unknown"), address
        assert refused.json()["detail"].startswith("There is no publication ")


def test_a_round_that_is_taken_back_leaves_no_file(installation: Installation) -> None:
    installation.make()
    with database.transaction(installation.owner) as connection:
        set_state(connection, find_city(connection, CITY), "2024", "draft")
    assert installation.client.get(ADDRESS).json()["code"] == "publication_unknown"
    before = len(installation.files())
    with database.transaction(installation.owner) as connection:
        clear_downloads(connection, installation.settings.originals_url)
    assert len(installation.files()) == before - 1


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_file_that_is_lost_or_cut_is_served_by_nobody_and_made_anew(installation: Installation, harm: str) -> None:
    installation.make()
    path = installation.file()
    whole = path.read_bytes()
    if harm == "lost":
        path.unlink()
    else:
        os.truncate(path, len(whole) // 2)
    assert installation.client.get(ADDRESS).json()["code"] == "download_missing"
    installation.work()
    assert installation.client.get(ADDRESS).content == whole


def test_no_name_leads_out_of_the_folder(installation: Installation) -> None:
    installation.make()
    for slug in ("..", "%2e%2e", "..%2f..%2fetc", "a%00b", "KHANDESH", "."):
        for names in (f"{slug}/2024/1", f"{CITY}/{slug}/1", f"{CITY}/2024/{slug}"):
            answer = installation.client.get(f"/api/v1/publications/{names}/download")
            assert answer.status_code in (400, 404), names
            assert answer.headers["content-type"] == "application/problem+json"


def test_files_stay_out_of_the_memory_of_the_service(installation: Installation) -> None:
    installation.make()
    installation.client.get(LIST)
    cache = _cache(installation.client)
    before = cache._kept.size
    for _ in range(3):
        installation.client.get(ADDRESS)
    assert cache._kept.size == before


def _cache(client: TestClient) -> PublicCache:
    """The cache of a running service."""
    layer = client.app.middleware_stack  # type: ignore[attr-defined]
    while not isinstance(layer, PublicCache):
        layer = layer.app
    return layer


def test_it_is_sent_from_where_originals_are_kept_elsewhere(changing_city: SmallCity) -> None:
    settings = Settings(storage_url="memory://originals")
    owner = database.create_engine(changing_city.url)
    with database.transaction(owner) as connection:
        (found,) = current_publications(connection, [CITY], ["2024"])
        assert keep_download(connection, found.id, settings)
    service = database.create_engine(service_url(changing_city.url, None))
    with TestClient(create_app(service, settings)) as client:
        answer, head = client.get(ADDRESS), client.head(ADDRESS)
        assert zipfile.is_zipfile(io.BytesIO(answer.content))
        assert answer.headers["etag"] == head.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        assert head.headers["content-length"] == str(len(answer.content))
        assert (head.content, client.get(ADDRESS, headers={"if-none-match": "*"}).status_code) == (b"", 304)
    for engine in (owner, service):
        engine.dispose()
