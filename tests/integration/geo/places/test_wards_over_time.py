"""Wards over time: a settlement moves from a day on, and the rounds before have it where it was."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import OperationalError

from geo.base import PageRequest
from geo.database.schema.places import settlement, settlement_ward, ward
from geo.errors import Conflict
from geo.indicators.figures import (
    GapsQuery,
    TrendsQuery,
    ValuesQuery,
    find_changes,
    find_gaps,
    find_trends,
    find_values,
)
from geo.indicators.tallies import surveys_lacking_tallies
from geo.indicators.tallies.store import make_missing
from geo.ingestion.loading import LoadResult, load_boundaries, withdraw
from geo.ingestion.reading import ReadOptions
from geo.places import SettlementsQuery, add_city, end_settlement, find_city, find_settlements, places_on
from geo.surveys import set_state
from tests.support import factories as f
from tests.support.cli import Shell

MOVE = date(2025, 1, 1)
LATER: dict[str, Any] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 6, 30)}
NEWEST: dict[str, Any] = {"starts_on": date(2028, 1, 1), "ends_on": date(2028, 6, 30)}
WHOLE: dict[str, Any] = {"access": "full", "seen": "all", "page": PageRequest(limit=None)}
Days = tuple[date | None, date | None]


def moved(wards: Mapping[int, str | None], settlements: int = 4) -> gpd.GeoDataFrame:
    """The small city with some settlements in other wards."""
    frame = f.small_city(settlements)
    for index, code in wards.items():
        frame.loc[index, ["ward_code", "ward_name"]] = [code, code]
    return frame


def history(connection: Connection, index: int) -> list[tuple[str, Days]]:
    """The wards of a settlement, each with its days."""
    rows = (
        select(ward.c.code, settlement_ward.c.valid_from_on, settlement_ward.c.valid_to_on)
        .select_from(settlement_ward.join(settlement).join(ward))
        .where(settlement.c.code == f.code(index))
        .order_by(settlement_ward.c.id)
    )
    return [(row[0], (row[1], row[2])) for row in connection.execute(rows)]


def asked(**changes: Any) -> ValuesQuery:
    """The wards' shares of one indicator in full."""
    return ValuesQuery(**{"cities": ["pune"], "indicators": ["drainage_any"], "level": "ward", **WHOLE, **changes})


def of_wards(connection: Connection) -> dict[str, dict[str, int]]:
    """How many households answered in each ward, by round."""
    figures = find_values(connection, asked()).figures
    return {
        survey: dict(zip(rows["ward_code"], rows["n"].astype(int), strict=True))
        for survey, rows in figures.groupby("survey")
    }


def changed(connection: Connection, **changes: Any) -> pd.DataFrame:
    """The changes from the first round to the later one."""
    allow_break = changes.pop("allow_break", False)
    found = find_changes(connection, asked(**changes), earlier="2024", later="later", allow_break=allow_break)
    return found.figures


def households(*each: int) -> list[dict[str, Any]]:
    """So many households of each settlement, of which every third lacks a drain."""
    return [
        f.household(100 * s + i, s, drainage="none" if i % 3 == 0 else "open")
        for s, n in enumerate(each)
        for i in range(n)
    ]


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    """Four settlements in two wards, by turns, with a round of the year before any of them moves."""
    f.load_city(connection, tmp_path, f.small_city())
    f.load(connection, tmp_path, households(11, 12, 13, 14))
    return connection


def load_list(connection: Connection, folder: Path, wards: Mapping[int, str], **changes: Any) -> LoadResult:
    """Loads settlements without outlines, each with its ward."""
    add_city(connection, "pune", "Pune")
    rows = [{"settlement_code": f.code(i), "settlement_name": f"Place {i}", "ward_code": w} for i, w in wards.items()]
    return load_boundaries(
        connection,
        f.write_csv(folder / f"list_{len(list(folder.iterdir()))}.csv", rows),
        "pune",
        read=ReadOptions(),
        columns=None,
        today=f.TODAY,
        options=f.options(folder),
        **{"valid_from_on": None, **changes},
    )


