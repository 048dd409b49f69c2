"""Cities, settlements, surveys and indicators over HTTP; pages, links and what OpenAPI says of them."""

import re
from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from pydantic import BaseModel

from geo.base import geodesic_area_m2
from service.api.figures import changes, gaps, trends, values
from service.http import bodies
from tests.support.published_city import HOUSEHOLDS, NAMES, WARDS, shapes

CHANGES = "/api/v1/changes?city=khandesh&from=2019&to=2024"
GAPS = "/api/v1/gaps?city=khandesh&indicator=household_toilet&target=80"
TRENDS = "/api/v1/trends?city=khandesh"

LISTS: dict[str, tuple[str, type[BaseModel]]] = {
    "/api/v1/cities": ("cities", bodies.Cities),
    "/api/v1/settlements": ("settlements", bodies.Settlements),
    "/api/v1/surveys": ("surveys", bodies.Surveys),
    "/api/v1/indicators": ("indicators", bodies.Indicators),
    "/api/v1/values": ("values", values.KIND.body),
    "/api/v1/values?level=ward": ("values", values.KIND.body),
    "/api/v1/values?level=city&counted=persons": ("values", values.KIND.body),
    CHANGES: ("changes", changes.KIND.body),
    GAPS: ("gaps", gaps.KIND.body),
    f"{GAPS}&level=ward&survey=2019": ("gaps", gaps.KIND.body),
    TRENDS: ("trends", trends.KIND.body),
    f"{TRENDS}&level=city&counted=persons": ("trends", trends.KIND.body),
}


def _links(header: str) -> dict[str, str]:
    return {rel: href for href, rel in re.findall(r'<([^>]*)>; rel="([^"]*)"', header)}


@pytest.mark.parametrize("address", LISTS)
def test_lists_have_the_shape_openapi_describes(client: TestClient, address: str) -> None:
    name, model = LISTS[address]
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    model.model_validate_json(answer.content)
    body = answer.json()
    assert body["returned"] == len(body[name])
    assert body["total"] >= body["returned"] > 0
    assert body["data_version"] > 0
    # A template is no address (RFC 8288).
    in_body = [(link["rel"], link["href"]) for link in body["links"] if "{" not in link["href"]]
    in_header = re.findall(r'<([^>]*)>; rel="([^"]*)"', answer.headers["link"])
    assert in_body == [(rel, href) for href, rel in in_header]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/api/v1/settlements", "settlements"),
        ("/api/v1/surveys", "surveys"),
        ("/api/v1/values?survey=2024&survey=2019&indicator=household_toilet", "values"),
        ("/api/v1/values?level=ward&indicator=household_toilet&indicator=drainage_any", "values"),
        ("/api/v1/values?level=city", "values"),
        (f"{CHANGES}&indicator=household_toilet", "changes"),
        (GAPS, "gaps"),
        (f"{TRENDS}&indicator=household_toilet&indicator=drainage_any", "trends"),
    ],
)
@pytest.mark.parametrize("limit", [1, 5])
def test_pages_to_the_end_equal_the_whole(client: TestClient, address: str, name: str, limit: int) -> None:
    whole = client.get(address).json()
    assert whole["total"] == whole["returned"]
    rows: list[dict[str, Any]] = []
    following: str | None = f"{address}{'&' if '?' in address else '?'}limit={limit}"
    while following:
        answer = client.get(following)
        body = answer.json()
        assert body["total"] == whole["total"]
        assert 0 < body["returned"] <= limit
        rows += body[name]
        following = next((link["href"] for link in body["links"] if link["rel"] == "next"), None)
        assert following == _links(answer.headers["link"]).get("next")
    assert rows == whole[name]


def test_limit_above_the_most_is_the_most(client: TestClient) -> None:
    assert client.get("/api/v1/values?limit=99999999999999999999").json()["returned"] > 0


def test_cities(client: TestClient) -> None:
    (city,) = client.get("/api/v1/cities").json()["cities"]
    links = city.pop("links")
    assert city == {"slug": "khandesh", "name": "Khandesh", "settlements": 6, "surveys": 2}
    assert [client.get(link["href"]).status_code for link in links] == [200, 200, 200]


def test_settlements_are_filtered_by_ward_and_code(client: TestClient) -> None:
    def codes(query: str) -> list[str]:
        return [s["code"] for s in client.get(f"/api/v1/settlements?{query}").json()["settlements"]]

    assert codes("") == list(HOUSEHOLDS)
    assert codes("ward=A") == ["S01", "S02", "S03"]
    assert codes("ward=A&ward=B&code=S06&code=S01") == ["S01", "S06"]
    assert codes("city=khandesh&ward=A&code=S06") == []


