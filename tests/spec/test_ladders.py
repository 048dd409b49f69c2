"""The rungs of a ladder share out the same households: no household stands on two, and none of them is lost."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sqlalchemy import Connection

from geo.fields import standard_fields
from geo.indicators.definitions import Definition, catalogue
from tests.spec.generated import SETTINGS
from tests.spec.outcomes import ENGINES, Outcome, outcomes
from tests.support.stored import Answers, tally_both

LADDERS = {
    "sanitation": {"sanitation_basic", "sanitation_limited", "sanitation_unimproved", "open_defecation"},
    "water": {"water_basic", "water_limited", "water_unimproved", "water_surface"},
}

ANSWERS: Mapping[str, Sequence[Any]] = {
    "toilet_type": standard_fields()["toilet_type"].codes,
    "toilet_users": standard_fields()["toilet_users"].codes,
    "water_source": standard_fields()["water_source"].codes,
    "water_source_other_uses": standard_fields()["water_source"].codes,
    "water_location": standard_fields()["water_location"].codes,
    "water_minutes": [0, 30, 30.5, 31, 600],
}


def rungs(ladder: str) -> list[Definition]:
    return [definition for definition in catalogue().values() if definition.ladder == ladder]


def fields(ladder: str) -> list[str]:
    return sorted(set().union(*(rung.fields for rung in rungs(ladder))))


def households(ladder: str, *, complete: bool) -> SearchStrategy[list[Answers]]:
    """Households with any answers to what the ladder asks, and nothing unknown where they are complete."""

    def answers(known: Sequence[Any]) -> SearchStrategy[Any]:
        return st.sampled_from(known) if complete else st.none() | st.sampled_from(known)

    household: SearchStrategy[Answers] = st.fixed_dictionaries(
        {
            "settlement": st.integers(0, 2),
            "weight": st.sampled_from([1.0, 0.3, 2.5, 1 / 3, 1000.0]),
            "members": answers(range(12)),
            **{name: answers(ANSWERS[name]) for name in fields(ladder)},
        }
    )
    return st.lists(household, min_size=1, max_size=40)


def summed(tallies: pd.DataFrame, counted: str) -> pd.DataFrame:
    """The city's sums of every rung."""
    return tallies.groupby(["indicator_id", "counted"]).sum().xs(counted, level="counted")


def weight_of(row: Answers, counted: str) -> float:
    """What a household counts for; one of unknown size has no persons."""
    return float(row["weight"]) * (1 if counted == "households" else row["members"] or 0)


@pytest.mark.parametrize("ladder", LADDERS)
def test_rungs_are_alike_but_for_the_numerator(ladder: str) -> None:
    assert {rung.id for rung in rungs(ladder)} == LADDERS[ladder]
    heads = {(r.base, r.unknown, r.counted, r.measure, r.unit, r.decimals) for r in rungs(ladder)}
    assert heads == {(None, "unserved", "persons", "share", "%", 2)}


def standing(outcome_by_rung: Mapping[str, list[Outcome]], n: int) -> list[list[Outcome]]:
    """The outcomes of each household on every rung."""
    return [[outcome_by_rung[rung][i] for rung in outcome_by_rung] for i in range(n)]


def assert_decided_or_open(here: list[Outcome]) -> None:
    """On one rung and no other; or on none yet, and then two or more are possible."""
    if True in here:
        assert sorted(map(str, here)) == ["False", "False", "False", "True"]
    else:
        assert here.count(None) >= 2


@pytest.mark.parametrize("ladder", LADDERS)
def test_household_stands_on_one_rung_whatever_it_answers(connection: Connection, ladder: str) -> None:
    """Every combination of answers and unknowns there is."""
    names = fields(ladder)
    possible = [[None, *ANSWERS[name]] if name != "water_minutes" else [None, 30, 30.5] for name in names]
    rows = [dict(zip(names, values, strict=True)) for values in product(*possible)]
    found = outcomes(connection, rungs(ladder), rows)
    assert found["postgis"] == found["frame"]
    for here in standing(found["frame"], len(rows)):
        assert_decided_or_open(here)


@SETTINGS
@given(st.data())
@pytest.mark.parametrize("ladder", LADDERS)
def test_rungs_sum_to_all_where_answers_are_complete(connection: Connection, ladder: str, data: st.DataObject) -> None:
    rows = data.draw(households(ladder, complete=True))
    for tallies in tally_both(connection, rungs(ladder), rows):
        for counted in ("households", "persons"):
            city = summed(tallies, counted)
            assert (city["n_unknown"] == 0).all()
            assert city["n_yes"].sum() == len(rows)
            everybody = sum(weight_of(row, counted) for row in rows)
            assert city["sum_ay"].sum() == pytest.approx(everybody)
            assert city["sum_a"].tolist() == pytest.approx([everybody] * 4)


@SETTINGS
@given(st.data())
@pytest.mark.parametrize("ladder", LADDERS)
def test_rungs_and_the_undecided_sum_to_all(connection: Connection, ladder: str, data: st.DataObject) -> None:
    """All rungs have one base; what they leave of it is exactly the households that stand on none."""
    rows = data.draw(households(ladder, complete=False))
    found = outcomes(connection, [r.model_copy(update={"counted": "households"}) for r in rungs(ladder)], rows)
    for engine, tallies in zip(ENGINES, tally_both(connection, rungs(ladder), rows), strict=True):
        on_rungs = standing(found[engine], len(rows))
        for here in on_rungs:
            assert_decided_or_open(here)
        for counted in ("households", "persons"):
            city = summed(tallies, counted)
            everybody = sum(weight_of(row, counted) for row in rows)
            undecided = sum(
                weight_of(row, counted) for row, here in zip(rows, on_rungs, strict=True) if True not in here
            )
            assert (city["sum_a"] + city["sum_a_unknown"]).tolist() == pytest.approx([everybody] * 4)
            assert city["sum_ay"].sum() + undecided == pytest.approx(everybody)
