"""The same households in two rounds: what their answers changed by, and how sure that is under the sample's design."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, and_, func, literal, select, tuple_
from sqlalchemy.sql import ColumnElement

from geo.database.schema.places import settlement, settlement_ward, ward
from geo.database.schema.surveys import survey
from geo.database.schema.tallies import pair_tally, paired
from geo.indicators.figures.blocks import Block
from geo.indicators.figures.clusters import sampled_clusters
from geo.indicators.figures.estimate import cluster_error, spread_of_clusters
from geo.indicators.figures.rollup import Level
from geo.indicators.tallies import stratum_of
from geo.indicators.tallies.pairs import SUMS
from geo.places import in_ward_on, valid_on

_PAIR = ["from_survey_id", "to_survey_id", "indicator_id", "counted", "definition_version"]
_AT = ["block", "_code"]


def with_pairs(
    connection: Connection, level: Level, both: pd.DataFrame, before: Sequence[Block], after: Sequence[Block]
) -> pd.DataFrame:
    """The rows of two rounds' figures with the sums of their pair tallies.

    n_pairs is missing where rounds have not been held against each other. `pair_error` and `pair_df` are the standard
    error of the mean change and its degrees of freedom where a sample was drawn by clusters.
    """
    heads = pd.DataFrame(
        [
            (i, b.round.survey_id, a.round.survey_id, a.definition.id, a.counted, a.definition.version)
            for i, (b, a) in enumerate(zip(before, after, strict=True))
        ],
        columns=["block", *_PAIR],
    )
    asked = sorted({(b.round.survey_id, a.round.survey_id) for b, a in zip(before, after, strict=True)})
    tallies = _tallies(connection, level, heads, asked)
    sums = tallies.groupby(_AT)[list(SUMS)].sum().rename(columns={"n": "n_pairs"})
    errors = _errors_of_clusters(connection, tallies[tallies["cluster"] != ""])
    pairs = tuple_(paired.c.from_survey_id, paired.c.to_survey_id)
    found = connection.execute(select(paired.c.from_survey_id, paired.c.to_survey_id).where(pairs.in_(asked)))
    held = {(row[0], row[1]) for row in found}
    is_held = np.array([(b.round.survey_id, a.round.survey_id) in held for b, a in zip(before, after, strict=True)])
    merged = both.merge(sums.join(errors).reset_index(), on=_AT, how="left")
    counted = merged["n_pairs"].astype(float).fillna(0.0)
    return merged.assign(n_pairs=counted.where(is_held[merged["block"].to_numpy()]))


def _tallies(
    connection: Connection, level: Level, heads: pd.DataFrame, asked: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """The pair tallies of blocks, by place and cluster."""
    codes: dict[Level, ColumnElement[Any]] = {
        "settlement": settlement.c.code,
        "ward": ward.c.code,
        "city": literal(""),
    }
    key = [*(pair_tally.c[name] for name in _PAIR), codes[level].label("_code"), pair_tally.c.cluster]
    rounds = tuple_(pair_tally.c.from_survey_id, pair_tally.c.to_survey_id)
    # A ward's pairs are of the settlements that it has in both rounds.
    earlier, later, before_ward = survey.alias(), survey.alias(), settlement_ward.alias()
    is_same_ward = and_(
        before_ward.c.settlement_id == settlement_ward.c.settlement_id,
        before_ward.c.ward_id == settlement_ward.c.ward_id,
    )
    rows = connection.execute(
        select(*key, *(func.sum(pair_tally.c[name]).label(name) for name in SUMS))
        .join(settlement, settlement.c.id == pair_tally.c.settlement_id)
        .join(earlier, earlier.c.id == pair_tally.c.from_survey_id)
        .join(later, later.c.id == pair_tally.c.to_survey_id)
        .outerjoin(settlement_ward, in_ward_on(later.c.starts_on))
        .outerjoin(before_ward, and_(is_same_ward, valid_on(earlier.c.starts_on, before_ward)))
        .outerjoin(ward, ward.c.id == before_ward.c.ward_id)
        .where(rounds.in_(asked), pair_tally.c.indicator_id == func.any(sorted(set(heads["indicator_id"]))))
        .group_by(*key)
    )
    found = pd.DataFrame(rows.all(), columns=list(rows.keys())).merge(heads, on=_PAIR)
    return found.astype(dict.fromkeys(SUMS, float))


def _errors_of_clusters(connection: Connection, tallies: pd.DataFrame) -> pd.DataFrame:
    """Of each place, the standard error of its mean change and the degrees of freedom."""
    if tallies.empty:
        none = pd.MultiIndex.from_arrays([[], []], names=_AT)
        return pd.DataFrame({"pair_error": [], "pair_df": []}, index=none, dtype=float)
    units = tallies.assign(stratum=[stratum_of(code) for code in tallies["cluster"]])
    rounds = sorted({*tallies["from_survey_id"], *tallies["to_survey_id"]})
    sampled = sampled_clusters(connection, rounds)
    drawn = units["to_survey_id"].isin(sampled["survey_id"])
    units["survey_id"] = units["to_survey_id"].where(drawn, units["from_survey_id"])
    units = units.merge(sampled, on=["survey_id", "stratum"])
    strata = units.groupby([*_AT, "stratum"], sort=True)
    of_strata = strata[["n_clusters", "fraction"]].first()
    spread = spread_of_clusters(
        units["sum_a"].to_numpy(dtype=np.float64),
        units["sum_ad"].to_numpy(dtype=np.float64),
        strata.ngroup().to_numpy(),
        of_strata["n_clusters"].to_numpy(dtype=np.float64),
        of_strata["fraction"].to_numpy(dtype=np.float64),
    )
    parts = pd.DataFrame({"yy": spread.yy, "ay": spread.ay, "aa": spread.aa}, index=of_strata.index)
    summed = parts.groupby(level=_AT).sum().join(units.groupby(_AT)[["sum_a", "sum_ad"]].sum())
    error = cluster_error(*(summed[name].to_numpy(dtype=np.float64) for name in ("sum_a", "sum_ad", "yy", "ay", "aa")))
    in_use = units.groupby(_AT).agg({"cluster": "nunique", "stratum": "nunique"})
    df = (in_use["cluster"] - in_use["stratum"]).astype(float)
    return pd.DataFrame({"pair_error": error, "pair_df": df.reindex(summed.index)}, index=summed.index)
