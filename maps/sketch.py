"""A sketch: where positions lie beside the outlines of a city, as an SVG that needs neither script nor style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.base import METRES_PER_DEGREE
from maps.leaflet import templates

_WIDTH_PX = 640
_HEIGHTS_PX = (260, 460)
_MARGIN = 0.06
_SEEN_PX = 28
"""A city drawn smaller than this gets a ring around it."""

_EDGE_PX = 7


@dataclass(frozen=True)
class Sketch:
    """The drawing, and how many of the positions lie outside it: those stand at its edge."""

    svg: Markup
    outside: int


def draw_sketch(
    outlines: Sequence[BaseGeometry | None],
    positions: NDArray[np.float64],
    label: str,
    new: Sequence[BaseGeometry] = (),
) -> Sketch | None:
    """Draws positions and new outlines beside outlines; None where there is nothing to draw.

    The same arguments give the same text. Where most positions lie far from the outlines the drawing shows both;
    single ones that do are drawn at its edge.

    Args:
        outlines: polygons in longitude and latitude (EPSG:4326), or None where none is known.
        positions: longitude and latitude, shape (n, 2), in degrees.
        label: what the drawing shows, in words, for people who cannot see it.
        new: polygons in longitude and latitude, to be told from the outlines.
    """
    shapes = np.array([shape for shape in outlines if shape is not None and not shape.is_empty], dtype=object)
    in_world = (np.abs(positions[:, 0]) <= 180) & (np.abs(positions[:, 1]) <= 90)
    known = positions[in_world]
    added = np.array(new, dtype=object)
    corners = shapely.bounds(added).reshape(-1, 2)
    frame = _frame(shapes, np.concatenate([known, corners]))
    if frame is None:
        return None
    west, south, east, north = frame
    squeeze = max(0.05, math.cos(math.radians((south + north) / 2)))
    px_per_degree = min(_WIDTH_PX / ((east - west) * squeeze), _HEIGHTS_PX[1] / (north - south))
    height = max(_HEIGHTS_PX[0], round((north - south) * px_per_degree))
    middle = np.array([(west + east) / 2, (south + north) / 2])

    def to_px(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = (lonlat - middle) * np.array([squeeze, -1.0]) * px_per_degree
        return np.asarray(np.round(turned + np.array([_WIDTH_PX / 2, height / 2]), 1), dtype=np.float64)

    def drawn(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
        return np.asarray(shapely.transform(shapely.simplify(polygons, 0.5 / px_per_degree), to_px), dtype=object)

    points = to_px(known)
    edge = np.array([_WIDTH_PX - _EDGE_PX, height - _EDGE_PX])
    is_inside = ((points >= _EDGE_PX) & (points <= edge)).all(axis=1)
    outline = to_px(shapely.get_coordinates(shapes)) if len(shapes) else np.empty((0, 2))
    metres, words = _scale(_WIDTH_PX / 4 / px_per_degree * METRES_PER_DEGREE)
    svg = (
        templates()
        .get_template("sketch.svg")
        .render(
            width=_WIDTH_PX,
            height=height,
            label=label,
            paths=_paths(drawn(shapes)),
            new_paths=_paths(drawn(added)),
            ring=_ring(outline),
            inside=points[is_inside].tolist(),
            outside=np.clip(points[~is_inside], _EDGE_PX, edge).tolist(),
            scale_px=round(metres / METRES_PER_DEGREE * px_per_degree, 1),
            scale_words=words,
        )
    )
    return Sketch(Markup(svg), int((~is_inside).sum() + (~in_world).sum()))  # noqa: S704  the template escapes


def _frame(shapes: NDArray[np.object_], positions: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    """West, south, east and north of what is drawn, with a margin."""
    boxes = [shapely.total_bounds(shapes)] if len(shapes) else []
    if len(positions):
        low, high = np.percentile(positions, [5, 95], axis=0)
        middle = np.median(positions, axis=0)
        if not boxes or not _is_near(middle, boxes[0]):
            # What lies a little beyond the most is not astray: of a few positions some always do.
            reach = 0.5 * (high - low)
            near = positions[((positions >= low - reach) & (positions <= high + reach)).all(axis=1)]
            boxes.append(np.concatenate([near.min(axis=0), near.max(axis=0)]))
    if not boxes:
        return None
    every = np.array(boxes)
    west, south = every[:, :2].min(axis=0)
    east, north = every[:, 2:].max(axis=0)
    # About a hundred metres at least: a single point has no size.
    margin = max(_MARGIN * max(east - west, north - south), 0.001)
    return west - margin, south - margin, east + margin, north + margin


def _is_near(position: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    reach = 0.1 * (box[2:] - box[:2])
    return bool(((position >= box[:2] - reach) & (position <= box[2:] + reach)).all())


def _ring(outline: NDArray[np.float64]) -> tuple[float, float] | None:
    """The middle of outlines that would hardly be seen."""
    if len(outline) == 0:
        return None
    low, high = outline.min(axis=0), outline.max(axis=0)
    if (high - low).max() >= _SEEN_PX:
        return None
    x, y = ((low + high) / 2).round(1).tolist()
    return x, y


def _paths(shapes: NDArray[np.object_]) -> list[str]:
    """The rings of polygons as SVG path data, a shape each."""
    paths = []
    for shape in shapes:
        rings = [ring for part in shapely.get_parts(shape) for ring in shapely.get_rings(part)]
        lines = ["L".join(f"{x:g},{y:g}" for x, y in shapely.get_coordinates(ring)) for ring in rings]
        paths.append("".join(f"M{line}Z" for line in lines if line))
    return [path for path in paths if path]


def _scale(most_m: float) -> tuple[float, str]:
    """A round length that is at most this, in metres and in words."""
    power = 10.0 ** math.floor(math.log10(most_m))
    metres = next(step * power for step in (5, 2, 1) if step * power <= most_m)
    return metres, f"{metres / 1000:,.10g} km" if metres >= 1000 else f"{metres:.10g} m"
