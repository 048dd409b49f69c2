"""Publications: what the public reads stays until the next one is there, and can be asked for again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from geo import database
from geo.errors import Conflict
from geo.ingestion.loading import withdraw
from geo.places import find_city
from geo.publications import find_standing, make_publication, making
from geo.publications.places import write_places
from geo.settings import Settings
from geo.surveys import find_survey, set_publishing, set_state
from service.work import jobs
from service.work.queue import defer_publication
from tests.support.published_city import CITY, HOUSEHOLDS, ROUNDS, SmallCity, load_round, write_households
from tests.support.publishing import publish
from tests.support.queues import work_off

VALUES = f"/api/v1/values?city={CITY}&survey=2024&indicator=household_toilet"
LIST = f"/api/v1/publications?city={CITY}&survey=2024"


@pytest.fixture
def owner(changing_city: SmallCity) -> Iterator[Engine]:
    engine = database.create_engine(changing_city.url)
    yield engine
    engine.dispose()


def load_more(owner: Engine, city: SmallCity, folder: Path) -> None:
    """Loads everybody with a toilet beside what the round has, and publishes nothing."""
    path = write_households(folder, "2024b", dict(HOUSEHOLDS))
    with database.transaction(owner) as connection:
        load_round(connection, city, path, ROUNDS["2024"], publish=False)


def told(client: TestClient, address: str = VALUES) -> Any:
    return client.get(address).json()["values"]


def numbers(client: TestClient) -> list[tuple[int, str]]:
    return [(one["number"], one["state"]) for one in client.get(LIST).json()["publications"]]


def survey_id(owner: Engine) -> int:
    with owner.connect() as connection:
        return int(find_survey(connection, find_city(connection, CITY), "2024")["id"])


def test_figures_stay_until_the_worker_has_made_the_next_publication(
    changing_city: SmallCity, changing_client: TestClient, owner: Engine, tmp_path: Path
) -> None:
    before = told(changing_client)
    jobs.prepare(changing_city.url)
    load_more(owner, changing_city, tmp_path)
    assert told(changing_client) == before
    work_off(changing_city.url, Settings())
    after = told(changing_client)
    assert after != before
    (first, _), (last, state) = numbers(changing_client)[0], numbers(changing_client)[-1]
    assert (state, last) == ("current", first + 1)
    assert told(changing_client, f"{VALUES}&publication={first}") == before
    assert told(changing_client, f"{VALUES}&publication={last}") == after
    # Nothing has changed since, so nothing is made.
    work_off(changing_city.url, Settings())
    assert numbers(changing_client)[-1] == (last, "current")


def test_a_publication_that_is_not_there_is_refused(changing_client: TestClient) -> None:
    refused = changing_client.get(f"{VALUES}&publication=99")
    assert refused.status_code == 400
    assert "99 is no publication of this round that can be read; choose from 1" in refused.json()["detail"]
    alone = changing_client.get("/api/v1/values?publication=1")
    assert "is a number of one round" in alone.json()["detail"]


def test_a_round_that_lost_its_rows_keeps_its_publication(
    changing_city: SmallCity, changing_client: TestClient, owner: Engine
) -> None:
    before = told(changing_client)
    with database.transaction(owner) as connection:
        uploads = text("SELECT id FROM upload WHERE survey_id = :id")
        for number in connection.execute(uploads, {"id": survey_id(owner)}).scalars().all():
            withdraw(connection, number)
    with pytest.raises(Conflict, match="has no households yet") as refused, database.transaction(owner) as connection:
        make_publication(connection, survey_id(owner))
    assert "what was published before stays" in str(refused.value)
    jobs.prepare(changing_city.url)
    work_off(changing_city.url, Settings())
    assert told(changing_client) == before


def test_a_round_taken_back_shows_none_of_its_publications(
    changing_client: TestClient, owner: Engine, changing_city: SmallCity, tmp_path: Path
) -> None:
    before = told(changing_client)
    load_more(owner, changing_city, tmp_path)
    with database.transaction(owner) as connection:
        set_state(connection, find_city(connection, CITY), "2024", "draft")
        database.raise_data_version(connection, find_city(connection, CITY))
    assert changing_client.get(VALUES).status_code == 400
    with database.transaction(owner) as connection:
        number = publish(connection, CITY, "2024")
    assert numbers(changing_client) == [(number, "current")]
    assert told(changing_client) != before
    assert changing_client.get(f"{VALUES}&publication=1").status_code == 400


def test_publishing_twice_at_once_makes_one_publication(
    owner: Engine, changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    load_more(owner, changing_city, tmp_path)

    def make(_: int) -> tuple[int, bool]:
        with database.transaction(owner) as connection:
            made = make_publication(connection, survey_id(owner))
        return made.number, made.is_new

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(make, range(2))
    assert (first[0], {first[1], second[1]}) == (second[0], {True, False})
    assert [state for _, state in numbers(changing_client)].count("current") == 1


def test_a_publication_that_breaks_off_leaves_the_former_one(
    owner: Engine, changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    before, made = told(changing_client), numbers(changing_client)
    load_more(owner, changing_city, tmp_path)
    with suppress(ZeroDivisionError), database.transaction(owner) as connection:
        assert make_publication(connection, survey_id(owner)).is_new
        raise ZeroDivisionError
    assert (told(changing_client), numbers(changing_client)) == (before, made)
    with owner.connect() as connection:
        parts = text("SELECT count(*) FROM pg_class WHERE relname ~ '^published_figure_[0-9]+$'")
        kept = text("SELECT count(*) FROM publication")
        assert connection.execute(parts).scalar() == connection.execute(kept).scalar()


def test_a_round_that_waits_for_a_steward_stays_until_one_asks(
    owner: Engine, changing_city: SmallCity, changing_client: TestClient, tmp_path: Path
) -> None:
    before = told(changing_client)
    with database.transaction(owner) as connection:
        set_publishing(connection, survey_id(owner), "steward")
    load_more(owner, changing_city, tmp_path)
    jobs.prepare(changing_city.url)
    work_off(changing_city.url, Settings())
    assert told(changing_client) == before
    with database.transaction(owner) as connection:
        standing = find_standing(connection, survey_id(owner))
        assert standing is not None
        assert standing.is_behind
        defer_publication(connection, survey_id(owner))
    work_off(changing_city.url, Settings())
    assert told(changing_client) != before
    with owner.connect() as connection:
        standing = find_standing(connection, survey_id(owner))
        assert standing is not None
        assert not standing.is_behind


def test_a_round_taken_back_while_it_is_made_is_not_published(
    owner: Engine,
    changing_city: SmallCity,
    changing_client: TestClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = numbers(changing_client)
    load_more(owner, changing_city, tmp_path)

    def taken_back_meanwhile(*arguments: Any) -> None:
        with database.transaction(owner) as another:
            set_state(another, find_city(another, CITY), "2024", "draft")
        write_places(*arguments)

    monkeypatch.setattr(making, "write_places", taken_back_meanwhile)
    with pytest.raises(Conflict, match="is a draft"), database.transaction(owner) as connection:
        make_publication(connection, survey_id(owner))
    of_round = (
        "SELECT number, publication.state FROM publication JOIN survey ON survey.id = survey_id WHERE slug = '2024'"
    )
    with owner.connect() as connection:
        states = [tuple(row) for row in connection.execute(text(of_round))]
    assert states == [(number, "retracted") for number, _ in made]
