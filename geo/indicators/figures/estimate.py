"""Estimates from tallies: a share or mean, its variance under the design, and its interval. Vectorised.

A tally's y lies between 0 and 1, or between 0 and `scale` where it is a count of deprivations. The sums of a place are
those of its settlements; so are the parts of its variance, which is why no household is ever looked at again.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, stdtr, stdtrit

Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals cover 95 %."""

_UPPER_TAIL = 0.975

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Interval(NamedTuple):
    """Lower and upper ends."""

    low: Floats
    high: Floats


class Sums(NamedTuple):
    """What an estimate is made of, one value a figure: sums over the answers it counts."""

    n: Floats
    a: Floats
    ay: Floats
    a2: Floats
    a2y: Floats
    a2y2: Floats


class Spread(NamedTuple):
    """A variance as a polynomial in the estimate: (yy - 2 p ay + p^2 aa) / (sum a)^2. Parts of strata add up."""

    yy: Floats
    ay: Floats
    aa: Floats


class Estimates(NamedTuple):
    """Estimates p on the scale of y, NaN where nobody answered."""

    p: Floats
    variance: Floats
    n_effective: Floats
    """Equal answers of a simple random sample that would be worth as much: p (1 - p) / v, on y's scale of 0 to 1."""
    interval: Interval


def wilson(p: Floats, n: Floats, t: Floats | float = Z_95) -> Interval:
    """Wilson's interval for a share `p` of `n` observations (Wilson 1927); NaN where n is 0.

    centre (p + t^2/2n) / (1 + t^2/n), half-width t sqrt(4 n p (1-p) + t^2) / 2n / (1 + t^2/n).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        denominator = 1 + t**2 / n
        centre = (p + t**2 / (2 * n)) / denominator
        half = t * np.sqrt(4 * n * p * (1 - p) + t**2) / (2 * n) / denominator
    return Interval(np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0))


def student_t(df: Floats) -> Floats:
    """The 97.5 % point of Student's t; NaN without a degree of freedom."""
    with np.errstate(invalid="ignore"):
        return np.where(df >= 1, stdtrit(np.maximum(df, 1.0), _UPPER_TAIL), np.nan)


def spread_of_households(sums: Sums, n_sampled: Floats, fraction: Floats) -> Spread:
    """The variance parts of strata from which households were drawn one by one.

    v_s = (1 - f) n/(n-1) sum (z - zbar)^2 with z = a (y - p) / sum a, n the households sampled in the stratum: those
    that are not in the base, or gave no answer, count with z = 0 (Cochran 1977, section 2.13). A stratum of a single
    household is held against the mean of all, as R's survey package does with lonely.psu = "adjust".
    """
    n = np.maximum(n_sampled, 1.0)
    lonely = n < 2
    factor = (1 - fraction) * np.where(lonely, 1.0, n / np.maximum(n - 1, 1.0))
    share = np.where(lonely, 0.0, 1 / n)
    return Spread(
        factor * (sums.a2y2 - sums.ay**2 * share),
        factor * (sums.a2y - sums.ay * sums.a * share),
        factor * (sums.a2 - sums.a**2 * share),
    )


def spread_of_clusters(
    a: Floats, ay: Floats, stratum: NDArray[np.intp], n_clusters: Floats, fraction: Floats
) -> Spread:
    """The variance parts of strata from which whole clusters were drawn.

    `a` and `ay` are the sums of each cluster, `stratum` its stratum as an index from 0; for each stratum, the clusters
    sampled (those without anybody in the base too) and the fraction of all that they are. As for households, with the
    totals of clusters in place of single answers (ultimate clusters; Hansen, Hurwitz and Madow 1953).
    """
    n = np.maximum(n_clusters, 1.0)
    lonely = n < 2
    factor = (1 - fraction) * np.where(lonely, 1.0, n / np.maximum(n - 1, 1.0))
    share = np.where(lonely, 0.0, 1 / n)

    def total(values: Floats) -> Floats:
        return np.bincount(stratum, weights=values, minlength=len(n)).astype(np.float64)

    all_a, all_ay = total(a), total(ay)
    return Spread(
        factor * (total(ay**2) - all_ay**2 * share),
        factor * (total(a * ay) - all_a * all_ay * share),
        factor * (total(a**2) - all_a**2 * share),
    )


