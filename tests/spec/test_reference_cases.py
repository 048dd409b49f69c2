"""Published reference figures: Wilson's interval, the difference of two shares, unknowns apart, densities."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from geo.indicators.catalogue import catalogue
from geo.indicators.estimate import difference, shares, wilson
from geo.indicators.figures import figures_of
from geo.indicators.tallies import SUMS
from tests.stored import tally_both


def floats(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


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
    """Newcombe 1998, 56/70 against 48/80; Wilson intervals combined by MOVER."""
    first, second = wilson(floats(48 / 80), floats(80)), wilson(floats(56 / 70), floats(70))
    found = difference(floats(48 / 80), first, floats(56 / 70), second)
    assert found.low[0] == pytest.approx(0.052431, abs=5e-7)
    assert found.high[0] == pytest.approx(0.333873, abs=5e-7)


def test_difference_turned_round_is_its_negative() -> None:
    first, second = wilson(floats(0.6), floats(80)), wilson(floats(0.8), floats(70))
    there = difference(floats(0.6), first, floats(0.8), second)
    back = difference(floats(0.8), second, floats(0.6), first)
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)


def tally_row(indicator: str, counted: str, **sums: float) -> dict[str, Any]:
    return {"indicator_id": indicator, "counted": counted, **dict.fromkeys(SUMS, 0.0), **sums}


def test_shares_unknown_stays_out_of_the_base() -> None:
    """SECC urban India, households by drainage: unclassified ones are neither with nor without a drain."""
    total, closed, open_, none = 65_133_952, 36_585_040, 20_148_594, 8_378_341
    unclassified = total - closed - open_ - none
    assert unclassified == 21_977
    answered = {
        "n": closed + open_ + none,
        "n_unknown": unclassified,
        "sum_w": closed + open_ + none,
        "sum_a": closed + open_ + none,
        "sum_a2": closed + open_ + none,
        "sum_a_unknown": unclassified,
        "sum_a2_unknown": unclassified,
    }
    tallies = pd.DataFrame(
        [
            tally_row("drainage_closed", "households", **answered, sum_ay=closed),
            tally_row("drainage_any", "households", **answered, sum_ay=closed + open_),
        ]
    )
    found = shares(tallies, catalogue(), with_interval=np.array([True, True])).p * 100
    # The published split is of all households; without the unclassified every share rises by their part.
    published = {"closed": 56.17, "open": 30.93, "none": 12.86}
    rise = total / (total - unclassified)
    assert found[0] == pytest.approx(published["closed"] * rise, abs=0.006)
    assert found[1] - found[0] == pytest.approx(published["open"] * rise, abs=0.006)
    assert 100 - found[1] == pytest.approx(published["none"] * rise, abs=0.006)


def test_tallies_keep_unknowns_apart(connection: Connection) -> None:
    """The same split at one to a hundred thousand, from households: 366 closed, 201 open, 84 none, 22 unclassified."""
    answers = ["closed"] * 366 + ["open"] * 201 + ["none"] * 84 + [None] * 22
    rows = [{"drainage": drainage, "members": 4} for drainage in answers]
    for tallies in tally_both(connection, [catalogue()["drainage_closed"], catalogue()["drainage_any"]], rows):
        for indicator, served in (("drainage_closed", 366), ("drainage_any", 567)):
            key: Any = (0, indicator, "households")
            tally = tallies.loc[key]
            assert (tally["n"], tally["n_unknown"], tally["sum_ay"]) == (651, 22, served)
            assert tally["sum_a_unknown"] == 22


def test_shares_unserved_counts_unknown_as_without() -> None:
    sums = {"n": 80.0, "n_unknown": 20.0, "sum_w": 80.0, "sum_a": 80.0, "sum_ay": 40.0, "sum_a2": 80.0}
    unknown = {"sum_a_unknown": 20.0, "sum_a2_unknown": 20.0}
    tallies = pd.DataFrame(
        [tally_row("sanitation_basic", "persons", **sums, **unknown), tally_row("drainage_any", "households", **sums)]
    )
    found = shares(tallies, catalogue(), with_interval=np.array([True, True]))
    assert found.p.tolist() == [0.4, 0.5]
    assert found.interval.low[0] == pytest.approx(wilson(floats(0.4), floats(100)).low[0])


def test_shares_weights_shrink_the_sample() -> None:
    """Kish: 44.21 x 100, 15.10 x 50, 20.36 x 50 are worth 168.581 equal answers, and the interval is theirs."""
    weights = np.repeat([44.21, 15.10, 20.36], [100, 50, 50])
    a, a2 = weights.sum(), (weights**2).sum()
    tallies = pd.DataFrame(
        [tally_row("drainage_any", "households", n=200, sum_w=a, sum_a=a, sum_a2=a2, sum_ay=0.25 * a)]
    )
    found = shares(tallies, catalogue(), with_interval=np.array([True]))
    expected = wilson(floats(0.25), floats(168.581))
    assert found.interval.low[0] == pytest.approx(expected.low[0], rel=1e-6)
    assert found.interval.high[0] == pytest.approx(expected.high[0], rel=1e-6)


def cell(indicator: str, counted: str, **numbers: float) -> dict[str, Any]:
    place = dict.fromkeys(("ward_code", "ward_name", "settlement_code", "settlement_name"))
    heads = {"city": "c", "survey": "s", "survey_unit": "household", "definition_version": 1, "_drawn": ""}
    return {**heads, **place, "indicator": indicator, "counted": counted, **dict.fromkeys(SUMS, 0.0), **numbers}


def test_figures_of_density_of_dharavi() -> None:
    """277,136 people to a square kilometre are 2,771.36 to a hectare: the same people on a hundredth of the ground."""
    crowd = {"n": 55_427.0, "sum_w": 55_427.0, "sum_a": 277_136.0, "sum_a2": 1.0, "sum_ay": 277_136.0}
    crowd |= {"population": 277_136.0, "residents": 277_136.0}
    cells = pd.DataFrame(
        [
            cell("density_persons", "persons", **crowd, area_m2=1_000_000.0),
            cell("density_persons", "persons", **crowd, area_m2=100 * 10_000.0),
            cell("density_persons", "persons", **(crowd | {"residents": 2_771.36}), area_m2=10_000.0),
        ]
    )
    figures = figures_of(cells, "settlement")
    assert figures["value"].tolist() == [277_136.0] * 3
    assert set(figures["unit"]) == {"people/km²"}
    assert figures["low"].isna().all()


def test_figures_of_unserved_of_laxmi_nagar() -> None:
    """1,087 families, 57 % with a toilet of their own: 43 % of them, 467 families, are without."""
    with_toilet = round(0.57 * 1087)
    sums = {"n": 1087.0, "sum_w": 1087.0, "sum_a": 1087.0, "sum_a2": 1087.0, "sum_ay": float(with_toilet)}
    cells = pd.DataFrame([cell("household_toilet", "households", **sums, population=1087, residents=0, area_m2=1)])
    (figure,) = figures_of(cells, "settlement").itertuples()
    assert figure.value == pytest.approx(57, abs=0.05)
    assert figure.unserved == 1087 - with_toilet == 467
