"""Positions inside settlements: triangles drawn by area, then a point in each, for any number at a time."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from data.sample.terrain import UTM_CRS, Floats

LONLAT_CRS = "EPSG:4326"


@dataclass(frozen=True)
class Ground:
    """The settlements cut into triangles, in the order of the settlements."""

    corner: Floats
    edge_a: Floats
    edge_b: Floats
    area_until: Floats
    first_area: Floats
    settlement_area: Floats

    @classmethod
    def under(cls, settlements_gdf: gpd.GeoDataFrame, *, lonlat: bool = False) -> "Ground":
        """The triangles of the settlements, in their own system or in longitude and latitude.

        Within a triangle some dozen metres wide the way from metres to degrees is straight to the millimetre,
        so turning the corners once spares turning every household.
        """
        pieces = shapely.constrained_delaunay_triangles(settlements_gdf.geometry.to_numpy())
        triangles, owner = shapely.get_parts(pieces, return_index=True)
        corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
        area = shapely.area(triangles)
        if lonlat:
            turn = Transformer.from_crs(UTM_CRS, LONLAT_CRS, always_xy=True)
            flat = corners.reshape(-1, 2)
            corners = np.column_stack(turn.transform(flat[:, 0], flat[:, 1])).reshape(-1, 3, 2)
        area_until = np.cumsum(area)
        settlement_area = np.bincount(owner, weights=area, minlength=len(settlements_gdf)).astype(np.float64)
        first = np.concatenate([[0.0], area_until])[np.searchsorted(owner, np.arange(len(settlements_gdf)))]
        return cls(
            corner=corners[:, 0],
            edge_a=corners[:, 1] - corners[:, 0],
            edge_b=corners[:, 2] - corners[:, 0],
            area_until=area_until,
            first_area=first,
            settlement_area=settlement_area,
        )

    def place(self, settlement: NDArray[np.int32], rng: np.random.Generator) -> tuple[Floats, Floats]:
        """A position in the settlement of each household: x and y."""
        which, a, b = rng.random((3, len(settlement)))
        wanted = self.first_area[settlement] + which * self.settlement_area[settlement]
        triangle = np.minimum(np.searchsorted(self.area_until, wanted, side="right"), len(self.corner) - 1)
        over = a + b > 1.0
        a, b = np.where(over, 1.0 - a, a), np.where(over, 1.0 - b, b)
        corner, edge_a, edge_b = self.corner[triangle], self.edge_a[triangle], self.edge_b[triangle]
        x = corner[:, 0] + a * edge_a[:, 0] + b * edge_b[:, 0]
        y = corner[:, 1] + a * edge_a[:, 1] + b * edge_b[:, 1]
        return x, y


def stray_outside(
    settlements_gdf: gpd.GeoDataFrame,
    settlement: NDArray[np.int32],
    xy: Floats,
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    """The positions with the chosen ones set 3 to 11 m outside their settlement, as a phone's GPS errs.

    Where that would land in another settlement, the household stays where it was.
    """
    shapes = settlements_gdf.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    moved = xy.copy()
    for row in chosen:
        shape = shapes[settlement[row]]
        around = shapely.buffer(shape, rng.uniform(3.0, 11.0))
        edge = shapely.get_exterior_ring(shapely.get_parts(around)[0])
        point = shapely.line_interpolate_point(edge, rng.random(), normalized=True)
        if len(tree.query(point, predicate="dwithin", distance=1.0)) == 0:
            moved[row] = shapely.get_coordinates(point)[0]
    return moved
