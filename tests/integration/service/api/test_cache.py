"""Answers kept and told apart: ETag, 304, HEAD, and never a stale one."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from geo import database
from geo.database import DataVersionWatch, raise_data_version, service_url
from geo.places import add_city, find_city
from geo.settings import Settings
from geo.surveys import set_state
from service.app import create_app
from tests.support.published_city import CITY, HOUSEHOLDS, ROUNDS, SmallCity, load_round, write_households
from tests.support.watching import paths_asked, wait_until_watching


@pytest.fixture
def changing_client(changing_city: SmallCity) -> Iterator[TestClient]:
    """One that does not wait for the watch: what it is shown meanwhile is what these tests are about."""
    engine = database.create_engine(service_url(changing_city.url, None))
    with TestClient(create_app(engine, Settings(questions_per_minute=1_000_000))) as asking:
        yield asking
    engine.dispose()


TOILETS = "/api/v1/values?survey=2024&indicator=household_toilet&level=city"


def _poll(client: TestClient, address: str, name: str, wanted: Any, seconds: float) -> None:
    """Asks until the answer's first row says what is wanted."""
    deadline = time.monotonic() + seconds
    while (told := client.get(address).json()["values"][0][name]) != wanted:
        assert time.monotonic() < deadline, f"still {told}, not {wanted}"
        time.sleep(0.02)


def _headers(answer: httpx.Response) -> dict[str, str]:
    """An answer's headers, but for the number each request has of its own."""
    return {name: value for name, value in answer.headers.items() if name != "x-request-id"}


def test_a_second_reader_gets_the_same_bytes_without_the_database(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until_watching(client)
    first = client.get("/api/v1/values?survey=2024&settlement=S02&settlement=S03")
    asked = paths_asked(monkeypatch)
    second = client.get("/api/v1/values?settlement=S03&survey=2024&settlement=S02")
    assert asked == []
    assert (first.content, _headers(first)) == (second.content, _headers(second))


def test_etag_and_cache_control_are_on_public_answers(client: TestClient) -> None:
    answer = client.get(TOILETS)
    version = answer.json()["data_version"]
    assert answer.headers["etag"].startswith(f'"{version}-')
    assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert "etag" not in client.get("/healthz").headers
    assert "etag" not in client.get("/readyz").headers


@pytest.mark.parametrize("wrap", ["{}", 'W/{}, "other"', '"other" , {}', "*"])
def test_if_none_match_answers_304(client: TestClient, wrap: str) -> None:
    first = client.get(TOILETS)
    again = client.get(TOILETS, headers={"If-None-Match": wrap.format(first.headers["etag"])})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert "content-type" not in again.headers
    assert client.get(TOILETS, headers={"If-None-Match": '"6-other"'}).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        *(TOILETS, f"{TOILETS}&format=csv", "/healthz", "/maps/coverage?city=khandesh", "/nothing"),
        *("/api/v1/gaps?city=khandesh&indicator=household_toilet", "/api/v1/trends?city=khandesh&format=csv"),
    ],
)
def test_head_is_get_without_a_body(client: TestClient, address: str) -> None:
    got, headed = client.get(address), client.head(address)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert _headers(headed) == _headers(got)
    with client.stream("GET", address) as answer:
        assert int(headed.headers["content-length"]) == len(b"".join(answer.iter_raw()))


