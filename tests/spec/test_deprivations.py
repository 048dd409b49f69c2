"""The five deprivations, said once and meant alike everywhere; and what Alkire and Foster make of them."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from geo.fields import standard_fields
from geo.indicators.definitions import Definition, catalogue
from geo.indicators.definitions.definition import Deprivation, Score
from geo.indicators.definitions.expressions.check import read_expression
from tests.spec.answer_tables import FIVE, LACKING, SOUND, UNTOLD
from tests.spec.generated import SETTINGS
from tests.spec.outcomes import ENGINES, Outcome, outcomes
from tests.support.stored import Answers, tally_both

SCORED = ("slum_severity", "mpi_headcount", "mpi_intensity", "mpi_adjusted")

CONTRARY = {"water": "water_basic", "sanitation": "sanitation_basic", "tenure": "tenure_secure"}
"""Deprivations that are the contrary of an indicator."""
SAME = {"durability": "not_durable", "crowding": "overcrowded"}
"""Deprivations that are an indicator."""


def deprivations() -> dict[str, str]:
    return {d.name: d.expression for d in catalogue()["slum_severity"].deprivations}


def test_every_score_is_of_the_same_five() -> None:
    for indicator in SCORED:
        definition = catalogue()[indicator]
        assert {d.name: d.expression for d in definition.deprivations} == deprivations()
        assert {d.weight for d in definition.deprivations} == {1}
        assert definition.cutoff == (None if indicator == "slum_severity" else 2)
    assert tuple(deprivations()) == FIVE


def test_slum_household_is_any_of_the_five() -> None:
    any_of_them = " OR ".join(f"({expression})" for expression in deprivations().values())
    tree = read_expression(any_of_them, where="Any of the five").tree
    assert catalogue()["slum_household"].parts["numerator"].tree == tree


@pytest.mark.parametrize("name", SAME)
def test_deprivation_is_the_indicator(name: str) -> None:
    assert deprivations()[name] == catalogue()[SAME[name]].numerator


@pytest.mark.parametrize("name", CONTRARY)
def test_deprivation_is_the_contrary_of_the_indicator(connection: Connection, name: str) -> None:
    """True exactly where the indicator is false, false where it is true, unknown where it is: for all answers."""
    service = catalogue()[CONTRARY[name]]
    deprived = service.model_copy(update={"id": "deprived", "numerator": deprivations()[name]})
    assert deprived.fields == service.fields
    rows = [dict(zip(service.fields, values, strict=True)) for values in product(*map(possible, service.fields))]
    found = outcomes(connection, [service, deprived], rows)
    turned: dict[Outcome, Outcome] = {True: False, False: True, None: None}
    for engine in ENGINES:
        served = found[engine][service.id]
        assert {*turned} == set(served)
        assert found[engine]["deprived"] == [turned[outcome] for outcome in served]


def possible(name: str) -> Sequence[Any]:
    """Every answer a field may hold, and unknown."""
    field = standard_fields()[name]
    known: Mapping[str, Sequence[Any]] = {"code": field.codes, "boolean": (True, False), "number": (30, 30.5)}
    return (None, *known[field.type])


@pytest.mark.parametrize("name", FIVE)
def test_a_sound_household_is_told_from_one_that_lacks_something(connection: Connection, name: str) -> None:
    """The households the tables are made of are what they say."""
    expression = deprivations()[name]
    one = catalogue()["internet_home"].model_copy(update={"id": "one", "numerator": expression})
    rows: list[Answers] = [SOUND, SOUND | LACKING[name], SOUND | UNTOLD[name]]
    rows += [SOUND | LACKING[other] for other in FIVE if other != name]
    found = outcomes(connection, [one], rows)
    assert [found[engine]["one"] for engine in ENGINES] == [[False, True, None, *[False] * 4]] * 2


ACHIEVEMENTS = ((13.1, 14, 4, 1), (15.2, 7, 5, 0), (12.5, 10, 1, 0), (20, 11, 3, 1))
CUTOFFS = {"water_minutes": 13, "waste_per_week": 12, "rooms": 3, "head_age": 1}
"""The standard fields that stand in for the four dimensions of the published example."""


def alkire_foster(score: Score, **changes: Any) -> Definition:
    shipped = catalogue()["mpi_adjusted"]
    return shipped.model_copy(
        update={
            "id": f"example_{score}",
            "measure": "share" if score == "headcount" else "mean",
            "score": score,
            "counted": "households",
            "deprivations": tuple(
                Deprivation(name=name, expression=f"{name} < {cutoff}") for name, cutoff in CUTOFFS.items()
            ),
            **changes,
        }
    )


def mean(tallies: pd.DataFrame, indicator: str, counted: str = "households") -> float:
    city = tallies.groupby(["indicator_id", "counted"]).sum().loc[(indicator, counted)]
    return float(city["sum_ay"] / city["sum_a"])


def test_alkire_foster_published_example(connection: Connection) -> None:
    """Four people, four dimensions, two of them to be poor: H 1/2, A 3/4, M0 3/8."""
    rows: list[Answers] = [dict(zip(CUTOFFS, person, strict=True)) for person in ACHIEVEMENTS]
    definitions = [alkire_foster(score) for score in ("headcount", "intensity", "adjusted")]
    for tallies in tally_both(connection, definitions, rows):
        assert mean(tallies, "example_headcount") == 0.5
        assert mean(tallies, "example_intensity") == 0.75
        assert mean(tallies, "example_adjusted") == 0.375


def test_alkire_foster_example_counts_deprivations(connection: Connection) -> None:
    """The same four are deprived in 0, 2, 4 and 1 respects."""
    rows: list[Answers] = [dict(zip(CUTOFFS, person, strict=True)) for person in ACHIEVEMENTS]
    count = alkire_foster("count", cutoff=None)
    for found in outcomes(connection, [count], rows).values():
        assert found["example_count"] == [0.0, 2.0, 4.0, 1.0]


HOUSEHOLDS = st.lists(
    st.builds(
        lambda lacks, untold, others: {
            **SOUND,
            **{k: v for name in lacks for k, v in LACKING[name].items()},
            **{k: v for name in untold for k, v in UNTOLD[name].items()},
            **others,
        },
        st.sets(st.sampled_from(FIVE)).map(sorted),
        st.sets(st.sampled_from(FIVE), max_size=1).map(sorted),
        st.fixed_dictionaries(
            {
                "settlement": st.integers(0, 2),
                "weight": st.sampled_from([1.0, 0.3, 2.5, 1 / 3, 1000.0]),
                # At least four, whom one room crowds and two do not.
                "members": st.none() | st.integers(4, 6),
            }
        ),
    ),
    min_size=1,
    max_size=40,
)


@SETTINGS
@given(rows=HOUSEHOLDS)
def test_headcount_times_intensity_is_adjusted(connection: Connection, rows: list[Answers]) -> None:
    """H x A = M0 on any data, unknowns and all, in the city and in each settlement."""
    definitions = [catalogue()[indicator] for indicator in SCORED]
    for tallies in tally_both(connection, definitions, rows):
        city = tallies.groupby(["indicator_id", "counted"]).sum().assign(settlement=-1)
        apart = pd.concat([tallies.reset_index(), city.reset_index()]).set_index(["settlement", "counted"])
        of = {indicator: apart[apart["indicator_id"] == indicator] for indicator in SCORED}
        headcount, adjusted = of["mpi_headcount"], of["mpi_adjusted"]
        assert headcount["n"].equals(adjusted["n"])
        intensity = of["mpi_intensity"].reindex(headcount.index).fillna({"sum_ay": 0, "sum_a": 0})
        for h, a, m0 in zip(headcount.itertuples(), intensity.itertuples(), adjusted.itertuples(), strict=True):
            # Those whose intensity is known are those who are poor.
            assert a.sum_a == pytest.approx(h.sum_ay, rel=1e-12)
            if h.sum_a and a.sum_a:
                product_of_both = (h.sum_ay / h.sum_a) * (a.sum_ay / a.sum_a)
                assert product_of_both == pytest.approx(m0.sum_ay / m0.sum_a, rel=1e-12)
            else:
                assert m0.sum_ay == 0


@SETTINGS
@given(rows=HOUSEHOLDS)
def test_adjusted_decomposes_by_settlement(connection: Connection, rows: list[Answers]) -> None:
    """A city's M0 is the mean of its settlements', weighted by the people in them."""
    adjusted, of_city = [catalogue()["mpi_adjusted"]], [{**row, "settlement": 0} for row in rows]
    for tallies, whole in zip(
        tally_both(connection, adjusted, rows), tally_both(connection, adjusted, of_city), strict=True
    ):
        apart, city = tallies.xs("persons", level="counted"), whole.xs("persons", level="counted").iloc[0]
        apart = apart[apart["sum_a"] > 0]
        if city["sum_a"] == 0:
            assert apart.empty
            continue
        part = apart["sum_a"] / apart["sum_a"].sum()
        of_settlement = apart["sum_ay"] / apart["sum_a"]
        assert (part * of_settlement).sum() == pytest.approx(city["sum_ay"] / city["sum_a"])
        assert apart["sum_a"].sum() == pytest.approx(city["sum_a"])
