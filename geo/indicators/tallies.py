"""Tallies: the sums of one indicator in one settlement, which add up to wards, cities and rounds.

For a household, a is its weight w, or w times its members where persons are counted; y is 1 where the numerator is
true and 0 where it is false. A household whose numerator is unknown, or whose members are unknown where persons are
counted, is summed apart, so that an estimate can leave it out or count it as not served without another scan.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.definition import Counted, Definition

SUMS = (
    "n",
    "n_unknown",
    "sum_w",
    "sum_a",
    "sum_ay",
    "sum_a2",
    "sum_a2y",
    "sum_a_unknown",
    "sum_a2_unknown",
    "sum_w_unknown",
)
"""What a tally holds. The first two count rows; the sums are over those that answered, but for the last three."""

KEY = ("settlement_id", "indicator_id", "counted")
"""What a tally is of."""

COLUMNS = (*KEY, "definition_version", *SUMS)
"""The columns of a frame of tallies."""

Sums = Mapping[str, NDArray[np.float64]]
"""The sums by name, one value a settlement."""


def tallies_frame(settlement_ids: NDArray[np.int64], sums: Sequence[tuple[Definition, Counted, Sums]]) -> pd.DataFrame:
    """A frame of tallies from each engine's sums; settlements in which nobody is in the base are left out."""
    frames = []
    for definition, counted, values in sums:
        frame = pd.DataFrame({name: values[name] for name in SUMS})
        frame.insert(0, "settlement_id", settlement_ids)
        frame.insert(1, "indicator_id", definition.id)
        frame.insert(2, "counted", counted)
        frame.insert(3, "definition_version", definition.version)
        frames.append(frame[frame["n"] + frame["n_unknown"] > 0])
    tallies = pd.concat(frames, ignore_index=True)
    return tallies.astype({"n": "int64", "n_unknown": "int64"})
