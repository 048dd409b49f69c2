"""Which settlement a position or a declaration belongs to."""

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import Polygon, box

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Observations
from geo.ingestion.placing import Placement
from geo.ingestion.placing.labels import NOWHERE
from geo.ingestion.placing.placer import Placer
from geo.places import Places
from tests.support.placing import observed, places

GEOD = pyproj.Geod(ellps="WGS84")


def place(
    where: Places, observations: Observations, placement: Placement = "position"
) -> tuple[list[int], list[tuple[int, str, str | None]]]:
    """The settlements' indexes, and row, code and value of each finding."""
    findings = Findings()
    placed = Placer(where, placement).place(observations, findings)
    assert (observations.rejected == (placed == NOWHERE)).all()
    frame = findings.frame()
    return placed.tolist(), list(frame[["row_number", "code", "value"]].itertuples(index=False, name=None))


RING = Polygon(box(0, 0, 1, 1).exterior, [box(0.4, 0.4, 0.6, 0.6).exterior])


@pytest.mark.parametrize(
    ("position", "inside"),
    [
        ((0.2, 0.2), True),
        ((0.0, 0.5), True),  # on the border
        ((1.0, 1.0), True),  # on a corner
        ((0.4, 0.5), True),  # on the border of the hole
        ((0.5, 0.5), False),  # in the hole, 11 km from its border
        ((1.5, 0.5), False),
    ],
)
def test_place_inside(position: tuple[float, float], inside: bool) -> None:
    placed, findings = place(places(RING), observed([position]))
    assert placed == ([0] if inside else [NOWHERE])
    assert [finding[:2] for finding in findings] == ([] if inside else [(2, "outside_every_settlement")])


def beside(latitude: float, bearing: float, distance_m: float) -> tuple[Places, tuple[float, float]]:
    """A settlement of about a kilometre, and a position so far from the middle of one of its sides.

    The side lies on a meridian or a parallel through the position's foot, so that the distance is along the bearing.
    """
    lon, lat, _ = GEOD.fwd(10.0, latitude, bearing, distance_m)
    reach = 0.01
    square = {
        90.0: box(10 - reach, latitude - reach, 10, latitude + reach),
        270.0: box(10, latitude - reach, 10 + reach, latitude + reach),
        0.0: box(10 - reach, latitude - reach, 10 + reach, latitude),
        180.0: box(10 - reach, latitude, 10 + reach, latitude + reach),
    }[bearing]
    return places(square), (lon, lat)


@pytest.mark.parametrize("latitude", [0.0, 18.6, -33.0, 60.0, 84.0])
@pytest.mark.parametrize("bearing", [0.0, 90.0, 180.0, 270.0])
def test_place_gps_tolerance_is_fifteen_metres(latitude: float, bearing: float) -> None:
    """In every direction and at every latitude, though a degree of longitude shrinks to a tenth."""
    near, at_14 = beside(latitude, bearing, 14.0)
    assert place(near, observed([at_14])) == ([0], [(2, "near_settlement", "Name 0 (S0)")])
    far, at_16 = beside(latitude, bearing, 16.0)
    assert place(far, observed([at_16])) == ([NOWHERE], [(2, "outside_every_settlement", "16 m from Name 0 (S0)")])


def test_place_tolerance_can_be_none() -> None:
    near, at_1 = beside(18.6, 90.0, 1.0)
    assert Placer(near, "position", 0).place(observed([at_1]), Findings()).tolist() == [NOWHERE]


@pytest.mark.parametrize("latitude", [0.0, 18.6, 60.0])
def test_place_between_two_the_nearest_wins(latitude: float) -> None:
    """A lane of 20 m between two settlements, as at 60 north, where degrees mislead: metres decide."""
    east, _, _ = GEOD.fwd(10.0, latitude, 90.0, 12.0)
    _, north, _ = GEOD.fwd(10.0, latitude, 0.0, 8.0)
    # One 12 m to the east, the other 8 m to the north; in degrees, the east one is nearer at 60 north only if
    # longitude were as long as latitude.
    pair = places(box(east, latitude - 0.01, east + 0.01, latitude + 0.01), box(9.99, north, 10.00005, north + 0.01))
    placed, findings = place(pair, observed([(10.0, latitude)]))
    assert placed == [1]
    assert findings == [(2, "near_settlement", "Name 1 (S1)")]


def test_place_nested_the_smaller_wins() -> None:
    nested = places(box(0, 0, 1, 1), box(0.4, 0.4, 0.6, 0.6), box(0.3, 0.3, 0.7, 0.7))
    placed, findings = place(nested, observed([(0.5, 0.5), (0.35, 0.5), (0.1, 0.1)]))
    assert placed == [1, 2, 0]
    assert findings == [(2, "in_nested_settlements", "Name 1 (S1)"), (3, "in_nested_settlements", "Name 2 (S2)")]


def test_place_smaller_by_ground_not_by_degrees() -> None:
    """Ten by one degrees near the pole are less ground than four by two at the equator."""
    polar, wide = box(0, 79, 10, 80), box(0, 70, 4.5, 80)
    assert polar.area < wide.area
    placed, _ = place(places(wide, polar), observed([(1.0, 79.5)]))
    assert placed == [1]


