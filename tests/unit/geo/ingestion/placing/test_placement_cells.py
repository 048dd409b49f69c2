"""Placement by cells gives what looking at every settlement for every position gives."""

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Observations
from geo.ingestion.placing.labels import NOWHERE
from geo.ingestion.placing.placer import Placer
from geo.places import Places


def _observations(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Observations:
    n = len(lon)
    return Observations(np.arange(1, n + 1, dtype=np.int32), {}, None, lon, lat, np.zeros(n, dtype=bool))


@pytest.mark.parametrize("around", [(0.0, 0.0), (73.8, 18.6), (-58.4, -34.6), (179.9, 66.0)])
def test_place_nested_and_overlapping(around: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    centres = np.array(around) + rng.uniform(-0.01, 0.01, (60, 2))
    shapes = shapely.buffer(shapely.points(centres), rng.uniform(0.0002, 0.004, 60))
    lon, lat = (np.array(around) + rng.uniform(-0.015, 0.015, (3_000, 2))).T
    codes = [str(i) for i in range(60)]

    placed = Placer(Places(codes, codes, shapes), "position", 0).place(_observations(lon, lat), Findings())

    inside = shapely.intersects_xy(shapes[:, None], lon, lat)
    areas = np.where(inside, shapely.area(shapes)[:, None], np.inf)
    expected = np.where(inside.any(axis=0), areas.argmin(axis=0), NOWHERE)
    assert (expected != NOWHERE).sum() > 500
    assert placed.tolist() == expected.tolist()


def test_place_on_corners() -> None:
    # Corners of a settlement lie on the corners of cells, where a rounding would lose them.
    square = shapely.box(0.1, 0.1, 0.103, 0.103)
    lon = np.array([0.1, 0.103, 0.1, 0.103, 0.101, 0.0999999])
    lat = np.array([0.1, 0.1, 0.103, 0.103, 0.102, 0.1])
    placer = Placer(Places(["S"], ["S"], np.array([square])), "position", 0)
    assert placer.place(_observations(lon, lat), Findings()).tolist() == [0, 0, 0, 0, 0, NOWHERE]
