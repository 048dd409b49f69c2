"""The ground each settlement has to itself: households where shapes share ground count in the smaller of them."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.base.crs import geodesic_area_m2

SLIVER_M2 = 100.0
"""Neighbours drawn by hand overlap a little everywhere: that is not worth a word,"""
SLIVER_SHARE = 0.01
"""nor is a hundredth of the smaller one."""


def is_sliver(shared_m2: NDArray[np.float64], smaller_m2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether ground that two shapes share is no more than hands that draw cannot avoid."""
    return (shared_m2 < SLIVER_M2) | (shared_m2 < SLIVER_SHARE * smaller_m2)


def own_ground_m2(shapes: NDArray[Any], areas_m2: NDArray[np.float64]) -> NDArray[np.float64]:
    """The geodesic area of each shape less the smaller shapes on it, square metres; NaN where there is no shape.

    `shapes` are polygons in longitude and latitude, or None, of settlements valid at one time; `areas_m2` their
    geodesic areas. Of two equally large the earlier counts as the smaller one, as in placement. What lies inside at
    any depth is taken off once.
    """
    ground = areas_m2.astype(np.float64, copy=True)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    is_larger = (areas_m2[one] > areas_m2[other]) | ((areas_m2[one] == areas_m2[other]) & (one > other))
    larger, smaller = one[is_larger], other[is_larger]
    shared = shapely.intersection(shapes[larger], shapes[smaller])
    # Most neighbours share a line, and no ground.
    solid = shapely.area(shared) > 0
    larger, smaller, shared = larger[solid], smaller[solid], shared[solid]
    told = ~is_sliver(polygon_areas_m2(shared), areas_m2[smaller])
    larger, smaller = larger[told], smaller[told]
    for index in np.unique(larger):
        inside = shapely.union_all(shapes[smaller[larger == index]])
        ground[index] = polygon_areas_m2(np.array([shapely.difference(shapes[index], inside)], dtype=object))[0]
    return ground


def polygons(shape: Any) -> shapely.MultiPolygon | None:
    """The ground of a shape, without its lines and points; None where it has none."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.MultiPolygon(parts) if parts else None


def polygon_areas_m2(shapes: NDArray[Any]) -> NDArray[np.float64]:
    """Geodesic areas of what is left of shapes after setting one against another: lines and points have none."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    is_polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    sums = np.bincount(of[is_polygon], weights=geodesic_area_m2(parts[is_polygon]), minlength=len(shapes))
    return sums.astype(np.float64)
