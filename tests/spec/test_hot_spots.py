"""Gi* against its published case and its formula, the false discovery rate, and when nothing is said."""

from typing import Any

import numpy as np
import pytest
from esda import G_Local, fdr
from libpysal.weights import DistanceBand, fill_diagonal
from scipy.stats import norm

from geo.base import geodesic_distance_m, local_metres
from geo.indicators.figures.hot_spots import (
    ALPHA,
    MIN_SETTLEMENTS,
    false_discovery_cutoff,
    find_hot_spots,
    gi_star,
    nearest_neighbour_band,
)

COLUMNS = 6


def floats(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def grid(n: int = 36) -> tuple[Any, Any]:
    """Settlements in rows of six: about 1,056 m from east to west, and 1,107 m from row to row."""
    return floats(*(73.75 + 0.01 * (i % COLUMNS) for i in range(n))), floats(
        *(18.58 + 0.01 * (i // COLUMNS) for i in range(n))
    )


def planted(n: int = 36) -> Any:
    """A tenth in need everywhere but in four settlements in the middle, where it is nine tenths."""
    return floats(*(90 if i in (14, 15, 20, 21) else 10 for i in range(n)))


def by_formula(values: Any, near: list[set[int]]) -> Any:
    """Ord and Getis 1995, for weights of 1."""
    n, mean = len(values), values.mean()
    s = np.sqrt((values**2).mean() - mean**2)
    z = [
        (sum(values[j] for j in of_i) - len(of_i) * mean) / (s * np.sqrt((n * len(of_i) - len(of_i) ** 2) / (n - 1)))
        for of_i in near
    ]
    return np.array(z)


def test_gi_star_published_case() -> None:
    """esda's own test of Gi* with binary weights."""
    x, y = floats(10, 20, 40, 15, 30, 30), floats(10, 10, 10, 20, 20, 30)
    z, p = gi_star(x, y, floats(2, 3, 3.2, 5, 8, 7), 15)
    expected = [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]
    assert z == pytest.approx(expected, abs=5e-9)
    assert p == pytest.approx(2 * norm.sf(np.abs(expected)), abs=1e-8)


def test_gi_star_is_its_formula() -> None:
    values = np.random.default_rng(7).uniform(0, 100, 50)
    x, y = np.random.default_rng(8).uniform(0, 1000, (2, 50))
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    z, _ = gi_star(x, y, values, 200)
    assert z == pytest.approx(by_formula(values, [set(np.flatnonzero(row <= 200)) for row in apart]))


def test_gi_star_and_cutoff_are_those_of_esda() -> None:
    values = np.random.default_rng(7).uniform(0, 100, 80)
    x, y = np.random.default_rng(8).uniform(0, 1000, (2, 80))
    weights = DistanceBand(np.column_stack([x, y]), 200, silence_warnings=True)
    theirs = G_Local(values, fill_diagonal(weights), transform="B", star=True, permutations=0)
    z, p = gi_star(x, y, values, 200)
    assert z == pytest.approx(theirs.Zs)
    assert p == pytest.approx(2 * theirs.p_norm, abs=1e-12)
    for spread in (0.2, 1, 2):
        assert false_discovery_cutoff(p**spread) == pytest.approx(fdr(p**spread, ALPHA))


def test_gi_star_of_points_in_one_place() -> None:
    """Two on top of each other are neighbours, not one."""
    z, _ = gi_star(floats(0, 0, 9, 9, 20), floats(0, 0, 0, 0, 0), floats(1, 2, 3, 4, 5), 0)
    assert z == pytest.approx(by_formula(floats(1, 2, 3, 4, 5), [{0, 1}, {0, 1}, {2, 3}, {2, 3}, {4}]))


def test_find_hot_spots_finds_what_was_planted_and_nothing_else() -> None:
    lon, lat = grid()
    found = find_hot_spots(planted(), lon, lat)
    assert [i for i, kind in enumerate(found.kind) if kind] == [14, 15, 20, 21]
    assert set(found.kind[[14, 15, 20, 21]]) == {"hot"}
    assert found.settlements == 36
    assert found.band_m == pytest.approx(geodesic_distance_m(lon[:1], lat[:1], lon[1:2], lat[1:2])[0], rel=1e-3)
    # Neighbours are those beside each other in a row. Each of the four has one of the four and one other beside it.
    # Mean 170/9, s^2 = (4 8100 + 32 100)/36 - (170/9)^2, k = 3: (190 - 3 mean) / (s sqrt(99/35)).
    mean = (4 * 90 + 32 * 10) / 36
    s = np.sqrt((4 * 8100 + 32 * 100) / 36 - mean**2)
    assert found.z[[14, 15, 20, 21]] == pytest.approx((190 - 3 * mean) / (s * np.sqrt(99 / 35)))


def test_find_hot_spots_of_coverage_are_cold() -> None:
    found = find_hot_spots(100 - planted(), *grid())
    assert [(i, kind) for i, kind in enumerate(found.kind) if kind] == [(i, "cold") for i in (14, 15, 20, 21)]
    assert found.z == pytest.approx(-find_hot_spots(planted(), *grid()).z)


def test_find_hot_spots_holds_the_false_discovery_rate() -> None:
    """Benjamini and Hochberg: the largest p that is less than its rank times alpha / n lets all smaller ones pass."""
    need = np.random.default_rng(3).uniform(0, 20, 36)
    need[[7, 8, 13, 14, 25]] += [50, 70, 60, 70, 30]
    found = find_hot_spots(need, *grid())
    order = np.sort(found.p)
    passed = [k for k in range(1, 37) if order[k - 1] < k * ALPHA / 36]
    assert found.p_cutoff == pytest.approx(max(passed) * ALPHA / 36)
    assert sum(kind is not None for kind in found.kind) == max(passed)
    # Each for itself, more would pass.
    assert (found.p < ALPHA).sum() > max(passed)


def test_find_hot_spots_leaves_out_what_is_withheld_or_not_drawn() -> None:
    """They count neither as neighbours nor in the mean: the others are as if these were not there."""
    lon, lat = grid(38)
    need = planted(38)
    need[36], lon[37] = np.nan, np.nan
    found = find_hot_spots(need, lon, lat)
    alone = find_hot_spots(planted(), *grid())
    assert found.settlements == 36
    assert found.z[:36] == pytest.approx(alone.z)
    assert np.isnan(found.z[36:]).all()
    assert found.kind[36:].tolist() == [None, None]
    assert found.reason[35:].tolist() == [None, None, "no_boundary"]


@pytest.mark.parametrize("n", [MIN_SETTLEMENTS - 1, MIN_SETTLEMENTS])
def test_find_hot_spots_needs_thirty(n: int) -> None:
    found = find_hot_spots(planted(n), *grid(n))
    assert np.isnan(found.z).all() == (n < 30)
    assert found.refused == ("fewer_than_30_settlements" if n < 30 else None)
    assert set(found.reason) == {found.refused}


def test_find_hot_spots_where_all_are_the_same() -> None:
    found = find_hot_spots(np.full(36, 33.33), *grid())
    assert (found.refused, set(found.kind)) == ("all_the_same", {None})


def test_find_hot_spots_of_one_that_is_far_from_all() -> None:
    """The band is as wide as it must be for it to have a neighbour: then all are neighbours of the nearest."""
    lon, lat = grid()
    lon[35], lat[35] = 75.0, 18.60
    found = find_hot_spots(planted(), lon, lat)
    near_all = [i for i, reason in enumerate(found.reason) if reason == "near_all_others"]
    assert near_all
    assert 35 not in near_all
    assert np.isnan(found.z[near_all]).all()


def test_local_metres_measure_as_the_ellipsoid_does() -> None:
    lon, lat = floats(179.9, -179.95, 180.0, 179.8), floats(-18.1, -18.0, -17.9, -18.2)
    x, y = local_metres(lon, lat)
    for i in range(1, 4):
        geodesic = geodesic_distance_m(lon[:1], lat[:1], lon[i : i + 1], lat[i : i + 1])[0]
        assert np.hypot(x[i] - x[0], y[i] - y[0]) == pytest.approx(geodesic, rel=1e-5)
    assert nearest_neighbour_band(x, y) < 20_000
