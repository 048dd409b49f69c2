"""What each engine makes of single households: one settlement each, so that a settlement's tally is its outcome."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection

from geo.indicators.definitions import Definition
from tests.support.stored import Answers, tally_both

Outcome = bool | float | None | Literal["outside"]
"""Yes or no, or the score of a mean; None where it is unknown, `outside` where the household is not in the base."""

ENGINES = ("postgis", "frame")


def outcomes(
    connection: Connection, definitions: Sequence[Definition], households: Sequence[Answers]
) -> dict[str, dict[str, list[Outcome]]]:
    """The outcomes of the households by engine and indicator. Unless it says otherwise, a household has 4 members."""
    rows = [{"members": 4, **answers, "settlement": i} for i, answers in enumerate(households)]
    found = {}
    for engine, tallies in zip(ENGINES, tally_both(connection, definitions, rows), strict=True):
        found[engine] = {d.id: _outcomes(tallies, d, len(rows)) for d in definitions}
    return found


def _outcomes(tallies: pd.DataFrame, definition: Definition, n: int) -> list[Outcome]:
    here: list[Outcome] = ["outside"] * n
    indicator, level = tallies.index.get_level_values("indicator_id"), tallies.index.get_level_values("counted")
    chosen = tallies[(indicator == definition.id) & (level == definition.counted)]
    for settlement, tally in zip(chosen.index.get_level_values("settlement"), chosen.to_dict("records"), strict=True):
        here[settlement] = _outcome(tally, definition)
    return here


def _outcome(tally: Mapping[Hashable, Any], definition: Definition) -> Outcome:
    assert tally["n"] + tally["n_unknown"] == 1
    if tally["n_unknown"]:
        return None
    if definition.measure == "mean":
        return float(tally["sum_ay"] / tally["sum_a"])
    # A household of nobody is counted, and adds nobody.
    return bool(tally["n_yes"] == 1)


def same(wanted: Outcome, found: Outcome) -> bool:
    """Whether two outcomes are the same, scores but for rounding."""
    if type(wanted) is float and type(found) is float:
        return abs(wanted - found) < 1e-9
    return type(wanted) is type(found) and wanted == found
