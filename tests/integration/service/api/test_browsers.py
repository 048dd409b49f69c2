"""The API in a browser of another site and on a slow line: who may read, what is compressed, under which tag."""

import gzip
import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from geo.errors import DatabaseUnavailable
from geo.settings import Settings
from service.app import create_app
from service.http import coding
from tests.support.public_addresses import DOCUMENT, FILES, FORMS, HEALTH, LISTS, OTHERS, REFUSED
from tests.support.two_organisations import TwoOrganisations
from tests.support.watching import paths_asked, wait_until_watching

ELSEWHERE = {"origin": "https://portal.example.org"}
PLAIN = {"accept-encoding": "identity"}
_MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "geojson": "application/geo+json",
    "html": "text/html; charset=utf-8",
}


def raw(client: TestClient, address: str, accepted: str, method: str = "GET") -> tuple[Mapping[str, str], bytes]:
    """An answer's headers, and its body as it came over the line."""
    with client.stream(method, address, headers={"accept-encoding": accepted}) as answer:
        return answer.headers, b"".join(answer.iter_raw())


def unpacked(headers: Mapping[str, str], body: bytes, size: int) -> bytes:
    """A body without its coding."""
    match headers.get("content-encoding"):
        case "gzip":
            return gzip.decompress(body)
        case "br":
            return bytes(pa.Codec("brotli").decompress(body, size, asbytes=True))
        case None:
            return body
        case other:
            raise AssertionError(other)


def is_for_all(operation: Any) -> bool:
    """Whether the document says that nobody need sign in."""
    return operation["security"] == [] or {} in operation["security"]


def exposed(answer: Any) -> set[str]:
    """The headers a script of another site may read."""
    return {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}


def test_every_public_route_is_walked(client: TestClient) -> None:
    paths = client.get(DOCUMENT).json()["paths"]
    open_to_all = {path for path, how in paths.items() if "get" in how and is_for_all(how["get"])}
    assert open_to_all == {*LISTS, *OTHERS, *FILES, *HEALTH}
    for path in LISTS:
        forms = {f for address, f in FORMS.items() if address.partition("?")[0] == path}
        (parameter,) = (p for p in paths[path]["get"]["parameters"] if p["name"] == "format")
        assert forms == set(parameter["schema"]["enum"]), path


@pytest.mark.parametrize("address", [*FORMS, *HEALTH])
def test_a_page_of_another_site_may_read_what_is_public(client: TestClient, address: str) -> None:
    for headers in (ELSEWHERE, {}):
        for answer in (client.get(address, headers=headers), client.head(address, headers=headers)):
            assert answer.status_code == 200, answer.text
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
            assert {"link", "etag"} <= exposed(answer)