def test_what_another_connection_loads_and_publishes_shows_at_once(
    changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    wait_until_watching(changing_client)
    before = changing_client.get(TOILETS)
    etag = before.headers["etag"]
    assert changing_client.get(TOILETS, headers={"If-None-Match": etag}).status_code == 304
    everybody = write_households(tmp_path, "2024b", dict(HOUSEHOLDS))
    engine = database.create_engine(changing_city.url)
    with database.transaction(engine) as connection:
        load_round(connection, changing_city, everybody, ROUNDS["2024"], publish=True)
    _poll(changing_client, TOILETS, "value", 100.0, seconds=1)
    after = changing_client.get(TOILETS, headers={"If-None-Match": etag})
    assert after.status_code == 200
    assert after.json()["data_version"] > before.json()["data_version"]
    with database.transaction(engine) as connection:
        set_state(connection, find_city(connection, CITY), "2024", "draft")
        raise_data_version(connection, find_city(connection, CITY))
    deadline = time.monotonic() + 1
    while changing_client.get(TOILETS).status_code == 200:
        assert time.monotonic() < deadline, "a withdrawn round is still shown"
        time.sleep(0.02)
    engine.dispose()


def test_a_change_in_one_city_leaves_what_is_kept_of_another(
    changing_city: SmallCity, changing_client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.create_engine(changing_city.url)
    with database.transaction(engine) as connection:
        add_city(connection, "other", "Other")
        raise_data_version(connection, find_city(connection, "other"))
    wait_until_watching(changing_client)
    ours = [f"{path}?city={CITY}" for path in ("/api/v1/values", "/api/v1/surveys", "/api/v1/settlements")]
    others = ["/api/v1/settlements?city=other", "/api/v1/publications?city=other", "/api/v1/indicators"]
    every = ["/api/v1/values", "/api/v1/cities", f"/api/v1/settlements?city=other&city={CITY}"]
    before = {address: changing_client.get(address) for address in (*ours, *others, *every)}
    _await_kept(changing_client, before, monkeypatch)
    everybody = write_households(tmp_path, "2024b", dict(HOUSEHOLDS))
    with database.transaction(engine) as connection:
        load_round(connection, changing_city, everybody, ROUNDS["2024"], publish=True)
    _poll(changing_client, TOILETS, "value", 100.0, seconds=1)
    asked = paths_asked(monkeypatch)
    for address in others:
        assert _headers(changing_client.get(address)) == _headers(before[address])
    assert asked == []
    for address in (*ours, *every):
        assert changing_client.get(address).headers["etag"] != before[address].headers["etag"]
    assert len(asked) == len(ours) + len(every)
    # What all share, such as a definition, is shown everywhere.
    etags = {address: changing_client.get(address).headers["etag"] for address in (*ours, *others, *every)}
    with database.transaction(engine) as connection:
        raise_data_version(connection, None)
    deadline = time.monotonic() + 1
    for address, etag in etags.items():
        while changing_client.get(address).headers["etag"] == etag:
            assert time.monotonic() < deadline, f"{address} is still kept"
            time.sleep(0.02)
    engine.dispose()


def _await_kept(client: TestClient, addresses: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Asks until all answers are kept: the watch may not yet have seen what they show."""
    asked = paths_asked(monkeypatch)
    deadline = time.monotonic() + 5
    while True:
        asked.clear()
        for address in addresses:
            client.get(address)
        if not asked:
            return
        assert time.monotonic() < deadline, f"{asked} are not kept"


def test_no_stale_answer_when_the_watch_loses_its_connection(
    changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    wait_until_watching(changing_client)
    before = changing_client.get(TOILETS).json()["values"][0]["value"]
    engine = database.create_engine(changing_city.url)
    everybody = write_households(tmp_path, "2024b", dict(HOUSEHOLDS))
    with psycopg.connect(database.conninfo(engine.url), autocommit=True) as killer:
        killed = killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vasti data version'"
            " AND datname = current_database()"
        ).fetchall()
        assert killed == [(True,)]
        with database.transaction(engine) as connection:
            load_round(connection, changing_city, everybody, ROUNDS["2024"], publish=True)
    told = changing_client.get(TOILETS).json()["values"][0]["value"]
    assert (before != told, told) == (True, 100.0)
    wait_until_watching(changing_client)
    assert changing_client.get(TOILETS).json()["values"][0]["value"] == 100.0
    engine.dispose()


def test_nothing_is_kept_while_the_watch_is_not_sure(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until_watching(client)
    client.get(TOILETS)
    asked = paths_asked(monkeypatch)
    monkeypatch.setattr(DataVersionWatch, "seen", lambda _: None)
    answers = [client.get(TOILETS) for _ in range(2)]
    assert asked == ["/api/v1/values"] * 2
    assert answers[0].headers["etag"] == answers[1].headers["etag"]


def test_the_watch_outlasts_a_database_that_comes_later(database_url: str) -> None:
    engine = database.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    watch = DataVersionWatch(engine.url)
    watch.start()
    time.sleep(0.3)
    assert watch.seen() is None
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < 2
    engine.dispose()
