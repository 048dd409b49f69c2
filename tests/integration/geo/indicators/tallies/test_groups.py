"""Figures by group: the same counts as a look at the households, kept in step with them, and protected."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from shapely.geometry import box
from sqlalchemy import Connection, select

from geo.base import PageRequest
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import tallied, tally
from geo.errors import InvalidParameters, NotAllowed
from geo.indicators.definitions import catalogue
from geo.indicators.figures import ValuesQuery, find_area_values, find_changes, find_values
from geo.indicators.tallies import ALL, CLUSTERS, surveys_lacking_tallies, tally_survey
from geo.indicators.tallies.store import group_fields, make_missing
from geo.indicators.tallies.tally import SUMS
from geo.ingestion.loading import SourceOptions, withdraw
from tests.support import factories as f
from tests.support.tallying import tally_gdf

QUERY = ValuesQuery(
    cities=["pune"],
    surveys=["2024"],
    indicators=["drainage_any"],
    by="head_sex",
    seen="all",
    page=PageRequest(limit=None),
)


def rows(each: int = 40, settlements: int = 4) -> list[dict[str, Any]]:
    """Households of which every third is headed by a woman; of theirs every second lacks a drain."""
    return [
        f.household(
            100 * s + i,
            s,
            head_sex="female" if i % 3 == 0 else "male",
            drainage="none" if i % 6 == 0 else "open",
            occupation=("Tailor", "Driver", "Mayor")[0 if i < 20 else 1 if i < 39 else 2],
            has_disability="yes" if i % 20 == 0 else "no",
        )
        for s in range(settlements)
        for i in range(each)
    ]


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    f.load_city(connection, tmp_path, f.small_city())
    f.load(connection, tmp_path, rows())
    make_missing(connection, survey_id(connection))
    return connection


def survey_id(connection: Connection) -> int:
    return int(connection.execute(select(survey.c.id)).scalar_one())


def by_group(connection: Connection, **changes: Any) -> pd.DataFrame:
    return find_values(connection, replace(QUERY, **changes)).figures


def test_groups_are_counted_from_their_households(city: Connection) -> None:
    found = by_group(city, access="full").set_index(["settlement_code", "group"])
    # Of 40 households 14 are headed by a woman, of whom the 1st, 3rd ... lack a drain.
    assert (found.loc[(f.code(1), "female"), "n"], found.loc[(f.code(1), "female"), "value"]) == (14, 50)
    assert (found.loc[(f.code(1), "male"), "n"], found.loc[(f.code(1), "male"), "value"]) == (26, 100)
    assert set(found["group_by"]) == {"head_sex"}


@pytest.mark.parametrize("level", ["settlement", "ward", "city"])
def test_groups_add_up_to_everybody(city: Connection, level: Any) -> None:
    groups = by_group(city, level=level, access="full", settlements=[])
    everybody = by_group(city, level=level, access="full", by=None)
    code = {"settlement": "settlement_code", "ward": "ward_code", "city": "city"}[level]
    summed = groups.groupby(code)[["n", "unserved"]].sum()
    assert summed["n"].tolist() == everybody["n"].tolist()
    assert summed["unserved"].tolist() == everybody["unserved"].tolist()


@pytest.mark.parametrize("by", [*["head_sex", "has_disability", "occupation"], CLUSTERS])
def test_engines_group_alike(city: Connection, by: str) -> None:
    definitions = list(catalogue().values())
    scanned = tally_survey(city, definitions, survey_id(city), by=by)
    framed = tally_gdf(f.live_rows(city, survey_id(city)), definitions, by=by)
    pd.testing.assert_frame_equal(f.by_key(scanned), f.by_key(framed), check_like=True, rtol=1e-9)


def test_groups_are_sums_of_the_whole(city: Connection) -> None:
    kept = pd.read_sql(select(tally), city)
    whole = kept[kept["group_field"] == ALL].set_index(["settlement_id", "indicator_id", "counted"])[list(SUMS)]
    for field in group_fields():
        of_field = kept[kept["group_field"] == field]
        summed = of_field.groupby(["settlement_id", "indicator_id", "counted"])[list(SUMS)].sum()
        pd.testing.assert_frame_equal(summed, whole.sort_index(), rtol=1e-9, check_dtype=False)
        assert set(of_field["n_sampled"]) == {40}


def test_groups_follow_their_households(city: Connection, tmp_path: Path) -> None:
    """A later load drops what was counted by group in the same transaction; until it is made anew, figures say so."""
    before = by_group(city, access="full")
    second = f.load(city, tmp_path, [f.household(5000 + i, 0, head_sex="female", drainage="none") for i in range(9)])
    assert set(by_group(city)["reason"]) == {"not_counted_yet"}
    assert surveys_lacking_tallies(city) == [survey_id(city)]
    assert make_missing(city, survey_id(city))
    found = by_group(city, access="full").set_index(["settlement_code", "group"])
    assert found.loc[(f.code(0), "female"), "n"] == 14 + 9
    assert second.upload_id is not None
    withdraw(city, second.upload_id)
    make_missing(city, survey_id(city))
    pd.testing.assert_frame_equal(by_group(city, access="full"), before)
    assert not make_missing(city, survey_id(city))


def test_a_groups_name_of_few_is_told_to_nobody_in_public(city: Connection) -> None:
    """One household in each settlement is headed by the mayor: four in the city, who would be recognised."""
    public = by_group(city, by="occupation", level="city")
    assert sorted(public["group"]) == ["Driver", "other"]
    assert set(by_group(city, by="occupation", level="city", access="full")["group"]) == {"Driver", "Mayor", "Tailor"}


def test_groups_are_asked_for_by_indicator_and_round(city: Connection) -> None:
    with pytest.raises(InvalidParameters) as refused:
        by_group(city, by="height", indicators=[], surveys=[])
    assert [p.name for p in refused.value.invalid] == ["by", "indicator", "survey"]
    assert all(field in str(refused.value) for field in group_fields())


def test_groups_come_in_pages(city: Connection) -> None:
    whole = by_group(city)
    pages, cursor = [], None
    while True:
        page = find_values(city, replace(QUERY, page=PageRequest(limit=3, cursor=cursor)))
        assert page.total == len(whole)
        pages.append(page.figures)
        cursor = page.next_cursor
        if cursor is None:
            break
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), whole, check_dtype=False)


def test_an_area_is_the_sum_of_the_settlements_in_it(city: Connection) -> None:
    """Two settlements lie within, of a third the smaller half."""
    (x0, y0), (x2, _) = f.centre(0), f.centre(2)
    area = box(x0 - 0.005, y0 - 0.005, x2 - 0.0005, y0 + 0.008)
    query = replace(QUERY, by=None, access="full")
    (found,) = find_area_values(city, query, area).figures.to_dict("records")
    of_two = by_group(city, by=None, access="full", settlements=[f.code(0), f.code(1)])
    assert (found["level"], found["n"], found["unserved"]) == ("area", 80, of_two["unserved"].sum())
    with pytest.raises(NotAllowed):
        find_area_values(city, replace(query, access="public"), area)
    with pytest.raises(InvalidParameters, match="no settlement lies in this area"):
        find_area_values(city, query, box(0, 0, 1, 1))


def test_registers_are_not_grouped(connection: Connection, tmp_path: Path) -> None:
    f.load_city(connection, tmp_path, f.small_city())
    register = [{"settlement_code": f.code(0), "weight": 120, "drainage": "open", "head_sex": "female"}]
    f.load(
        connection,
        tmp_path,
        register,
        survey=f.spec(unit="settlement"),
        source=SourceOptions(unit="settlement"),
    )
    make_missing(connection, survey_id(connection))
    made = set(connection.execute(select(tallied.c.group_field)).scalars())
    assert made == {ALL}
    assert set(by_group(connection)["reason"]) == {"not_counted_yet"}


def test_groups_pooled_otherwise_have_no_change(city: Connection, tmp_path: Path) -> None:
    """Two of another sex in the second round join the men there, whom the first round tells apart."""
    second = [{**row, "head_sex": "other"} if i < 2 else row for i, row in enumerate(rows())]
    f.load(city, tmp_path, second, survey=f.spec("2030"))
    for each in surveys_lacking_tallies(city):
        make_missing(city, each)
    asked = replace(QUERY, surveys=[], level="city")
    for allow_break in (False, True):
        found = find_changes(city, asked, earlier="2024", later="2030", allow_break=allow_break).figures
        told = found.set_index("group")[["status", "reason"]].to_dict("index")
        assert told["male + other"] == {"status": "withheld", "reason": "groups_differ"}
        assert told["female"]["status"] == "published"
