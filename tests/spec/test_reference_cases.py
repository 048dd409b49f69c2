"""Published field facts and what follows from them: unknowns apart, densities, people left out, weights."""

from typing import Any

import pytest
from sqlalchemy import Connection

from geo.indicators.definitions import catalogue
from tests.support.stored import tally_both
from tests.support.tables import counts, figures, table


def test_unknown_stays_out_of_the_base() -> None:
    """SECC urban India, households by drainage: unclassified ones are neither with nor without a drain."""
    total, closed, open_, none = 65_133_952, 36_585_040, 20_148_594, 8_378_341
    unclassified = total - closed - open_ - none
    assert unclassified == 21_977
    (of_closed,) = figures(table([counts(closed, total - unclassified, unclassified)], "drainage_closed"))
    (of_any,) = figures(table([counts(closed + open_, total - unclassified, unclassified)], "drainage_any"))
    # The published split is of all households; without the unclassified every share rises by their part.
    published = {"closed": 56.17, "open": 30.93, "none": 12.86}
    rise = total / (total - unclassified)
    assert of_closed["value"] == pytest.approx(published["closed"] * rise, abs=0.011)
    assert of_any["value"] - of_closed["value"] == pytest.approx(published["open"] * rise, abs=0.011)
    assert 100 - of_any["value"] == pytest.approx(published["none"] * rise, abs=0.011)
    assert of_closed["bound_low"] == published["closed"]
    assert of_closed["bound_high"] == pytest.approx(100 * (closed + unclassified) / total, abs=0.005)
    assert of_closed["n_unknown"] == unclassified


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


def test_unserved_counts_unknown_as_without() -> None:
    sums = counts(40, 80, 20)
    (basic,) = figures(table([sums], "sanitation_basic", counted="households"))
    (drained,) = figures(table([sums], "drainage_any"))
    assert (basic["value"], drained["value"]) == (40, 50)
    for figure in (basic, drained):
        assert (figure["bound_low"], figure["bound_high"]) == (40, 60)
        assert (figure["n"], figure["n_unknown"]) == (80, 20)


def test_density_of_dharavi() -> None:
    """277,136 people to a square kilometre are 2,771.36 to a hectare: the same people on a hundredth of the ground."""
    people = counts(277_136, 277_136) | {"n": 55_427, "sum_w": 55_427, "n_yes": 55_427, "n_sampled": 55_427}
    (crowd,) = figures(table([{**people, "area_m2": 1e6}], "density_persons"))
    hectare = {name: value / 100 for name, value in people.items()}
    (few,) = figures(table([{**hectare, "area_m2": 1e4}], "density_persons"))
    assert crowd["value"] == few["value"] == 277_136
    assert crowd["method"] == "measurement"
    assert crowd["low"] != crowd["low"]


def test_unserved_of_laxmi_nagar() -> None:
    """1,087 families, 57 % with a toilet of their own: 43 % of them, 467 families, are without."""
    with_toilet = round(0.57 * 1087)
    (figure,) = figures(table([counts(with_toilet, 1087)], "household_toilet"))
    assert figure["value"] == pytest.approx(57, abs=0.05)
    assert figure["unserved"] == 1087 - with_toilet == 467


def test_city_of_settlements_of_known_size() -> None:
    """The three strata of apistrat as settlements: without weights, frame sizes weigh them, and the fpc holds."""
    strata = [(91, 100, 4421), (26, 50, 755), (35, 50, 1018)]
    made = table([{**counts(x, n), "households": size} for x, n, size in strata], mode="sample")
    (city,) = figures(made, "city")
    # By exact sizes; the published case rounds its weights to hundredths.
    assert city["value"] == 82.79
    assert (city["low"], city["high"]) == (77.48, 87.06)
    assert city["flags"] == ("frame_weighted",)
    assert city["deff"] == pytest.approx(1.19)
    assert city["response_rate"] == pytest.approx(100 * 200 / 6194, abs=0.05)


def test_simple_random_sample_of_known_size() -> None:
    """163 of 200, drawn from 6,194."""
    (found,) = figures(table([{**counts(163, 200), "households": 6194}], mode="sample"))
    assert (found["low"], found["high"]) == (75.59, 86.24)
    assert (found["unserved_low"], found["unserved_high"]) == (round(6194 * 0.1376258), round(6194 * 0.2440662))


def test_census_shows_no_interval_and_its_response_rate() -> None:
    (whole,) = figures(table([counts(30, 40, 2)]))
    assert (whole["method"], whole["flags"]) == ("enumeration", ())
    assert whole["low"] != whole["low"]
    (known,) = figures(table([{**counts(30, 40), "households": 40}]))
    assert (known["method"], known["response_rate"]) == ("enumeration", 100)
    (part,) = figures(table([{**counts(30, 40), "households": 50}]))
    assert (part["method"], part["response_rate"]) == ("sample", 80)
    assert part["low"] < 75 < part["high"]


def test_frame_smaller_than_what_was_surveyed_is_flagged_and_takes_nothing_off() -> None:
    (wrong,) = figures(table([{**counts(30, 40), "households": 20}], mode="sample"))
    (unknown,) = figures(table([counts(30, 40)], mode="sample"))
    assert "frame_too_small" in wrong["flags"]
    assert (wrong["low"], wrong["high"]) == (unknown["low"], unknown["high"])


@pytest.mark.parametrize(("n", "flags"), [(24, ("few_answers",)), (25, ("uncertain",)), (49, ("uncertain",)), (50, ())])
def test_samples_are_flagged_by_size(n: int, flags: tuple[str, ...]) -> None:
    (found,) = figures(table([counts(10, n)], mode="sample"))
    assert found["flags"] == flags
    (public,) = figures(table([counts(10, n)], mode="sample"), access="public")
    assert public["reason"] == ("fewer_than_25" if n < 25 else None)
    (census,) = figures(table([counts(10, n)]), access="public")
    assert census["status"] == "published"


@pytest.mark.parametrize(
    ("unknown", "flagged", "reason"), [(5, False, None), (6, True, None), (26, True, "too_many_unknown")]
)
def test_unknown_answers_are_flagged_and_withheld(unknown: int, flagged: bool, reason: str | None) -> None:
    (found,) = figures(table([counts(50, 100, unknown)]))
    assert ("some_unknown" in found["flags"]) == flagged
    assert found["reason"] == reason


def test_sample_without_weights_is_flagged_above_settlements() -> None:
    made = table([counts(10, 30), counts(20, 40)], mode="sample")
    assert [row["flags"] for row in figures(made)] == [("uncertain",), ("uncertain",)]
    (city,) = figures(made, "city")
    assert city["flags"] == ("unweighted",)
    weighted = table([counts(10, 30, weight=4), counts(20, 40, weight=9)], mode="sample")
    assert figures(weighted, "city")[0]["flags"] == ()