def test_place_adjacent_border_belongs_to_one() -> None:
    placed, findings = place(places(box(0, 0, 2, 1), box(2, 0, 3, 1)), observed([(2.0, 0.5)]))
    assert placed == [1]
    assert findings == [(2, "in_nested_settlements", "Name 1 (S1)")]


def test_place_settlement_without_boundary_takes_declared_only() -> None:
    where = places(box(0, 0, 1, 1), None)
    placed, findings = place(where, observed([(0.5, 0.5), None], ["S0", "s1 "]), "position-then-declared")
    assert placed == [0, 1]
    assert findings == []


def test_place_declared_then_position_asks_the_position_only_where_nothing_is_named() -> None:
    where = places(box(0, 0, 1, 1), box(2, 0, 3, 1))
    positions: list[tuple[float, float] | None] = [(0.5, 0.5), (0.5, 0.5), None, (0.5, 0.5), (9.0, 9.0)]
    placed, findings = place(where, observed(positions, ["S1", None, None, "S9", None]), "declared-then-position")
    assert placed == [1, 0, NOWHERE, NOWHERE, NOWHERE]
    codes = [(row, code) for row, code, _ in findings]
    assert codes == [(4, "position_missing"), (5, "settlement_unknown"), (6, "outside_every_settlement")]


def test_place_declared_rejects_a_row_whose_position_cannot_be() -> None:
    placed, findings = place(places(box(0, 0, 1, 1)), observed([(500.0, 0.5), None], ["S0", "S0"]), "declared")
    assert placed == [NOWHERE, 0]
    assert [code for _, code, _ in findings] == ["position_impossible"]


def test_place_declared_by_code_or_name() -> None:
    where = places(None, None, None, names=["गांधीनगर", "São José", "São José"])
    declared = ["s0", " गांधीनगर ", "São José", "S2", "S9", None]
    placed, findings = place(where, observed([None] * 6, declared), "declared")
    assert placed == [0, 0, NOWHERE, 2, NOWHERE, NOWHERE]
    assert findings == [
        (4, "name_ambiguous", "São José: S1, S2"),
        (6, "settlement_unknown", "S9"),
        (7, "settlement_missing", None),
    ]


def test_place_code_goes_before_another_ones_name() -> None:
    where = places(None, None, names=["S1", "Other"])
    assert place(where, observed([None], ["S1"]), "declared")[0] == [1]


def test_place_position_then_declared() -> None:
    where = places(box(0, 0, 1, 1), box(2, 0, 3, 1))
    positions = [(0.5, 0.5), (0.5, 0.5), (9.0, 9.0), (9.0, 9.0), None, None, None]
    declared = ["S0", "S1", "S1", "S9", "S1", "S9", None]
    placed, findings = place(where, observed(positions, declared), "position-then-declared")
    assert placed == [0, 0, 1, NOWHERE, 1, NOWHERE, NOWHERE]
    assert findings == [
        (3, "declared_differs", "Name 1 (S1) named, Name 0 (S0) found, 170 km away"),
        (4, "placed_as_declared", "Name 1 (S1), 1,100 km away"),
        (5, "outside_every_settlement", "1,100 km from Name 1 (S1)"),
        (7, "settlement_unknown", "S9"),
        (8, "settlement_missing", None),
    ]


def test_place_by_position_ignores_what_is_declared() -> None:
    where = places(box(0, 0, 1, 1), box(2, 0, 3, 1))
    placed, findings = place(where, observed([(9.0, 9.0), None], ["S1", "S1"]))
    assert placed == [NOWHERE, NOWHERE]
    assert findings == [(2, "outside_every_settlement", "1,100 km from Name 1 (S1)"), (3, "position_missing", None)]


def test_place_leaves_rejected_rows_alone() -> None:
    observations = observed([(0.5, 0.5), (5.0, 5.0)])
    observations.rejected[:] = True
    placed, findings = place_rejected(observations)
    assert findings == 0
    assert observations.rejected.all()
    assert placed == [NOWHERE, NOWHERE]


def place_rejected(observations: Observations) -> tuple[list[int], int]:
    findings = Findings()
    placed = Placer(places(box(0, 0, 1, 1)), "position").place(observations, findings)
    return placed.tolist(), len(findings.frame())


def test_place_agrees_with_geometry_on_a_scatter() -> None:
    """Ten thousand positions over irregular settlements: as shapely says one by one."""
    rng = np.random.default_rng(5)
    shapes = [shapely.Point(x, y).buffer(0.3 + 0.1 * (x % 3), quad_segs=3) for x in range(5) for y in range(4)]
    points = rng.uniform(-1, 6, (2000, 2))
    placed, _ = place(places(*shapes), observed([(float(x), float(y)) for x, y in points]))
    areas = [abs(GEOD.geometry_area_perimeter(shape)[0]) for shape in shapes]
    for (x, y), found in zip(points, placed, strict=True):
        holders = [i for i, shape in enumerate(shapes) if shape.intersects(shapely.Point(x, y))]
        assert found == min(holders, key=areas.__getitem__, default=NOWHERE)
