"""What rows carry in each form, whole answers, and what is said of limits; CSV as programs, Excel and HXL want it."""

import csv
import io
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from geo.base import paging
from geo.indicators.definitions import catalogue
from geo.settings import Settings
from service.app import create_app
from service.http import parameters
from service.http.openapi import about
from service.http.parameters import limit_note
from tests.support.public_addresses import FORMS, GEOJSON, LISTS
from tests.support.published_city import HOUSEHOLDS
from tests.support.two_organisations import TwoOrganisations

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
NAME = catalogue()["household_toilet"].name

DATED: dict[str, dict[str, str | None]] = {
    "/api/v1/values": {"starts_on": "2024-01-01", "ends_on": "2024-03-31"},
    "/api/v1/gaps": {"starts_on": "2024-01-01", "ends_on": "2024-03-31"},
    "/api/v1/changes": {
        "from_starts_on": "2019-01-01",
        "from_ends_on": "2019-03-31",
        "to_starts_on": "2024-01-01",
        "to_ends_on": "2024-03-31",
    },
    # Two rounds are no trend: nothing is said, so nothing of its days.
    "/api/v1/trends": {"starts_on": None, "ends_on": None},
}


def asked(path: str, form: str, more: str = "") -> str:
    """The address of a list in a form."""
    return f"{path}?{LISTS[path]}{'&' if LISTS[path] else ''}format={form}{more}"


def rows_of(answer: httpx.Response, form: str) -> list[dict[str, Any]]:
    """An answer's rows, in CSV with None for what is empty."""
    if form == "csv":
        return [
            {name: cell or None for name, cell in row.items()}
            for row in csv.DictReader(io.StringIO(answer.text, newline=""))
        ]
    body = answer.json()
    if form == "geojson":
        return [feature["properties"] for feature in body["features"]]
    rows: list[dict[str, Any]] = next(value for value in body.values() if isinstance(value, list))
    return rows


@pytest.mark.parametrize("path", DATED)
def test_rows_carry_days_and_the_indicators_name_in_every_form(client: TestClient, path: str) -> None:
    for form in ("json", "csv", *(["geojson"] if path in GEOJSON else [])):
        rows = rows_of(client.get(asked(path, form)), form)
        assert len(rows) == len(HOUSEHOLDS)
        for row in rows:
            assert {name: row[name] for name in DATED[path]} == DATED[path]
            assert (row["indicator"], row["indicator_name"]) == ("household_toilet", NAME)


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_the_same_in_csv_as_in_json(client: TestClient, path: str) -> None:
    told = rows_of(client.get(asked(path, "json")), "json")
    table = rows_of(client.get(asked(path, "csv")), "csv")
    assert len(table) == len(told) > 0
    for row, cells in zip(told, table, strict=True):
        assert set(cells) <= set(row)
        # Deprivations, own columns, the words of another level and links are no cells of a table.
        assert set(row) - set(cells) <= {"links", "deprivations", "columns", "households", "persons"}
        for name, cell in cells.items():
            if isinstance(row[name], int | float) and not isinstance(row[name], bool):
                assert float(cell) == row[name], name
            elif not isinstance(row[name], list | bool):
                assert (cell or "").removeprefix("'") == ("" if row[name] is None else str(row[name])), name


