"""The sketch of positions beside a city."""

import re

import numpy as np
import shapely
from numpy.typing import NDArray

from maps.sketch import Sketch, draw_sketch

CITY = [shapely.box(73.70, 18.50, 73.80, 18.60), None, shapely.Polygon()]


def sketch(*positions: tuple[float, float], label: str = "where") -> Sketch:
    drawn = draw_sketch(CITY, np.array(positions, dtype=float).reshape(-1, 2), label)
    assert drawn is not None
    return drawn


def dots(drawn: Sketch) -> NDArray[np.float64]:
    """The middles of the positions drawn, in px; rings at the edge and around the city are others."""
    found = re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)" r="3"/>', drawn.svg)
    return np.array([[float(x), float(y)] for x, y in found]).reshape(-1, 2)


def test_positions_stand_north_up_where_they_lie() -> None:
    west, east, north = dots(sketch((73.71, 18.55), (73.79, 18.55), (73.75, 18.59)))
    assert west[0] < north[0] < east[0]
    assert west[1] == east[1] > north[1]
    # A degree of longitude is shorter than one of latitude by the cosine of 18.55 degrees.
    wide, tall = (east - west)[0] / 0.08, (west - north)[1] / 0.04
    assert abs(wide / tall - np.cos(np.radians(18.55))) < 0.01


def test_a_stray_position_stands_at_the_edge() -> None:
    drawn = sketch(*[(73.75, 18.55)] * 10, (0.0, 0.0), (200.0, 18.0), (73.75, 95.0))
    assert len(dots(drawn)) == 10
    # Two lie nowhere on Earth: they cannot even be drawn at the edge.
    assert drawn.outside == 3
    assert drawn.svg.count('r="4.5"') == 1
    assert "the city" not in drawn.svg


def test_positions_that_are_all_elsewhere_are_drawn_with_the_city() -> None:
    drawn = sketch(*[(18.55 + i / 1000, 73.75) for i in range(20)])
    assert len(dots(drawn)) == 20
    assert drawn.outside == 0
    assert ">the city<" in drawn.svg
    assert ">2,000 km<" in drawn.svg


def test_nothing_to_draw_is_none() -> None:
    assert draw_sketch([None, shapely.Polygon()], np.empty((0, 2)), "x") is None
    assert draw_sketch([], np.array([[0.0, 0.0]]), "x") is not None


def test_labels_are_escaped() -> None:
    assert 'aria-label="&lt;script&gt; &#34;"' in sketch((73.75, 18.55), label='<script> "').svg
