"""Published reference cases, to the digits given: intervals, variances of designs, changes, effective sizes."""

from typing import Any

import numpy as np
import pytest

from geo.indicators.figures.estimate import (
    Estimates,
    Sums,
    difference,
    estimate,
    independent_p_value,
    kish_deff,
    mcnemar_chi2,
    mcnemar_p_value,
    paired_difference,
    spread_of_clusters,
    spread_of_households,
    student_t,
    trend,
    wilson,
)


def floats(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def equal_weights(x: Any, n: Any, w: Any = 1.0) -> Sums:
    """Sums of n households of weight w in each stratum, x of which say yes."""
    return Sums(n, n * w, x * w, n * w**2, x * w**2, x * w**2)


def total(parts: Any) -> Any:
    """The sums, or variance parts, of all strata together."""
    return type(parts)(*(np.atleast_1d(part.sum()) for part in parts))


def estimated(sums: Sums, spread: Any, df: float, enumerated: bool = False) -> Estimates:
    return estimate(total(sums), total(spread), floats(df), floats(1), np.array([enumerated]))


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.255288520, 0.366209577), (0, 20, 0.0, 0.161125158), (18, 20, 0.698966355, 0.972133519)],
)
def test_wilson_published_cases(x: int, n: int, low: float, high: float) -> None:
    interval = wilson(floats(x / n), floats(n))
    assert interval.low[0] == pytest.approx(low, abs=5e-10)
    assert interval.high[0] == pytest.approx(high, abs=5e-10)


def test_wilson_nobody_answered() -> None:
    interval = wilson(floats(0.0), floats(0))
    assert np.isnan(interval.low[0])
    assert np.isnan(interval.high[0])


def test_wilson_everybody_yes_mirrors_nobody() -> None:
    nobody, everybody = wilson(floats(0.0), floats(20)), wilson(floats(1.0), floats(20))
    assert everybody.low[0] == pytest.approx(1 - nobody.high[0], abs=1e-12)
    assert everybody.high[0] == 1.0


def test_difference_published_case() -> None:
    """Newcombe 1998, 56/70 against 48/80; Wilson intervals combined by MOVER, and Pearson's chi-squared."""
    first, second = wilson(floats(48 / 80), floats(80)), wilson(floats(56 / 70), floats(70))
    found = difference(floats(48 / 80), first, floats(56 / 70), second)
    assert found.low[0] == pytest.approx(0.052431, abs=5e-7)
    assert found.high[0] == pytest.approx(0.333873, abs=5e-7)
    p = independent_p_value(floats(48 / 80), floats(80), floats(56 / 70), floats(70))
    assert p[0] == pytest.approx(0.00804508, abs=5e-9)


def test_difference_turned_round_is_its_negative() -> None:
    first, second = wilson(floats(0.6), floats(80)), wilson(floats(0.8), floats(70))
    there = difference(floats(0.6), first, floats(0.8), second)
    back = difference(floats(0.8), second, floats(0.6), first)
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)


def test_paired_published_case() -> None:
    """794 yes both times, 150 and 86 changed, 570 no both times."""
    kept, lost, gained, never = 794, 150, 86, 570
    n = kept + lost + gained + never
    d = gained - lost
    found = paired_difference(floats(n), floats(d), floats(n), floats(d), floats(gained + lost))
    # The published table gives the first share less the second.
    assert -found.d[0] == pytest.approx(0.04, abs=1e-12)
    assert found.standard_error[0] == pytest.approx(0.00954921, abs=5e-9)
    assert -found.interval.high[0] == pytest.approx(0.0212839, abs=5e-8)
    assert -found.interval.low[0] == pytest.approx(0.0587161, abs=5e-8)
    assert mcnemar_chi2(floats(gained), floats(lost), correction=0)[0] == pytest.approx(17.35593, abs=5e-6)


def test_mcnemar_published_case() -> None:
    """[[101, 121], [59, 33]]."""
    gained, lost = floats(121), floats(59)
    assert mcnemar_chi2(gained, lost, correction=1)[0] == pytest.approx(20.67222, abs=5e-6)
    assert mcnemar_chi2(gained, lost, correction=0)[0] == pytest.approx(21.35556, abs=5e-6)
    assert mcnemar_p_value(gained, lost)[0] == pytest.approx(5.450095e-6, abs=5e-13)
    assert mcnemar_p_value(floats(0), floats(0))[0] == 1


def test_estimate_stratified_with_fpc() -> None:
    """R survey's apistrat: three strata of known size."""
    x, n, size = floats(91, 26, 35), floats(100, 50, 50), floats(4421, 755, 1018)
    # The data set keeps its weights in single precision, and the ninth digit shows it.
    weights = np.array([44.21, 15.1, 20.36], dtype=np.float32).astype(np.float64)
    sums = equal_weights(x, n, weights)
    found = estimated(sums, spread_of_households(sums, n, n / size), df=200 - 3)
    assert found.p[0] == pytest.approx(0.827948011, abs=5e-10)
    assert np.sqrt(found.variance[0]) == pytest.approx(0.024344780, abs=5e-10)
    assert found.interval.low[0] == pytest.approx(0.774814586, abs=5e-10)
    assert found.interval.high[0] == pytest.approx(0.870637562, abs=5e-10)


