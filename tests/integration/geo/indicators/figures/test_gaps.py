"""Priorities: ranks, targets and hot spots, counted by hand; nothing of what is withheld."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from geo.base import PageRequest
from geo.errors import InvalidParameters
from geo.indicators.figures import GapsPage, GapsQuery, find_gaps
from geo.indicators.figures.gaps import COLUMNS
from tests.support import factories as f
from tests.support.planted import HOUSEHOLDS, LACKING, PLANTED, planted_z, squares, surveyed

ALL = PageRequest(limit=None)
QUERY = GapsQuery("pune", "drainage_any", "2024", seen="all", page=ALL)
SAID_WITH_THE_FIGURE = [
    *("value", "low", "high", "population", "unserved", "unserved_low", "unserved_high"),
    *("rank_unserved", "rank_coverage", "to_target", "gi_z", "gi_p", "hot_spot"),
]


def gaps(connection: Connection, **changes: Any) -> pd.DataFrame:
    return find_gaps(connection, replace(QUERY, **changes)).figures


def by_settlement(found: pd.DataFrame) -> pd.DataFrame:
    return found.set_index(found["settlement_code"].map({f.code(i): i for i in range(40)}))


def column(found: pd.DataFrame, name: str) -> dict[int, Any]:
    """What is said of each settlement; None where nothing is."""
    return {int(i): None if pd.isna(value) else value for i, value in by_settlement(found)[name].items()}


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    """Eight settlements in two wards: two of 9 households, which hide each other, one of 10, one of 11."""
    f.load_city(connection, tmp_path, squares(8, {s: "W1" if s < 4 else "W2" for s in range(8)}))
    f.load(connection, tmp_path, surveyed(HOUSEHOLDS, LACKING))
    return connection


def test_gaps_rank_what_is_shown(city: Connection) -> None:
    found = gaps(city)
    assert tuple(found.columns) == COLUMNS
    assert column(found, "value") == {0: None, 1: None, 2: 40, 3: 55, 4: 50, 5: 50, 6: 75, 7: 10}
    assert column(found, "unserved") == {0: None, 1: None, 2: 5, 3: 5, 4: 20, 5: 20, 6: 30, 7: 25}
    assert column(found, "rank_unserved") == {0: None, 1: None, 6: 1, 7: 2, 4: 3, 5: 3, 2: 5, 3: 5}
    assert column(found, "rank_coverage") == {0: None, 1: None, 7: 1, 2: 2, 4: 3, 5: 3, 3: 5, 6: 6}
    assert by_settlement(found).index.tolist() == [6, 7, 4, 5, 2, 3, 0, 1]
    assert set(found["counted"]) == {"households"}
    assert set(found["direction"]) == {"up"}


def test_gaps_to_target_is_counted_from_what_is_shown(city: Connection) -> None:
    """Of 120 with 75 %, 6 are missing to 80 %, shown as 5; of 10 (11) with 55 %, 2.5, shown as 5 too."""
    found = gaps(city, target=80)
    assert column(found, "to_target") == {0: None, 1: None, 2: 5, 3: 5, 4: 10, 5: 10, 6: 5, 7: 20}
    reached = column(gaps(city, target=50), "to_target")
    assert (reached[3], reached[4], reached[6], reached[7]) == (0, 0, 0, 10)
    assert gaps(city)["to_target"].isna().all()


def test_gaps_in_full_are_exact(city: Connection) -> None:
    """As many as are missing: to have 80 % of 11, 9 must have one, and 6 do."""
    found = gaps(city, target=80, access="full")
    assert column(found, "unserved") == LACKING
    assert column(found, "to_target") == {0: 8, 1: 0, 2: 4, 3: 3, 4: 12, 5: 12, 6: 6, 7: 21}
    assert column(found, "rank_unserved") == {6: 1, 7: 2, 4: 3, 5: 3, 0: 5, 2: 6, 3: 7, 1: 8}
    assert column(found, "rank_coverage") == {0: 1, 7: 2, 2: 3, 4: 4, 5: 4, 3: 6, 6: 7, 1: 8}


def test_gaps_say_nothing_of_what_is_withheld(city: Connection) -> None:
    found = by_settlement(gaps(city, target=80))
    for nine in (0, 1):
        assert (found.loc[nine, "status"], found.loc[nine, "reason"]) == ("withheld", "protected")
        assert found.loc[nine, SAID_WITH_THE_FIGURE].isna().all()
        assert found.loc[nine, "hot_spot_reason"] == "protected"
    for more in (2, 3):
        assert found.loc[more, "status"] == "published"


def test_gaps_are_the_same_whatever_is_withheld(city: Connection, connection: Connection, tmp_path: Path) -> None:
    """What the nine households of a settlement answered changes nothing that anybody can see."""
    shown = gaps(city, target=80)
    other = f.spec("other")
    f.load(connection, tmp_path, surveyed(HOUSEHOLDS, LACKING | {0: 1, 1: 8}), survey=other)
    pd.testing.assert_frame_equal(
        gaps(city, target=80, survey="other").drop(columns="survey"), shown.drop(columns="survey")
    )


def test_gaps_of_a_bad_thing_begin_with_the_most_affected(city: Connection) -> None:
    """People's headline indicator: households are counted all the same, and the answer says so."""
    found = gaps(city, indicator="open_defecation", target=20)
    assert set(found["counted"]) == {"households"}
    assert set(found["direction"]) == {"down"}
    assert column(found, "value") == {0: None, 1: None, 2: 60, 3: 45, 4: 50, 5: 50, 6: 25, 7: 90}
    assert column(found, "rank_unserved") == {0: None, 1: None, 6: 1, 7: 2, 4: 3, 5: 3, 2: 5, 3: 5}
    assert column(found, "rank_coverage") == {0: None, 1: None, 7: 1, 2: 2, 4: 3, 5: 3, 3: 5, 6: 6}
    assert column(found, "to_target") == {0: None, 1: None, 2: 5, 3: 5, 4: 10, 5: 10, 6: 5, 7: 20}


