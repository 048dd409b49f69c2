"""Between two publications of a round nobody's answers are told: what few households changed stays as it was."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from geo import database
from geo.base import PageRequest
from geo.indicators.figures import LEVELS, ValuesQuery, find_values
from geo.indicators.tallies import recompute
from geo.ingestion.loading import withdraw
from geo.places import find_city
from geo.publications import Made, audit_publication, find_published_values, make_publication
from geo.surveys import find_survey, set_state
from tests.support.published_city import CITY, HOUSEHOLDS, ROUNDS, SmallCity, load_round, write_households

COLUMNS = (
    *("household_code", "longitude", "latitude", "members"),
    *("toilet_type", "toilet_location", "toilet_users", "drainage", "head_sex", "has_disability", "tenure_document"),
)
SENSITIVE = {"tenure_documented"}
SHOWN = ["value", "n", "n_unknown", "population", "unserved", "status", "reason"]
NAMED = ["level", "ward_code", "settlement_code", "indicator", "counted", "group"]


@pytest.fixture
def owner(changing_city: SmallCity) -> Iterator[Engine]:
    engine = database.create_engine(changing_city.url)
    yield engine
    engine.dispose()


def write_more(folder: Path, more: Mapping[str, int], *, name: str = "more", **answers: str) -> Path:
    """A file of so many more households in each settlement, all with a toilet of their own, unless `answers` differ."""
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i, code in enumerate(HOUSEHOLDS):
            for k in range(more.get(code, 0)):
                given = {"toilet_type": "flush_septic", "toilet_location": "on_premises", "toilet_users": "own"}
                given |= {"drainage": "closed", "head_sex": "female", "has_disability": "no", "tenure_document": "yes"}
                given |= answers
                at = [f"{73.80003 + 0.002 * i + 0.00002 * k:.7f}", "18.6006000"]
                writer.writerow([f"{name}-{code}-{k}", *at, 4, *given.values()])
    return path


def published_again(owner: Engine, city: SmallCity, *paths: Path, correction: bool = False) -> Made:
    """Loads files into the round and makes its next publication."""
    with database.transaction(owner) as connection:
        for path in paths:
            load_round(connection, city, path, ROUNDS["2024"], publish=False)
        survey_id = find_survey(connection, find_city(connection, CITY), "2024")["id"]
        recompute(connection, survey_id)
        return make_publication(connection, survey_id, is_correction=correction)


def withdraw_all(owner: Engine) -> None:
    """Takes back every upload of the round."""
    uploads = text("SELECT upload.id FROM upload JOIN survey ON survey.id = survey_id WHERE survey.slug = '2024'")
    with database.transaction(owner) as connection:
        for number in connection.execute(uploads).scalars().all():
            withdraw(connection, number)


def said(owner: Engine, number: int | None = None, by: str | None = None) -> pd.DataFrame:
    """All that a publication says of the round, by NAMED."""
    frames = []
    with owner.connect() as connection:
        indicators = connection.execute(text("SELECT DISTINCT indicator_id FROM published_block")).scalars().all()
        for counted in ("households", "persons"):
            for level in LEVELS:
                for indicator in sorted(indicators) if by else [None]:
                    query = ValuesQuery(
                        cities=[CITY],
                        surveys=["2024"],
                        indicators=[] if indicator is None else [indicator],
                        level=level,
                        counted=counted,
                        by=by,
                        publication=number,
                        page=PageRequest(limit=None),
                    )
                    frames.append(find_published_values(connection, query).figures)
    return pd.concat([frame for frame in frames if len(frame)]).set_index(NAMED).sort_index()


def at(figures: pd.DataFrame, indicator: str, settlement: str | None = None, ward: str | None = None) -> pd.Series:
    """The households' figure of a settlement, a ward, or the city."""
    level = "settlement" if settlement else "ward" if ward else "city"
    rows = figures.reset_index()
    rows = rows[(rows["indicator"] == indicator) & (rows["counted"] == "households") & (rows["level"] == level)]
    if settlement:
        rows = rows[rows["settlement_code"] == settlement]
    elif ward:
        rows = rows[rows["ward_code"] == ward]
    (found,) = rows.to_dict("records")
    return pd.Series(found)


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return bool(one[SHOWN].equals(other[SHOWN].reindex(one.index)))


def test_three_more_households_change_no_figure_until_there_are_more(
    changing_city: SmallCity, owner: Engine, tmp_path: Path
) -> None:
    before = said(owner)
    made = published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}))
    assert (made.is_new, made.kept) == (True, 1)
    after = said(owner)
    assert same(before, after)
    assert at(after, "household_toilet", "S04")["kept_from"] == 1
    assert at(after, "household_toilet", ward="B")["kept_from"] == 1
    assert at(after, "household_toilet")["kept_from"] == 1
    assert pd.isna(at(after, "household_toilet", "S05")["kept_from"])
    # With twelve more of them they are fifteen, and shown.
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 12}, name="others"))
    last = said(owner)
    # All fifteen gave the same answer to what is sensitive: that stays.
    assert set(last.reset_index().loc[last["kept_from"].notna().to_numpy(), "indicator"]) == SENSITIVE
    shown = at(last, "household_toilet", "S04")
    assert pd.isna(shown["kept_from"])
    assert (shown["n"], shown["value"]) == (45, 78)
    assert at(last, "household_toilet")["n"] > at(before, "household_toilet")["n"]
    assert same(said(owner, 1), before)


