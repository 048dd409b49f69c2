"""A data officer at work: sends files to the service, lets a worker work, and looks."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from geo.settings import Settings
from service.app import create_app
from service.work import jobs
from tests.support.queues import work_off
from tests.support.two_organisations import TwoOrganisations

API = "/api/v1"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A state folder of the module's own."""
    return Settings(state_dir=tmp_path_factory.mktemp("state"), upload_max_mb=5)


@pytest.fixture(scope="module")
def client(two: TwoOrganisations, settings: Settings) -> Iterator[TestClient]:
    """The service; whoever asks sends the header of its token."""
    jobs.prepare(_url(two))
    with TestClient(create_app(two.service, settings), base_url="https://testserver") as client:
        yield client


@pytest.fixture
def officer(two: TwoOrganisations) -> dict[str, str]:
    """The header of north's data officer."""
    return bearer(two, "contributor")


def bearer(two: TwoOrganisations, role: str, organisation: str = "north") -> dict[str, str]:
    """The header that somebody's requests carry."""
    return {"authorization": f"Bearer {two.token(role, organisation)}"}


def _url(two: TwoOrganisations) -> str:
    return two.owner.url.render_as_string(hide_password=False)


def send(client: TestClient, header: Mapping[str, str], path: Path, survey: str = "north-draft", **choices: str) -> Any:
    """Sends a file; the answer."""
    with path.open("rb") as file:
        return client.post(
            f"{API}/uploads",
            headers=header,
            data={"city": "pune", "survey": survey, **choices},
            files={"file": (path.name, file)},
        )


def decide(client: TestClient, header: Mapping[str, str], number: int, decision: str, **choices: Any) -> Any:
    """Decides of an upload; the answer."""
    body = {"decision": decision} | ({"choices": choices} if choices else {})
    return client.patch(f"{API}/uploads/{number}", headers=header, json=body)


class Office:
    """A data officer at work: sends, lets the worker work, looks."""

    def __init__(
        self, client: TestClient, header: Mapping[str, str], two: TwoOrganisations, settings: Settings
    ) -> None:
        self.client, self.header, self._two, self.settings = client, header, two, settings

    def work(self) -> None:
        """Lets a worker empty the queue."""
        work_off(_url(self._two), self.settings)

    def sent(self, path: Path, survey: str = "north-draft", **choices: str) -> dict[str, Any]:
        """An upload that was sent and checked."""
        answer = send(self.client, self.header, path, survey, **choices)
        assert answer.status_code == 202, answer.text
        self.work()
        return self.look(answer.json()["id"])

    def decided(self, number: int, decision: str, **choices: Any) -> dict[str, Any]:
        """The upload after a decision was carried out."""
        answer = decide(self.client, self.header, number, decision, **choices)
        assert answer.status_code == 200, answer.text
        self.work()
        return self.look(number)

    def look(self, number: int) -> dict[str, Any]:
        """The upload as it is now."""
        answer = self.client.get(f"{API}/uploads/{number}", headers=self.header)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
def office(client: TestClient, officer: dict[str, str], two: TwoOrganisations, settings: Settings) -> Office:
    """North's data officer at work."""
    return Office(client, officer, two, settings)
