"""What is declared once shows everywhere: a column, a kind of figures, and a format that were made up for it."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from geo import database
from geo.database import service_url
from geo.indicators.figures import VALUE_COLUMNS, Column, FigurePage, ValuesQuery
from geo.publications import find_published_values
from geo.settings import Settings
from service.api.figures import kinds, values
from service.api.figures.route import FigureKind, add_route
from service.app import create_app
from service.formats.table import FORMATS
from tests.support import made_up_figures, made_up_format
from tests.support.published_city import SmallCity

VALUES = "/api/v1/values?city=khandesh&survey=2024&indicator=household_toilet"
GAINS = "/api/v1/gains?city=khandesh&from=2019"

Asking = Callable[[FigureKind], TestClient]


@pytest.fixture
def asking(small_city: SmallCity, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    """Asks a service that has one kind of figures, and no other."""
    engine = database.create_engine(service_url(small_city.url, None))

    def client(kind: FigureKind) -> TestClient:
        router = APIRouter()
        add_route(router, kind)
        monkeypatch.setattr(kinds, "router", router)
        return TestClient(create_app(engine, Settings(questions_per_minute=1_000_000)))

    yield client
    engine.dispose()


def _schema(client: TestClient, name: str) -> dict[str, Any]:
    schema: dict[str, Any] = client.get("/api/v1/openapi.json").json()["components"]["schemas"][name]
    return schema


def _lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_column_that_is_declared_shows_in_every_form(asking: Asking) -> None:
    rooms = Column("rooms", int | None, "Rooms there are.", "#rooms+num", 3, "counted")

    def find(connection: Connection, query: ValuesQuery) -> FigurePage:
        page = find_published_values(connection, query)
        return replace(page, figures=page.figures.assign(rooms=7.0))

    made_of_frames = replace(values.KIND, list_published=None)
    client = asking(replace(made_of_frames, columns=(*VALUE_COLUMNS, rooms), find_published=find))
    assert {row["rooms"] for row in client.get(VALUES).json()["values"]} == {7}
    header, hashtags, *lines = _lines(client.get(f"{VALUES}&format=csv&hxl=true").text)
    assert (header[-1], hashtags[-1], {line[-1] for line in lines}) == ("rooms", "#rooms+hh+num", {"7"})
    features = client.get(f"{VALUES}&format=geojson").json()["features"]
    assert {feature["properties"]["rooms"] for feature in features} == {7}
    schema = _schema(client, "Figure")
    assert schema["required"][-1] == "rooms"
    assert schema["properties"]["rooms"]["description"] == "Rooms there are."
    answers = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/values"]["get"]["responses"]["200"]
    header, example = _lines(answers["content"]["text/csv"]["example"])
    assert (header[-1], example[-1]) == ("rooms", "3")


def test_a_kind_of_figures_is_one_declaration(asking: Asking) -> None:
    client = asking(made_up_figures.KIND)
    body = client.get(GAINS).json()
    made_up_figures.KIND.body.model_validate(body)
    first, second = body["gains"]
    assert (body["total"], body["returned"], first["reached"], first["marks"]) == (2, 2, 40, ["late", "small"])
    assert (second["gain"], second["reached"], second["working"]) == (None, None, "since 2019")
    assert second["why_text"] == "so that no household can be identified"
    answer = client.get(f"{GAINS}&format=csv&hxl=true")
    assert answer.headers["content-disposition"] == 'attachment; filename="gains-khandesh-2019.csv"'
    assert _lines(answer.text) == [
        ["city", "unit", "counted", "gain", "reached", "marks", "why", "why_text"],
        [
            *("#loc+city", "#meta+unit", "#meta+counted", "#indicator+num+pct+gain", "#reached+ind+total"),
            *("#meta+marks", "#status+code", "#status"),
        ],
        ["khandesh", "%", "persons", "12.5", "40", "late small", "", ""],
        [*("khandesh", "%", "persons", "", "", ""), "protected", "so that no household can be identified"],
    ]
    shown = client.get(f"{GAINS}&format=geojson").json()["features"][0]
    assert (shown["id"], shown["geometry"]["type"]) == ("khandesh/since 2019", "MultiPolygon")
    assert list(shown["properties"]) == [column.name for column in made_up_figures.COLUMNS]
    assert client.get("/api/v1/gains?city=khandesh").status_code == 400
    assert client.get(f"{GAINS}&access=full").status_code == 401


def test_a_kind_of_figures_is_described(asking: Asking) -> None:
    client = asking(made_up_figures.KIND)
    schema = _schema(client, "Gain")
    assert schema["required"] == list(schema["properties"]) == [column.name for column in made_up_figures.COLUMNS]
    assert schema["properties"]["marks"] == {
        "description": "What else is to be said.",
        "examples": [["late", "small"]],
        "items": {"type": "string"},
        "title": "Marks",
        "type": "array",
    }
    operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/gains"]["get"]
    assert (operation["summary"], operation["description"]) == ("Gains", "What was gained since a round.")
    names = [parameter["name"] for parameter in operation["parameters"]]
    assert names == ["city", "from", "access", "format", "limit", "cursor", "hxl", "excel"]
    content = operation["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/csv", "application/geo+json"}
    assert _lines(content["text/csv"]["example"])[1] == [
        "khandesh",
        "%",
        "households",
        "12.5",
        "40",
        "late small",
        "",
        "",
    ]


def test_a_format_is_a_module_and_a_line(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "tsv", made_up_format.FORMAT)
    client = asking(values.KIND)
    answer = client.get(f"{VALUES}&settlement=S04&format=tsv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/tab-separated-values"
    assert answer.headers["content-disposition"] == 'attachment; filename="values-khandesh-2024-household_toilet.tsv"'
    header, row = (line.split("\t") for line in answer.text.split("\n"))
    assert header == list(_lines(client.get(f"{VALUES}&format=csv").text)[0])
    assert row[header.index("settlement_code")] == "S04"
    offered = {link["href"]: link["type"] for link in client.get(VALUES).json()["links"] if link["rel"] == "alternate"}
    assert [kind for href, kind in offered.items() if href.endswith("format=tsv")] == ["text/tab-separated-values"]
    refused = client.get(f"{VALUES}&format=xlsx").json()["detail"]
    assert refused == "format: must be 'json', 'csv', 'geojson' or 'tsv'."


EVERY_ROUTE = """
import json
from service.formats.table import FORMATS
from tests.support import made_up_format
FORMATS["tsv"] = made_up_format.FORMAT
from geo.settings import Settings
from sqlalchemy import create_engine
from service.app import create_app
print(json.dumps(create_app(create_engine("postgresql+psycopg://"), Settings()).openapi()))
"""


def test_every_list_has_a_format_that_is_in_the_table() -> None:
    told = subprocess.run([sys.executable, "-c", EVERY_ROUTE], capture_output=True, text=True, check=True).stdout
    found = set()
    for path, operations in json.loads(told)["paths"].items():
        operation = operations.get("get", {})
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "format":
                assert parameter["schema"]["enum"][-1] == "tsv"
                assert parameter["description"].endswith("`tsv`: a table of all rows, parted by tabs.")
                assert (
                    operation["responses"]["200"]["content"]["text/tab-separated-values"]["schema"]["type"] == "string"
                )
                found.add(path.removeprefix("/api/v1/"))
    lists = {"cities", "settlements", "surveys", "publications", "indicators", "values", "changes", "gaps", "trends"}
    assert found == lists | {"uploads/{number}/findings"}
