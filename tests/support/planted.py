"""A city on a grid, in which need is planted where a test wants it."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from tests.support import factories as f

HOUSEHOLDS = {0: 9, 1: 9, 2: 10, 3: 11, 4: 40, 5: 40, 6: 120, 7: 30}

LACKING = {0: 9, 1: 0, 2: 6, 3: 5, 4: 20, 5: 20, 6: 30, 7: 27}
"""By settlement: how many households there are, and how many of them have neither toilet nor drain."""


def squares(n: int, wards: Mapping[int, str] | None = None) -> gpd.GeoDataFrame:
    """Settlements as equal squares on the grid of f.centre, whose middles are the grid's points."""
    middles = [f.centre(i) for i in range(n)]
    frame: dict[str, Any] = {
        "settlement_code": [f.code(i) for i in range(n)],
        "settlement_name": [f"Nagar {i}" for i in range(n)],
    }
    if wards is not None:
        frame["ward_code"] = [wards[i] for i in range(n)]
    shapes = [shapely.box(lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002) for lon, lat in middles]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def surveyed(households: Mapping[int, int], lacking: Mapping[int, int], **answers: Any) -> list[dict[str, Any]]:
    """The first households of each settlement have neither toilet nor drain, the others both."""
    lacks = {"toilet_type": "none", "toilet_location": None, "toilet_users": None, "drainage": "none"}
    return [
        f.household(1000 * s + i, s, **(lacks if i < lacking[s] else {}), **answers)
        for s, n in households.items()
        for i in range(n)
    ]


PLANTED = (12, 13, 22, 23)
"""Four settlements beside and above each other, in rows of ten."""


def planted_z(n: int) -> float:
    """Gi* of a planted settlement among n by hand: beside it in its row stand one of them and one other."""
    mean = (4 * 90 + (n - 4) * 10) / n
    s = np.sqrt((4 * 90**2 + (n - 4) * 10**2) / n - mean**2)
    return float((90 + 90 + 10 - 3 * mean) / (s * np.sqrt((n * 3 - 3**2) / (n - 1))))
