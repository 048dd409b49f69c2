"""Hot spots: where need clusters, or coverage does, more than chance would bring about (Getis-Ord Gi*)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import ndtr

from geo.base import local_metres
from geo.indicators.figures.disclosure import rules as d

Floats = NDArray[np.float64]

MIN_SETTLEMENTS = 30
"""Of fewer, the statistic is not near enough to normal, and nothing is said."""

ALPHA = 0.05
"""The share of false ones to be expected among all that are called hot or cold."""

# Two settlements at exactly the distance of the band are neighbours, whatever rounding does to it.
_SLACK = 1e-9


@dataclass(frozen=True)
class HotSpots:
    """What Gi* says of each settlement, and how it was found.

    `z` and `p` are NaN, and `kind` None, where nothing can be said; `reason` says why. `z` is above 0 where there is
    more need around than elsewhere.
    """

    z: Floats
    p: Floats
    kind: NDArray[np.object_]
    reason: NDArray[np.object_]
    settlements: int
    """How many were held against each other."""
    band_m: float | None = None
    """Up to which distance settlements are neighbours."""
    p_cutoff: float | None = None
    """Below which p a settlement is called hot or cold."""
    refused: str | None = None
    """Why nothing is said of any of them."""


def no_hot_spots(is_known: NDArray[np.bool_], why: str, settlements: int = 0) -> HotSpots:
    """Nothing, and why, of each place whose figure is known."""
    nothing = np.full(len(is_known), np.nan)
    reason = np.where(is_known, why, "").astype(object)
    reason[~is_known] = None
    return HotSpots(nothing, nothing, np.full(len(is_known), None, dtype=object), reason, settlements, refused=why)


def find_hot_spots(need: Floats, lon: Floats, lat: Floats) -> HotSpots:
    """Hot and cold spots of need.

    Args:
        need: the share of each settlement's households in need, as its reader sees it; NaN where that is withheld.
        lon, lat: a point inside each settlement, degrees; NaN where it has no boundary.

    Settlements are neighbours within a distance band: the largest distance from any of them to the nearest other, so
    that each has a neighbour. p is two-sided, from the normal distribution. What is called hot or cold are those whose
    p the false discovery rate lets pass, all tests taken together.
    """
    is_known = ~np.isnan(need)
    used = is_known & ~np.isnan(lon)
    n = int(used.sum())
    if n < MIN_SETTLEMENTS:
        return no_hot_spots(is_known, d.FEWER_THAN_30_SETTLEMENTS, n)
    if np.ptp(need[used]) == 0:
        return no_hot_spots(is_known, d.ALL_THE_SAME, n)
    x, y = local_metres(lon[used], lat[used])
    band_m = nearest_neighbour_band(x, y)
    z, p = np.full(len(need), np.nan), np.full(len(need), np.nan)
    z[used], p[used] = gi_star(x, y, need[used], band_m)
    tested = ~np.isnan(p)
    if not tested.any():
        return no_hot_spots(is_known, d.NEAR_ALL_OTHERS, n)
    cutoff = false_discovery_cutoff(p[tested])
    stands_out = np.nan_to_num(p, nan=1.0) < cutoff
    kind, reason = np.full(len(need), None, dtype=object), np.full(len(need), None, dtype=object)
    kind[stands_out & (z > 0)] = "hot"
    kind[stands_out & (z < 0)] = "cold"
    reason[used & ~tested] = d.NEAR_ALL_OTHERS
    reason[is_known & ~used] = d.NO_BOUNDARY
    return HotSpots(z, p, kind, reason, n, band_m, cutoff)


def nearest_neighbour_band(x: Floats, y: Floats) -> float:
    """The least distance at which every point has a neighbour."""
    points = np.column_stack([x, y])
    # The nearest of all is the point itself.
    distances, _ = KDTree(points).query(points, k=[2])
    return float(np.max(distances))


def gi_star(x: Floats, y: Floats, values: Floats, band: float) -> tuple[Floats, Floats]:
    """Gi* of each point's value as a z score, with its two-sided p, where points within `band` are neighbours.

    Ord and Getis 1995, with weights of 1 for a point and its neighbours: (sum of the values there - k mean) /
    (s sqrt((n k - k^2) / (n - 1))) for k of n points. NaN where all points are neighbours. No permutations: the
    same values always give the same answer.
    """
    n = len(values)
    pairs = KDTree(np.column_stack([x, y])).query_pairs(band * (1 + _SLACK), output_type="ndarray")
    one, other = pairs.T
    # Each point is among its own neighbours: that is the star in Gi*.
    k = 1 + np.bincount(pairs.ravel(), minlength=n)
    there = values + np.bincount(one, values[other], n) + np.bincount(other, values[one], n)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (there - k * values.mean()) / (values.std() * np.sqrt((n * k - k**2) / (n - 1)))
    z = np.where(np.isfinite(z), z, np.nan)
    return z, 2 * ndtr(-np.abs(z))


def false_discovery_cutoff(p: Floats) -> float:
    """Below which p a test stands out, so that of all that do, ALPHA are false (Benjamini and Hochberg 1995).

    It is k ALPHA / n for the largest k whose k-th smallest p is less; where there is none, ALPHA / n.
    """
    steps = np.arange(1, len(p) + 1) * ALPHA / len(p)
    return float(steps[np.sort(p) < steps].max(initial=ALPHA / len(p)))
