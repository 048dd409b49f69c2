"""`open.changes`: what SQL tools read of changes is what the API says of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from geo import database
from geo.base import PageRequest
from geo.indicators.definitions import Counted
from geo.indicators.figures import LEVELS, ValuesQuery
from geo.publications import READER_ROLE, find_published_changes, make_reader
from geo.surveys import SurveySpec
from tests.support.published_city import CITY, OWN_TOILETS, ROUNDS, SmallCity, load_round, write_households

COUNTED: tuple[Counted, ...] = ("households", "persons")

SAMPLES = ("drawn-2030", "drawn-2031", "drawn-2032")
"""The second asked the households of the first again, the third others."""

SAME = {
    "from_value": "value_from",
    "to_value": "value_to",
    "change": "change",
    "low": "low",
    "high": "high",
    "n_before": "n_from",
    "n": "n_to",
    "n_pairs": "n_pairs",
    "method": "method",
    "status": "status",
    "reason": "reason",
}
"""The columns of the API, and what the view calls them."""


def drawn(city: SmallCity, folder: Path, survey: str, own: dict[str, int], prefix: str) -> tuple[Path, SurveySpec]:
    """A sample: the small city's households, three times over, whose codes begin with the prefix."""
    written = write_households(folder, survey, own).read_text(encoding="utf-8").splitlines()
    rows = [line.replace("SECRET-HH", f"{prefix}-{copy}") for copy in range(3) for line in written[1:]]
    path = folder / f"secret-file-{survey}.csv"
    path.write_text("\n".join([written[0], *rows]), encoding="utf-8")
    year = int(survey.removeprefix("drawn-"))
    first, last = date(year, 1, 1), date(year, 3, 31)
    return path, replace(ROUNDS["2024"], slug=survey, name=survey, mode="sample", starts_on=first, ends_on=last)


@pytest.fixture
def owner(changing_city: SmallCity, tmp_path: Path) -> Iterator[Engine]:
    """The small city with three samples beside its two censuses."""
    engine = database.create_engine(changing_city.url)
    own = (OWN_TOILETS["2019"], OWN_TOILETS["2024"], OWN_TOILETS["2024"])
    for survey, toilets, prefix in zip(SAMPLES, own, ("HH", "HH", "OTHER"), strict=True):
        path, spec = drawn(changing_city, tmp_path, survey, dict(toilets), prefix)
        with database.transaction(engine) as connection:
            load_round(connection, changing_city, path, spec, publish=True)
    yield engine
    engine.dispose()


@pytest.fixture
def reader(changing_city: SmallCity, owner: Engine) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A connection as a dashboard has it."""
    with database.transaction(owner) as connection:
        make_reader(connection, SecretStr("read-only"))
    url = make_url(changing_city.url).set(username=READER_ROLE, password="read-only")
    with psycopg.connect(database.conninfo(url), autocommit=True, row_factory=dict_row) as connected:
        yield connected


UNLIKE = (
    "UPDATE published_place SET drawn = '0' FROM {of} = 'drawn-2031' AND publication_id = of_round.id AND code = 'S04'",
    "UPDATE published_block SET definition_version = 99 FROM {of} = 'drawn-2032' AND publication_id = of_round.id "
    "AND indicator_id = 'drainage_any'",
    "DELETE FROM published_figure USING {of} = 'drawn-2030' AND publication_id = of_round.id AND place = "
    "(SELECT place FROM published_place WHERE publication_id = of_round.id AND code = 'S05')",
    "DELETE FROM published_block USING {of} = '2019' AND publication_id = of_round.id "
    "AND indicator_id = 'waste_collected'",
)
"""What keeps rounds from being compared: another outline or definition, a place or an indicator that was not there."""

OF = (
    "(SELECT publication.id, slug FROM publication JOIN survey ON survey.id = survey_id) AS of_round "
    "WHERE of_round.slug"
)


def told(row: dict[str, Any], names: Sequence[str]) -> list[Any]:
    return [None if pd.isna(row[name]) else row[name] for name in names]


def of_api(connection: Connection, counted: Counted | None) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """All changes of the city that the API tells, by what names each in the view."""
    for earlier, later in combinations(["2019", "2024", *SAMPLES], 2):
        for level in LEVELS:
            query = ValuesQuery(cities=[CITY], level=level, counted=counted, page=PageRequest(limit=None))
            changes = find_published_changes(connection, query, earlier=earlier, later=later).figures
            for row in changes.to_dict("records"):
                code = "" if level == "city" else row[f"{level}_code"]
                yield (earlier, later, level, code, row["indicator"], row["counted"]), row


def test_the_view_says_what_the_api_says(owner: Engine, reader: psycopg.Connection[dict[str, Any]]) -> None:
    with owner.begin() as connection:
        for statement in UNLIKE:
            assert connection.execute(text(statement.format(of=OF))).rowcount
    found = {
        tuple(row[name] for name in ("from_survey", "to_survey", "level", "code", "indicator", "counted")): row
        for row in reader.execute("SELECT * FROM open.changes").fetchall()
    }
    with owner.connect() as connection:
        expected = {key: row for counted in COUNTED for key, row in of_api(connection, counted)}
        headlines = {key for key, _ in of_api(connection, None)}
    assert set(found) == set(expected)
    assert {key for key, row in found.items() if row["is_headline"]} == headlines
    for key, row in expected.items():
        assert told(found[key], list(SAME.values())) == told(row, list(SAME)), key
        # That of independent samples is not in the view.
        p_value = [None] if found[key]["method"] == "independent" else told(row, ["p_value"])
        assert told(found[key], ["p_value"]) == p_value, key
    methods = {(row["method"], row["low"] is None, row["p_value"] is None) for row in found.values()}
    assert methods >= {("enumeration", True, True), ("paired", False, False), ("independent", False, True)}
    reasons = {row["reason"] for row in found.values()}
    assert reasons >= {"protected", "mode_changed", "boundary_changed", "definition_changed"}


def test_every_number_says_its_unit(small_city: SmallCity) -> None:
    numbers = ["value_from", "value_to", "change", "low", "high", "p_value", "n_from", "n_to", "n_pairs"]
    engine = database.create_engine(small_city.url)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
                "WHERE attrelid = 'open.changes'::regclass"
            )
        )
        comments = {row[0]: row[1] for row in rows}
    engine.dispose()
    assert [name for name in numbers if not comments[name]] == []
