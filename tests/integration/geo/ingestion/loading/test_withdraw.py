"""Withdrawing uploads: what remains is what loading only the rest would have given."""

from datetime import date
from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, func, select

from geo.database.schema.households import household
from geo.database.schema.places import ward
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import tally
from geo.errors import Conflict, NotFound
from geo.indicators.tallies.tally import SUMS
from geo.ingestion.loading import withdraw
from geo.places import PlaceChanges, find_city, places_on
from tests.support import factories as f

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
    with pytest.raises(Conflict, match="load corrected boundaries"), connection.begin_nested():
        withdraw(connection, boundaries.upload_id)
    withdraw(connection, result.upload_id)
    with pytest.raises(Conflict, match="withdrawn already"):
        withdraw(connection, result.upload_id)
    with pytest.raises(NotFound, match="no upload 987654"):
        withdraw(connection, 987_654)


def test_boundaries_go_once_nobody_is_placed_in_them(connection: Connection, tmp_path: Path) -> None:
    """Settlements that households have named stay without an outline, and get it again by the same file."""
    frame = f.small_city(6)
    boundaries = f.load_city(connection, tmp_path, frame)
    homes = f.load(connection, tmp_path, [f.household(i, 0) for i in range(3)])
    assert boundaries.upload_id is not None
    assert homes.upload_id is not None
    withdraw(connection, homes.upload_id)
    assert withdraw(connection, boundaries.upload_id) == 6
    left = places_on(connection, find_city(connection, "pune"), f.TODAY).places
    assert (list(left.codes), list(left.shapes)) == ([f.code(0)], [None])
    assert connection.execute(select(func.count()).select_from(ward)).scalar_one() == 1
    again = f.load_city(connection, tmp_path, frame)
    assert again.changes == PlaceChanges(added=5, changed=1, unchanged=0)
    drawn = places_on(connection, find_city(connection, "pune"), f.TODAY).places
    assert all(shape is not None for shape in drawn.shapes)


def test_a_redrawn_boundary_goes_back_to_the_one_before(connection: Connection, tmp_path: Path) -> None:
    """Its own day's rounds keep the settlement as it was; those before never knew the redrawn one."""
    first = f.load_city(connection, tmp_path, f.small_city())
    city_id = find_city(connection, "pune")
    before = places_on(connection, city_id, f.TODAY).places.shapes
    moved = f.small_city()
    moved["geometry"] = moved.geometry.translate(0.0003, 0)
    f.load(connection, tmp_path, [f.household(1, 0)])
    second = f.load_city(connection, tmp_path, moved, valid_from_on=date(2025, 1, 1))
    assert second.upload_id is not None
    assert first.upload_id is not None
    withdraw(connection, second.upload_id)
    for day in (f.TODAY, date(2025, 6, 1)):
        assert shapely.equals(places_on(connection, city_id, day).places.shapes, before).all()