def test_each_round_has_a_settlement_in_the_ward_of_its_first_day(city: Connection, tmp_path: Path) -> None:
    result = f.load_city(city, tmp_path, moved({0: "W2"}), valid_from_on=MOVE)
    assert result.changes is not None
    assert (result.changes.added, result.changes.changed, result.changes.unchanged) == (0, 0, 3)
    assert [(move.code, move.to_ward_code, move.valid_from_on) for move in result.changes.moves] == [("01", "W2", MOVE)]
    assert history(city, 0) == [("W1", (None, MOVE)), ("W2", (MOVE, None))]
    f.load(city, tmp_path, households(11, 12, 13, 14), survey=f.spec("later", **LATER))
    assert of_wards(city) == {"2024": {"W1": 24, "W2": 26}, "later": {"W1": 13, "W2": 37}}
    # Both rounds in one answer, and a page of it at a time.
    of_one = asked(level="settlement", settlements=[f.code(0)])
    rows = find_values(city, of_one).figures
    assert rows[["survey", "ward_code"]].to_numpy().tolist() == [["2024", "W1"], ["later", "W2"]]
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = find_values(city, asked(page=PageRequest(limit=1, cursor=cursor)))
        pages.append(page.figures.iloc[0][["survey", "ward_code"]].tolist())
        cursor, total = page.next_cursor, page.total
    assert (pages, total) == ([["2024", "W1"], ["2024", "W2"], ["later", "W1"], ["later", "W2"]], 4)
    gaps = find_gaps(city, GapsQuery("pune", "drainage_any", "2024", "ward", access="full", seen="all"))
    assert dict(zip(gaps.figures["ward_code"], gaps.figures["population"], strict=True)) == {"W1": 24, "W2": 26}
    by_sex = find_values(city, asked(surveys=["2024"], by="head_sex")).figures
    assert set(by_sex["ward_code"]) == {"W1", "W2"}
    listed = find_settlements(city, SettlementsQuery(["pune"], wards=["W2"])).rows
    assert [row["code"] for row in listed] == [f.code(i) for i in (0, 1, 3)]


def test_a_ward_of_other_settlements_is_not_compared(city: Connection, tmp_path: Path) -> None:
    f.load_city(city, tmp_path, moved({0: "W3"}), valid_from_on=MOVE)
    f.load(city, tmp_path, households(11, 12, 13, 14), survey=f.spec("later", **LATER))
    reasons = changed(city).set_index("ward_code")["reason"].to_dict()
    assert reasons == {"W1": "boundary_changed", "W2": None, "W3": "boundary_changed"}
    allowed = changed(city, allow_break=True).set_index("ward_code")
    assert allowed["reason"].to_dict() == {"W1": None, "W2": None, "W3": "boundary_changed"}
    assert allowed["flags"].to_dict() == {"W1": ("break_allowed",), "W2": (), "W3": ()}
    # Those who were asked in both rounds, of the settlements that the ward has in both.
    assert allowed[["n_before", "n"]].loc["W1"].tolist() == [24, 13]
    assert changed(city, level="settlement")["reason"].isna().all()
    assert changed(city, level="city")["reason"].isna().all()


