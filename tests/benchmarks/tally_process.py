"""One run of either side of the retally benchmark, in a process of its own: prints the seconds and the sums as JSON.

Arguments: `ours` or `plain`, the database's URL, the survey's id, and for `plain` how many sums.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, create_engine, event, text

from geo.indicators.definitions import catalogue
from geo.indicators.tallies import tally_survey
from tests.benchmarks.conditions import simple_conditions

# PostgreSQL computes equal sums once, so no two are alike: each of these under each condition.
_WHAT = (
    "sum(weight)",
    "sum(weight * weight)",
    "sum(weight * members)",
    "sum((weight * members) * (weight * members))",
    "sum(members)",
    "count(*)",
    "count(members)",
)


def plain_scan(survey_id: int, sums: int) -> str:
    """One scan with so many filtered sums."""
    conditions = simple_conditions(-(-sums // len(_WHAT)))
    filtered = [f"{what} FILTER (WHERE {column} = '{code}')" for column, code in conditions for what in _WHAT]
    assert len(set(filtered[:sums])) == sums
    return (
        f"SELECT settlement_id, {', '.join(filtered[:sums])} FROM household "
        f"WHERE survey_id = {survey_id} GROUP BY settlement_id"
    )


def count_sums(statement: str) -> int:
    """How many sums and counts a statement asks for."""
    return len(re.findall(r"\b(?:sum|count)\(", statement))


def main(side: str, url: str, survey: str, sums: str = "0") -> None:
    """Runs one side and prints what it took."""
    seen: list[str] = []

    def see(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        seen.append(statement)

    def ours(connection: Connection) -> None:
        tally_survey(connection, list(catalogue().values()), int(survey))

    def plain(connection: Connection) -> None:
        connection.execute(text(plain_scan(int(survey), int(sums)))).all()

    sides: dict[str, Callable[[Connection], None]] = {"ours": ours, "plain": plain}
    engine = create_engine(url)
    event.listen(engine, "before_cursor_execute", see)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        started = time.perf_counter()
        sides[side](connection)
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "sums": sum(map(count_sums, seen))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
