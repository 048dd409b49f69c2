"""Tallies: the sums of one indicator in one settlement, which add up to wards, cities and rounds.

For a household, a is its weight w, or w times its members where persons are counted; y is 1 where the numerator is
true and 0 where it is false, or the score of a mean. A household whose y is unknown, or whose members are unknown where
persons are counted, is summed apart, so that an estimate can leave it out or count it as not served without another
scan.

Tallies can be made apart for the groups of a field, such as the sex of the head of household, and for the clusters of
a sample: those of a settlement's groups add up to the settlement's.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.definitions import Counted, Definition

INTERVIEWED = "interview_result IS NULL OR interview_result = 'completed'"
"""Who is in every base, but for households of weight 0: a sample's office gives it to those that do not belong."""

SUMS = (
    "n",
    "n_unknown",
    "n_yes",
    "sum_w",
    "sum_a",
    "sum_ay",
    "sum_a2",
    "sum_a2y",
    "sum_a2y2",
    "sum_a_unknown",
    "sum_a2_unknown",
    "sum_w_unknown",
)
"""What a tally holds. The first three count rows; the sums are over those that answered, but for the last three."""

COUNTS = ("n", "n_unknown", "n_yes", "n_sampled")
"""What is counted in rows."""

KEY = ("settlement_id", "indicator_id", "counted", "group_field", "group_code")
"""What a tally is of; the last two are empty where all households are meant."""

COLUMNS = (*KEY, "definition_version", "n_sampled", *SUMS)
"""The columns of a frame of tallies. `n_sampled` counts all rows interviewed in the settlement, in the base or not, in
the group or not: the sample the others are a part of."""

ALL = ""
"""The group of all households."""

UNKNOWN_GROUP = ""
"""The code of households whose group is not known."""

CLUSTERS = "psu"
"""The field whose groups are the clusters of the sample's design, each within its stratum."""

Sums = Mapping[str, NDArray[np.float64]]
"""The sums by name, one value a cell."""


def cluster_code(stratum: str | None, psu: str | None) -> str:
    """The group code of a cluster. Clusters of different strata may bear the same name."""
    return json.dumps([stratum or "", psu or ""], ensure_ascii=False, separators=(",", ":"))


def stratum_of(code: str) -> str:
    """The stratum a cluster's group code names."""
    return str(json.loads(code)[0])


def tallies_frame(cells: pd.DataFrame, sums: Sequence[tuple[Definition, Counted, Sums]]) -> pd.DataFrame:
    """A frame of tallies from each engine's sums, which name besides SUMS `interviewed`: rows, in the base or not.

    `cells` has one row a cell with settlement_id, group_field and group_code. Cells in which nobody is in the base are
    left out.
    """
    settlement = np.unique(cells["settlement_id"].to_numpy(dtype=np.int64), return_inverse=True)[1]
    in_base = [np.flatnonzero(values["n"] + values["n_unknown"] > 0) for *_, values in sums]

    def gathered(name: str) -> NDArray[np.float64]:
        of_cells = [values[name] for *_, values in sums]
        if name == "interviewed":
            of_cells = [np.bincount(settlement, weights=rows).astype(np.float64)[settlement] for rows in of_cells]
        return np.concatenate([rows[at] for rows, at in zip(of_cells, in_base, strict=True)])

    # Whole columns are put together: a frame for each of many definitions takes longer than counting them.
    numbers = pd.DataFrame({"n_sampled": gathered("interviewed"), **{name: gathered(name) for name in SUMS}})
    heads = pd.DataFrame(
        [(definition.id, counted, definition.version) for definition, counted, _ in sums],
        columns=["indicator_id", "counted", "definition_version"],
    ).take(np.repeat(np.arange(len(sums)), [len(at) for at in in_base]))
    of_rows = cells[["settlement_id", "group_field", "group_code"]].take(np.concatenate(in_base))
    parts = [heads.reset_index(drop=True), of_rows.reset_index(drop=True), numbers]
    return pd.concat(parts, axis=1)[list(COLUMNS)].astype(dict.fromkeys(COUNTS, "int64"))