@pytest.mark.parametrize("address", FORMS)
def test_nothing_changed_may_be_read_elsewhere_too(client: TestClient, address: str) -> None:
    first = client.get(address)
    for accepted in ("identity", "gzip", "br"):
        asked = ELSEWHERE | {"accept-encoding": accepted}
        known = client.head(address, headers=asked).headers
        again = client.get(address, headers=asked | {"if-none-match": known["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("access-control-allow-origin", "cache-control", "etag", "vary"):
            assert again.headers[name] == known[name]
        assert again.headers.get("link") == first.headers.get("link")
        assert "content-encoding" not in again.headers


@pytest.mark.parametrize("address", REFUSED)
def test_a_page_of_another_site_reads_why_it_was_refused(client: TestClient, address: str) -> None:
    answer = client.get(address, headers=ELSEWHERE)
    assert answer.status_code >= 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "retry-after" in exposed(answer)
    assert client.post(address, headers=ELSEWHERE).headers["access-control-allow-origin"] == "*"


def _broken(*_: object, **__: object) -> None:
    raise RuntimeError("a fault of our own")


def _away(*_: object, **__: object) -> None:
    raise DatabaseUnavailable


@pytest.mark.parametrize(("fault", "status"), [(_broken, 500), (_away, 503)])
@pytest.mark.parametrize("path", ["/api/v1/cities?limit=77", "/readyz"])
def test_a_fault_may_be_read_elsewhere_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, fault: Callable[..., None], status: int
) -> None:
    for place in ("service.http.transactions.snapshot", "service.api.health.snapshot"):
        monkeypatch.setattr(place, fault)
    answer = client.get(path, headers=ELSEWHERE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")


@pytest.mark.parametrize("address", [*FORMS, *HEALTH, *REFUSED])
def test_what_a_browser_asks_beforehand_is_answered(client: TestClient, address: str) -> None:
    asked = ELSEWHERE | {
        "access-control-request-method": "GET",
        "access-control-request-headers": "if-none-match,x-of-a-dashboard",
    }
    answer = client.options(address, headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "if-none-match" in allowed
    assert "*" in allowed
    # A wildcard means every header but this one: nobody signs in from another site.
    assert "authorization" not in allowed
    assert "access-control-allow-credentials" not in answer.headers
    assert int(answer.headers["access-control-max-age"]) > 0


def test_what_is_for_somebody_is_for_no_other_site(two: TwoOrganisations) -> None:
    with TestClient(create_app(two.service, Settings())) as client:
        signed_in = ELSEWHERE | {"authorization": f"Bearer {two.token('steward')}"}
        paths = client.get(DOCUMENT).json()["paths"]
        private = [p for p, how in paths.items() if "get" in how and not is_for_all(how["get"])]
        full = [f"{path}?access=full&city=pune" for path in ("/api/v1/values", "/api/v1/gaps", "/api/v1/trends")]
        pages = ["/surveys", "/sign-in", "/accounts", "/static/vasti.js"]
        assert len(private) >= 10
        for path in [*private, *full, *pages]:
            address = re.sub(r"\{\w+\}", "1", path)
            for headers in (signed_in, ELSEWHERE):
                answer = client.get(address, headers=headers)
                assert "access-control-allow-origin" not in answer.headers, address
            asked = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
            answer = client.options(address, headers=ELSEWHERE | asked)
            assert "access-control-allow-origin" not in answer.headers, address
        # Somebody who has signed in and asks for what is public gets what everybody gets.
        assert client.get("/api/v1/cities", headers=signed_in).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("accepted", ["gzip", "br", "gzip, deflate, br, zstd", "*"])
@pytest.mark.parametrize("address", [*FORMS, "/static/vasti.js", "/static/vasti.css", "/static/vasti.svg"])
def test_every_public_answer_is_compressed_for_who_can_read_it(client: TestClient, address: str, accepted: str) -> None:
    plain, body = raw(client, address, "identity")
    assert "content-encoding" not in plain
    headers, packed = raw(client, address, accepted)
    assert int(headers["content-length"]) == len(packed)
    assert unpacked(headers, packed, len(body)) == body
    for one in (plain, headers):
        assert one["vary"] == "Accept-Encoding"
    assert headers["content-type"] == plain["content-type"]
    if len(body) < coding.MIN_BYTES:
        assert "content-encoding" not in headers
        return
    assert headers["content-encoding"] == ("gzip" if accepted == "gzip" else "br")
    assert len(packed) < len(body)
    assert headers["etag"] != plain["etag"]
    told, nothing = raw(client, address, accepted, "HEAD")
    assert nothing == b""
    same = ("content-encoding", "content-length", "content-type", "etag", "vary", "cache-control")
    assert {name: told.get(name) for name in same} == {name: headers.get(name) for name in same}


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        *((said, None) for said in ("", "identity", "deflate", "zstd", "gzip;q=0", "gzip;q=x", "gzip;q=nan")),
        ("gzip;q=0.2, identity;q=0.9", None),
        *((said, "gzip") for said in ("gzip", "GZIP", "gzip;q=0.5", "deflate, gzip;q=1.0", "br;q=0, *")),
        *((said, "br") for said in ("br", "gzip, br", "gzip;q=0.5, br;q=0.5", "*", "identity, br")),
        ("gzip;q=0.9, br;q=0.1", "gzip"),
    ],
)
def test_the_coding_is_one_the_reader_wants(accepted: str, wanted: str | None) -> None:
    assert coding.chosen(accepted) == wanted


def test_a_tag_of_one_coding_is_not_that_of_another(client: TestClient) -> None:
    address = "/api/v1/indicators"
    tags = {accepted: raw(client, address, accepted)[0]["etag"] for accepted in ("identity", "gzip", "br")}
    assert len(set(tags.values())) == 3
    for accepted in tags:
        for other, tag in tags.items():
            answer = client.get(address, headers={"accept-encoding": accepted, "if-none-match": f"W/{tag}"})
            assert answer.status_code == (304 if other == accepted else 200), (accepted, other)


def test_an_answer_is_compressed_once_and_kept_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until_watching(client)
    made: list[str] = []
    compress = coding.compressed

    def counted(body: bytes, name: coding.Coding) -> bytes:
        made.append(name)
        return compress(body, name)

    monkeypatch.setattr(coding, "compressed", counted)
    asked = paths_asked(monkeypatch)
    address = "/api/v1/values?survey=2024&indicator=drainage_any&counted=persons"
    bodies = [raw(client, address, accepted)[1] for accepted in ("br", "gzip", "br", "gzip", "identity", "br")]
    assert (made, len(asked)) == (["br", "gzip"], 1)
    assert bodies[0] == bodies[2] == bodies[5]
    assert bodies[1] == bodies[3]


@pytest.mark.parametrize(("address", "form"), FORMS.items())
def test_every_public_answer_says_its_type_its_charset_and_a_file_name(
    client: TestClient, address: str, form: str
) -> None:
    answer = client.get(address)
    assert answer.headers["content-type"] == _MEDIA[form]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    if form in ("csv", "geojson", "html"):
        name = answer.headers["content-disposition"]
        kind = "attachment" if form == "csv" else "inline"
        assert re.fullmatch(rf'{kind}; filename="[a-z0-9_-]+\.{form}"', name), name


@pytest.mark.parametrize("path", LISTS)
def test_allow_names_every_method_an_address_takes(client: TestClient, path: str) -> None:
    answer = client.delete(path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options(path).headers["allow"] == "GET, HEAD, OPTIONS"


def test_allow_names_the_methods_of_all_routes_of_an_address(client: TestClient) -> None:
    assert client.put("/api/v1/session").headers["allow"] == "DELETE, GET, HEAD, POST"
    assert client.post("/healthz").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.put("/surveys").headers["allow"] == "GET, HEAD, POST"
    paths = client.get(DOCUMENT).json()["paths"]
    for path, how in paths.items():
        address = re.sub(r"\{\w+\}", "1", path)
        allowed = client.request("PROPFIND", address).headers["allow"].split(", ")
        assert {method.upper() for method in how} <= set(allowed), path
        assert ("HEAD" in allowed) == ("get" in how), path
