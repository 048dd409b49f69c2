"""What the service may ask of its database: not for long, and never so that nobody else can."""

import io
from concurrent.futures import ThreadPoolExecutor, wait
from threading import BoundedSemaphore
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from geo import database
from geo.database import engine as engine_module
from geo.errors import Busy, Conflict
from geo.settings import Settings
from service.api.places import cities
from service.app import create_app
from service.http import access as service_access
from service.work import jobs
from tests.support.two_organisations import TwoOrganisations


def test_m8_the_service_s_connections_have_limits_and_the_owner_s_have_none(two: TwoOrganisations) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")

    def limits(engine: Any) -> list[str]:
        with engine.connect() as connection:
            return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    assert limits(two.service) == ["30s", "5s", "10min"]
    assert limits(two.owner) == ["0", "0", "0"]


def test_a_statement_that_takes_too_long_is_503_with_a_sentence(
    two: TwoOrganisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def long(connection: Connection, _: object) -> None:
        connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
        connection.execute(text("SELECT pg_sleep(30)"))

    monkeypatch.setattr(cities, "find_cities", long)
    answer = TestClient(create_app(two.service, Settings())).get("/api/v1/cities")
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("This takes longer than the service works on one question: ask for less")
    assert int(answer.headers["retry-after"]) > 0


def test_a_lock_waited_for_in_vain_is_a_conflict_for_who_changes_and_busy_for_who_reads(two: TwoOrganisations) -> None:
    with two.owner.connect() as holding:
        holding.execute(text("LOCK TABLE city"))
        asked = text("SELECT count(*) FROM city")
        for opened, refused in ((database.snapshot, Busy), (database.transaction, Conflict)):
            with pytest.raises(refused), opened(two.service) as connection:  # noqa: PT012 (the block's end translates)
                connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
                connection.execute(asked)
        holding.rollback()


def test_m7_files_that_wait_for_each_other_leave_room_for_readers(
    two: TwoOrganisations, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They wait here as long as the test takes.
    monkeypatch.setattr(engine_module, "_LIMITS", "")
    monkeypatch.setattr(service_access, "_WAIT_S", 600.0)
    jobs.prepare(two.owner.url.render_as_string(hide_password=False))
    engine = database.create_engine(two.service.url.render_as_string(hide_password=False))
    app = create_app(engine, Settings(state_dir=tmp_path))
    headers = {"authorization": f"Bearer {two.token('contributor')}"}

    def send(client: TestClient, i: int) -> int:
        file = ("survey.csv", io.BytesIO(b"settlement_code\n01\n" + b"\n" * i))
        data = {"city": "pune", "survey": "north-draft"}
        return int(client.post("/api/v1/uploads", headers=headers, data=data, files={"file": file}).status_code)

    with TestClient(app) as client, two.owner.connect() as holding, ThreadPoolExecutor(30) as pool:
        holding.execute(text("LOCK TABLE upload IN SHARE ROW EXCLUSIVE MODE"))
        sending = [pool.submit(send, client, i) for i in range(25)]
        done, _ = wait(sending, timeout=3)
        assert not done
        assert client.get("/api/v1/settlements?city=pune&limit=2").status_code == 200
        assert not any(future.done() for future in sending)
        holding.rollback()
        assert {future.result() for future in sending} == {202}
    engine.dispose()


def test_who_cannot_change_anything_for_long_is_told_to_come_again(
    two: TwoOrganisations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_access, "_WAIT_S", 0.05)
    app = create_app(two.service, Settings())
    headers = {"authorization": f"Bearer {two.token('viewer')}"}
    app.state.acting = BoundedSemaphore(1)
    with app.state.acting:
        answer = TestClient(app).delete("/api/v1/session", headers=headers)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Too many are asking at once; try again in a few seconds."
