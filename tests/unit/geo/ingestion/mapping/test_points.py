"""Positions of shapes, read where they lie or through GEOS, are the same."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
import shapely

from geo.ingestion.mapping.mapper import _points

POINTS = [shapely.Point(73.8, 18.6), shapely.Point(-58.4, -34.6), shapely.Point(0, 0)]


def _wkb(shapes: Sequence[shapely.Geometry | None], byte_order: int = 1) -> pa.Array:
    texts = [None if shape is None else shapely.to_wkb(shape, byte_order=byte_order) for shape in shapes]
    return pa.array(texts, type=pa.binary())


@pytest.mark.parametrize("byte_order", [0, 1])
def test_points_in_either_byte_order(byte_order: int) -> None:
    x, y = _points(_wkb(POINTS, byte_order))
    assert x.tolist() == [73.8, -58.4, 0]
    assert y.tolist() == [18.6, -34.6, 0]


def test_points_of_a_slice() -> None:
    x, _ = _points(_wkb(POINTS)[1:])
    assert x.tolist() == [-58.4, 0]


def test_points_missing_empty_and_other_shapes() -> None:
    x, y = _points(_wkb([POINTS[0], None, shapely.Point(), shapely.box(1, 1, 3, 3), shapely.Point(5, 6, 7)]))
    np.testing.assert_array_equal(x, [73.8, np.nan, np.nan, 2, 5])
    np.testing.assert_array_equal(y, [18.6, np.nan, np.nan, 2, 6])


def test_points_of_none() -> None:
    assert [len(c) for c in _points(_wkb([]))] == [0, 0]
    assert np.isnan(_points(_wkb([None, None]))).all()
