"""Registers of settlements: how households divide by one question, from the file to the figure."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError
from sqlalchemy import Connection, select, text

from geo.database.schema.households import household
from geo.database.schema.surveys import survey
from geo.errors import ProfileInvalid
from geo.indicators.figures import ValuesQuery, find_values
from geo.ingestion.loading import ErrorsFound, LoadResult, SourceOptions, assess, read_boundaries, withdraw
from geo.ingestion.mapping import Profile
from geo.ingestion.reading import ReadOptions
from tests.support import factories as f

CODE = {"declared_settlement_code": {"column": "settlement"}}
WEIGHT = {"weight": {"column": "families"}}


def profile(*, fields: dict[str, Any] | None = None, **shares: Any) -> Profile:
    return Profile.model_validate({"name": "register", "fields": CODE | WEIGHT | (fields or {}), "shares": shares})


def part(column: str, **answers: Any) -> dict[str, Any]:
    steps = answers.pop("steps", {})
    return {"column": column, "answers": answers, "steps": steps}


COUNTS = profile(
    drains={
        "kind": "count",
        "of": "asked",
        "parts": [part("closed", drainage="closed"), part("open", drainage="open")],
        "rest": {"drainage": "none"},
    }
)
PERCENTAGES = profile(
    drains={
        "kind": "percent",
        "of": "asked",
        "parts": [part("closed", drainage="closed"), part("open", drainage="open")],
        "rest": {"drainage": "none"},
    }
)
SCALE = profile(
    drains={
        "kind": "scale",
        "parts": [part("drain", drainage="closed", steps={"Total": 100, "Parcial": "unknown", "Inexistente": 0})],
        "rest": {"drainage": "none"},
    }
)


def load(
    connection: Connection, folder: Path, rows: Any, using: Profile, slug: str = "register", **changes: Any
) -> LoadResult:
    return f.load(
        connection,
        folder,
        rows,
        survey=f.spec(slug, unit="settlement"),
        source=SourceOptions(profile=using, unit="settlement"),
        **changes,
    )


def figures(connection: Connection, slug: str, indicator: str = "drainage_any", **query: Any) -> pd.DataFrame:
    asked = ValuesQuery(surveys=[slug], indicators=[indicator], counted="households", seen="all", **query)
    return find_values(connection, asked).figures.set_index("settlement_code")


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    f.load_city(connection, tmp_path, f.small_city())
    return connection


def test_shares_give_what_categories_give(city: Connection, tmp_path: Path) -> None:
    """60 of 200 households with a closed drain, 40 with an open one, 100 without: counted, in per cent, one by one."""
    row = {"settlement": "01", "families": 200, "asked": 200}
    load(city, tmp_path, [row | {"closed": 60, "open": 40}], COUNTS, "counts")
    load(city, tmp_path, [row | {"closed": "30 %", "open": "20"}], PERCENTAGES, "percentages")
    answers = [("closed", 60), ("open", 40), ("none", 100)]
    each = [f.household(100 * i + k, drainage=drain) for i, (drain, n) in enumerate(answers) for k in range(n)]
    f.load(city, tmp_path, each, survey=f.spec("households"))
    for indicator, value in (("drainage_any", 50.0), ("drainage_closed", 30.0)):
        for slug in ("counts", "percentages", "households"):
            figure = figures(city, slug, indicator).loc["01"]
            assert (figure["value"], figure["n"], figure["n_unknown"]) == (value, 200, 0)
            assert (figure["population"], figure["unserved"]) == (200, round(200 * (1 - value / 100)))


@pytest.mark.parametrize(
    ("word", "value", "reason"),
    [("Total", 100.0, None), ("inexistente ", 0.0, None), ("Parcial", None, "no_answers"), ("", None, "no_answers")],
)
def test_shares_scale(city: Connection, tmp_path: Path, word: str, value: float | None, reason: str | None) -> None:
    load(city, tmp_path, [{"settlement": "01", "families": 50, "drain": word}], SCALE)
    figure = figures(city, "register").loc["01"]
    assert (figure["value"] if value is not None else None, figure["reason"]) == (value, reason)


def test_shares_speak_of_households(city: Connection, tmp_path: Path) -> None:
    """A fifth of the households may be unknown, whether they are one row or many."""
    rows = [
        {"settlement": "01", "families": 100, "asked": 100, "closed": 80, "open": None},
        {"settlement": "02", "families": 100, "asked": 100, "closed": 79, "open": None},
        {"settlement": "03", "families": 9, "asked": 9, "closed": 9, "open": 0},
    ]
    load(city, tmp_path, rows, COUNTS)
    shown = figures(city, "register", access="full")
    assert (shown.loc["01", "status"], shown.loc["01", "n"], shown.loc["01", "n_unknown"]) == ("published", 80, 20)
    assert shown.loc["02", "reason"] == "too_many_unknown"
    assert (shown.loc["02", "n"], shown.loc["02", "n_unknown"]) == (79, 21)
    assert shown.loc["03", "n"] == 9
    public = figures(city, "register")
    assert public.loc["03", "reason"] == "protected"
    assert public.loc["01", "reason"] == "protected"  # the other one of its ward


def test_shares_of_two_questions_are_never_joined(city: Connection, tmp_path: Path) -> None:
    """Whether a toilet is one's own and whether it is at home, each known of half the households: of both, nothing."""
    using = profile(
        users={"kind": "count", "parts": [part("own", toilet_users="own")]},
        place={"kind": "count", "parts": [part("at_home", toilet_location="on_premises")]},
    )
    load(city, tmp_path, [{"settlement": "01", "families": 100, "own": 50, "at_home": 50}], using)
    assert figures(city, "register", "household_toilet").loc["01", "reason"] == "no_answers"


