"""The extent of a city: where its settlements lie, and what is far from all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.base.crs import METRES_PER_DEGREE, geodesic_distance_m

MARGIN_M = 20_000.0
"""A position this near to the city may be a household beside it; one further off is a mistake of another kind."""


@dataclass(frozen=True)
class Extent:
    """A box around settlements, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def with_margin(self) -> "Extent":
        """The box with the margin around it."""
        high = min(89.0, max(abs(self.south), abs(self.north)))
        wide = MARGIN_M / (METRES_PER_DEGREE * float(np.cos(np.radians(high))))
        tall = MARGIN_M / METRES_PER_DEGREE
        return Extent(self.west - wide, self.south - tall, self.east + wide, self.north + tall)

    def holds(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which positions lie in the box or within the margin of it; no position does not."""
        wider = self.with_margin()
        held = (lon >= wider.west) & (lon <= wider.east)
        held &= (lat >= wider.south) & (lat <= wider.north)
        return np.asarray(held, dtype=bool)

    def distance_m(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far positions lie from the box; NaN for what lies outside the world."""
        in_world = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
        at_lon, at_lat = np.clip(lon, self.west, self.east), np.clip(lat, self.south, self.north)
        distance = np.full(len(lon), np.nan)
        distance[in_world] = geodesic_distance_m(lon[in_world], lat[in_world], at_lon[in_world], at_lat[in_world])
        return distance

    def reach(self) -> float:
        """How far its sides lie from its middle at most, degrees."""
        return max(self.east - self.west, self.north - self.south) / 2

    def centre(self) -> tuple[float, float]:
        """Its middle, longitude and latitude."""
        return (self.west + self.east) / 2, (self.south + self.north) / 2


def extent_of(shapes: NDArray[Any]) -> Extent | None:
    """The extent of lon/lat shapes; None where there is none."""
    drawn = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return Extent(*(float(bound) for bound in shapely.total_bounds(drawn))) if len(drawn) else None
