"""Why positions miss every settlement by far, and what --fix may do about it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shapely.geometry import box

from geo.ingestion.findings import Findings
from geo.ingestion.placing import Placement
from geo.ingestion.placing.labels import NOWHERE
from geo.ingestion.placing.placer import Placer
from geo.places import Places
from tests.support.placing import observed, places

LON, LAT = 34.005, -13.505
DOWA = places(box(34.0, -13.51, 34.01, -13.5), box(34.02, -13.51, 34.03, -13.5))

Change = Callable[[float, float], tuple[float, float]]


def placed(
    where: Places,
    positions: list[tuple[float, float] | None],
    declared: list[str | None] | None = None,
    placement: Placement = "position",
    **options: Any,
) -> tuple[list[int], list[tuple[int, str, str | None]], list[tuple[float, float]]]:
    """The settlements' indexes; row, code and value of each finding; and where the positions are now."""
    findings, observations = Findings(), observed(positions, declared)
    found = Placer(where, placement, **options).place(observations, findings)
    assert (observations.rejected == (found == NOWHERE)).all()
    told = list(findings.frame()[["row_number", "code", "value"]].itertuples(index=False, name=None))
    return found.tolist(), told, list(zip(observations.lon.tolist(), observations.lat.tolist(), strict=True))


SLIPS: list[tuple[str, Change]] = [
    ("latitude_sign_lost", lambda lon, lat: (lon, -lat)),
    ("longitude_sign_lost", lambda lon, lat: (-lon, lat)),
    ("signs_lost", lambda lon, lat: (-lon, -lat)),
    ("position_swapped", lambda lon, lat: (lat, lon)),
    ("position_swapped_sign_lost", lambda lon, lat: (-lat, lon)),
    ("position_swapped_sign_lost", lambda lon, lat: (lat, -lon)),
    ("position_swapped_sign_lost", lambda lon, lat: (-lat, -lon)),
]


@pytest.mark.parametrize(("code", "change"), SLIPS)
def test_place_names_what_went_wrong(code: str, change: Change) -> None:
    found, told, _ = placed(DOWA, [change(LON, LAT), (LON, LAT)])
    assert found == [NOWHERE, 0]
    assert [(row, finding) for row, finding, _ in told] == [(2, code)]
    assert str(told[0][2]).startswith("S0 (about ")


@pytest.mark.parametrize(("code", "change"), SLIPS)
def test_place_fix_puts_it_right(code: str, change: Change) -> None:
    found, told, now = placed(DOWA, [change(LON, LAT), (LON, LAT)], fix=True)
    assert found == [0, 0]
    assert now == [(LON, LAT), (LON, LAT)]
    assert [(row, finding) for row, finding, _ in told] == [(2, "position_fixed")]
    assert str(told[0][2]).endswith("it lies in S0")


def test_place_swapped_outside_the_world_is_named() -> None:
    """In Mexico 19 north, 99 west: swapped, a latitude of -99 is no place on Earth."""
    mexico = places(box(-99.11, 19.39, -99.09, 19.41))
    assert placed(mexico, [(19.4, -99.1)])[1] == [(2, "position_swapped", "S0")]
    assert placed(mexico, [(19.4, -99.1)], fix=True)[0] == [0]
    assert placed(mexico, [(500.0, -99.1)])[1] == [(2, "position_impossible", "500, -99.1")]
    assert placed(mexico, [(500.0, -99.1)], ["S0"], "declared")[1] == [(2, "position_impossible", "500, -99.1")]


def test_place_fix_moves_nothing_near_the_city() -> None:
    """South of the equator by a little: beside the city, a household outside every boundary is likelier than a slip."""
    nairobi = places(box(36.80, -0.10, 36.82, -0.08))
    found, told, now = placed(nairobi, [(36.81, 0.09), (36.90, -0.09), (36.81, -0.09)], fix=True)
    assert found == [NOWHERE, NOWHERE, 0]
    assert now == [(36.81, 0.09), (36.90, -0.09), (36.81, -0.09)]
    assert {code for _, code, _ in told} == {"outside_every_settlement"}


def test_place_fix_leaves_what_two_slips_explain() -> None:
    """Astride the prime meridian: with one sign changed it lies in one settlement, with both in the other."""
    accra = places(box(0.1, 5.5, 0.2, 5.6), box(-0.2, 5.5, -0.1, 5.6))
    found, told, now = placed(accra, [(0.15, -5.55)], fix=True)
    assert (found, now) == ([NOWHERE], [(0.15, -5.55)])
    assert [code for _, code, _ in told] == ["latitude_sign_lost"]


def test_place_fix_wants_a_settlement_not_only_the_city() -> None:
    found, told, now = placed(DOWA, [(34.015, 13.505)], fix=True)
    assert (found, now) == ([NOWHERE], [(34.015, 13.505)])
    assert told[0][1] == "latitude_sign_lost"
    assert str(told[0][2]).startswith("the city, but in no settlement")


def test_place_fix_within_the_gps_tolerance_says_both() -> None:
    _, told, _ = placed(DOWA, [(34.01005, 13.505)], fix=True)
    assert [code for _, code, _ in told] == ["near_settlement", "position_fixed"]


def test_place_fix_respects_the_settlement_the_row_names() -> None:
    """Named and found differ: nobody can say which is right, so the position stays as it was given."""
    lost = (LON, -LAT)
    found, told, now = placed(DOWA, [lost, lost], ["S1", "S0"], "position-then-declared", fix=True)
    assert found == [1, 0]
    assert now == [lost, (LON, LAT)]
    assert [(row, code) for row, code, _ in told] == [
        (2, "placed_as_declared"),
        (2, "position_correctable"),
        (3, "position_fixed"),
    ]


def test_place_counts_positions_nothing_explains() -> None:
    placer = Placer(DOWA, "position")
    placer.place(observed([(LON, LAT), (LON, -LAT), (100.0, 50.0), (500000.0, 8500000.0), None]), Findings())
    assert (placer.positions, placer.positions_lost) == (4, 2)


def test_diagnose_leaves_the_files_own_arrays_alone() -> None:
    observations = observed([(LON, -LAT)])
    given = observations.lat
    Placer(DOWA, "position", fix=True).place(observations, Findings())
    assert np.array_equal(given, [-LAT])
