"""The invented ground the sample city stands on: a meandering river, a railway, and lines places follow."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

Floats = NDArray[np.float64]
SiteKind = Literal["river", "rail", "town"]

UTM_CRS = "EPSG:32643"
ORIGIN_M = (520_000.0, 2_098_000.0)  # open country in Maharashtra; no town of this name stands there
RIVER_HALF_WIDTH_M = 45.0
RAIL_HALF_WIDTH_M = 16.0
DEFAULT_SETTLEMENTS = 60


@dataclass(frozen=True)
class Spine:
    """A smooth line; a point given as metres along it and across it becomes a position on the map."""

    xy: Floats
    along_m: Floats
    normal: Floats

    @classmethod
    def through(cls, xy: Floats) -> "Spine":
        """The spine through closely spaced points."""
        step = np.gradient(xy, axis=0)
        length = np.hypot(step[:, 0], step[:, 1])
        tangent = step / length[:, None]
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        return cls(xy=xy, along_m=along, normal=np.column_stack([-tangent[:, 1], tangent[:, 0]]))

    @property
    def length_m(self) -> float:
        """The length of the line."""
        return float(self.along_m[-1])

    @property
    def line(self) -> LineString:
        """The line as a geometry."""
        return LineString(self.xy)

    def at(self, along_m: Floats, across_m: Floats) -> Floats:
        """Positions for distances along the line and across it (left is positive)."""
        columns = [
            np.interp(along_m, self.along_m, self.xy[:, axis])
            + across_m * np.interp(along_m, self.along_m, self.normal[:, axis])
            for axis in (0, 1)
        ]
        return np.column_stack(columns)


@dataclass(frozen=True)
class Terrain:
    """The city's ground: its size and the two lines along which the poorest settlements lie."""

    width_m: float
    height_m: float
    river: Spine
    railway: Spine

    def distance_to_river_m(self, xy: Floats) -> Floats:
        """Distance from the river's middle."""
        return np.asarray(shapely.distance(self.river.line, shapely.points(xy)), dtype=np.float64)

    def distance_to_railway_m(self, xy: Floats) -> Floats:
        """Distance from the middle of the tracks."""
        return np.asarray(shapely.distance(self.railway.line, shapely.points(xy)), dtype=np.float64)


def lay_terrain(settlements: int, rng: np.random.Generator) -> Terrain:
    """The ground for a city of that many settlements; it grows with them, so they stay as far apart."""
    scale = max(0.35, float(np.sqrt(settlements / DEFAULT_SETTLEMENTS)))
    width, height = 6_800.0 * scale, 5_200.0 * scale
    phase = rng.uniform(0, 2 * np.pi, 4)

    # Every bend keeps a radius above 400 m, so that plots laid beside it do not fold over.
    x = np.arange(-0.6 * width, 0.6 * width, 12.0)
    meander = 210.0 * np.sin(2 * np.pi * x / 2_400.0 + phase[0]) + 150.0 * np.sin(2 * np.pi * x / 3_700.0 + phase[1])
    river_y = 0.10 * height * np.sin(2 * np.pi * x / (1.5 * width) + phase[2]) + meander
    y = np.arange(-0.6 * height, 0.6 * height, 12.0)
    rail_x = 0.14 * width + 0.07 * width * np.sin(2 * np.pi * y / (1.3 * height) + phase[3])
    centre = np.array(ORIGIN_M)
    return Terrain(
        width_m=width,
        height_m=height,
        river=Spine.through(np.column_stack([x, river_y]) + centre),
        railway=Spine.through(np.column_stack([rail_x, y]) + centre),
    )


def bend_street(middle: Floats, length_m: float, rng: np.random.Generator) -> Spine:
    """A gently bent street through a point: the spine of a site away from river and rails."""
    heading, bend_per_m = rng.uniform(0, np.pi), rng.uniform(-1, 1) / 700.0
    along = np.arange(-length_m, length_m + 10.0, 10.0)
    angle = heading + bend_per_m * along
    step = np.column_stack([np.cos(angle), np.sin(angle)]) * 10.0
    xy = np.cumsum(step, axis=0)
    nearest = int(np.argmin(np.abs(along)))
    return Spine.through(xy - xy[nearest] + middle)
