"""One run of either side of the figures benchmark, in a process of its own: prints the seconds as JSON.

Arguments: `ours` or `plain`, the database's URL, the survey's slug, and for `plain` one `column=code` an indicator.
"""

import json
import sys
import time

import pandas as pd
from sqlalchemy import Connection, create_engine, text

from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import ValuesQuery, finish
from geo.indicators.figures.compute import make_exact
from geo.indicators.figures.query import find_blocks
from geo.indicators.figures.read import read_cells
from tests.benchmarks.stage import CITY

_STANDARD_ERRORS = 1.96


def ours(connection: Connection, survey: str) -> float:
    """Settlements, wards and the city, with intervals and with what must be withheld; the settlements are rounded."""
    query = ValuesQuery(cities=[CITY], surveys=[survey], access="public")
    table = read_cells(connection, find_blocks(connection, query, read_catalogue(connection)))
    started = time.perf_counter()
    figures = finish(make_exact(table, "settlement", query.access))
    seconds = time.perf_counter() - started
    assert len(figures) == len(table.cells)
    return seconds


def plain(connection: Connection, survey: str, *conditions: str) -> float:
    """The same three levels, each mean with the interval of a simple random sample; nothing is withheld."""
    pairs = [condition.split("=") for condition in conditions]
    columns = ", ".join(sorted({column for column, _ in pairs}))
    statement = text(
        f"SELECT household.settlement_id, ward_id, {columns} FROM household "
        "JOIN settlement_ward ON settlement_ward.settlement_id = household.settlement_id "
        "WHERE survey_id = (SELECT id FROM survey WHERE slug = :survey)"
    )
    households = pd.read_sql(statement, connection, params={"survey": survey})
    answers = pd.DataFrame(
        {c: (households[name] == code).astype("int8") for c, (name, code) in zip(conditions, pairs, strict=True)}
    )
    city = pd.Series(0, index=households.index)
    started = time.perf_counter()
    for level in (households["settlement_id"], households["ward_id"], city):
        grouped = answers.groupby(level)
        mean, half = grouped.mean(), grouped.sem() * _STANDARD_ERRORS
        pd.concat({"n": grouped.count(), "value": mean, "low": mean - half, "high": mean + half}, axis=1)
    return time.perf_counter() - started


def main(side: str, url: str, survey: str, *conditions: str) -> None:
    """Runs one side and prints what it took."""
    with create_engine(url).connect() as connection:
        seconds = ours(connection, survey) if side == "ours" else plain(connection, survey, *conditions)
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
