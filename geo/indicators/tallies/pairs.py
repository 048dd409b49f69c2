"""Households that are in two rounds: what each one's answer changed by, summed by settlement and cluster."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, Connection, Double, Integer, cast, func, select
from sqlalchemy.sql import ColumnElement

from geo.indicators.definitions import Counted, Definition
from geo.indicators.tallies.from_sql import answers_of, in_scans, y_name
from geo.indicators.tallies.tally import CLUSTERS, cluster_code

SUMS = ("n", "n_gained", "n_lost", "sum_a", "sum_ad", "sum_a2", "sum_a2d", "sum_a2d2")
"""What a pair tally holds, the first three as numbers of households."""

COLUMNS = (
    "from_survey_id",
    "to_survey_id",
    "indicator_id",
    "counted",
    "definition_version",
    "settlement_id",
    "cluster",
    *SUMS,
)
"""The columns of a frame of pair tallies, as the table has them."""


def tally_pairs(connection: Connection, definitions: Sequence[Definition], earlier: int, later: int) -> pd.DataFrame:
    """The pair tallies of two rounds: a frame with the columns `COLUMNS`.

    Households are the same where their code and settlement are. a is that of the later round; d is what y changed by,
    of households whose y is known in both. Clusters are those of the later round, or of the
    earlier where only that was drawn by clusters; '' where neither was.
    """
    tallied = [definition for definition in definitions if definition.is_tallied]
    parts = [_scan(connection, part, earlier, later) for part in in_scans(tallied)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _scan(connection: Connection, tallied: Sequence[Definition], earlier: int, later: int) -> pd.DataFrame:
    before = answers_of(tallied, earlier, by=CLUSTERS, coded=True).alias("before").c
    after = answers_of(tallied, later, by=CLUSTERS, coded=True).alias("after").c
    sums: dict[tuple[int, Counted, str], ColumnElement[Any]] = {}
    for i, definition in enumerate(tallied):
        change = _number(after[y_name(definition)]) - _number(before[y_name(definition)])
        for counted in definition.counted_levels():
            a, a2 = (after.w, after.w2) if counted == "households" else (after.a, after.a2)
            known = (a * change).is_not(None)
            columns: dict[str, ColumnElement[Any]] = {
                "n": func.count().filter(known),
                "n_gained": func.count().filter(known, change > 0),
                "n_lost": func.count().filter(known, change < 0),
                "sum_a": func.sum(a).filter(known),
                "sum_ad": func.sum(a * change),
                "sum_a2": func.sum(a2).filter(known),
                "sum_a2d": func.sum(a2 * change),
                "sum_a2d2": func.sum(a2 * change * change),
            }
            sums |= {(i, counted, name): column for name, column in columns.items()}
    same = (before.household_code == after.household_code) & (before.settlement_id == after.settlement_id)
    heads = (
        after.settlement_id,
        func.coalesce(after.stratum, before.stratum),
        func.coalesce(after.group_code, before.group_code),
    )
    scan = (
        select(*heads, *sums.values())
        .select_from(before.household_code.table.join(after.household_code.table, same))
        .group_by(*heads)
    )
    # A round loaded in this transaction has no statistics yet, and each household would be held against every other.
    connection.execute(select(func.set_config("enable_nestloop", "off", True)))
    rows = connection.execute(scan).all()
    connection.execute(select(func.set_config("enable_nestloop", "on", True)))
    named = [(d.id, counted, d.version) for d in tallied for counted in d.counted_levels()]
    matrix = np.array([row[len(heads) :] for row in rows], dtype=np.float64).reshape(len(rows), len(named), len(SUMS))
    numbers = np.nan_to_num(matrix).transpose(1, 0, 2).reshape(-1, len(SUMS))
    pairs = pd.DataFrame(named, columns=["indicator_id", "counted", "definition_version"])
    pairs = pairs.take(np.repeat(np.arange(len(named)), len(rows))).reset_index(drop=True)
    pairs[list(SUMS)] = numbers
    pairs = pairs.assign(
        from_survey_id=earlier,
        to_survey_id=later,
        settlement_id=np.tile(np.array([row[0] for row in rows], dtype=np.int64), len(named)),
        cluster=np.tile(np.array([_cluster(row[1], row[2]) for row in rows], dtype=object), len(named)),
    )[list(COLUMNS)]
    pairs = pairs[pairs["n"] > 0].astype({"n": "int64", "n_gained": "int64", "n_lost": "int64"})
    return pairs.reset_index(drop=True)


def _cluster(stratum: str | None, psu: str | None) -> str:
    return "" if stratum is None and psu is None else cluster_code(stratum, psu)


def _number(y: ColumnElement[object]) -> ColumnElement[float]:
    """A yes as 1 and a no as 0; a score as it is."""
    return cast(cast(y, Integer), Double) if isinstance(y.type, Boolean) else cast(y, Double)
