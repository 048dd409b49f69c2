"""What statements read: no public question walks through the rows of surveys it does not ask for."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import sql
from sqlalchemy import Connection, Engine, event

from geo import database
from geo.database import service_url
from geo.settings import Settings
from service.app import create_app
from tests.support.public_addresses import FILES
from tests.support.published_city import SmallCity

OF_SURVEYS = ("tally", "tallied", "pair_tally", "paired", "survey_frame", "stratum_frame", "upload")
"""Tables with rows of every survey of the installation."""

QUESTIONS = (
    "/api/v1/cities",
    "/api/v1/settlements?city=khandesh",
    "/api/v1/settlements?format=geojson",
    "/api/v1/surveys",
    "/api/v1/surveys?city=khandesh",
    "/api/v1/indicators",
    "/api/v1/values",
    "/api/v1/publications?city=khandesh",
    "/api/v1/values?city=khandesh&survey=2024",
    "/api/v1/values?city=khandesh&survey=2024&indicator=household_toilet&level=city",
    "/api/v1/values?city=khandesh&survey=2024&indicator=drainage_any&by=head_sex",
    "/api/v1/values?city=khandesh&survey=2024&indicator=household_toilet&level=ward&format=geojson",
    "/api/v1/values/khandesh/2024/household_toilet/sources",
    "/api/v1/changes?city=khandesh&from=2019&to=2024",
    "/api/v1/gaps?city=khandesh&indicator=household_toilet&target=80",
    "/api/v1/trends?city=khandesh",
    "/maps/coverage?city=khandesh&survey=2024&indicator=household_toilet",
    *FILES.values(),
)

Statement = tuple[str, Any]


@pytest.fixture(scope="module")
def engine(small_city: SmallCity) -> Iterator[Engine]:
    """The service's engine over the small city, which has three rounds."""
    engine = database.create_engine(service_url(small_city.url, None))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def owner(small_city: SmallCity) -> Iterator[Connection]:
    """The owner's connection, for whom no policy adds a condition of its own to what is asked."""
    engine = database.create_engine(small_city.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def statements(engine: Engine, question: str) -> list[Statement]:
    """What the database is asked for an answer, with its parameters."""
    found: list[Statement] = []

    def note(_: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        found.append((statement, parameters))

    ask = psycopg.Connection.execute

    def asked(self: Any, statement: Any, parameters: Any = None, **options: Any) -> Any:
        text = statement.as_bytes() if isinstance(statement, sql.Composable) else statement
        text = text.decode() if isinstance(text, bytes) else text
        found.append((text, tuple(parameters) if isinstance(parameters, list) else parameters))
        return ask(self, statement, parameters, **options)

    event.listen(engine, "before_cursor_execute", note)
    try:
        # What is asked for most goes past SQLAlchemy.
        with (
            TestClient(create_app(engine, Settings())) as client,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(psycopg.Connection, "execute", asked)
            answer = client.get(question)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    # The small city's file is not made: that is found out in the same way.
    assert answer.status_code == (404 if question in FILES.values() else 200), answer.text
    return found


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


def is_of_surveys(node: dict[str, Any]) -> bool:
    """Whether a node reads the rows of some surveys only."""
    conditions = [str(node.get(name, "")) for name in ("Index Cond", "Recheck Cond", "Filter")]
    return any("survey_id" in condition for condition in conditions)


@pytest.mark.parametrize("question", QUESTIONS)
def test_f2_no_public_question_scans_the_rows_of_other_surveys(
    engine: Engine, owner: Connection, question: str
) -> None:
    asked = [
        (said, given) for said, given in statements(engine, question) if said.lstrip().startswith(("SELECT", "WITH"))
    ]
    assert asked
    for statement, parameters in asked:
        plan: Any = owner.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        whole = [node["Relation Name"] for node in scans(plan[0]["Plan"]) if not is_of_surveys(node)]
        assert not set(whole) & set(OF_SURVEYS), statement


def test_every_public_address_is_among_the_questions() -> None:
    document = create_app(database.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"), Settings()).openapi()
    public = {
        path
        for path, operations in document["paths"].items()
        if {"figures", "maps"} & set(operations.get("get", {}).get("tags", ()))
    }
    asked = {question.partition("?")[0] for question in QUESTIONS}
    filled = {path.format(city="khandesh", survey="2024", number=1, indicator="household_toilet") for path in public}
    assert filled <= asked
