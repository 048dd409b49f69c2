"""Withdrawing uploads: what remains is what loading only the rest would have given."""

from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Connection, select

from geo.errors import Conflict, NotFound
from geo.indicators.tallies import SUMS
from geo.ingestion.ingest import withdraw
from geo.schema.people import household
from geo.schema.surveys import survey
from geo.schema.values import tally
from tests import factories as f

UPLOADS = [
    f.households(3, 6),
    [f.household(i, 1, members=9, toilet_type="none") for i in (0, 1, 2, 500)],  # moved, and one new
    [f.household(i, 2, members=2, drainage="open") for i in (1, 2, 500, 600)],
]

# Each is compared after every step, so that shorter ones are held too.
ORDERS = list(permutations(range(3)))


def state(connection: Connection, slug: str) -> tuple[pd.DataFrame, list[tuple[object, ...]]]:
    """The round's tallies, and who is live where with how many members."""
    (survey_id,) = connection.execute(select(survey.c.id).where(survey.c.slug == slug)).scalars()
    f.assert_tallies_whole(connection, survey_id)
    whole = select(tally).where(tally.c.survey_id == survey_id, tally.c.group_field == "")
    tallies = pd.read_sql(whole, connection)
    rows = select(household.c.household_code, household.c.settlement_id, household.c.members).where(
        household.c.survey_id == survey_id, household.c.is_live
    )
    keyed = tallies.set_index(["settlement_id", "indicator_id", "counted"]).sort_index()[list(SUMS)].astype(float)
    return keyed, sorted(tuple(row) for row in connection.execute(rows))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "".join(str(i + 1) for i in order))
def test_withdraw_leaves_what_the_rest_would_give(
    connection: Connection, tmp_path: Path, order: tuple[int, ...]
) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    ids = [f.load(connection, tmp_path, rows).upload_id or 0 for rows in UPLOADS]
    gone: set[int] = set()
    for index in order:
        assert withdraw(connection, ids[index]) == len(UPLOADS[index])
        gone.add(index)
        remaining = [i for i in range(3) if i not in gone]
        if not remaining:
            tallies, rows = state(connection, "2024")
            assert tallies.empty
            assert rows == []
            continue
        slug = "only-" + "".join(str(i + 1) for i in remaining)
        for i in remaining:
            f.load(connection, tmp_path, UPLOADS[i], survey=f.spec(slug))
        found, expected = state(connection, "2024"), state(connection, slug)
        pd.testing.assert_frame_equal(found[0], expected[0])
        assert found[1] == expected[1]


def test_withdraw_and_load_again(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    path = f.write_csv(tmp_path / "rows.csv", UPLOADS[0])
    first = f.load(connection, tmp_path, path)
    second = f.load(connection, tmp_path, UPLOADS[1])
    before = state(connection, "2024")
    assert first.upload_id is not None
    assert second.upload_id is not None
    withdraw(connection, second.upload_id)
    withdraw(connection, first.upload_id)
    again = f.load(connection, tmp_path, path)
    assert again.state == "loaded"
    assert again.upload_id not in (first.upload_id, second.upload_id)
    f.load(connection, tmp_path, UPLOADS[1])
    after = state(connection, "2024")
    pd.testing.assert_frame_equal(after[0], before[0])
    assert after[1] == before[1]


def test_withdraw_twice_or_what_is_not_there(connection: Connection, tmp_path: Path) -> None:
    boundaries = f.load_city(connection, tmp_path, f.small_city())
    result = f.load(connection, tmp_path, UPLOADS[0])
    assert result.upload_id is not None
    assert boundaries.upload_id is not None
    withdraw(connection, result.upload_id)
    with pytest.raises(Conflict, match="withdrawn already"):
        withdraw(connection, result.upload_id)
    with pytest.raises(NotFound, match="no upload 987654"):
        withdraw(connection, 987_654)
    with pytest.raises(Conflict, match="load corrected boundaries"):
        withdraw(connection, boundaries.upload_id)