def test_gaps_count_persons_where_asked(city: Connection) -> None:
    """Four in each household."""
    found = gaps(city, indicator="open_defecation", counted="persons")
    assert set(found["counted"]) == {"persons"}
    assert column(found, "unserved") == {0: None, 1: None, 2: 25, 3: 20, 4: 80, 5: 80, 6: 120, 7: 110}


def test_gaps_of_wards(city: Connection) -> None:
    """In W1, 20 of 39 lack a drain; in W2, 97 of 230."""
    found = gaps(city, level="ward", target=100).set_index("ward_code")
    assert found["rank_unserved"].to_dict() == {"W2": 1, "W1": 2}
    assert found["rank_coverage"].to_dict() == {"W1": 1, "W2": 2}
    assert found["value"].to_dict() == {"W2": 57.8, "W1": 49}
    # Of 40 (39) with 49 %, 20.4; of 230 with 57.8 %, 97.06.
    assert found["to_target"].to_dict() == {"W2": 95, "W1": 20}
    assert set(found["hot_spot_reason"]) == {"settlements_only"}


def test_gaps_of_wards_where_there_are_none(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, squares(2))
    f.load(connection, tmp_path, surveyed({0: 12, 1: 12}, {0: 3, 1: 6}))
    page = find_gaps(connection, replace(QUERY, level="ward", geometry=True))
    assert (page.total, len(page.figures), page.next_cursor) == (0, 0, None)


def test_gaps_of_a_sample_without_frame_cannot_be_ranked_by_number(connection: Connection, tmp_path: Path) -> None:
    """How many go without is not known: these come after those that are ranked, by code."""
    f.load_city(connection, tmp_path, squares(3))
    rows = surveyed({0: 30, 1: 40, 2: 30}, {0: 3, 1: 30, 2: 6})
    f.load(connection, tmp_path, rows, survey=f.spec("2024", mode="sample"))
    found = gaps(connection, target=95)
    assert by_settlement(found).index.tolist() == [0, 1, 2]
    assert set(found["status"]) == {"published"}
    assert found[["unserved", "rank_unserved", "to_target"]].isna().all().all()
    assert column(found, "rank_coverage") == {0: 3, 1: 1, 2: 2}
    assert found[["low", "high"]].notna().all().all()


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_gaps_pages_add_up_to_the_whole(city: Connection, limit: int) -> None:
    whole = find_gaps(city, replace(QUERY, target=80))
    pages: list[pd.DataFrame] = []
    cursor = None
    while True:
        page: GapsPage = find_gaps(city, replace(QUERY, target=80, page=PageRequest(limit, cursor)))
        assert (page.total, len(page.figures) <= limit) == (8, True)
        pages.append(page.figures)
        cursor = page.next_cursor
        if cursor is None:
            break
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), whole.figures, check_dtype=False)


def test_gaps_without_a_round_named_are_of_the_newest_seen(city: Connection, tmp_path: Path) -> None:
    f.load(city, tmp_path, surveyed(HOUSEHOLDS, HOUSEHOLDS), survey=f.spec("later", starts_on=f.ENDS))
    assert set(gaps(city, survey=None)["survey"]) == {"later"}
    city.execute(text("UPDATE survey SET state = 'published' WHERE slug = '2024'"))
    assert set(gaps(city, survey=None, seen="published")["survey"]) == {"2024"}
    with pytest.raises(InvalidParameters, match="'later' is not known; choose from 2024"):
        gaps(city, survey="later", seen="published")