def test_groups_stay_with_the_place_they_are_of(changing_city: SmallCity, owner: Engine, tmp_path: Path) -> None:
    before = said(owner, by="head_sex")
    assert (before["status"] == "published").any()
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}))
    after = said(owner, by="head_sex")
    assert same(before, after)
    of_city = after.reset_index()
    of_city = of_city[(of_city["level"] == "city") & (of_city["status"] == "published")]
    assert len(of_city)
    assert set(of_city["kept_from"]) == {1}


def test_the_rest_of_a_ward_hides_those_who_were_added(changing_city: SmallCity, owner: Engine, tmp_path: Path) -> None:
    """Three more in one settlement and forty in another: the ward less the other would tell the three."""
    before = said(owner)
    made = published_again(owner, changing_city, write_more(tmp_path, {"S04": 3, "S05": 40}))
    after = said(owner)
    if at(after, "household_toilet", ward="B")["n"] > at(before, "household_toilet", ward="B")["n"]:
        assert made.kept >= 2
        assert at(after, "household_toilet", "S05")["n"] == at(before, "household_toilet", "S05")["n"]
    assert at(after, "household_toilet", "S04")["n"] == at(before, "household_toilet", "S04")["n"]
    assert at(after, "household_toilet")["n"] >= at(before, "household_toilet")["n"] + 40


def test_two_corrected_answers_are_not_told(changing_city: SmallCity, owner: Engine, tmp_path: Path) -> None:
    before = said(owner)
    withdraw_all(owner)
    own = {"S01": 5, "S02": 6, "S03": 7, "S04": 18, "S05": 15, "S06": 12}
    published_again(owner, changing_city, write_households(tmp_path, "2024", own))
    after = said(owner)
    assert same(before, after)
    assert at(after, "household_toilet", "S04")["kept_from"] == 1
    # A steward who must correct it does so, and what is said then is what is there.
    made = published_again(owner, changing_city, correction=True)
    assert (made.is_new, made.kept) == (True, 0)
    last = said(owner)
    assert at(last, "household_toilet", "S04")["value"] == 60
    assert last["kept_from"].isna().all()


def test_a_household_of_other_size_is_not_told(changing_city: SmallCity, owner: Engine, tmp_path: Path) -> None:
    before = said(owner)
    path = write_households(tmp_path, "2024")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    (one,) = (row for row in rows if row[0] == "SECRET-HH-S04-7")
    one[rows[0].index("members")] = "19"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    withdraw_all(owner)
    published_again(owner, changing_city, path)
    assert same(before, said(owner))


def test_a_bad_file_that_was_taken_back_is_not_what_stays(
    changing_city: SmallCity, owner: Engine, tmp_path: Path
) -> None:
    """A wrong file was published and withdrawn; the right one has three households more than there were before it."""
    before = said(owner)
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 30, "S05": 30}, name="wrong"))
    assert not same(before, said(owner))
    with database.transaction(owner) as connection:
        newest = connection.execute(text("SELECT max(id) FROM upload")).scalar_one()
        withdraw(connection, newest)
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}, name="right"))
    after = said(owner)
    assert same(before, after)
    assert at(after, "household_toilet", "S04")["kept_from"] == 1


def test_what_is_published_again_after_it_was_taken_back_gives_nobody_away(
    changing_city: SmallCity, owner: Engine, tmp_path: Path
) -> None:
    before = said(owner)
    for state in ("draft", "published"):
        with database.transaction(owner) as connection:
            set_state(connection, find_city(connection, CITY), "2024", state)
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}))
    assert same(before, said(owner))


def test_full_figures_are_what_is_there(changing_city: SmallCity, owner: Engine, tmp_path: Path) -> None:
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}))
    with owner.connect() as connection:
        query = ValuesQuery(
            cities=[CITY], surveys=["2024"], indicators=["household_toilet"], settlements=["S04"], access="full"
        )
        (row,) = find_values(connection, query).figures.to_dict("records")
    assert (row["n"], round(row["value"], 1)) == (33, 69.7)
    assert pd.isna(row["kept_from"])


def test_the_audit_finds_what_a_correction_tells_and_nothing_before(
    changing_city: SmallCity, owner: Engine, tmp_path: Path
) -> None:
    published_again(owner, changing_city, write_more(tmp_path, {"S04": 3}))
    with owner.connect() as connection:
        assert audit_publication(connection, CITY, "2024", by=[]) == []
    published_again(owner, changing_city, correction=True)
    with owner.connect() as connection:
        found = audit_publication(connection, CITY, "2024", by=[])
    assert ("S04", "changed") in {(each.place, each.what) for each in found}
