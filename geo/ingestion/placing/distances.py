"""The ground of settlements: which is nearest to a position, and how far a position lies from one."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.base import geodesic_distance_m

Degrees = NDArray[np.float64]


class Ground:
    """Shapes in degrees, to measure distances to."""

    def __init__(self, shapes: NDArray[Any], latitude: float) -> None:
        """`latitude` is about that of the shapes, none of which is missing."""
        # A degree of longitude is shorter than one of latitude: squeezed, the nearest shape is nearest on the ground.
        self._squeeze = float(np.cos(np.radians(latitude)))
        self._shapes: NDArray[Any] = shapely.transform(shapes, lambda xy: xy * (self._squeeze, 1.0))
        self._tree = shapely.STRtree(self._shapes)

    def find(self, lon: Degrees, lat: Degrees) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which positions lie in which shapes, in pairs."""
        which, shape = self._tree.query(shapely.points(lon * self._squeeze, lat), predicate="intersects")
        return which, shape

    def nearest(self, lon: Degrees, lat: Degrees) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The shape nearest to each position, and how far it is."""
        points = np.asarray(shapely.points(lon * self._squeeze, lat), dtype=object)
        nearest = self._tree.nearest(points)
        return nearest, self.distance_m(nearest, lon, lat)

    def distance_m(self, shape: NDArray[np.intp], lon: Degrees, lat: Degrees) -> NDArray[np.float64]:
        """How far each position lies from its shape; 0 inside."""
        points = np.asarray(shapely.points(lon * self._squeeze, lat), dtype=object)
        edge = shapely.get_point(shapely.shortest_line(points, self._shapes[shape]), 1)
        return geodesic_distance_m(lon, lat, shapely.get_x(edge) / self._squeeze, shapely.get_y(edge))


def about(metres: float) -> int:
    """A distance so coarse that findings of many rows stay few."""
    if metres < 100:
        return round(metres)
    return round(float(f"{metres:.1g}" if metres < 1_000 else f"{metres:.2g}"))
