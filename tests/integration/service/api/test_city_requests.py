"""A city is added on the web by the operator; a steward asks for one, and sees what comes of it."""

import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text

from geo.base import PageRequest
from geo.messages import Message
from geo.people import enter, find_audit
from geo.places import add_city, find_requests
from geo.places.city_requests import MOST_OPEN
from service.http.access import COOKIE, csrf_of
from tests.support.cli import Shell
from tests.support.office import API, bearer, client, officer, settings
from tests.support.two_organisations import TwoOrganisations, refused, rows

__all__ = ["client", "officer", "settings"]

REQUESTS = f"{API}/own/city-requests"


def operator(two: TwoOrganisations) -> dict[str, str]:
    return {"authorization": f"Bearer {two.sessions['operator@vasti.org']}"}


def ask(client: TestClient, header: dict[str, str], **new: str) -> Any:
    return client.post(REQUESTS, headers=header, json={"slug": "asked", "name": "Asked"} | new)


def states(client: TestClient, header: dict[str, str]) -> dict[str, str]:
    listed = client.get(REQUESTS, headers=header)
    assert listed.status_code == 200
    return {one["slug"]: one["state"] for one in listed.json()["requests"]}


def test_a_steward_asks_and_the_operator_adds(client: TestClient, two: TwoOrganisations) -> None:
    steward, south = bearer(two, "steward"), bearer(two, "steward", "south")
    asked = ask(client, steward, slug="pimpri", name=" Pimpri ", note="We survey there from May on.")
    assert asked.status_code == 201
    told = asked.json()
    assert (told["slug"], told["name"], told["organisation"], told["state"]) == ("pimpri", "Pimpri", "north", "asked")
    assert (told["asked_by"], told["note"]) == ("steward@north.org", "We survey there from May on.")
    # Another organisation sees nothing of it; nobody but the operator answers it.
    assert "pimpri" not in states(client, south)
    assert states(client, operator(two))["pimpri"] == "asked"
    address = f"{REQUESTS}/{told['id']}"
    for header in (steward, south, bearer(two, "contributor")):
        assert client.patch(address, headers=header, json={"state": "added"}).status_code == 403
    before = client.get(f"{API}/cities").json()
    added = client.patch(address, headers=operator(two), json={"state": "added"})
    assert (added.status_code, added.json()["state"]) == (200, "added")
    assert states(client, steward)["pimpri"] == "added"
    # What is kept of public answers goes once the database has told the service, which takes a moment.
    after = client.get(f"{API}/cities").json()
    for _ in range(100):
        if after["data_version"] > before["data_version"]:
            break
        time.sleep(0.1)
        after = client.get(f"{API}/cities").json()
    assert ("pimpri", "Pimpri") in {(one["slug"], one["name"]) for one in after["cities"]}
    again = client.patch(address, headers=operator(two), json={"state": "declined"})
    assert (again.status_code, "answered already" in again.text) == (409, True)
    assert client.patch(f"{REQUESTS}/999999", headers=operator(two), json={"state": "added"}).status_code == 404
    new = {"city": "pimpri", "slug": "first", "starts_on": "2026-01-01", "ends_on": "2026-02-01", "mode": "census"}
    assert client.post(f"{API}/own/surveys", headers=steward, json=new).status_code == 201
    with two.owner.connect() as connection:
        noted = {(row.actor, row.action) for row in find_audit(connection, PageRequest(limit=None)).rows
                 if row.subject == "city pimpri"}  # fmt: skip
    assert noted == {("steward@north.org", "city asked for"), ("operator@vasti.org", "city added")}


def test_a_request_is_declined_with_a_reason(client: TestClient, two: TwoOrganisations) -> None:
    steward = bearer(two, "steward")
    number = ask(client, steward, slug="poona", name="Poona").json()["id"]
    answer = {"state": "declined", "reason": "It is there as pune."}
    told = client.patch(f"{REQUESTS}/{number}", headers=operator(two), json=answer).json()
    assert (told["state"], told["reason"]) == ("declined", "It is there as pune.")
    assert states(client, steward)["poona"] == "declined"
    assert "poona" not in {one["slug"] for one in client.get(f"{API}/cities").json()["cities"]}
    with two.owner.connect() as connection:
        noted = find_audit(connection, PageRequest(limit=None)).rows
    (declined,) = [row for row in noted if (row.subject, row.action) == ("city poona", "city declined")]
    assert declined.actor == "operator@vasti.org"
    assert declined.after == {"asked_by": "north", "reason": "It is there as pune."}
    # Asked again, with better grounds.
    assert ask(client, steward, slug="poona", name="Poona").status_code == 201


@pytest.mark.parametrize("way", ["ask", "add"])
def test_slugs_and_names_are_held_to_the_same_rules(client: TestClient, two: TwoOrganisations, way: str) -> None:
    path, header = (REQUESTS, bearer(two, "steward")) if way == "ask" else (f"{API}/own/cities", operator(two))
    for given in (
        {"slug": "Big City", "name": "Big"}, {"slug": "", "name": "Big"}, {"slug": "big", "name": " "},
        {"slug": "b" * 101, "name": "Big"}, {"slug": "big", "name": "B" * 201}, {"slug": "big", "name": "a\0b"},
        {"slug": "big"}, {"slug": "big", "name": "Big", "state": "added"},
    ):  # fmt: skip
        assert client.post(path, headers=header, json=given).status_code == 400, given
    told = client.post(path, headers=header, json={"slug": "pune", "name": "Poona"})
    assert (told.status_code, "There is a city pune already, called " in told.text) == (409, True)


