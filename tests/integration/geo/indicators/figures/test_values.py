"""The one door to figures: filters, pages, levels, what is withheld, and change between rounds."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from geo.base import PageRequest
from geo.errors import InvalidParameters
from geo.indicators.definitions import catalogue
from geo.indicators.figures import ValuesQuery, find_changes, find_values
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.tallies import surveys_lacking_tallies
from geo.indicators.tallies.store import make_missing
from geo.ingestion.loading import SourceOptions
from tests.support import factories as f
from tests.support.factories import redrawn

ALL = PageRequest(limit=None)
QUERY = ValuesQuery(cities=["pune"], seen="all", page=ALL)


def figures(connection: Connection, **changes: Any) -> pd.DataFrame:
    return find_values(connection, replace(QUERY, **changes)).figures


def exact(connection: Connection, **changes: Any) -> pd.DataFrame:
    return figures(connection, access="full", **changes)


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    """Four settlements; in 2024 the first has 9 answering households, the second 10, the others 12."""
    f.load_city(connection, tmp_path, f.small_city())
    rows = [r for r in f.households() if r["household_code"] not in {"H0000", "H0001", "H0002", "H0100", "H0101"}]
    f.load(connection, tmp_path, rows)
    return connection


def test_values_withheld_at_nine_shown_at_ten(city: Connection) -> None:
    found = figures(city, indicators=["drainage_any"]).set_index("settlement_code")
    nine, ten = found.loc[f.code(0)], found.loc[f.code(1)]
    assert (nine["status"], nine["reason"]) == ("withheld", "protected")
    assert nine[list(NUMBERS)].isna().all()
    assert (ten["status"], ten["reason"], ten["n"]) == ("published", None, 10)
    # The other settlement of the first one's ward would give it away.
    assert found.loc[f.code(2), "reason"] == "protected"
    assert found.loc[f.code(2), list(NUMBERS)].isna().all()


def test_values_in_full_are_exact_and_not_withheld(city: Connection) -> None:
    found = exact(city, indicators=["drainage_any"]).set_index("settlement_code")
    assert found["status"].tolist() == ["published"] * 4
    assert found["n"].tolist() == [9, 10, 12, 12]
    assert found.loc[f.code(0), "unserved"] == sum(i % 3 == 0 for i in range(3, 12))


def test_values_are_rounded_for_the_public(city: Connection) -> None:
    public, full = (view(city, indicators=["drainage_any"]).set_index("settlement_code") for view in (figures, exact))
    twelve = full.loc[f.code(3)]
    assert (twelve["n"], twelve["value"], twelve["unserved"]) == (12, 50, 6)
    shown = public.loc[f.code(3)]
    assert (shown["n"], shown["value"], shown["unserved"]) == (10, 50, 5)


def test_values_by_hand(city: Connection) -> None:
    """The second settlement: of households 2-11, those lack a drain whose number and one make a multiple of three."""
    ten = exact(city, indicators=["drainage_any"], settlements=[f.code(1)]).iloc[0]
    without = [i for i in range(2, 12) if (i + 1) % 3 == 0]
    assert ten["value"] == pytest.approx(100 * (10 - len(without)) / 10)
    assert ten["unserved"] == len(without)
    assert ten["population"] == 10
    # Everybody was asked.
    assert ten["method"] == "enumeration"
    assert pd.isna(ten["low"])


@pytest.mark.parametrize(("unknown", "status"), [(3, "published"), (4, "withheld")])
def test_values_too_many_unknown(connection: Connection, tmp_path: Path, unknown: int, status: str) -> None:
    """Three of fifteen are a fifth, which is let pass; four are more."""
    f.load_city(connection, tmp_path, f.small_city(1))
    f.load(connection, tmp_path, [f.household(i, 0, drainage=None if i < unknown else "open") for i in range(15)])
    (found,) = exact(connection, indicators=["drainage_any"]).to_dict("records")
    assert found["status"] == status
    assert found["reason"] == (None if status == "published" else "too_many_unknown")
    assert (found["n"], found["n_unknown"]) == (15 - unknown, unknown)


def test_values_nobody_answered(city: Connection) -> None:
    found = figures(city, indicators=["waste_collected"], surveys=["2024"])
    assert set(found["status"]) == {"published", "withheld"}
    city.execute(text("DELETE FROM tally WHERE indicator_id = 'waste_collected'"))
    assert set(figures(city, indicators=["waste_collected"])["reason"]) == {"no_answers"}
    city.execute(text("DELETE FROM tallied WHERE indicator_id = 'waste_collected'"))
    assert set(figures(city, indicators=["waste_collected"])["reason"]) == {"not_counted_yet"}


@pytest.mark.parametrize("level", ["settlement", "ward", "city"])
def test_values_pages_add_up_to_the_whole(city: Connection, level: Any) -> None:
    whole = find_values(city, replace(QUERY, level=level))
    places = {"settlement": 4, "ward": 2, "city": 1}[level]
    assert whole.total == len(whole.figures) == places * len(catalogue())
    pages, cursor = [], None
    while True:
        page = find_values(city, replace(QUERY, level=level, page=PageRequest(limit=5, cursor=cursor)))
        assert page.total == whole.total
        pages.append(page.figures)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert all(len(p) == 5 for p in pages[:-1])
    joined = pd.concat(pages, ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole.figures, check_dtype=False)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "bnVsbA",
        "W10",
        "WyJwdW5lIiwgImIiLCAiYyIsICJkIiwgImUiXQ",
        "WyJwdW5lIiwgIjIwMjQtMDEtMDEiLCAiY1x1MDAwMCIsICJkIiwgImUiXQ",
        "eyJhIjogMX0",
        "W" * 9_999,
    ],
)
def test_values_cursor_of_no_list(city: Connection, cursor: str) -> None:
    with pytest.raises(InvalidParameters, match="cursor"):
        find_values(city, replace(QUERY, page=PageRequest(limit=5, cursor=cursor)))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"cities": ["nashik"]}, "city"),
        ({"surveys": ["1999"]}, "survey"),
        ({"settlements": ["x'; DROP TABLE tally"]}, "settlement"),
        ({"indicators": ["happiness"]}, "indicator"),
    ],
)
def test_values_unknown_filter(city: Connection, changes: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidParameters) as raised:
        figures(city, **changes)
    assert [p.name for p in raised.value.invalid] == [name]


def test_values_of_drafts_only_on_request(city: Connection) -> None:
    assert find_values(city, replace(QUERY, seen="published")).total == 0
    with pytest.raises(InvalidParameters):
        figures(city, seen="published", surveys=["2024"])
    city.execute(text("UPDATE survey SET state = 'published'"))
    assert find_values(city, replace(QUERY, seen="published")).total == 4 * len(catalogue())


@pytest.mark.parametrize("level", ["ward", "city"])
def test_values_roll_ups_are_sums(city: Connection, level: Any) -> None:
    """Counted anew from the households of each ward or city, past the tallies."""
    found = exact(city, level=level, indicators=["drainage_any", "household_toilet"])
    code = "w.code" if level == "ward" else "NULL::text"
    rows = city.execute(
        text(
            f"SELECT {code} AS ward, count(*) AS n, count(*) FILTER (WHERE drainage IN ('open', 'closed')) AS drained,"
            " count(*) FILTER (WHERE toilet_users = 'own' AND toilet_location = 'on_premises') AS own"
            " FROM household h JOIN settlement_ward s USING (settlement_id) JOIN ward w ON w.id = s.ward_id"
            " WHERE is_live GROUP BY 1"
        )
    ).mappings()
    for row in rows:
        here = found if level == "city" else found[found["ward_code"] == row["ward"]]
        by_id = here.set_index("indicator")
        assert by_id.loc["drainage_any", "n"] == row["n"]
        assert by_id.loc["drainage_any", "value"] == pytest.approx(100 * row["drained"] / row["n"], abs=0.005)
        assert by_id.loc["household_toilet", "value"] == pytest.approx(100 * row["own"] / row["n"], abs=0.005)


def test_values_of_a_settlement_unit_have_no_interval(city: Connection, tmp_path: Path) -> None:
    rows = [{"settlement_code": f.code(0), "weight": 120, "electricity": "metered"}]
    spec = f.spec("register", unit="settlement")
    f.load(city, tmp_path, rows, survey=spec, source=SourceOptions(unit="settlement"))
    query = {"surveys": ["register"], "indicators": ["electricity_access"], "counted": "households"}
    found = figures(city, **query).set_index("settlement_code").loc[f.code(0)]
    assert (found["status"], found["value"], found["population"]) == ("published", 100, 120)
    assert pd.isna(found["low"])
    assert pd.isna(found["high"])


@pytest.fixture
def rounds(city: Connection, tmp_path: Path) -> Connection:
    """A round six years earlier, in which nobody had a drain."""
    earlier = f.spec("2018", starts_on=date(2018, 1, 1), ends_on=date(2018, 6, 30))
    f.load(city, tmp_path, [{**row, "drainage": "none"} for row in f.households()], survey=earlier)
    return city


def make_all_tallies(connection: Connection) -> None:
    for survey_id in surveys_lacking_tallies(connection):
        make_missing(connection, survey_id)


def changes(connection: Connection, *, allow_break: bool = False, **query: Any) -> pd.DataFrame:
    asked = replace(QUERY, indicators=["drainage_any"], **query)
    return find_changes(connection, asked, earlier="2018", later="2024", allow_break=allow_break).figures


def test_changes_between_rounds_of_everybody(rounds: Connection) -> None:
    found = changes(rounds).set_index("settlement_code").loc[f.code(1)]
    later = figures(rounds, surveys=["2024"], indicators=["drainage_any"], settlements=[f.code(1)]).iloc[0]
    assert (found["from_value"], found["to_value"], found["change"]) == (0, later["value"], later["value"])
    assert found["method"] == "enumeration"
    assert pd.isna(found["low"])
    assert changes(rounds).set_index("settlement_code").loc[f.code(0), "reason"] == "protected"


BROKEN = ["change", "low", "high", "from_value", "to_value", "n", "n_before", "method"]


@pytest.mark.parametrize("level", ["settlement", "ward", "city"])
def test_changes_refused_where_the_definition_changed(rounds: Connection, level: Any) -> None:
    f.count_by_another_version(rounds, "2018", "drainage_any", 7)
    found = changes(rounds, level=level)
    assert set(found["reason"]) == {"definition_changed"}
    assert found[BROKEN].isna().all().all()
    allowed = changes(rounds, level="city", allow_break=True)
    assert allowed["status"].tolist() == ["published"]
    assert allowed["flags"].tolist() == [("break_allowed",)]


def test_changes_refused_where_the_boundary_changed(rounds: Connection, tmp_path: Path) -> None:
    f.load_city(rounds, tmp_path, redrawn(f.small_city(), 2), valid_from_on=date(2020, 1, 1))
    reasons = changes(rounds, access="full").set_index("settlement_code")["reason"]
    assert reasons[f.code(2)] == "boundary_changed"
    assert pd.isna(reasons[f.code(1)])
    wards = changes(rounds, level="ward").set_index("ward_code")["reason"]
    assert wards["W1"] == "boundary_changed"
    assert pd.isna(wards["W2"])
    assert changes(rounds, level="city")["reason"].tolist() == ["boundary_changed"]
    allowed = changes(rounds, access="full", allow_break=True).set_index("settlement_code")["flags"]
    assert (allowed[f.code(2)], allowed[f.code(1)]) == (("break_allowed",), ())


@pytest.mark.parametrize("mode", ["sample", "phone"])
def test_changes_refused_where_the_mode_changed(rounds: Connection, mode: str) -> None:
    rounds.execute(text(f"UPDATE survey SET mode = '{mode}' WHERE slug = '2018'"))
    make_all_tallies(rounds)
    assert set(changes(rounds, access="full")["reason"]) == {"mode_changed"}
    allowed = changes(rounds, access="full", allow_break=True, level="city").iloc[0]
    assert "break_allowed" in allowed["flags"]