def test_gaps_of_a_city_without_a_round(city: Connection) -> None:
    with pytest.raises(InvalidParameters, match="pune has no published survey round yet"):
        gaps(city, survey=None, seen="published")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"city": "nashik"}, "city: 'nashik' is not known; choose from"),
        ({"survey": "1999"}, "survey: '1999' is not known; choose from 2024"),
        ({"indicator": "happiness"}, "happiness is not an indicator; choose from drainage_any, "),
        ({"indicator": "density_persons"}, "density_persons cannot be ranked.*choose from drainage_any, "),
        ({"indicator": "community_toilet_use"}, "community_toilet_use cannot be ranked.*choose from drainage_any, "),
        ({"target": -0.1}, "target: must be a number from 0 to 100"),
        ({"target": 100.5}, "target: must be a number from 0 to 100"),
        ({"target": float("nan")}, "target: must be a number from 0 to 100"),
    ],
)
def test_gaps_refuse(city: Connection, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidParameters, match=says):
        gaps(city, **changes)


@pytest.fixture
def large_city(connection: Connection, tmp_path: Path) -> Connection:
    """36 settlements of 10 households: one in each lacks toilet and drain, but nine in the planted ones.

    In the round `fewer` two settlements have only 9, who all lack both.
    """
    f.load_city(connection, tmp_path, squares(36))
    lacking = {s: 9 if s in PLANTED else 1 for s in range(36)}
    f.load(connection, tmp_path, surveyed(dict.fromkeys(range(36), 10), lacking))
    fewer = {s: 9 if s in (0, 1) else 10 for s in range(36)}
    f.load(connection, tmp_path, surveyed(fewer, lacking | {0: 9, 1: 9}), survey=f.spec("fewer"))
    return connection


@pytest.mark.parametrize("indicator", ["drainage_any", "open_defecation"])
def test_gaps_find_the_planted_cluster_and_nothing_else(large_city: Connection, indicator: str) -> None:
    """Hot is where need clusters, whether the indicator tells of a good thing or of a bad one."""
    found = gaps(large_city, indicator=indicator)
    hot = {i: kind for i, kind in column(found, "hot_spot").items() if kind is not None}
    assert hot == dict.fromkeys(PLANTED, "hot")
    z = column(found, "gi_z")
    assert {z[i] for i in PLANTED} == {round(planted_z(36), 1)} == {3.2}
    assert column(found, "gi_p")[12] == 0.002
    assert found["hot_spot_reason"].isna().all()
    exact = column(gaps(large_city, indicator=indicator, access="full"), "gi_z")
    assert exact[12] == pytest.approx(planted_z(36), abs=5e-5)


def test_gaps_look_for_hot_spots_among_published_figures_only(large_city: Connection) -> None:
    """As if the two that are withheld were not there, although all of them go without."""
    page = find_gaps(large_city, replace(QUERY, survey="fewer"))
    found = page.figures
    assert page.hot_spots.settlements == 34
    z = column(found, "gi_z")
    assert {z[i] for i in PLANTED} == {round(planted_z(34), 1)}
    assert (z[0], z[1]) == (None, None)
    # Settlement 2 has only 3 beside it: 1 is withheld. (20 - 2 mean) / (s sqrt((2 * 34 - 4) / 33)).
    mean = (4 * 90 + 30 * 10) / 34
    s = np.sqrt((4 * 8100 + 30 * 100) / 34 - mean**2)
    assert z[2] == round((20 - 2 * mean) / (s * np.sqrt(64 / 33)), 1)
    assert {i for i, kind in column(found, "hot_spot").items() if kind} == set(PLANTED)


def test_gaps_do_not_say_of_fewer_than_thirty_settlements(city: Connection) -> None:
    page = find_gaps(city, QUERY)
    assert (page.hot_spots.refused, page.hot_spots.settlements) == ("fewer_than_30_settlements", 6)
    published = page.figures["status"] == "published"
    assert set(page.figures.loc[published, "hot_spot_reason"]) == {"fewer_than_30_settlements"}
    assert page.figures[["gi_z", "gi_p", "hot_spot"]].isna().all().all()


def test_gaps_are_the_same_every_time(large_city: Connection) -> None:
    first, second = (find_gaps(large_city, replace(QUERY, access="full")) for _ in range(2))
    pd.testing.assert_frame_equal(first.figures, second.figures)