def share(sums: Sums, scale: Floats) -> Floats:
    """The estimate p = sum ay / sum a on the scale of y, from 0 to `scale`; NaN where nobody answered."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums.n > 0, np.clip(sums.ay / sums.a, 0.0, scale), np.nan)


def estimate(sums: Sums, spread: Spread, df: Floats, scale: Floats, enumerated: Bools) -> Estimates:
    """Estimates with their variance and 95 % interval.

    Args:
        sums: of the answers that count.
        spread: the variance parts, summed over the strata.
        df: degrees of freedom: units sampled less strata.
        scale: the largest y there can be: 1 for shares.
        enumerated: where everybody was asked, there is no sampling error, and no interval.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        p = share(sums, scale)
        variance = np.maximum(spread.yy - 2 * p * spread.ay + p**2 * spread.aa, 0.0) / sums.a**2
        variance = np.where(enumerated, 0.0, variance)
        q, v = p / scale, variance / scale**2
        # Where all answer alike the formula says that nothing varies; that a few agree does not make them certain.
        alike = (q <= 0) | (q >= 1)
        no_spread = v <= 1e-15
        n_effective = np.where(no_spread, sums.a**2 / sums.a2, q * (1 - q) / v)
        n_effective = np.where(alike | enumerated, sums.n, n_effective)
        low, high = wilson(q, n_effective, student_t(df))
    shown = ~enumerated
    return Estimates(
        p,
        variance,
        n_effective,
        Interval(np.where(shown, low * scale, np.nan), np.where(shown, high * scale, np.nan)),
    )


def kish_deff(sums: Sums) -> Floats:
    """What unequal weights alone cost: n sum a^2 / (sum a)^2 (Kish 1965)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums.n > 0, sums.n * sums.a2 / sums.a**2, np.nan)


def difference(p1: Floats, first: Interval, p2: Floats, second: Interval) -> Interval:
    """The interval of p2 - p1 for independent samples by MOVER (Newcombe 1998, method 10)."""
    d = p2 - p1
    low = d - np.sqrt((p2 - second.low) ** 2 + (first.high - p1) ** 2)
    high = d + np.sqrt((second.high - p2) ** 2 + (p1 - first.low) ** 2)
    return Interval(low, high)


def independent_p_value(p1: Floats, n1: Floats, p2: Floats, n2: Floats) -> Floats:
    """How likely a difference as large is by chance alone: Pearson's chi-squared with one degree of freedom.

    A share known of everybody has infinite n: the other is then held against it alone (one-sample z test, squared).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # The weight of the first, n1 / (n1 + n2), written so that it is 1 where n1 is infinite.
        first = np.where(np.isinf(n1), 1.0, n1 / (n1 + n2))
        pooled = p1 * first + p2 * (1 - first)
        chi2 = (p2 - p1) ** 2 / (pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return np.where(p1 == p2, 1.0, chdtrc(1, chi2))


class Paired(NamedTuple):
    """The mean change of the same households, and its 95 % interval."""

    d: Floats
    standard_error: Floats
    interval: Interval


def paired_difference(a: Floats, ad: Floats, a2: Floats, a2d: Floats, a2d2: Floats) -> Paired:
    """The mean of what each household's y changed by, d, with its standard error.

    v = sum a^2 (d_i - d)^2 / (sum a)^2; for equal weights and yes-or-no answers (b + c - (b - c)^2/n) / n^2 (Agresti
    2002, section 10.1).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        d = ad / a
        error = np.sqrt(np.maximum(a2d2 - 2 * d * a2d + d**2 * a2, 0.0)) / a
    return Paired(d, error, Interval(d - Z_95 * error, d + Z_95 * error))


def cluster_error(a: Floats, ad: Floats, yy: Floats, ay: Floats, aa: Floats) -> Floats:
    """The standard error of the mean change sum ad / sum a, of the variance parts of strata of clusters."""
    with np.errstate(divide="ignore", invalid="ignore"):
        d = ad / a
        return np.asarray(np.sqrt(np.maximum(yy - 2 * d * ay + d**2 * aa, 0.0)) / a)


def t_p_value(d: Floats, standard_error: Floats, df: Floats) -> Floats:
    """How likely so large a mean is by chance alone: Student's t, two-sided; NaN without a degree of freedom."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(d == 0, 0.0, np.abs(d) / standard_error)
        return np.where(df >= 1, 2 * stdtr(np.maximum(df, 1.0), -t), np.nan)


def mcnemar_p_value(gained: Floats, lost: Floats) -> Floats:
    """How likely it is by chance alone that so many more gained than lost: McNemar's test with continuity correction.

    chi^2 = (|b - c| - 1)^2 / (b + c), one degree of freedom; 1 where nobody changed.
    """
    return chdtrc(1, mcnemar_chi2(gained, lost, correction=1.0))


def mcnemar_chi2(gained: Floats, lost: Floats, *, correction: float) -> Floats:
    """McNemar's statistic, 0 where nobody changed."""
    changed = gained + lost
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.maximum(np.abs(gained - lost) - correction, 0.0) ** 2 / changed
    return np.where(changed > 0, chi2, 0.0)


class Trend(NamedTuple):
    """A straight line through figures over time."""

    slope_per_year: float
    fitted: Floats
    """The line at each date, held within 0 and 100."""


def trend(years: Floats, values: Floats) -> Trend:
    """The least-squares line through per cent `values` at dates in `years`; three of them at least."""
    centred = years - years.mean()
    slope = float(centred @ values / (centred @ centred))
    return Trend(slope, np.clip(values.mean() + slope * centred, 0.0, 100.0))