def test_the_same_city_is_asked_for_once(client: TestClient, two: TwoOrganisations) -> None:
    assert ask(client, bearer(two, "steward"), slug="twice").status_code == 201
    again = ask(client, bearer(two, "steward"), slug="twice")
    assert (again.status_code, "has asked for the city twice already" in again.text) == (409, True)
    assert ask(client, bearer(two, "steward", "south"), slug="twice").status_code == 201
    assert ask(client, bearer(two, "contributor"), slug="thrice").status_code == 403
    assert client.get(REQUESTS, headers=bearer(two, "contributor")).status_code == 403
    assert client.get(REQUESTS).status_code == 401


def test_a_city_that_is_added_answers_all_who_asked_for_it(client: TestClient, two: TwoOrganisations) -> None:
    """By the name they asked for: another city of this slug is not theirs."""
    stewards = [bearer(two, "steward", organisation) for organisation in ("north", "south")]
    for steward, name in zip(stewards, ("Nashik", "Nasik of the south"), strict=True):
        assert ask(client, steward, slug="nashik", name=name).status_code == 201
    new = {"slug": "nashik", "name": "Nashik"}
    assert client.post(f"{API}/own/cities", headers=stewards[0], json=new).status_code == 403
    assert client.post(f"{API}/own/cities", headers=operator(two), json=new).status_code == 201
    assert client.post(f"{API}/own/cities", headers=operator(two), json=new).status_code == 409
    assert [states(client, steward)["nashik"] for steward in stewards] == ["added", "asked"]
    number = next(
        one["id"] for one in client.get(REQUESTS, headers=stewards[1]).json()["requests"] if one["slug"] == "nashik"
    )
    refused_ = client.patch(f"{REQUESTS}/{number}", headers=operator(two), json={"state": "added"})
    assert (refused_.status_code, "called Nashik" in refused_.text) == (409, True)


_ASK = "INSERT INTO city_request (organisation_id, account_id, slug, name) VALUES ({of}, {by}, '{slug}', 'X')"


@pytest.mark.parametrize("person", ["", "viewer@north.org", "contributor@north.org", "steward@north.org"])
def test_sql_as_the_service_adds_no_city_and_answers_no_request(
    service: Connection, two: TwoOrganisations, owner: Connection, person: str
) -> None:
    is_steward = person.startswith("steward")
    ((other, account),) = rows(owner, "SELECT organisation_id, id FROM account WHERE email = 'steward@south.org'")
    owner.execute(text(_ASK.format(of=other, by=account, slug=f"south-{len(person)}")))
    owner.commit()
    if person:
        enter(service, two.sessions[person])
    assert refused(service, "INSERT INTO city (slug, name) VALUES ('forged', 'Forged')")
    assert refused(service, "UPDATE city SET name = 'Forged'")
    assert refused(service, "DELETE FROM city")
    assert refused(service, "DELETE FROM city_request")
    assert refused(service, "UPDATE city_request SET slug = 'forged'")
    for of, by in ((other, account), (other, "gate.account_id()"), ("gate.organisation_id()", account)):
        assert refused(service, _ASK.format(of=of, by=by, slug="forged"))
    own = _ASK.format(of="coalesce(gate.organisation_id(), 1)", by="coalesce(gate.account_id(), 1)", slug="mine")
    assert refused(service, own) is not is_steward
    assert rows(service, "SELECT count(*) FROM city_request WHERE slug LIKE 'south-%'") == [(0,)]
    assert rows(service, "SELECT count(*) > 0 FROM city") == [(True,)]
    decided = service.execute(text("UPDATE city_request SET state = 'added'"))
    assert decided.rowcount == 0
    assert refused(service, own.replace("slug, name)", "slug, name, state)").replace("'X')", "'X', 'added')"))


def test_the_command_line_holds_to_the_same_rules(fresh_url: str, tmp_path: Path) -> None:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "thane", "--name", "Thane")
    shell.run("city", "add", "thane", "--name", "Thane")
    shell.run("city", "add", "t" * 101, "--name", "Long", code=1)
    shell.run("city", "add", "long", "--name", "L" * 201, code=1)


def test_adding_at_the_command_line_answers_requests(owner: Connection) -> None:
    ((of, by),) = rows(owner, "SELECT organisation_id, id FROM account WHERE email = 'steward@south.org'")
    owner.execute(text(_ASK.format(of=of, by=by, slug="by-hand")))
    assert add_city(owner, "by-hand", "X")
    (found,) = (one for one in find_requests(owner) if one["slug"] == "by-hand")
    assert found["state"] == "added"


HTML = {"accept": "text/html"}