@pytest.mark.parametrize("path", LISTS)
def test_hashtags_and_a_byte_order_mark_come_only_when_asked_for(client: TestClient, path: str) -> None:
    plain = client.get(asked(path, "csv")).content.decode()
    assert not plain.startswith(BOM)
    assert "#" not in plain.splitlines()[1]
    excel = client.get(asked(path, "csv", "&excel=true")).content.decode()
    assert excel == BOM + plain
    tagged = client.get(asked(path, "csv", "&hxl=true")).content.decode()
    head, tags, *rows = csv.reader(io.StringIO(tagged, newline=""))
    assert [head, *rows] == list(csv.reader(io.StringIO(plain, newline="")))
    assert all(tag.startswith("#") for tag in tags)
    assert len(set(tags)) == len(tags) == len(head)
    both = client.get(asked(path, "csv", "&hxl=true&excel=true")).content.decode()
    assert both == BOM + tagged


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows, and at most three."""
    monkeypatch.setattr(parameters, "DEFAULT_LIMIT", 2)
    monkeypatch.setattr(parameters, "MAX_LIMIT", 3)


@pytest.fixture
def paging_client(two: TwoOrganisations, small_pages: None) -> TestClient:
    """The API with small pages, which keeps nothing."""
    return TestClient(create_app(two.service, Settings()))


@pytest.mark.parametrize(
    "address",
    ["/api/v1/settlements?", "/api/v1/values?city=pune&", "/api/v1/gaps?city=pune&indicator=household_toilet&"],
)
def test_geojson_and_csv_are_whole_without_limit_and_no_limit_is_above_the_most(
    paging_client: TestClient, address: str
) -> None:
    total = paging_client.get(address).json()["total"]
    assert total > 3
    for limit in ("", "&limit=99999999999999999999"):
        answer = paging_client.get(f"{address}format=geojson{limit}")
        body = answer.json()
        assert (len(body["features"]), body["numberReturned"], body["numberMatched"]) == (total, total, total)
        assert 'rel="next"' not in answer.headers["link"]
        assert len(rows_of(paging_client.get(f"{address}format=csv{limit}"), "csv")) == total
    part = paging_client.get(f"{address}format=geojson&limit={total - 1}")
    assert (part.json()["numberReturned"], part.json()["numberMatched"]) == (total - 1, total)
    assert 'rel="next"' in part.headers["link"]


def test_a_limit_above_the_most_is_said(paging_client: TestClient, two: TwoOrganisations) -> None:
    for limit in (4, 99_999_999_999_999_999_999):
        body = paging_client.get(f"/api/v1/values?city=pune&limit={limit}").json()
        assert body["returned"] == 3
        assert body["note"] == (
            "One answer holds at most 3 rows, so limit was taken as 3; where there are more, the next link leads on."
        )
    for address in ("/api/v1/values?city=pune&limit=3", "/api/v1/values?city=pune", "/api/v1/indicators"):
        assert paging_client.get(address).json()["note"] is None
    steward = {"authorization": f"Bearer {two.token('steward')}"}
    number = paging_client.get("/api/v1/uploads", headers=steward).json()["uploads"][0]["id"]
    for address in ("/api/v1/audit", "/api/v1/uploads", f"/api/v1/uploads/{number}/findings"):
        answer = paging_client.get(f"{address}?limit=4", headers=steward)
        assert answer.status_code == 200, answer.text
        assert "at most 3 rows" in answer.json()["note"]
        assert paging_client.get(address, headers=steward).json()["note"] is None


def test_the_most_is_what_is_documented() -> None:
    assert limit_note(paging.MAX_LIMIT) is None
    assert f"{paging.MAX_LIMIT} rows" in str(limit_note(paging.MAX_LIMIT + 1))


@pytest.mark.parametrize("address", [address for address in FORMS if address.startswith("/api/v1/values?")])
def test_a_template_is_marked_as_one(client: TestClient, address: str) -> None:
    answer = client.get(address)
    href = "/api/v1/values/{city}/{survey}/{indicator}/sources"
    # RFC 8288 knows addresses only; templates have a header of their own (RFC 9652).
    assert "{" not in answer.headers["link"]
    assert answer.headers["link-template"] == f'"{href}"; rel="sources"; type="application/json"'
    if answer.headers["content-type"].startswith("text/csv"):
        return
    links = answer.json()["links"]
    (marked,) = (link for link in links if link.get("templated"))
    assert marked == {"rel": "sources", "href": href, "type": "application/json", "templated": True}
    assert all("templated" not in link and "{" not in link["href"] for link in links if link is not marked)


def test_the_document_says_of_the_service_what_the_operator_says(two: TwoOrganisations) -> None:
    silent = TestClient(create_app(two.service, Settings())).get("/api/v1/openapi.json").json()
    assert not {"contact", "license"} & set(silent["info"])
    assert "servers" not in silent
    told = Settings(
        public_url="https://vasti.example.org",
        contact_name="Survey desk",
        contact_email="desk@example.org",
        licence="CC-BY-4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
    )
    document = TestClient(create_app(two.service, told)).get("/api/v1/openapi.json").json()
    assert document["info"]["contact"] == {"name": "Survey desk", "email": "desk@example.org"}
    assert document["info"]["license"] == {
        "name": "CC-BY-4.0",
        "url": "https://creativecommons.org/licenses/by/4.0/",
    }
    assert document["servers"] == [{"url": "https://vasti.example.org"}]
    assert about(Settings(licence_url="https://example.org/terms"))["license_info"] is None


def test_the_document_says_who_has_to_sign_in(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert (schemes["key"]["type"], schemes["key"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "__Host-vasti")
    needs = {
        (method, path): operation["security"]
        for path, how in document["paths"].items()
        for method, operation in how.items()
    }
    assert {name for ways in needs.values() for way in ways for name in way} == set(schemes)
    assert needs["get", "/api/v1/cities"] == needs["post", "/api/v1/session"] == []
    assert needs["get", "/api/v1/values"] == [{}, {"key": []}, {"session": []}]
    assert needs["get", "/metrics"] == [{"key": []}, {"session": []}]
    assert needs["patch", "/api/v1/uploads/{number}"] == [{"key": []}, {"session": [], "csrf": []}]
    for (method, path), ways in needs.items():
        described = document["paths"][path][method]["responses"]
        assert ("401" in described) or ways == [], (method, path)