def test_shares_findings(city: Connection, tmp_path: Path) -> None:
    using = profile(
        drains={
            "kind": "percent",
            "of": "asked",
            "parts": [part("closed", drainage="closed"), part("open", drainage="open")],
        },
        wires={
            "kind": "scale",
            "parts": [part("wires", electricity="metered", steps={"all": 100, "some": 50, "none": 0})],
        },
    )
    whole = {"families": 100, "asked": 100, "closed": 50, "open": 50, "wires": "all"}
    rows = [
        whole | {"settlement": "01", "closed": 50.3, "open": 50.2},  # rounded
        whole | {"settlement": "02", "closed": 60, "open": 41},
        whole | {"settlement": "03", "closed": "many", "open": -1, "asked": ""},
        whole | {"settlement": "04", "wires": "some", "open": 101},
    ]
    with pytest.raises(ErrorsFound) as refused:
        load(city, tmp_path, rows, using)
    found = refused.value.result.findings.frame()
    assert list(found[["row_number", "code", "field", "value"]].itertuples(index=False, name=None)) == [
        (3, "share_exceeds_base", "drains", "60 % + 41 %"),
        (4, "share_base_missing", "asked", None),
        (4, "share_invalid", "closed", "many"),
        (4, "share_invalid", "open", "-1.0"),
        (5, "share_assumed", "wires", "some = 50 %"),
        (5, "share_invalid", "open", "101.0"),
    ]
    load(city, tmp_path, [rows[0]], using, "rounded")
    assert figures(city, "rounded").loc["01", "n"] == 100


def test_shares_unmapped_word_is_unknown(city: Connection, tmp_path: Path) -> None:
    result = load(city, tmp_path, [{"settlement": "01", "families": 100, "drain": "Quizás"}], SCALE)
    assert list(result.findings.frame()["code"]) == ["value_unmapped"]
    assert figures(city, "register").loc["01", "reason"] == "no_answers"


