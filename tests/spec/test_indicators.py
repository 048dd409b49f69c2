"""Every shipped indicator against its table of answers, through both engines."""

from typing import Any

import pytest
from sqlalchemy import Connection

from geo.fields import Field, standard_fields
from geo.indicators.definitions import catalogue
from tests.spec.answer_tables import BASE, TABLES
from tests.spec.outcomes import ENGINES, outcomes, same
from tests.support.stored import Answers


def test_tables_cover_the_catalogue() -> None:
    assert TABLES.keys() == {d.id for d in catalogue().values() if d.is_tallied}


@pytest.mark.parametrize("indicator", list(TABLES))
def test_indicator_answers(connection: Connection, indicator: str) -> None:
    cases = TABLES[indicator]
    found = outcomes(connection, [catalogue()[indicator]], [answers for answers, _ in cases])
    for engine in ENGINES:
        wrong = [
            (engine, answers, "expected", wanted, "found", got)
            for (answers, wanted), got in zip(cases, found[engine][indicator], strict=True)
            if not same(wanted, got)
        ]
        assert wrong == []


@pytest.mark.parametrize("indicator", list(TABLES))
def test_indicator_base(connection: Connection, indicator: str) -> None:
    """Who was not interviewed is in no base, and says nothing."""
    counts, outcome = next(case for case in TABLES[indicator] if case[1] not in (False, None, "outside"))
    found = outcomes(connection, [catalogue()[indicator]], [{**counts, **result} for result, _ in BASE])
    expected = [outcome if interviewed else "outside" for _, interviewed in BASE]
    for engine in ENGINES:
        pairs = zip(expected, found[engine][indicator], strict=True)
        assert all(same(wanted, got) for wanted, got in pairs), engine


def test_household_of_nobody_is_counted_and_adds_nobody(connection: Connection) -> None:
    households: list[Answers] = [{"members": 0, "toilet_type": "none"}]
    found = outcomes(connection, [catalogue()["open_defecation"]], households)
    assert [found[engine]["open_defecation"] for engine in ENGINES] == [[True], [True]]


@pytest.mark.parametrize("indicator", list(TABLES))
def test_table_covers_every_answer(indicator: str) -> None:
    """Every code, yes and no, several numbers and an unknown of each field an indicator asks stand in its table."""
    for name in catalogue()[indicator].fields:
        field = standard_fields()[name]
        seen = {answers.get(name) for answers, _ in TABLES[indicator] if name != "members" or name in answers}
        assert None in seen, f"{name} is never unknown"
        assert _lacking(field, seen - {None}) == set(), name


def _lacking(field: Field, seen: set[Any]) -> set[Any]:
    if field.type == "code":
        return set(field.codes) - seen
    if field.type == "boolean":
        return {True, False} - seen
    return set() if len(seen) > 1 else {"another number"}