def browser(two: TwoOrganisations, person: str) -> tuple[dict[str, str], dict[str, str]]:
    token = two.sessions[person]
    return HTML | {"cookie": f"{COOKIE}={token}"}, {"csrf": csrf_of(token)}


def test_pages_say_how_to_get_a_missing_city(client: TestClient, two: TwoOrganisations) -> None:
    client.cookies.clear()
    for person, says in (
        ("contributor@north.org", "a steward of your organisation asks for it"),
        ("steward@north.org", "ask for it"),
        ("operator@vasti.org", "add it"),
    ):
        page = client.get("/surveys", headers=browser(two, person)[0]).text
        round_form = page.partition('action="/surveys"')[2]
        assert "Your city is not here?" in round_form, person
        assert says in round_form
        assert 'href="/cities"' in round_form


def test_a_city_is_asked_for_and_added_on_pages(client: TestClient, two: TwoOrganisations) -> None:
    client.cookies.clear()
    client.follow_redirects = False
    steward, csrf = browser(two, "steward@north.org")
    form = csrf | {"name": "Satara", "slug": "", "note": "<b>soon</b>"}
    asked = client.post("/city-requests", headers=steward, data=form)
    assert (asked.status_code, asked.headers["location"]) == (303, "/cities")
    page = client.get("/cities", headers=steward).text
    assert "Satara" in page
    assert "waits for the operator" in page
    assert "<b>soon</b>" not in page
    assert 'action="/city-requests"' in page
    assert 'action="/cities"' not in page
    wrong = client.post("/city-requests", headers=steward, data=form | {"name": "गाव"})
    assert (wrong.status_code, "Give the city a short name too" in wrong.text) == (400, True)
    assert 'value="गाव"' in wrong.text
    twice = client.post("/city-requests", headers=steward, data=form)
    assert (twice.status_code, "has asked for the city satara already" in twice.text) == (409, True)
    assert client.post("/cities", headers=steward, data=form).status_code == 403

    operator_, csrf = browser(two, "operator@vasti.org")
    assert "asked for: <a" in client.get("/surveys", headers=operator_).text
    assert "asked for: <a" not in client.get("/surveys", headers=steward).text
    page = client.get("/cities", headers=operator_).text
    assert "north" in page
    number = page.partition("bdi>Satara")[2].partition('action="/city-requests/')[2].partition('"')[0]
    bad = client.post(f"/city-requests/{number}", headers=operator_, data=csrf | {"state": "asked"})
    assert bad.status_code == 400
    done = client.post(f"/city-requests/{number}", headers=operator_, data=csrf | {"state": "added", "reason": ""})
    assert (done.status_code, done.headers["location"]) == (303, "/cities")
    late = client.post(f"/city-requests/{number}", headers=operator_, data=csrf | {"state": "declined", "reason": "x"})
    assert (late.status_code, "answered already" in late.text) == (409, True)
    assert "answered already" not in client.get("/cities", headers=steward).text
    assert 'href="/cities/satara"' in client.get("/cities", headers=steward).text
    added = client.post("/cities", headers=operator_, data=csrf | {"name": "Kolhapur", "slug": ""})
    assert (added.status_code, added.headers["location"]) == (303, "/cities/kolhapur")
    again = client.post("/cities", headers=operator_, data=csrf | {"name": "Kolhapoor", "slug": "kolhapur"})
    assert (again.status_code, "There is a city kolhapur already, called Kolhapur" in again.text) == (409, True)
    bad = client.post("/cities", headers=operator_, data=csrf | {"name": "K", "slug": "Kol hapur"})
    assert (bad.status_code, "starts with a letter or digit" in bad.text) == (400, True)
    seen = client.get("/cities", headers=browser(two, "viewer@north.org")[0]).text
    assert "Kolhapur" in seen
    assert "Satara" in seen
    assert "<form" not in seen.partition("<main")[2]
    assert "soon" not in seen


def test_a_command_on_a_page_is_what_can_be_done_there() -> None:
    assert Message("city_unknown_none_yet", city="pimpri").say("page") == (
        "There is no city 'pimpri'; an operator adds it on the page “Cities”, and a steward asks for it there."
    )


def test_a_page_of_a_missing_city_names_no_command(client: TestClient, two: TwoOrganisations) -> None:
    page = client.get("/cities/nowhere", headers=browser(two, "steward@north.org")[0])
    assert page.status_code == 404
    assert "vasti" not in page.text.partition('role="alert"')[2].partition("</p>")[0]


def test_an_organisation_has_at_most_so_many_open_requests(client: TestClient, two: TwoOrganisations) -> None:
    south = bearer(two, "steward", "south")
    opened = sum(state == "asked" for state in states(client, south).values())
    for i in range(MOST_OPEN - opened):
        assert ask(client, south, slug=f"many-{i}").status_code == 201
    over = ask(client, south, slug="over")
    assert (over.status_code, f"has {MOST_OPEN} requests for cities that wait" in over.text) == (409, True)
    with two.service.connect() as connection:
        enter(connection, two.token("steward", "south"))
        with pytest.raises(Exception, match="too many"):
            connection.execute(text(_ASK.format(of="gate.organisation_id()", by="gate.account_id()", slug="sql")))
