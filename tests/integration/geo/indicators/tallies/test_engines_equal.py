"""PostGIS and the frame engine count the same, on any households and for any expression."""

from datetime import date
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sqlalchemy import Connection

from geo.fields import Field, standard_fields
from geo.indicators.definitions import Definition, catalogue
from geo.indicators.definitions.definition import OwnColumn
from tests.support.stored import tally_both

SETTINGS = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate],
)

USED = sorted(set().union({"interview_result"}, *(d.fields for d in catalogue().values())) - {"members"})


def answers(field: Field) -> SearchStrategy[Any]:
    """Any answer the field admits, or none."""
    match field.type:
        case "code":
            known: SearchStrategy[Any] = st.sampled_from(field.codes)
        case "boolean":
            known = st.booleans()
        case "integer":
            known = st.integers(int(field.min or 0), min(int(field.max or 100), 12))
        case "number":
            known = st.one_of(st.sampled_from([0, 0.5, 1, 29.999, 30, 30.001]), st.floats(0, field.max or 50))
        case "date":
            known = st.dates(date(2020, 1, 1), date(2024, 12, 31))
        case "text":
            known = st.text("aé'\"\\गा%_", max_size=4)
    return st.none() | known


HOUSEHOLD = st.fixed_dictionaries(
    {
        "settlement": st.integers(0, 2),
        "weight": st.sampled_from([1.0, 0.3, 2.5, 1 / 3, 1000.0]) | st.floats(1e-3, 1e4),
        "members": st.none() | st.integers(0, 200),
        **{name: answers(standard_fields()[name]) for name in USED},
    }
)


def assert_same(stored: pd.DataFrame, framed: pd.DataFrame) -> None:
    """Equal but for rounding; what is unknown is what is left over, so it is rounded as the sum of all is."""
    names = [name for name in stored.columns if not name.endswith("_unknown") or name == "n_unknown"]
    pd.testing.assert_frame_equal(stored[names], framed[names], check_like=True, rtol=1e-9, atol=0)
    for power in ("sum_a", "sum_a2"):
        whole = framed[power] + framed[f"{power}_unknown"]
        left_over = (stored[f"{power}_unknown"] - framed[f"{power}_unknown"]).abs()
        assert (left_over <= 1e-9 * whole).all()


@SETTINGS
@given(rows=st.lists(HOUSEHOLD, min_size=1, max_size=40))
def test_engines_count_the_same(connection: Connection, rows: list[dict[str, Any]]) -> None:
    assert_same(*tally_both(connection, list(catalogue().values()), rows))


