"""Signing in, accounts, keys, grants and the audit over HTTP, as the service runs it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from geo.settings import Settings
from service.app import create_app
from service.http.access import COOKIE, CSRF_HEADER
from tests.support.two_organisations import PASSWORD, TwoOrganisations

API = "/api/v1"


@pytest.fixture(scope="module")
def app(two: TwoOrganisations) -> Iterator[TestClient]:
    """The service over it; whoever asks sets the headers."""
    with TestClient(
        create_app(two.service, Settings(sign_ins_per_minute=10_000)), base_url="https://testserver"
    ) as client:
        yield client


@pytest.fixture
def client(app: TestClient) -> Iterator[TestClient]:
    """Somebody who has not signed in."""
    app.cookies.clear()
    yield app
    app.cookies.clear()


def signed_in(client: TestClient, email: str) -> dict[str, str]:
    """Signs in; the header that changes need."""
    answer = client.post(f"{API}/session", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {CSRF_HEADER: answer.json()["csrf"]}


def refusal(answer: Any) -> tuple[int, str]:
    """The status and the sentence of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["detail"]


def test_sign_in_leaves_a_cookie_no_script_and_no_other_site_can_use(client: TestClient) -> None:
    answer = client.post(f"{API}/session", json={"email": "viewer@north.org", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for attribute in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie
    assert answer.headers["cache-control"] == "private, no-store"
    token = cookie.split(";")[0].removeprefix(f"{COOKIE}=")
    assert token not in answer.text
    who = client.get(f"{API}/session").json()
    assert (who["email"], who["organisation"], who["role"], who["via"]) == (
        "viewer@north.org",
        "north",
        "viewer",
        "session",
    )


def test_sign_out_ends_the_session(client: TestClient) -> None:
    header = signed_in(client, "viewer@north.org")
    token = client.cookies[COOKIE]
    assert client.delete(f"{API}/session", headers=header).status_code == 204
    client.cookies.set(COOKIE, token)
    assert refusal(client.get(f"{API}/session"))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        {"email": "viewer@north.org", "password": "wrong"},
        {"email": "nobody@north.org", "password": PASSWORD},
    ],
)
def test_a_wrong_password_is_not_told_from_a_wrong_address(client: TestClient, body: dict[str, str]) -> None:
    answer = client.post(f"{API}/session", json=body)
    assert refusal(answer) == (401, "The e-mail address or the password is wrong.")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert COOKIE not in client.cookies


def test_too_many_failures_are_429(client: TestClient) -> None:
    body = {"email": "locked@north.org", "password": "wrong"}
    assert [client.post(f"{API}/session", json=body).status_code for _ in range(6)] == [401] * 5 + [429]
    answer = client.post(f"{API}/session", json=body)
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "possible again at" in refusal(answer)[1]


PRIVATE = ["/session", "/accounts", "/keys", "/own/surveys", "/audit", "/own/surveys/pune/north-draft/grants"]


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer vasti_nothing"}, {"Authorization": "Basic eDp5"}])
def test_nothing_private_without_signing_in(client: TestClient, path: str, headers: dict[str, str]) -> None:
    assert refusal(client.get(API + path, headers=headers))[0] == 401


@pytest.mark.parametrize(
    ("path", "role"),
    [("/accounts", "steward"), ("/audit", "steward"), ("/own/surveys/pune/north-draft/grants", "steward")],
)
def test_what_a_role_may_not_is_403(client: TestClient, path: str, role: str) -> None:
    signed_in(client, "contributor@north.org")
    assert refusal(client.get(API + path)) == (
        403,
        f"This is for a {role}; contributor@north.org is a contributor here.",
    )


