"""Boundaries held against each other and against those the city has."""

import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from geo.errors import InputError
from geo.ingestion.findings import Findings
from geo.ingestion.loading import read_boundaries
from geo.ingestion.loading.boundaries.checks import check_boundaries
from geo.ingestion.reading import ReadOptions
from geo.places import Places

M = 1e-5
"""A little more than a metre, in degrees, at the equator."""


def square(x: float, y: float, side: float = 100.0) -> Polygon:
    """A square near the equator; about metres."""
    return box(10 + x * M, y * M, 10 + (x + side) * M, (y + side) * M)


def found(folder: Path, shapes: list[Any], known: Places | None = None) -> tuple[list[tuple[int, str, str]], list[str]]:
    """Row, code and value of each finding, and the codes that were kept."""
    codes = [f"S{i}" for i in range(len(shapes))]
    path = folder / "city.gpkg"
    gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:4326").to_file(path)
    read = read_boundaries(path, ReadOptions(), None, known)
    frame = read.findings.frame()[["row_number", "code", "value"]]
    assert read.findings.rejected_rows() == read.rows_read - read.rows_kept
    return list(frame.itertuples(index=False, name=None)), list(read.frame["code"])


def test_neighbours_that_touch_or_share_a_sliver_are_fine(tmp_path: Path) -> None:
    assert found(tmp_path, [square(0, 0), square(100, 0), square(199.5, 0), square(0, 100)]) == (
        [],
        ["S0", "S1", "S2", "S3"],
    )


def test_overlap_is_told_once_with_the_ground_shared(tmp_path: Path) -> None:
    told, kept = found(tmp_path, [square(0, 0, 200), square(180, 0)])
    ((row, code, value),) = told
    assert (row, code, kept) == (2, "boundary_overlap", ["S0", "S1"])
    # 20 of 100 columns of it; a hundred-thousandth of a degree is 1.113 m by 1.106 m here.
    assert value == "S0 (2,462 m2, 20 % of the smaller)"


def test_overlap_of_a_thousand_metres_in_a_large_one_is_a_sliver(tmp_path: Path) -> None:
    assert found(tmp_path, [square(0, 0, 1000), square(1000 - 0.9, 0, 1000)])[0] == []


def test_outlines_stacked_on_each_other_are_refused(tmp_path: Path) -> None:
    """A thousand on one place would take half a million intersections, and most of the memory there is."""
    with pytest.raises(InputError, match=r"lie on each other in more than 100,000 pairs"):
        found(tmp_path, [square(i / 100, 0) for i in range(1_000)])
    told, kept = found(tmp_path, [square(i / 100, 0) for i in range(100)])
    assert (len(told), len(kept)) == (100 * 99 / 2, 100)


def test_nested_is_told_of_the_smaller(tmp_path: Path) -> None:
    assert found(tmp_path, [square(10, 10, 30), square(0, 0)])[0] == [(1, "boundary_nested", "S1")]


def test_settlement_in_the_hole_of_another_is_fine(tmp_path: Path) -> None:
    ring = Polygon(square(0, 0).exterior, [square(20, 20, 50).exterior])
    assert found(tmp_path, [ring, square(20, 20, 50)])[0] == []


def test_same_shape_under_two_codes_is_an_error(tmp_path: Path) -> None:
    other_way = shapely.reverse(square(0, 0))
    told, kept = found(tmp_path, [square(0, 0), square(500, 0), other_way, square(0, 0)])
    assert told == [(3, "boundary_duplicate", "S0"), (4, "boundary_duplicate", "S0")]
    assert kept == ["S0", "S1"]


def test_known_settlements_are_neighbours_unless_they_are_redrawn(tmp_path: Path) -> None:
    shapes = np.array([square(0, 0), square(450, 0, 200), square(1010, 10, 50), square(2000, 0), None], dtype=object)
    known = Places(["S0", "K1", "K2", "K3", "K4"], ["", "", "", "", ""], shapes)
    told, kept = found(tmp_path, [square(5, 0), square(400, 0), square(1000, 0), square(2000, 0)], known)
    assert told == [
        (2, "boundary_overlap", "K1 (6,155 m2, 50 % of the smaller)"),
        (3, "boundary_overlap", "K2 (all of it)"),
        (4, "boundary_duplicate", "K3"),
    ]
    assert kept == ["S0", "S1", "S2"]


@pytest.mark.parametrize(
    ("side", "told"), [(8, "75 m2"), (10, None), (6300, None), (7000, "60 km2")], ids=["tiny", "small", "big", "huge"]
)
def test_area_implausible(tmp_path: Path, side: float, told: str | None) -> None:
    findings, _ = found(tmp_path, [square(0, 0, side)])
    expected = [] if told is None else [(1, "area_implausible", told)]
    assert [(row, code) for row, code, _ in findings] == [(row, code) for row, code, _ in expected]
    if told is not None:
        assert findings[0][2].split()[1] == told.split()[1]


def test_far_from_the_others(tmp_path: Path) -> None:
    far = shapely.transform(square(0, 0), lambda xy: np.add(xy, (0, 3.0)))
    told, kept = found(tmp_path, [square(0, 0), square(200, 0), far, square(400, 0)])
    assert told == [(3, "boundary_far", "332 km")]
    assert len(kept) == 4
    assert found(tmp_path, [square(0, 0), far])[0] == []


def test_parts_that_overlap_are_counted_once(tmp_path: Path) -> None:
    both = MultiPolygon([square(0, 0), square(50, 0)])
    told, _ = found(tmp_path, [both, MultiPolygon([square(500, 0), square(700, 0)])])
    assert [(row, code) for row, code, _ in told] == [(1, "geometry_repaired"), (1, "parts_overlap")]
    assert told[1][2] == "6,155 m2"


def _seconds_for(side: int) -> float:
    """What checking so many by so many irregular neighbours costs, each touching up to eight others."""
    rng = np.random.default_rng(1)
    shapes = [
        shapely.Point(10 + (x * 110 + rng.uniform(-9, 9)) * M, (y * 110) * M).buffer(56 * M, quad_segs=16)
        for x in range(side)
        for y in range(side)
    ]
    n = len(shapes)
    areas = np.full(n, 10_000.0)
    frame = pd.DataFrame(
        {"row_number": range(1, n + 1), "code": [f"S{i}" for i in range(n)], "geom": shapes, "area_m2": areas}
    )
    started = time.thread_time()
    check_boundaries(frame, None, Findings())
    return time.thread_time() - started


def test_a_city_of_thousands_costs_what_its_settlements_do() -> None:
    """Four times as many cost about four times as much; each held against each would be sixteen times."""
    fewer, more = (min(_seconds_for(side) for _ in range(3)) for side in (25, 50))
    assert more < 8 * fewer
