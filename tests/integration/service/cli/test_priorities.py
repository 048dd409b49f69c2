"""`vasti gaps` and `vasti trends` as a person types them."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support import factories as f
from tests.support.cli import Shell
from tests.support.planted import HOUSEHOLDS, LACKING, squares, surveyed

GAPS = ("gaps", "--city", "pune", "--indicator", "drainage_any")
TRENDS = ("trends", "--city", "pune", "--indicator", "drainage_any")


@pytest.fixture
def shell(fresh_url: str, fresh_engine: Engine, tmp_path: Path) -> Shell:
    """Eight settlements in three rounds, none of them published; the first all had drains, the last are as LACKING."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, squares(8, {s: "W1" if s < 4 else "W2" for s in range(8)}))
        for year, lacking in (("2016", dict.fromkeys(range(8), 0)), ("2020", LACKING), ("2024", LACKING)):
            days = {"starts_on": date(int(year), 1, 1), "ends_on": date(int(year), 6, 30)}
            f.load(connection, tmp_path, surveyed(HOUSEHOLDS, lacking), survey=f.spec(year, **days))
    return Shell(fresh_url, tmp_path)


def test_gaps_prints_in_every_form(shell: Shell) -> None:
    done = shell.run(*GAPS, "--target", "80", "--format", "json")
    rows = json.loads(done.stdout)
    assert "No hot spots: fewer than 30 settlements have a published figure and a boundary." in done.stderr
    order = [f.code(s) for s in (6, 7, 4, 5, 2, 3, 0, 1)]
    assert [row["settlement_code"] for row in rows] == order
    assert [row["rank_unserved"] for row in rows] == [1, 2, 3, 3, 5, 5, None, None]
    assert [row["to_target"] for row in rows] == [5, 20, 10, 10, 5, 5, None, None]
    assert {row["survey"] for row in rows} == {"2024"}
    assert {json.dumps(row["flags"]) for row in rows} == {"[]"}
    told = list(csv.DictReader(io.StringIO(shell.run(*GAPS, "--full", "--format", "csv").stdout)))
    assert [row["unserved"] for row in told] == ["30", "27", "20", "20", "9", "6", "5", "0"]
    table = shell.run(*GAPS, "--level", "ward", "--survey", "2020").stdout
    assert "Priorities of pune by drainage_any, 2020" in table
    assert "W1" in table


def test_trends_prints_in_every_form(shell: Shell) -> None:
    """120 households: all of them, then 75 % twice: (75 - 100) / 8 a year, and 83.33 - 12.5 at the end."""
    rows = {row["settlement_code"]: row for row in json.loads(shell.run(*TRENDS, "--format", "json").stdout)}
    assert rows[f.code(0)]["reason"] == "fewer_than_3_rounds"
    assert (rows[f.code(6)]["slope_per_year"], rows[f.code(6)]["fitted"]) == (-3.1, 70.8)
    assert rows[f.code(6)]["rounds"][0] == {
        **{"survey": "2016", "on": "2016-03-31", "starts_on": "2016-01-01", "ends_on": "2016-06-30"},
        "value": 100.0,
    }
    told = list(csv.DictReader(io.StringIO(shell.run(*TRENDS, "--full", "--format", "csv").stdout)))
    assert told[0]["rounds"] == "2016=100.0 2020=0.0 2024=0.0"
    table = shell.run(*TRENDS, "--level", "city").stdout
    assert "Trends in pune" in table
    assert "2016=100.0" in table


def test_refusals(shell: Shell) -> None:
    said_by = {
        ("gaps", "--city", "pune"): (2, "--indicator"),
        (*GAPS, "--target", "120"): (1, "target: must be a number from 0 to 100"),
        (*GAPS, "--target", "nan"): (1, "target: must be a number from 0 to 100"),
        (*GAPS, "--target", "most"): (2, "valid number"),
        (*GAPS, "--level", "city"): (2, "settlement"),
        (*GAPS, "--survey", "1999"): (1, "choose from 2016, 2020, 2024"),
        ("gaps", "--city", "pune", "--indicator", "density_persons"): (1, "cannot be ranked"),
        ("gaps", "--city", "nashik", "--indicator", "drainage_any"): (1, "'nashik' is not known; choose from pune"),
        ("trends", "--city", "pune", "--indicator", "density_persons"): (1, "has no trend"),
        (*TRENDS, "--level", "ward", "--settlement", "01"): (1, "goes with level settlement only"),
    }
    for arguments, (code, says) in said_by.items():
        assert says in shell.run(*arguments, code=code).stderr
