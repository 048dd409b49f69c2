"""The service under a path of another's host, behind proxies that take the path away and that leave it."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import ValidationError

from geo.settings import OWN_PATHS, Settings
from service.app import create_app
from service.http.access import SUB_PATH_COOKIE
from tests.support.proxies import proxied
from tests.support.public_addresses import DOCUMENT
from tests.support.serving import free_port, serving
from tests.support.two_organisations import PASSWORD, TwoOrganisations

PATH = "/apps/vasti"
HTML = {"accept": "text/html"}


@dataclass
class Reached:
    """The service as a client beyond the proxy reaches it."""

    client: httpx.Client
    strayed: list[str]
    direct: str

    def get(self, path: str, **how: Any) -> httpx.Response:
        """Asks for a path below the service's own."""
        return self.client.get(f"{PATH}{path}", **how)


@pytest.fixture(scope="module", params=[True, False], ids=["the proxy takes the path away", "the proxy leaves it"])
def reached(request: pytest.FixtureRequest, two: TwoOrganisations, tmp_path_factory: Any) -> Iterator[Reached]:
    """The service over two organisations, as `vasti serve` runs it."""
    port = free_port()
    environment = {
        "VASTI_DATABASE_URL": two.owner.url.render_as_string(hide_password=False),
        "VASTI_STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "VASTI_PUBLIC_URL": f"https://city.example.org{PATH}/",
        "VASTI_WORKER": "false",
    }
    with (
        serving(environment, "--port", str(port)) as process,
        proxied(PATH, port, strips=request.param) as (at, strayed),
    ):
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        host = at.removesuffix(PATH)
        with httpx.Client(base_url=host, timeout=60) as client:
            yield Reached(client, strayed, f"http://127.0.0.1:{port}")
    assert strayed == []


def _below(address: str) -> bool:
    return address.startswith(f"{PATH}/") and not address.startswith(f"{PATH}{PATH}")


def test_every_link_leads_back_below_the_path(reached: Reached) -> None:
    queue = [f"{PATH}/api/v1/cities", f"{PATH}/api/v1/values?city=pune&limit=1&indicator=household_toilet"]
    seen: set[str] = set()
    while queue and len(seen) < 30:
        address = queue.pop(0)
        seen.add(address)
        answer = reached.client.get(address)
        assert answer.status_code == 200, address
        links = re.findall(r'<([^>]*)>; rel="', answer.headers["link"])
        if answer.headers["content-type"] == "application/json":
            body = answer.json()
            links += [link["href"] for link in body["links"]]
            links += [link["href"] for city in body.get("cities", []) for link in city["links"]]
        assert links
        assert all(map(_below, links)), links
        queue += [link for link in links if "{" not in link and link not in seen | set(queue)]
    assert any("cursor=" in address for address in seen)
    assert any("format=csv" in address for address in seen)


def test_links_and_tags_are_the_same_whichever_way_a_request_came(reached: Reached) -> None:
    address = "/api/v1/values?city=pune&indicator=household_toilet"
    beyond = reached.get(address)
    direct = httpx.get(f"{reached.direct}{address}")
    assert (beyond.json(), beyond.headers["etag"]) == (direct.json(), direct.headers["etag"])
    again = httpx.get(f"{reached.direct}{PATH}{address}", headers={"if-none-match": beyond.headers["etag"]})
    assert again.status_code == 304


def test_what_is_wrong_and_what_is_not_there_name_the_whole_path(reached: Reached) -> None:
    for path in ("/api/v1/values?nothing=1", "/api/v1/nothing", "/nothing"):
        answer = reached.get(path)
        assert answer.json()["instance"] == PATH + path.partition("?")[0]
    assert reached.client.options(f"{PATH}/api/v1/values").headers["access-control-allow-origin"] == "*"


def test_the_document_says_where_the_service_is(reached: Reached) -> None:
    document = reached.get(DOCUMENT).json()
    assert document["servers"] == [{"url": f"https://city.example.org{PATH}"}]
    assert document["components"]["securitySchemes"]["session"]["name"] == SUB_PATH_COOKIE