@SETTINGS
@given(
    rows=st.lists(
        st.builds(
            lambda row, asked: row | {"asked": asked},
            HOUSEHOLD,
            st.none() | st.sets(st.sampled_from([*USED, "members"])).map(sorted),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_engines_count_who_was_asked(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """A row counts only where it was asked all an indicator asks."""
    assert_same(*tally_both(connection, list(catalogue().values()), rows, "settlement"))


def test_engines_never_join_what_was_asked_apart(connection: Connection) -> None:
    """Of 10 toilets of one's own and 10 on the premises nobody knows how many are the same."""
    of_users, of_place = ["toilet_users", "toilet_type"], ["toilet_location", "toilet_type"]
    rows: list[dict[str, Any]] = [
        {"asked": of_users, "toilet_users": "own", "weight": 10},
        {"asked": of_place, "toilet_location": "on_premises", "weight": 10},
        {"asked": ["drainage"], "drainage": "open", "weight": 20},
        {"asked": ["members"], "members": 4, "weight": 20},
    ]
    for tallies in tally_both(connection, list(catalogue().values()), rows, "settlement"):
        counted = tallies.droplevel("settlement")["sum_w"]
        assert set(counted.index.get_level_values("indicator_id")) == {
            "community_toilet_use",
            "seat_load",
            "sanitation_improved",
            "sanitation_basic",
            "sanitation_limited",
            "sanitation_unimproved",
            "open_defecation",
            "drainage_any",
            "drainage_closed",
            "density_persons",
            "density_households",
        }
        assert counted["drainage_any", "households"] == 20
        assert counted["density_persons", "persons"] == 20
        assert counted["density_households", "households"] == 20


def test_engines_keep_small_answers_beside_large_unknowns(connection: Connection) -> None:
    """One light household that answered among many heavy ones that did not."""
    heavy: list[dict[str, Any]] = [{"weight": 9_999.9 + i / 7, "members": 9} for i in range(500)]
    rows: list[dict[str, Any]] = [
        *heavy,
        {"weight": 0.1, "members": 1, "toilet_type": "none", "internet": True, "rooms": 4},
    ]
    stored, framed = tally_both(connection, list(catalogue().values()), rows)
    assert_same(stored, framed)
    key: Any = (0, "internet_home", "persons")
    assert stored.loc[key, "sum_ay"] == stored.loc[key, "sum_a"] == pytest.approx(0.1, rel=1e-12)


def test_engines_nobody_in_the_base(connection: Connection) -> None:
    rows: list[dict[str, Any]] = [{"interview_result": "refused"}, {"interview_result": "vacant", "settlement": 1}]
    stored, framed = tally_both(connection, list(catalogue().values()), rows)
    assert stored.empty
    assert framed.empty


def test_engines_two_bases(connection: Connection) -> None:
    """Definitions with bases of their own are scanned apart and come out together."""
    shipped = catalogue()["drainage_any"]
    crowded = shipped.model_copy(update={"id": "drainage_crowded", "base": "members > 3"})
    rows: list[dict[str, Any]] = [
        {"drainage": "open", "members": 2},
        {"drainage": "open", "members": 4},
        {"drainage": "open", "members": 4, "interview_result": "partial"},
    ]
    for tallies in tally_both(connection, [shipped, crowded], rows):
        counted = tallies["n"].xs("households", level="counted").droplevel("settlement")
        assert counted.to_dict() == {"drainage_any": 2, "drainage_crowded": 1}
        sampled = tallies["n_sampled"].xs("households", level="counted").droplevel("settlement")
        assert sampled.to_dict() == {"drainage_any": 2, "drainage_crowded": 2}


NUMBERS = ("members", "rooms", "water_minutes", "waste_per_week", "head_age")
LITERALS = st.one_of(st.integers(0, 12).map(str), st.sampled_from(["0.5", "2.5", "30"]))
SUMS = st.one_of(
    st.sampled_from(NUMBERS),
    LITERALS,
    st.builds("{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(["+", "-", "*"]), LITERALS),
    st.builds("{} * {}".format, LITERALS, st.sampled_from(NUMBERS)),
    st.builds("{} / {}".format, st.sampled_from(NUMBERS), st.sampled_from(["2", "3", "0.5"])),
    st.builds("{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(["+", "-"]), st.sampled_from(NUMBERS)),
    st.sampled_from(
        ["members * members", "-members", "-members + 3", "members * members * members * members * members"]
    ),
    # Divided by what may be nothing.
    st.builds("{} / {}".format, st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
    st.builds("{} / ({} - 1)".format, st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)),
    st.sampled_from(["1 / 0", "7 / 2 * rooms", "2 * 3"]),
)
COMPARED = st.builds(
    "{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), SUMS
)


def _coded(field: Field) -> SearchStrategy[str]:
    quoted = st.sampled_from(field.codes).map("'{}'".format)
    options = st.lists(quoted, min_size=1, max_size=4).map(", ".join)
    return st.one_of(
        st.builds("{} {} {}".format, st.just(field.name), st.sampled_from(["=", "<>"]), quoted),
        st.builds("{} {} ({})".format, st.just(field.name), st.sampled_from(["IN", "NOT IN"]), options),
    )


ATOMS = st.one_of(
    COMPARED,
    *(_coded(f) for f in standard_fields().values() if f.type == "code" and f.name in USED),
    st.builds("{} {}".format, st.sampled_from([*USED, "members"]), st.sampled_from(["IS NULL", "IS NOT NULL"])),
    st.sampled_from(
        ["internet = TRUE", "internet = FALSE", "internet <> TRUE", "TRUE = internet", "internet IN (TRUE)"]
    ),
    st.sampled_from(["rooms IN (1, 2)", "rooms NOT IN (1, 2.5, -3)", "rooms / 2 IN (1, 2.5)", "3 < rooms"]),
    st.sampled_from(
        ["members BETWEEN 2 AND 5", "water_minutes NOT BETWEEN 0 AND 30", "rooms BETWEEN 1 AND members / 2"]
    ),
    st.sampled_from(["interviewed_on >= DATE('2022-06-01')", "interviewed_on IN (DATE('2022-06-01'))"]),
    st.sampled_from(["interviewed_on BETWEEN DATE('2021-01-01') AND DATE('2023-01-01')"]),
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("NOT {}".format, inner),
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("{} OR {} AND {}".format, inner, inner, inner).map("({})".format),
    ),
    max_leaves=6,
)


def definitions_of(expressions: list[str]) -> list[Definition]:
    shipped = catalogue()["drainage_any"]
    return [shipped.model_copy(update={"id": f"made_{i}", "numerator": e}) for i, e in enumerate(expressions)]


@SETTINGS
@given(
    expressions=st.lists(EXPRESSIONS, min_size=4, max_size=12),
    base=EXPRESSIONS,
    rows=st.lists(HOUSEHOLD, min_size=1, max_size=25),
)
def test_engines_read_expressions_alike(
    connection: Connection, expressions: list[str], base: str, rows: list[dict[str, Any]]
) -> None:
    definitions = [d.model_copy(update={"base": base}) for d in definitions_of(expressions)]
    assert_same(*tally_both(connection, definitions, rows))


@pytest.mark.parametrize(
    ("expression", "row", "expected"),
    [
        ("members / 2 > 3", {"members": 7}, True),  # seven halves are more than three
        ("members * members > 30000", {"members": 200}, True),  # past what sixteen bits hold
        ("NOT (drainage = 'open')", {"drainage": None}, None),
        ("drainage IN ('open') OR members > 1", {"drainage": None, "members": 2}, True),
        ("drainage IN ('open') AND members > 1", {"drainage": None, "members": 1}, False),
        ("drainage NOT IN ('open')", {"drainage": None}, None),
        ("drainage IS NULL", {"drainage": None}, True),
        ("members NOT BETWEEN 2 AND 5", {"members": 5}, False),
        ("members / rooms > 3", {"members": 7, "rooms": 0}, None),  # what is divided by nothing is unknown
        ("members / rooms > 3", {"members": 7, "rooms": 2}, True),
        ("members * members * members * members * members > 1", {"members": 200}, True),  # past thirty-two bits
        ("rooms IN (1.5, 3)", {"rooms": 2}, False),  # 1.5 is not rounded to a whole number of rooms
        ("rooms = 1 OR rooms = 2 AND members = 9", {"rooms": 1, "members": 4}, True),  # AND binds closer
        ("NOT (rooms = 1 AND members = 9)", {"rooms": 1, "members": None}, None),
        ("interviewed_on >= DATE('2024-05-31')", {"interviewed_on": date(2024, 5, 31)}, True),
        ("occupation = 'O''Brien'", {"occupation": "O'Brien"}, True),
    ],
)
def test_engines_known_answers(
    connection: Connection, expression: str, row: dict[str, Any], expected: bool | None
) -> None:
    for tallies in tally_both(connection, definitions_of([expression]), [row]):
        key: Any = (0, "made_0", "households")
        tally = tallies.loc[key]
        assert (tally["n_unknown"] == 1) == (expected is None)
        assert (tally["sum_ay"] == 1) == (expected is True)


EXTRAS: tuple[Any, ...] = (
    *(
        "3",
        "3.0",
        " 3",
        "3 ",
        "+3",
        "-3",
        "3,5",
        "1e3",
        "abc",
        "",
        " ",
        "0",
        "00",
        ".5",
        "5.",
        "३",
        "\u00a03",
        "3\t",
        "yes",
    ),
    *("9" * 15, "9" * 16, "0." + "1" * 15, "0." + "1" * 16, "1\n", "गा", "'", "NaN", "Infinity", "true"),
    *(None, True, False, 0, 3, -3, 3.0, 3.5, 3.1, 1e3, 1e-7, 1e20, 1e300, -0.0, 10**20, 123456789012345678),
    *({"a": 1, "b": [2]}, {}, [], ["3"], [3]),
)
EXTRA_ROWS = st.fixed_dictionaries(
    {"settlement": st.integers(0, 1), "members": st.none() | st.integers(0, 9)},
    optional={
        "extra": st.none()
        | st.dictionaries(st.sampled_from(["own", "Has fan?", "पंखा", "a'b\"c"]), st.sampled_from(EXTRAS), max_size=4)
    },
)
OWN_EXPRESSIONS: dict[Literal["text", "number"], tuple[str, ...]] = {
    "text": (
        "{} = '3'",
        "{} <> '3'",
        "{} IN ('3', '3.5', 'abc', 'true')",
        "{} IS NULL",
        "{} = occupation",
        "{} = 'गा'",
    ),
    "number": (
        "{} = 3",
        "{} > 0",
        "{} IN (3, 3.5)",
        "{} IS NULL",
        "{} / members > 1",
        "{} * {} > 9",
        "{} BETWEEN 0 AND 3",
    ),
}


@SETTINGS
@given(rows=st.lists(EXTRA_ROWS, min_size=1, max_size=25), name=st.sampled_from(["own", "Has fan?", "पंखा", "a'b\"c"]))
def test_engines_read_own_columns_alike(connection: Connection, rows: list[dict[str, Any]], name: str) -> None:
    """Whatever a file held: numbers written as text, nothing, lists."""
    quoted = '"' + name.replace('"', '""') + '"'
    definitions = [
        catalogue()["drainage_any"].model_copy(
            update={
                "id": f"own_{kind}_{i}",
                "numerator": expression.format(quoted, quoted),
                "columns": {name: OwnColumn(type=kind)},
            }
        )
        for kind, expressions in OWN_EXPRESSIONS.items()
        for i, expression in enumerate(expressions)
    ]
    assert_same(*tally_both(connection, definitions, rows))


@pytest.mark.parametrize(
    ("kind", "expression", "value", "expected"),
    [
        ("number", "own = 3", "3", True),
        ("number", "own = 3", "3.0", True),
        ("number", "own = 3", " 3 ", True),
        ("number", "own = 3", 3.0, True),
        ("number", "own = 3", "abc", None),
        ("number", "own = 3", "", None),
        ("number", "own = 3", None, None),
        ("number", "own = 3", True, None),
        ("number", "own = 3", {"a": 3}, None),
        ("number", "own = 3", [3], None),
        ("text", "own = '3'", "3", True),
        ("text", "own = '3'", " 3", True),
        ("text", "own = '3'", 3, True),
        ("text", "own = '3'", 3.0, True),
        ("text", "own = '3'", "3.0", False),
        ("text", "own = '3.5'", 3.50, True),
        ("text", "own = 'true'", True, True),
        ("text", "own = 'yes'", "Yes", False),
        ("text", "own = 'yes'", "  ", None),
        ("text", "own = 'yes'", ["yes"], None),
    ],
)
def test_engines_own_columns_known_answers(
    connection: Connection, kind: Any, expression: str, value: Any, expected: bool | None
) -> None:
    (plain,) = definitions_of([expression])
    definition = plain.model_copy(update={"columns": {"own": OwnColumn(type=kind)}})
    for tallies in tally_both(connection, [definition], [{"extra": {"own": value}}, {}]):
        key: Any = (0, "made_0", "households")
        tally = tallies.loc[key]
        assert (tally["n_unknown"] == 2) == (expected is None)
        assert (tally["sum_ay"] == 1) == (expected is True)