def test_pairs_of_a_ward_are_of_the_settlements_it_has_in_both_rounds(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    rows = households(30, 30, 30, 30)
    f.load(connection, tmp_path, rows, survey=f.spec(mode="sample"))
    f.load_city(connection, tmp_path, moved({0: "W2"}), valid_from_on=MOVE)
    f.load(connection, tmp_path, rows, survey=f.spec("later", mode="sample", **LATER))
    for survey_id in surveys_lacking_tallies(connection):
        make_missing(connection, survey_id)
    found = changed(connection, allow_break=True).set_index("ward_code")
    # Of W1 30 households are in both figures, of 60 before; of W2 60, of 90 after.
    assert found["method"].to_dict() == {"W1": "independent", "W2": "independent"}
    of_city = changed(connection, level="city").iloc[0]
    assert (of_city["method"], of_city["n_pairs"]) == ("paired", 120)


def test_a_ward_without_outlines_is_not_compared_either(connection: Connection, tmp_path: Path) -> None:
    load_list(connection, tmp_path, {0: "W1", 1: "W2", 2: "W1"})
    named = [{**row, "longitude": None, "latitude": None} for row in households(11, 12, 13)]
    f.load(connection, tmp_path, named)
    result = load_list(connection, tmp_path, {0: "W2", 1: "W2", 2: "W1"}, valid_from_on=MOVE)
    assert result.changes is not None
    assert (result.changes.changed, result.changes.unchanged, len(result.changes.moves)) == (0, 2, 1)
    f.load(connection, tmp_path, named, survey=f.spec("later", **LATER))
    assert of_wards(connection) == {"2024": {"W1": 24, "W2": 12}, "later": {"W1": 13, "W2": 23}}
    assert set(changed(connection)["reason"]) == {"boundary_changed"}
    assert changed(connection, level="settlement")["reason"].isna().all()
    shown = find_values(connection, asked(geometry=True)).figures
    assert shown["geometry"].isna().all()
    assert result.upload_id is not None
    withdraw(connection, result.upload_id)
    assert of_wards(connection)["later"] == {"W1": 24, "W2": 12}


def test_no_trend_goes_through_wards_of_other_settlements(city: Connection, tmp_path: Path) -> None:
    f.load(city, tmp_path, households(11, 12, 13, 14), survey=f.spec("later", **LATER))
    f.load_city(city, tmp_path, moved({0: "W3"}), valid_from_on=date(2027, 1, 1))
    f.load(city, tmp_path, households(11, 12, 13, 14), survey=f.spec("newest", **NEWEST))
    query = TrendsQuery("pune", ["drainage_any"], level="ward", **WHOLE)
    found = find_trends(city, query).figures.set_index("ward_code")["reason"].to_dict()
    assert found == {"W1": "boundary_changed", "W2": None, "W3": "fewer_than_3_rounds"}


def test_rounds_are_compared_settlement_by_settlement_where_one_ended(city: Connection, tmp_path: Path) -> None:
    end_settlement(city, "pune", f.code(0), MOVE)
    f.load(city, tmp_path, households(0, 12, 13, 14), survey=f.spec("later", **LATER))
    found = changed(city, level="settlement")
    counts = found[["settlement_code", "n_before", "n"]].to_numpy().tolist()
    assert counts == [["02", 12, 12], ["03", 13, 13], ["04", 14, 14]]
    assert found["reason"].isna().all()


def test_taking_the_file_back_restores_the_wards_before(city: Connection, tmp_path: Path) -> None:
    before = find_values(city, asked()).figures
    move = f.load_city(city, tmp_path, moved({0: "W3"}), valid_from_on=MOVE)
    f.load(city, tmp_path, households(11, 12, 13, 14), survey=f.spec("later", **LATER))
    again = f.load_city(city, tmp_path, moved({0: "W2"}), valid_from_on=date(2027, 1, 1))
    assert history(city, 0) == [
        ("W1", (None, MOVE)), ("W3", (MOVE, date(2027, 1, 1))), ("W2", (date(2027, 1, 1), None)),
    ]  # fmt: skip
    assert move.upload_id is not None
    assert again.upload_id is not None
    with pytest.raises(Conflict, match="moved to another ward since"), city.begin_nested():
        withdraw(city, move.upload_id)
    withdraw(city, again.upload_id)
    city_id = find_city(city, "pune")
    set_state(city, city_id, "later", "published")
    with pytest.raises(Conflict, match="counts them in the ward"), city.begin_nested():
        withdraw(city, move.upload_id)
    set_state(city, city_id, "later", "draft")
    withdraw(city, move.upload_id)
    assert history(city, 0) == [("W1", (None, None))]
    assert of_wards(city)["later"] == {"W1": 24, "W2": 26}
    pd.testing.assert_frame_equal(find_values(city, asked(surveys=["2024"])).figures, before)
    assert city.execute(select(ward.c.code).order_by(ward.c.code)).scalars().all() == ["W1", "W2"]


def test_no_ward_of_a_published_round_changes(city: Connection, tmp_path: Path) -> None:
    set_state(city, find_city(city, "pune"), "2024", "published")
    with pytest.raises(Conflict, match="published round 2024, which starts on 2024-01-01"), city.begin_nested():
        f.load_city(city, tmp_path, moved({0: "W2"}), valid_from_on=f.STARTS)
    f.load_city(city, tmp_path, moved({0: "W2"}), valid_from_on=date(2024, 1, 2))
    with pytest.raises(Conflict, match="from 2024-01-02 on"), city.begin_nested():
        f.load_city(city, tmp_path, moved({0: "W3"}), valid_from_on=date(2024, 1, 2))
    assert of_wards(city)["2024"] == {"W1": 24, "W2": 26}


def test_no_round_is_published_while_a_settlement_moves(fresh_engine: Engine, tmp_path: Path) -> None:
    """Else the move would come into a round that was a draft when it was looked at."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, households(11, 12, 13, 14))
    with fresh_engine.begin() as moving, fresh_engine.begin() as publishing:
        f.load_city(moving, tmp_path, moved({0: "W2"}), valid_from_on=f.STARTS)
        publishing.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"), publishing.begin_nested():
            set_state(publishing, find_city(publishing, "pune"), "2024", "published")


def test_a_first_ward_holds_for_rounds_that_are_not_published(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, moved({0: None}))
    f.load(connection, tmp_path, households(11, 12, 13, 14))
    city_id = find_city(connection, "pune")
    set_state(connection, city_id, "2024", "published")
    assert of_wards(connection)["2024"] == {"W1": 13, "W2": 26}
    with pytest.raises(Conflict, match="Name a later day"), connection.begin_nested():
        f.load_city(connection, tmp_path, f.small_city())
    set_state(connection, city_id, "2024", "draft")
    f.load_city(connection, tmp_path, f.small_city())
    assert history(connection, 0) == [("W1", (None, None))]
    assert of_wards(connection)["2024"] == {"W1": 24, "W2": 26}


def test_a_new_settlement_has_its_ward_from_the_day_of_its_boundary(city: Connection, tmp_path: Path) -> None:
    f.load_city(city, tmp_path, moved({0: "W2"}, 5), valid_from_on=MOVE)
    assert history(city, 4) == [("W1", (MOVE, None))]
    f.load_city(city, tmp_path, moved({0: "W2"}, 6))
    assert history(city, 5) == [("W2", (None, None))]
    wards = {day: places_on(city, find_city(city, "pune"), day).places.wards for day in (f.STARTS, MOVE)}
    assert [list(each) for each in wards[f.STARTS]][:2] == [["W1", "North"], ["W2", "South"]]
    assert [each[0] for each in wards[MOVE]] == ["W2", "W2", "W1", "W2", "W1", "W2"]
    assert wards[f.STARTS][4] == []


def test_rows_of_a_survey_move_no_settlement(city: Connection, tmp_path: Path) -> None:
    named = [("New", "W9"), ("São José", "W2")]
    rows = [
        {
            "household_code": f"N{i}",
            "declared_settlement_name": name,
            "declared_ward_name": ward_name,
            "drainage": "open",
        }
        for i, (name, ward_name) in enumerate(named)
    ]
    result = f.load(city, tmp_path, rows, survey=f.spec("named"), new_settlements=True)
    assert history(city, 1) == [("W2", (None, None))]
    said = select(ward.c.code, settlement_ward.c.upload_id).select_from(settlement_ward.join(settlement).join(ward))
    assert city.execute(said.where(settlement.c.code == "New")).one() == ("W9", result.upload_id)


def test_the_command_line_says_from_when_it_moved(fresh_url: str, tmp_path: Path) -> None:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "pune", "--name", "Pune")
    shell.run("load", "boundaries", f.write_boundaries(tmp_path / "c.gpkg", f.small_city()), "--city", "pune")
    path = f.write_boundaries(tmp_path / "m.gpkg", moved({3: "W1"}))
    done = shell.run("load", "boundaries", path, "--city", "pune", "--valid-from", "2025-01-01")
    assert done.stdout.endswith(
        "0 settlements added, 0 redrawn, 3 unchanged.\n1 moved to another ward:\n"
        "  04 (Nagar 3) from W2 (South) to W1 (North), from 2025-01-01 on\n"
    )