def test_a_person_signs_in_and_finds_every_page(reached: Reached) -> None:
    first = reached.get("/", headers=HTML)
    assert (first.status_code, first.headers["location"]) == (303, f"{PATH}/surveys")
    assert reached.get("", headers=HTML).headers["location"] == f"{PATH}/surveys"
    sent_away = reached.get("/surveys/pune/north-draft", headers=HTML)
    to = urlsplit(sent_away.headers["location"])
    assert (to.path, to.query) == (f"{PATH}/sign-in", "next=%2Fsurveys%2Fpune%2Fnorth-draft")
    form = {"email": "steward@north.org", "password": PASSWORD, "then": "/surveys/pune/north-draft"}
    signed_in = reached.client.post(f"{PATH}/sign-in", headers={"sec-fetch-site": "same-origin"}, data=form)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, f"{PATH}/surveys/pune/north-draft")
    cookie = signed_in.headers["set-cookie"]
    assert cookie.startswith(f"{SUB_PATH_COOKIE}=")
    assert f"; Path={PATH};" in cookie
    for attribute in ("Secure", "HttpOnly", "SameSite=lax"):
        assert attribute in cookie
    mine = HTML | {"cookie": cookie.partition(";")[0]}
    for path in ("/surveys", "/surveys/pune/north-draft", "/cities", "/cities/pune", "/accounts", "/keys"):
        page = reached.get(path, headers=mine)
        assert page.status_code == 200, path
        inside = re.findall(r'(?:href|action|src|data-incoming|data-upload)="(/[^"]*)"', page.text)
        assert inside
        assert all(map(_below, inside)), inside
        for asset in re.findall(r'(?:href|src)="(/[^"]*/static/[^"]*)"', page.text):
            kept = reached.client.get(asset)
            assert kept.status_code == 200
            assert "immutable" in kept.headers["cache-control"]
    csrf = re.search(r'name="csrf" value="(\w+)"', reached.get("/keys", headers=mine).text)
    assert csrf is not None
    out = reached.client.post(f"{PATH}/sign-out", data={"csrf": csrf[1]}, headers=mine)
    assert out.headers["location"] == f"{PATH}/sign-in"
    assert f"; Path={PATH};" in out.headers["set-cookie"]
    assert reached.get("/surveys", headers=mine).status_code == 303


def test_a_file_in_parts_and_a_whole_one_are_below_the_path(reached: Reached, two: TwoOrganisations) -> None:
    key = {"authorization": f"Bearer {two.token('contributor')}"}
    fields = {"filename": "households.csv", "city": "pune", "survey": "north-draft"}
    told = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in fields.items())
    content = b"household_code\nH1\n"
    announced = reached.client.post(
        f"{PATH}/api/v1/incoming", headers=key | {"upload-length": str(len(content)), "upload-metadata": told}
    )
    assert announced.status_code == 201, announced.text
    where = announced.headers["location"]
    assert _below(where)
    part = key | {"upload-offset": "0", "content-type": "application/offset+octet-stream"}
    whole = reached.client.patch(where, headers=part, content=content)
    assert _below(whole.headers["content-location"])
    assert reached.client.get(whole.headers["content-location"], headers=key).status_code == 200
    sent = reached.client.post(
        f"{PATH}/api/v1/uploads",
        headers=key,
        data={"city": "pune", "survey": "north-draft"},
        files={"file": ("more.csv", content + b"H2\n")},
    )
    assert sent.status_code == 202, sent.text
    assert _below(sent.headers["location"])
    assert all(_below(link["href"]) for link in sent.json()["links"])


def test_a_link_that_sets_a_password_has_the_whole_address(two: TwoOrganisations) -> None:
    app = create_app(two.service, Settings(public_url="https://city.example.org/apps/vasti"))
    assert app.state.settings.base_url == "https://city.example.org/apps/vasti"


@pytest.mark.parametrize(
    ("url", "base", "path"),
    [
        ("https://vasti.example.org", "https://vasti.example.org", ""),
        ("https://vasti.example.org/", "https://vasti.example.org", ""),
        ("https://example.org/vasti/", "https://example.org/vasti", "/vasti"),
        ("http://10.0.0.7:8080/a/b-c/v1.2", "http://10.0.0.7:8080/a/b-c/v1.2", "/a/b-c/v1.2"),
        (None, "http://127.0.0.1:8000", ""),
        ("", "http://127.0.0.1:8000", ""),
    ],
)
def test_the_address_people_use_and_its_path(url: str | None, base: str, path: str) -> None:
    settings = Settings(public_url=url)
    assert (settings.base_url, settings.base_path) == (base, path)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "vasti.example.org",
            "ftp://example.org",
            "https://",
            "https://example.org/vasti?x=1",
            "https://example.org/#a",
        ),
        *(
            "https://example.org//vasti",
            "https://example.org/va sti",
            "https://example.org/../vasti",
            "https://e.org/a;b",
        ),
        *(f"https://example.org/{own}" for own in OWN_PATHS),
        "https://example.org/maps/vasti",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="vasti"):
        Settings(public_url=url)


def test_own_paths_are_those_of_the_routes(two: TwoOrganisations, tmp_path: Path) -> None:
    app = create_app(two.service, Settings(state_dir=tmp_path))
    assert app.state.addresses.first_parts() - {""} == set(OWN_PATHS)