def test_settlements_tell_ward_and_geodesic_area(client: TestClient) -> None:
    found = {s["code"]: s for s in client.get("/api/v1/settlements").json()["settlements"]}
    drawn = shapes()
    for code, settlement in found.items():
        assert (settlement["name"], settlement["ward_code"]) == (NAMES[code], WARDS[code])
        assert settlement["area_km2"] == pytest.approx(geodesic_area_m2(np.array([drawn[code]]))[0] / 1e6, abs=1e-6)
        assert (settlement["valid_from_on"], settlement["valid_to_on"]) == (None, None)


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/settlements?format=geojson",
        "/api/v1/values?indicator=household_toilet&format=geojson",
        f"{GAPS}&format=geojson",
    ],
)
def test_geojson_is_rfc_7946(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/geo+json"
    bodies.FeatureCollection.model_validate_json(answer.content)
    body = answer.json()
    assert "crs" not in body
    assert body["numberMatched"] == body["numberReturned"] == len(body["features"]) >= len(HOUSEHOLDS)
    assert len({feature["id"] for feature in body["features"]}) == len(body["features"])
    drawn = shapes()
    for feature in body["features"]:
        assert "geometry" not in feature["properties"]
        shape = shapely.MultiPolygon(_parts(feature))
        code = feature["properties"].get("code") or feature["properties"]["settlement_code"]
        assert shape.symmetric_difference(drawn[code]).area < 1e-12
        for part in _parts(feature):
            assert shapely.is_ccw(part.exterior)
            assert not any(shapely.is_ccw(hole) for hole in part.interiors)
    assert sum(len(part.interiors) for f in body["features"] for part in _parts(f)) > 0
    assert any(len(_parts(f)) == 2 for f in body["features"])


def _parts(feature: dict[str, Any]) -> list[shapely.Polygon]:
    shape = shapely.geometry.shape(feature["geometry"])
    assert isinstance(shape, shapely.MultiPolygon)
    return list(shape.geoms)


def test_surveys_tell_what_their_figures_rest_on(client: TestClient) -> None:
    surveys = client.get("/api/v1/surveys?city=khandesh").json()["surveys"]
    assert [survey["slug"] for survey in surveys] == ["2019", "2024"]
    latest = surveys[1]
    (upload,), n_rows = latest.pop("uploads"), latest.pop("rows_loaded")
    assert latest == {
        "slug": "2024",
        "name": "Round of 2024",
        "city": "khandesh",
        "organisation": "shelter",
        "starts_on": "2024-01-01",
        "ends_on": "2024-03-31",
        "unit": "household",
        "mode": "census",
        "licence": "CC-BY-4.0",
    }
    assert set(upload) == {"id", "uploaded_at"}
    # 97, of which the settlements that are shown would leave the one that is not.
    assert sum(HOUSEHOLDS.values()) == 97
    assert n_rows == 95


def test_indicators_are_the_whole_catalogue(client: TestClient) -> None:
    indicators = {i["id"]: i for i in client.get("/api/v1/indicators").json()["indicators"]}
    assert len(indicators) >= 12
    assert "on_premises" in indicators["household_toilet"]["numerator"]
    assert indicators["household_toilet"]["fields"] == ["toilet_location", "toilet_type", "toilet_users"]
    assert all(bool(i["fields"]) == (i["measure"] != "distance") for i in indicators.values())
    assert all(i["why"] and i["source"] and i["version"] for i in indicators.values())


def test_openapi_describes_every_parameter_and_answer(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {
        *("/healthz", "/readyz", "/maps/coverage"),
        *(f"/api/v1/{name}" for name in ("cities", "settlements", "surveys", "indicators", "values", "changes")),
        *("/api/v1/gaps", "/api/v1/trends"),
    } < set(document["paths"])
    for path, operation in operations.items():
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            assert parameter["description"], (path, parameter)
            assert parameter["schema"].get("examples"), (path, parameter)
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, status)
        assert "422" not in operation["responses"], path
    values = operations["get", "/api/v1/values"]["responses"]
    assert set(values["200"]["content"]) == {*("application/json", "text/csv", "application/geo+json")}
    assert set(values["400"]["content"]) == {"application/problem+json"}
    schemas = document["components"]["schemas"]
    text = str(document)
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(schemas)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_loads_scripts_from_another_host(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