@pytest.mark.parametrize(
    ("share", "sentence"),
    [
        ({"kind": "percent", "parts": [part("a", drainage="open")]}, "name the base with `of`"),
        ({"kind": "scale", "parts": [part("a", drainage="open")]}, "needs steps"),
        ({"kind": "count", "parts": [part("a", drainage="open", steps={"x": 1})]}, "go with a scale only"),
        ({"kind": "scale", "parts": [part("a", drainage="open", steps={"x": 101})]}, "from 0 to 100"),
        ({"kind": "count", "parts": [part("a", drainage="open")], "rest": {"drainage": "none"}}, "with `of`"),
        ({"kind": "count", "parts": [part("a", drainage="river")]}, "a code of drainage"),
        ({"kind": "count", "parts": [part("a", drain="open")]}, "is not a standard field"),
        ({"kind": "count", "parts": [part("a", members=3)]}, "some households give and others do not"),
        ({"kind": "count", "parts": [part("a", toilet_type="vip")]}, "answered in fields already"),
    ],
)
def test_profile_refuses_a_share(share: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        profile(fields={"toilet_type": {"column": "toilet"}}, one=share)


def test_profile_refuses_one_field_in_two_shares() -> None:
    share = {"kind": "count", "parts": [part("a", drainage="open")]}
    with pytest.raises(ValidationError, match=r"two: drainage is answered in shares\.one already"):
        profile(one=share, two=share)


def test_shares_need_settlements(city: Connection, tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="--unit settlement"):
        f.load(city, tmp_path, [{"settlement": "01"}], source=SourceOptions(profile=SCALE))


def state(connection: Connection, slug: str) -> list[tuple[Any, ...]]:
    (survey_id,) = connection.execute(select(survey.c.id).where(survey.c.slug == slug)).scalars()
    f.assert_tallies_whole(connection, survey_id)
    columns = [household.c[name] for name in ("household_code", "part", "weight", "drainage")]
    live = select(*columns).where(household.c.is_live, household.c.survey_id == survey_id).order_by(*columns[:2])
    return [tuple(row) for row in connection.execute(live)]


def test_shares_replace_and_withdraw_all_parts_together(city: Connection, tmp_path: Path) -> None:
    one = {"settlement": "01", "families": 100, "asked": 100, "closed": 60, "open": 40}
    other = {"settlement": "02", "families": 100, "asked": 100, "closed": 60, "open": 0}
    first = load(city, tmp_path, [one, other], COUNTS)
    assert (first.rows_read, first.rows_loaded) == (2, 2)
    before = state(city, "register")
    assert before == [
        ("01", 0, 100.0, None),
        ("01", 1, 60.0, "closed"),
        ("01", 2, 40.0, "open"),
        ("02", 0, 100.0, None),
        ("02", 1, 60.0, "closed"),
        ("02", 3, 40.0, "none"),
    ]
    second = load(city, tmp_path, [one | {"closed": 100, "open": 0}], COUNTS)
    after = state(city, "register")
    assert after[:2] == [("01", 0, 100.0, None), ("01", 1, 100.0, "closed")]
    assert after[2:] == before[3:]
    assert second.upload_id is not None
    assert withdraw(city, second.upload_id) == 1
    assert state(city, "register") == before
    kept = text("SELECT count(*) FROM household WHERE part > 0 AND extra IS NOT NULL")
    assert city.execute(kept).scalar_one() == 0


def test_assess_shares_as_the_database(city: Connection, tmp_path: Path) -> None:
    rows = [
        {"settlement": f.code(i), "families": 100 + i, "asked": 100, "closed": 60, "open": 10 * i, "note": "x"}
        for i in range(4)
    ]
    load(city, tmp_path, rows, COUNTS)
    shapes = read_boundaries(f.write_boundaries(tmp_path / "b.gpkg", f.small_city()), ReadOptions(), None)
    path = f.write_csv(tmp_path / "register.csv", rows)
    offline = assess(
        shapes, path, SourceOptions(profile=COUNTS, unit="settlement"), city="pune", survey="register", mode="census"
    )
    here = offline.figures.query("level == 'settlement' and indicator == 'drainage_any'").set_index("settlement_code")
    stored = figures(city, "register")
    for name in ("value", "n", "n_unknown", "population", "status"):
        assert list(here[name]) == list(stored[name])


def test_settlements_by_name_and_ward(city: Connection, tmp_path: Path) -> None:
    """A name two settlements bear joins in the ward that has one of them, and is an error where no ward is named.

    In another ward than the row says, no name joins.
    """
    frame = f.small_city()
    frame["settlement_name"] = ["Villa Rosa", "Villa Rosa", "Ñembý", "San José"]
    f.load_city(city, tmp_path, frame, slug="twins")
    fields = {"declared_settlement_name": {"column": "name"}, "declared_ward_name": {"column": "ward"}}
    using = Profile.model_validate({"name": "names", "fields": fields | WEIGHT})
    rows = [
        {"name": "VILLA  ROSA", "ward": "south"},
        {"name": "Villa Rosa", "ward": ""},
        {"name": "nemby", "ward": "North"},
        {"name": "San Jose'", "ward": "South"},
        {"name": "Sant José", "ward": "South"},
        {"name": "Ñembý", "ward": "West"},
    ]
    result = load(city, tmp_path, [row | {"families": 20} for row in rows], using, "s", city="twins", skip_errors=True)
    found = result.findings.frame()
    assert list(found[["row_number", "code", "value"]].itertuples(index=False, name=None)) == [
        (3, "name_ambiguous", "Villa Rosa: 01, 02"),
        (6, "settlement_unknown", "Sant José (did you mean San José, 04?)"),
        (7, "settlement_in_other_ward", "Ñembý is in North only; the row says West"),
    ]
    assert result.rows_loaded == 3


def test_settlements_by_code_and_name(city: Connection, tmp_path: Path) -> None:
    fields = CODE | {"declared_settlement_name": {"column": "name"}} | WEIGHT
    using = Profile.model_validate({"name": "both", "fields": fields})
    rows = [("01", "गांधीनगर"), ("02", "Elsewhere"), ("", "NEMBY"), ("4", "Nagar 4"), ("04.0", "x"), ("77", "NEMBY")]
    named = [{"settlement": code, "name": name, "families": 20} for code, name in rows]
    result = load(city, tmp_path, named, using, skip_errors=True)
    assert list(result.findings.frame()[["row_number", "code", "value"]].itertuples(index=False, name=None)) == [
        (3, "name_differs", "Elsewhere here, São José in the boundaries"),
        (4, "joined_by_name", "NEMBY (03)"),
        (5, "settlement_unknown", "4 Nagar 4 (did you mean Nagar 3, 04?)"),
        (6, "settlement_unknown", "04.0 x (did you mean Nagar 3, 04?)"),
        (7, "settlement_unknown", "77 NEMBY (did you mean Ñembý, 03?)"),
    ]