CHANGES = [
    ("POST", "/keys", {"name": "x", "role": "viewer"}),
    ("DELETE", "/session", None),
    ("POST", "/accounts", {"email": "x@north.org", "name": "X", "role": "viewer"}),
    ("PATCH", "/own/surveys/pune/north-draft", {"state": "published"}),
    ("PUT", "/own/surveys/pune/north-draft/grants/south", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize("csrf", [None, "", "0" * 64])
def test_a_change_by_cookie_needs_the_sessions_own_token(
    client: TestClient, method: str, path: str, body: Any, csrf: str | None
) -> None:
    signed_in(client, "steward@north.org")
    headers = {} if csrf is None else {CSRF_HEADER: csrf}
    status, detail = refusal(client.request(method, API + path, json=body, headers=headers))
    assert status == 403
    assert "may come from another site" in detail


def test_a_steward_adds_somebody_who_then_signs_in(client: TestClient, two: TwoOrganisations) -> None:
    header = signed_in(client, "steward@north.org")
    body = {"email": "asha@north.org", "name": "Asha", "role": "contributor"}
    made = client.post(f"{API}/accounts", json=body, headers=header)
    assert made.status_code == 201
    assert made.json()["account"]["organisation"] == "north"
    link = made.json()["password_link"]["link"]
    again = client.post(f"{API}/accounts", json=body, headers=header)
    assert refusal(again) == (409, "There is an account asha@north.org already.")
    client.cookies.clear()
    short = client.post(f"{API}/password", json={"link": link, "password": "short"})
    assert refusal(short) == (400, "The password has 5 characters; it needs 12 or more.")
    assert client.post(f"{API}/password", json={"link": link, "password": PASSWORD}).status_code == 204
    spent = client.post(f"{API}/password", json={"link": link, "password": PASSWORD})
    assert refusal(spent) == (404, "This link has expired or was already used: ask for a new one.")
    signed_in(client, "asha@north.org")
    asha = client.cookies[COOKIE]
    header = signed_in(client, "steward@north.org")
    number = made.json()["account"]["id"]
    changed = client.patch(f"{API}/accounts/{number}", json={"role": "viewer", "is_active": False}, headers=header)
    assert (changed.json()["role"], changed.json()["is_active"]) == ("viewer", False)
    actions = [row["action"] for row in client.get(f"{API}/audit").json()["audit"] if "asha" in row["subject"]]
    assert actions == ["account added", "password set", "signed in", "account changed"]
    client.cookies.clear()
    client.cookies.set(COOKIE, asha)
    assert refusal(client.get(f"{API}/session"))[0] == 401


def test_a_steward_reaches_no_other_organisation(client: TestClient, two: TwoOrganisations) -> None:
    header = signed_in(client, "steward@north.org")
    with two.owner.connect() as connection:
        other = connection.execute(text("SELECT id FROM account WHERE email = 'viewer@south.org'")).scalar_one()
    for answer in (
        client.patch(f"{API}/accounts/{other}", json={"is_active": False}, headers=header),
        client.post(f"{API}/accounts/{other}/link", headers=header),
    ):
        assert refusal(answer) == (404, f"There is no account {other}.")
    for body in (
        {"email": "x@south.org", "name": "X", "role": "viewer", "organisation": "south"},
        {"email": "x@east.org", "name": "X", "role": "viewer", "organisation": "east"},
        {"email": "x@north.org", "name": "X", "role": "operator"},
    ):
        assert refusal(client.post(f"{API}/accounts", json=body, headers=header))[0] == 403
    assert client.get(f"{API}/accounts").text.count("south") == 0


def test_the_operator_opens_an_organisation(client: TestClient) -> None:
    header = signed_in(client, "operator@vasti.org")
    body = {"email": "first@west.org", "name": "First", "role": "steward", "organisation": "west"}
    assert client.post(f"{API}/accounts", json=body, headers=header).status_code == 201
    found = client.get(f"{API}/accounts").json()["accounts"]
    assert {"north", "south", "west"} <= {account["organisation"] for account in found}


def test_a_key_asks_in_its_accounts_name(client: TestClient) -> None:
    header = signed_in(client, "contributor@north.org")
    made = client.post(f"{API}/keys", json={"name": "dashboard", "role": "viewer", "days": 7}, headers=header).json()
    too_high = client.post(f"{API}/keys", json={"name": "more", "role": "steward"}, headers=header)
    assert refusal(too_high)[0] == 403
    client.cookies.clear()
    key = {"Authorization": f"Bearer {made['token']}"}
    who = client.get(f"{API}/session", headers=key).json()
    assert (who["email"], who["role"], who["via"], who["csrf"]) == ("contributor@north.org", "viewer", "key", None)
    # A key makes no key; what it may, it may without a session's token.
    assert refusal(client.post(f"{API}/keys", json={"name": "x", "role": "viewer"}, headers=key))[0] == 403
    (listed, *_) = client.get(f"{API}/keys", headers=key).json()["keys"]
    assert listed["prefix"] == made["token"][:12]
    assert made["token"] not in client.get(f"{API}/keys", headers=key).text
    assert client.delete(f"{API}/keys/{listed['id']}", headers=key).status_code == 204
    assert refusal(client.get(f"{API}/session", headers=key))[0] == 401


def test_a_draft_is_opened_published_and_taken_back(client: TestClient) -> None:
    body = {"city": "pune", "slug": "north-2030", "starts_on": "2030-01-01", "ends_on": "2030-03-31", "mode": "sample"}
    header = signed_in(client, "contributor@north.org")
    unsaid = {name: value for name, value in body.items() if name != "mode"}
    status, asked = refusal(client.post(f"{API}/own/surveys", json=unsaid, headers=header))
    assert (status, "was every household visited (census), or a sample" in asked) == (400, True)
    made = client.post(f"{API}/own/surveys", json=body, headers=header)
    assert (made.status_code, made.json()["state"], made.json()["organisation"]) == (201, "draft", "north")
    assert refusal(client.post(f"{API}/own/surveys", json=body, headers=header)) == (
        409,
        "pune has a survey north-2030 already.",
    )
    # The short name of a draft nobody here may see.
    hidden = client.post(f"{API}/own/surveys", json=body | {"slug": "south-draft"}, headers=header)
    assert refusal(hidden)[0] == 409
    path = f"{API}/own/surveys/pune/north-2030"
    assert refusal(client.patch(path, json={"state": "published"}, headers=header))[0] == 403
    header = signed_in(client, "steward@north.org")
    before = client.get(f"{API}/surveys").json()
    assert client.patch(path, json={"state": "published"}, headers=header).json()["state"] == "published"
    after = client.get(f"{API}/surveys").json()
    assert "north-2030" in {survey["slug"] for survey in after["surveys"]}
    assert after["data_version"] > before["data_version"]
    assert client.patch(path, json={"state": "draft"}, headers=header).json()["state"] == "draft"
    other = client.patch(f"{API}/own/surveys/pune/south-published", json={"state": "draft"}, headers=header)
    assert refusal(other) == (403, "Survey south-published of pune is another organisation's.")
    unseen = client.patch(f"{API}/own/surveys/pune/south-draft", json={"state": "published"}, headers=header)
    assert refusal(unseen)[0] == 404


def test_a_grant_shares_full_figures(client: TestClient) -> None:
    full = f"{API}/values?access=full&survey=north-draft&indicator=drainage_any"
    signed_in(client, "viewer@south.org")
    assert refusal(client.get(full))[0] == 400
    header = signed_in(client, "steward@north.org")
    path = f"{API}/own/surveys/pune/north-draft/grants"
    given = client.put(f"{path}/south", headers=header)
    assert [grant["organisation"] for grant in given.json()["grants"]] == ["south"]
    assert refusal(client.put(f"{path}/never-was", headers=header))[0] == 404
    signed_in(client, "viewer@south.org")
    assert {row["survey"] for row in client.get(full).json()["values"]} == {"north-draft"}
    assert {(row["slug"], row["state"]) for row in client.get(f"{API}/own/surveys").json()["surveys"]} == {
        ("north-draft", "draft"),
        ("south-draft", "draft"),
        ("south-published", "published"),
    }
    header = signed_in(client, "steward@north.org")
    assert client.delete(f"{path}/south", headers=header).json()["grants"] == []
    signed_in(client, "viewer@south.org")
    assert refusal(client.get(full))[0] == 400


FULL = [
    "/values?access=full&indicator=drainage_any&settlement=01",
    "/changes?access=full&city=pune&from=north-draft&to=north-published&indicator=drainage_any",
    "/gaps?access=full&city=pune&indicator=drainage_any&survey=north-draft",
    "/trends?access=full&city=pune&indicator=drainage_any",
]


@pytest.mark.parametrize("path", FULL)
def test_full_figures_are_for_those_who_sign_in_and_kept_by_nobody(client: TestClient, path: str) -> None:
    assert refusal(client.get(API + path))[0] == 401
    signed_in(client, "viewer@north.org")
    for form in ("json", "csv"):
        answer = client.get(f"{API}{path}&format={form}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers
        assert "south" not in answer.text
    client.cookies.clear()
    assert refusal(client.get(API + path))[0] == 401


def test_public_figures_are_the_same_whoever_asks(client: TestClient) -> None:
    address = f"{API}/values?indicator=drainage_any&level=city"
    public = client.get(address)
    signed_in(client, "steward@north.org")
    again = client.get(address)
    assert again.content == public.content
    assert again.headers["etag"] == public.headers["etag"]
    assert "north-draft" not in again.text


def test_bodies_that_are_not_valid_name_what_is_wrong(client: TestClient) -> None:
    header = signed_in(client, "steward@north.org")
    answer = client.post(f"{API}/accounts", json={"email": "x\0@y", "rolle": "viewer"}, headers=header)
    assert answer.status_code == 400
    named = {fault["name"]: fault["reason"] for fault in answer.json()["invalid_params"]}
    assert named["name"] == named["role"] == "is required"
    assert named["rolle"] == "is not known here"
    assert "email" in named
    assert refusal(client.post(f"{API}/accounts", content=b"{", headers=header))[0] == 400


def test_who_asks_too_often_from_one_address_is_turned_away(two: TwoOrganisations) -> None:
    app = create_app(two.service, Settings(sign_ins_per_minute=3, uploads_per_hour=2))
    here, elsewhere = (TestClient(app, client=(address, 1)) for address in ("192.0.2.1", "192.0.2.2"))
    body = {"email": "nobody@nowhere.org", "password": PASSWORD}
    assert [here.post(f"{API}/session", json=body).status_code for _ in range(3)] == [401] * 3
    answer = here.post(f"{API}/password", json={"link": "x", "password": PASSWORD})
    assert refusal(answer)[0] == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert f"try again in {answer.headers['retry-after']} seconds" in answer.json()["detail"]
    assert elsewhere.post(f"{API}/session", json=body).status_code == 401
    assert here.get(f"{API}/session").status_code == 401
    sent = [here.post(f"{API}/uploads").status_code for _ in range(2)] + [here.post(f"{API}/incoming").status_code]
    assert sent == [401, 401, 429]