def test_estimate_clustered() -> None:
    """R survey's apiclus1: 15 of 757 clusters."""
    clusters = [
        *((13, 0), (34, 0), (4, 0), (13, 0), (16, 0), (2, 0), (1, 0), (4, 0), (12, 0), (21, 0)),
        *((9, 4), (11, 0), (37, 0), (2, 0), (4, 0)),
    ]
    n, x = floats(*(c[0] for c in clusters)), floats(*(c[1] for c in clusters))
    stratum = np.zeros(15, dtype=np.intp)
    spread = spread_of_clusters(n, x, stratum, floats(15), floats(15 / 757))
    found = estimated(equal_weights(x, n), spread, df=14)
    assert found.p[0] == pytest.approx(0.021857923, abs=5e-10)
    assert np.sqrt(found.variance[0]) == pytest.approx(0.022622451, abs=5e-10)
    assert found.interval.low[0] == pytest.approx(0.003178777, abs=5e-10)
    assert found.interval.high[0] == pytest.approx(0.135391285, abs=5e-10)


def test_estimate_simple_random_sample_with_fpc() -> None:
    """163 of 200, drawn from 6,194."""
    x, n, size = floats(163), floats(200), 6194
    sums = equal_weights(x, n)
    found = estimated(sums, spread_of_households(sums, n, n / size), df=199)
    assert np.sqrt(found.variance[0]) == pytest.approx(0.027077646, abs=5e-10)
    assert found.interval.low[0] == pytest.approx(0.755933764, abs=5e-10)
    assert found.interval.high[0] == pytest.approx(0.862374151, abs=5e-10)


@pytest.mark.parametrize(
    ("persons", "p", "error"), [(False, 0.580645161, 0.067180072), (True, 0.417177914, 0.075955529)]
)
def test_estimate_household_and_person_level(persons: bool, p: float, error: float) -> None:
    """Ten households in strata of four and six, clusters of two: at three degrees of freedom."""
    w = floats(10, 10, 10, 10, 20, 20, 20, 20, 20, 15)
    h = floats(5, 3, 8, 4, 6, 2, 7, 4, 5, 9)
    y = floats(1, 1, 0, 1, 0, 1, 0, 1, 1, 0)
    a = w * h if persons else w
    cluster = np.repeat(np.arange(5), 2)
    stratum = np.array([0, 0, 1, 1, 1], dtype=np.intp)
    sums = Sums(floats(*[1] * 10), a, a * y, a**2, a**2 * y, a**2 * y)
    spread = spread_of_clusters(
        floats(*np.bincount(cluster, weights=a)),
        floats(*np.bincount(cluster, weights=a * y)),
        stratum,
        floats(2, 3),
        floats(0, 0),
    )
    found = estimated(sums, spread, df=5 - 2)
    assert found.p[0] == pytest.approx(p, abs=5e-10)
    assert np.sqrt(found.variance[0]) == pytest.approx(error, abs=5e-10)


def test_kish_deff_published_case() -> None:
    w = np.repeat([44.21, 15.10, 20.36], [100, 50, 50])
    sums = Sums(floats(200), floats(w.sum()), floats(0), floats((w**2).sum()), floats(0), floats(0))
    assert kish_deff(sums)[0] == pytest.approx(1.186371, abs=5e-7)
    assert sums.n[0] / kish_deff(sums)[0] == pytest.approx(168.581, abs=5e-4)


def test_estimate_of_everybody_has_no_interval() -> None:
    sums = equal_weights(floats(30), floats(40))
    found = estimated(sums, spread_of_households(sums, floats(40), floats(1)), df=39, enumerated=True)
    assert (found.p[0], found.variance[0]) == (0.75, 0)
    assert np.isnan(found.interval.low[0])
    assert np.isnan(found.interval.high[0])


def test_estimate_fully_sampled_strata_have_no_variance() -> None:
    """f = 1 leaves nothing to chance, whichever way it is asked."""
    sums = equal_weights(floats(30), floats(40))
    found = estimated(sums, spread_of_households(sums, floats(40), floats(1)), df=39)
    assert found.variance[0] == 0


@pytest.mark.parametrize("x", [0, 20])
def test_estimate_where_all_answer_alike_uses_n(x: int) -> None:
    sums = equal_weights(floats(x), floats(20))
    found = estimated(sums, spread_of_households(sums, floats(20), floats(0)), df=19)
    expected = wilson(floats(x / 20), floats(20), student_t(floats(19)))
    assert found.interval.low[0] == expected.low[0]
    assert found.interval.high[0] == expected.high[0]
    assert found.interval.high[0] - found.interval.low[0] > 0.15


def test_estimate_settlements_each_alike_are_not_certain() -> None:
    """Two settlements, one all yes and one all no: no spread within, and yet a sample."""
    sums = equal_weights(floats(0, 15), floats(15, 15))
    found = estimated(sums, spread_of_households(sums, floats(15, 15), floats(0, 0)), df=28)
    assert found.interval.low[0] < 0.5 < found.interval.high[0]


def test_estimate_single_household_strata_are_held_against_all() -> None:
    sums = equal_weights(floats(1, 0, 1, 1), floats(1, 1, 1, 1))
    found = estimated(sums, spread_of_households(sums, floats(1, 1, 1, 1), floats(0, 0, 0, 0)), df=1)
    assert found.variance[0] == pytest.approx((3 * 0.25**2 + 0.75**2) / 16)


def test_trend_is_least_squares_within_bounds() -> None:
    found = trend(floats(2016, 2018, 2020, 2024), floats(20, 45, 80, 99))
    slope, intercept = np.polyfit([2016, 2018, 2020, 2024], [20, 45, 80, 99], 1)
    assert found.slope_per_year == pytest.approx(slope)
    assert found.fitted[0] == pytest.approx(slope * 2016 + intercept)
    assert found.fitted[-1] == 100
