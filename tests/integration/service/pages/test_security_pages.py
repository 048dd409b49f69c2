"""Every page, by every kind of person: an answer that is for them, never a fault; and what is read is noted."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from service.http.access import COOKIE
from service.pages import accounts, cities, sign_in, static, surveys, uploads
from tests.support import factories as f
from tests.support.office import API, Office, client, office, officer, settings
from tests.support.two_organisations import ORGANISATIONS, SECRETS, TwoOrganisations, rows

__all__ = ["client", "office", "officer", "settings"]

PAGES = [
    route.path
    for route in itertools.chain(
        *(page.router.routes for page in (sign_in, accounts, cities, surveys, uploads, static))
    )
    if isinstance(route, APIRoute) and "GET" in (route.methods or ())
]
ROUNDS = [f"{organisation}-{state}" for organisation in ORGANISATIONS for state in ("draft", "published")]
PEOPLE = ["nobody", "nobody's key", "operator@vasti.org"] + [
    f"{role}@{organisation}.org" for organisation in ORGANISATIONS for role in ("viewer", "contributor", "steward")
]


@pytest.fixture(autouse=True)
def _nobody(client: TestClient) -> Iterator[None]:
    client.cookies.clear()
    client.follow_redirects = False
    yield
    client.follow_redirects = True


def _who(two: TwoOrganisations, person: str) -> Mapping[str, str]:
    html = {"accept": "text/html"}
    match person:
        case "nobody":
            return html
        case "nobody's key":
            return html | {"authorization": "Bearer vasti_" + "A" * 43}
    return html | {"cookie": f"{COOKIE}={two.sessions[person]}"}


def _addresses(two: TwoOrganisations, page: str) -> Iterator[str]:
    with two.owner.connect() as connection:
        numbers = [number for (number,) in rows(connection, "SELECT id FROM upload ORDER BY id")]
    given: dict[str, list[object]] = {
        "{survey}": [*ROUNDS, "none"], "{city}": ["pune", "none"], "{number}": [*numbers, 999_999],
        "{name}": ["vasti.css", "none"],
    }  # fmt: skip
    named = [name for name in given if name in page]
    for values in itertools.product(*(given[name] for name in named)):
        address = page
        for name, value in zip(named, values, strict=True):
            address = address.replace(name, str(value))
        assert "{" not in address, page
        yield address


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("page", PAGES)
def test_l1_no_page_is_a_fault_for_anybody(client: TestClient, two: TwoOrganisations, page: str, person: str) -> None:
    secrets = [secret for secret, of in zip(SECRETS, ORGANISATIONS, strict=True) if of not in person]
    for address in _addresses(two, page):
        answer = client.get(address, headers=_who(two, person))
        assert answer.status_code in (200, 303, 403, 404), address
        assert not any(secret in answer.text for secret in secrets), address


def test_l1_a_published_round_of_others_is_its_public_page(client: TestClient, two: TwoOrganisations) -> None:
    public = f"{API}/values?survey=north-published&level=city&indicator=household_toilet"
    (figure,) = client.get(public).json()["values"]
    answer = client.get("/surveys/pune/north-published", headers=_who(two, "viewer@south.org"))
    assert answer.status_code == 200
    assert f'<td class="number">{figure["value"]:.0f}' in answer.text
    assert f'<td class="number">{figure["n"]}</td>' in answer.text
    for mine_only in ("Send a file", "Publish the round", "back to draft"):
        assert mine_only not in answer.text
    own = client.get("/surveys/pune/north-published", headers=_who(two, "viewer@north.org"))
    # The public's counts are rounded to 5, those of its own people are not.
    assert (figure["n"], '<td class="number">48</td>' in own.text) == (45, True)
    assert client.get("/surveys/pune/north-draft", headers=_who(two, "viewer@south.org")).status_code == 404


def test_l5_who_reads_answers_of_households_is_noted(
    client: TestClient, office: Office, two: TwoOrganisations, tmp_path: Path
) -> None:
    unknown = f.household(1, toilet_type="a word without a meaning")
    number = office.sent(f.write_csv(tmp_path / "read.csv", [unknown]))["id"]
    person = _who(two, "contributor@north.org")
    paths = [f"{API}/uploads/{number}/findings?format={form}" for form in ("json", "csv", "gpkg")]
    for path in (*paths, f"/uploads/{number}/findings"):
        assert client.get(path, headers=person).status_code == 200
    client.get(f"{API}/uploads/{number}/file", headers=person)
    # Nothing is noted of what another organisation is refused.
    client.get(f"{API}/uploads/{number}/file", headers=_who(two, "contributor@south.org"))
    with two.owner.connect() as connection:
        noted = rows(
            connection,
            "SELECT actor, action, after ->> 'format' FROM audit WHERE action LIKE '% read' "
            f"AND subject = 'upload {number}' ORDER BY id DESC LIMIT 5",
        )
    me = "contributor@north.org"
    forms = [(me, "findings read", form) for form in ("page", "gpkg", "csv", "json")]
    assert noted == [(me, "file read", None), *forms]
