"""Estimates from tallies: the share or density, and its Wilson interval. Vectorised; one row a figure."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.definition import Definition

Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals cover 95 %."""

M2_PER_KM2 = 1_000_000.0

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Lower and upper ends."""

    low: Floats
    high: Floats


def wilson(p: Floats, n: Floats, z: float = Z_95) -> Interval:
    """Wilson's interval for a share `p` of `n` observations (Wilson 1927); NaN where n is 0.

    centre (p + z^2/2n) / (1 + z^2/n), half-width z sqrt(4 n p (1-p) + z^2) / 2n / (1 + z^2/n).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        denominator = 1 + z**2 / n
        centre = (p + z**2 / (2 * n)) / denominator
        half = z * np.sqrt(4 * n * p * (1 - p) + z**2) / (2 * n) / denominator
    return Interval(np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0))


def difference(p1: Floats, first: Interval, p2: Floats, second: Interval) -> Interval:
    """The interval of p2 - p1 for independent samples by MOVER (Newcombe 1998, method 10)."""
    d = p2 - p1
    low = d - np.sqrt((p2 - second.low) ** 2 + (first.high - p1) ** 2)
    high = d + np.sqrt((second.high - p2) ** 2 + (p1 - first.low) ** 2)
    return Interval(low, high)


class Shares(NamedTuple):
    """Shares between 0 and 1 with their 95 % intervals; NaN where nobody answered."""

    p: Floats
    interval: Interval


def shares(tallies: pd.DataFrame, definitions: dict[str, Definition], *, with_interval: NDArray[np.bool_]) -> Shares:
    """Shares from summed tallies, with each indicator's own treatment of unknown answers.

    Weighted answers carry less information than as many unweighted ones: the interval uses Kish's effective number
    (sum a)^2 / sum a^2.
    """
    unserved = np.array([definitions[i].unknown == "unserved" for i in tallies["indicator_id"]], dtype=bool)
    a = _sum(tallies, "sum_a") + np.where(unserved, _sum(tallies, "sum_a_unknown"), 0.0)
    a2 = _sum(tallies, "sum_a2") + np.where(unserved, _sum(tallies, "sum_a2_unknown"), 0.0)
    # Where nobody answered at all there is nothing to say, whatever the treatment of unknowns.
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(_sum(tallies, "n") > 0, np.clip(_sum(tallies, "sum_ay") / a, 0.0, 1.0), np.nan)
        n_effective = a**2 / a2
    low, high = wilson(p, n_effective)
    return Shares(p, Interval(np.where(with_interval, low, np.nan), np.where(with_interval, high, np.nan)))


def _sum(tallies: pd.DataFrame, name: str) -> Floats:
    return np.asarray(tallies[name], dtype=np.float64)
