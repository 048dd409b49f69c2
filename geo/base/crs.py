"""Coordinate reference systems by role, and everything geodesic. The only place that reprojects."""

import re
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError, ProjError

from geo.errors import UnknownCRS

STORAGE_SRID = 4326
"""Every stored geometry is longitude and latitude on WGS84."""

STORAGE_CRS = pyproj.CRS.from_epsg(STORAGE_SRID)

_WGS84 = pyproj.Geod(ellps="WGS84")

METRES_PER_DEGREE = 111_320.0
"""Length of a degree of longitude at the equator: the longest a degree gets, so a safe bound for searches."""

_NAMES_FILES = re.compile(
    r"(?:grids|file|catalog)\s*+=(?!\s*+@null(?![^\s\"']))|\binit\s*+=(?!\s*+(?:epsg|esri):\d)|PARAMETERFILE|gridshift|"
    r"^\s*+@?(?:[./~]|[a-z]++://(?!www\.opengis\.net/def/crs/))",
    re.IGNORECASE,
)
"""Parts of a text with which PROJ would open a file, or an address on the network; `@null` is no grid."""


def read_crs(text: str) -> pyproj.CRS:
    """The CRS a person or a file names, such as `EPSG:32643`.

    Raises:
        UnknownCRS: the text names no CRS, or one that does not say where on Earth a position is.
    """
    if _NAMES_FILES.search(text):
        raise UnknownCRS("crs_names_file", crs=text)
    try:
        crs = pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise UnknownCRS("crs_unknown", crs=text) from error
    if not (crs.is_geographic or crs.is_projected):
        raise UnknownCRS("crs_without_place", crs=crs.name)
    return crs


def to_storage(geometries: NDArray[Any], crs: pyproj.CRS) -> NDArray[Any]:
    """Geometries in `crs`, as 2D longitude and latitude on WGS84. Nulls stay null."""
    flat = shapely.force_2d(geometries)
    if _is_storage(crs):
        return np.asarray(flat)
    transformer = _to_lonlat(crs)

    def reproject(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    return np.asarray(shapely.transform(flat, reproject))


def positions_to_storage(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions in `crs` as longitudes and latitudes, degrees. NaN stays NaN; what cannot be projected is NaN."""
    if _is_storage(crs):
        return x, y
    transformer = _to_lonlat(crs)
    lon, lat = transformer.transform(x, y)
    bad = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)


def positions_between(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS, other: pyproj.CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions in `crs`, in `other`. NaN stays NaN; what cannot be projected is infinite."""
    return pyproj.Transformer.from_crs(crs, other, always_xy=True).transform(x, y)


# What PROJ works out of a CRS takes longer than turning a batch of rows; pyproj keeps it apart for each thread.
@lru_cache(maxsize=64)
def _to_lonlat(crs: pyproj.CRS) -> pyproj.Transformer:
    try:
        return pyproj.Transformer.from_crs(crs, STORAGE_CRS, always_xy=True)
    except ProjError as error:
        raise UnknownCRS("crs_not_transformable", crs=crs.name) from error


@lru_cache(maxsize=64)
def _is_storage(crs: pyproj.CRS) -> bool:
    return bool(crs.to_2d().equals(STORAGE_CRS, ignore_axis_order=True))


def geodesic_area_m2(geometries: NDArray[Any]) -> NDArray[np.float64]:
    """Areas on the WGS84 ellipsoid, square metres, of lon/lat polygons; holes are left out."""
    return np.array([abs(_WGS84.geometry_area_perimeter(g)[0]) for g in _wound(geometries)], dtype=np.float64)


def _wound(geometries: NDArray[Any]) -> NDArray[Any]:
    # pyproj sums ring areas with their sign: holes must wind against their shell.
    return np.asarray(shapely.orient_polygons(geometries))


def geodesic_distance_m(
    lon1: NDArray[np.float64], lat1: NDArray[np.float64], lon2: NDArray[np.float64], lat2: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distances on the WGS84 ellipsoid, metres, between positions in degrees."""
    _, _, distance = _WGS84.inv(lon1, lat1, lon2, lat2)
    return np.asarray(distance, dtype=np.float64)


def local_metres(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions in degrees as metres east and north of the middle of them all, to measure distances between them.

    Azimuthal equidistant around that middle: right to about a part in 100,000 at 50 km from it.
    """
    lon_rad, lat_rad = np.radians(lon), np.radians(lat)
    # The middle of directions, not of degrees: these jump by 360 at the antimeridian.
    x_axis = (np.cos(lat_rad) * np.cos(lon_rad)).mean()
    y_axis = (np.cos(lat_rad) * np.sin(lon_rad)).mean()
    middle = {
        "lon_0": float(np.degrees(np.arctan2(y_axis, x_axis))),
        "lat_0": float(np.degrees(np.arctan2(np.sin(lat_rad).mean(), np.hypot(x_axis, y_axis)))),
    }
    local = pyproj.CRS.from_dict({"proj": "aeqd", "datum": "WGS84", "units": "m", **middle})
    x, y = pyproj.Transformer.from_crs(STORAGE_CRS, local, always_xy=True).transform(lon, lat)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
