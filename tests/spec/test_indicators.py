"""Every shipped indicator against its table of answers, through both engines."""

from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection

from geo.fields import standard_fields
from geo.indicators.catalogue import catalogue
from tests.spec.answer_tables import BASE, TABLES, Case, Outcome
from tests.stored import tally_both


def outcomes(connection: Connection, indicator: str, cases: list[Case]) -> dict[str, list[Outcome]]:
    """The outcome of each case by engine: each household stands in a settlement of its own."""
    definition = catalogue()[indicator]
    rows = [{"members": 4, **answers, "settlement": i} for i, (answers, _) in enumerate(cases)]
    found = {}
    for engine, tallies in zip(("postgis", "frame"), tally_both(connection, [definition], rows), strict=True):
        found[engine] = [_outcome(tallies, i, indicator, definition.counted_levels()[0]) for i in range(len(cases))]
    return found


def _outcome(tallies: pd.DataFrame, settlement: int, indicator: str, counted: str) -> Outcome:
    key: Any = (settlement, indicator, counted)
    if key not in tallies.index:
        return "outside"
    tally = tallies.loc[key]
    assert tally["n"] + tally["n_unknown"] == 1
    if tally["n_unknown"]:
        return None
    # A household of nobody is counted, and adds nobody.
    return bool(tally["sum_ay"] > 0) or bool(tally["sum_a"] == 0)


def test_tables_cover_the_catalogue() -> None:
    assert TABLES.keys() == catalogue().keys()


@pytest.mark.parametrize("indicator", list(TABLES))
def test_indicator_answers(connection: Connection, indicator: str) -> None:
    cases = TABLES[indicator]
    expected = [outcome for _, outcome in cases]
    found = outcomes(connection, indicator, cases)
    for engine in ("postgis", "frame"):
        wrong = [
            (engine, answers, "expected", wanted, "found", got)
            for (answers, _), wanted, got in zip(cases, expected, found[engine], strict=True)
            if wanted is not got and wanted != got
        ]
        assert wrong == []


@pytest.mark.parametrize("indicator", list(TABLES))
def test_indicator_base(connection: Connection, indicator: str) -> None:
    yes = next(answers for answers, outcome in TABLES[indicator] if outcome is True)
    cases: list[Case] = [({**yes, **result}, wanted) for result, wanted in BASE]
    found = outcomes(connection, indicator, cases)
    assert found["postgis"] == found["frame"] == [wanted for _, wanted in BASE]


def test_every_code_is_decided() -> None:
    """Each code of a field an indicator turns on stands in that indicator's table."""
    decisive = {
        "open_defecation": "toilet_type",
        "sanitation_basic": "toilet_type",
        "water_basic": "water_source",
        "electricity_access": "electricity",
        "drainage_any": "drainage",
        "waste_collected": "waste_collection",
        "community_toilet_use": "toilet_users",
        "household_toilet": "toilet_users",
    }
    for indicator, field in decisive.items():
        seen = {answers.get(field) for answers, _ in TABLES[indicator]} - {None}
        assert seen == set(standard_fields()[field].codes), indicator
