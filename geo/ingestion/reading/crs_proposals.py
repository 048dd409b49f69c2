"""Proposals of a CRS: under which one the positions of a file would lie in the city."""

from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from geo.base import Extent, positions_to_storage, read_crs
from geo.errors import UnknownCRS
from geo.ingestion.reading.axes import zone_codes
from geo.ingestion.reading.gdal import read_shapes
from geo.ingestion.reading.layer import Layer, ReadOptions
from geo.messages import Message

_SAMPLE = 500
_SHOWN = 3
_WEB_MERCATOR_REACH = 20_037_509.0
_WIDEST_GRID_DEGREES = 60.0
"""National grids are meant for a country; what covers a third of the world is a map projection nobody surveys in."""


def check_crs(layer: Layer, options: ReadOptions, city: Extent | None, file_name: str) -> None:
    """Holds that somebody says which CRS a layer's shapes are in.

    Raises:
        UnknownCRS: nobody does; the message names those that are likely, which uses up the layer.
    """
    if not layer.has_geometry or layer.crs is not None or options.crs is not None:
        return
    x, y = _first_positions(layer)
    likely, advice = _advise(x, y, city)
    raise UnknownCRS("crs_not_said", likely, file=file_name, advice=advice)


def refuse_outside_world(
    x: NDArray[np.float64], y: NDArray[np.float64], declared: pyproj.CRS, city: Extent | None, file_name: str
) -> None:
    """Refuses a file none of whose shapes is on Earth in the CRS they are said to be in.

    Raises:
        UnknownCRS: always; the message says which CRS is likely.
    """
    likely, advice = _advise(x, y, city)
    raise UnknownCRS("crs_outside_world", likely, file=file_name, declared=name_crs(declared), advice=advice)


def _advise(x: NDArray[np.float64], y: NDArray[np.float64], city: Extent | None) -> tuple[list[str], Message]:
    """The codes of the CRSs that are likely, and what to do."""
    likely = propose(x, y, city)
    if likely:
        named = {"likely": [name_crs(crs) for crs in likely], "first": _codes(likely)[0]}
        return _codes(likely), Message("crs_fits_city" if city else "crs_fits_range", **named)
    return [], Message("crs_may_be_utm" if _may_be_utm(x, y) else "crs_to_be_named")


def refuse_far_positions(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    declared: pyproj.CRS,
    city: Extent,
    file_name: str,
    zone: str | None = None,
) -> None:
    """Refuses positions that all lie far from the city in the CRS they are said to be in, if another one fits.

    `zone` is the UTM zone that the file names of them, such as 43Q.

    Raises:
        UnknownCRS: under another CRS they would lie in the city; the message names it.
    """
    given = np.isfinite(x) & np.isfinite(y)
    if _share_in(city, x[given], y[given], declared) > 0:
        return
    likely = [crs for crs in propose(x, y, city) if crs != declared]
    named = zone_codes(zone or "")
    likely = [crs for crs in likely if f"EPSG:{crs.to_epsg()}" in named] or likely
    if likely:
        raise UnknownCRS(
            "crs_far_from_city",
            _codes(likely),
            file=file_name,
            declared=name_crs(declared),
            likely=[name_crs(crs) for crs in likely],
            first=_codes(likely)[0],
        )


def propose(x: NDArray[np.float64], y: NDArray[np.float64], city: Extent | None) -> list[pyproj.CRS]:
    """Likely CRSs of positions, the likeliest first: those that bring most of them into the city.

    With no city yet, only what the numbers themselves tell: degrees, or metres no grid but Web Mercator reaches.
    """
    given = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(given) == 0:
        return []
    some = given[np.linspace(0, len(given) - 1, min(_SAMPLE, len(given))).astype(np.intp)]
    x, y = x[some], y[some]
    # One stray position must not hide what the others are.
    are_degrees = np.mean((np.abs(x) <= 180) & (np.abs(y) <= 90)) >= 0.5
    if are_degrees:
        codes = [4326]
    elif city is None:
        far = max(float(np.median(np.abs(x))), float(np.median(np.abs(y)))) <= _WEB_MERCATOR_REACH
        codes = [3857] if far and not _may_be_utm(x, y) else []
    else:
        codes = _codes_around(city)
    candidates = [read_crs(f"EPSG:{code}") for code in codes]
    if city is None:
        return candidates
    shares = [_share_in(city, x, y, crs) for crs in candidates]
    best = sorted(range(len(candidates)), key=lambda i: -round(shares[i], 1))
    return [candidates[i] for i in best if shares[i] >= 0.5][:_SHOWN]


@lru_cache(maxsize=16)
def _codes_around(city: Extent) -> list[int]:
    """EPSG codes of projected CRSs in use in and around a city: the world's first, then the country's.

    Kept, since PROJ looks through all CRSs it knows: a file in a wrong CRS is often sent again, and asked about twice.
    """
    lon, lat = city.centre()
    zone = int((lon + 180) // 6) + 1
    zones = [(z - 1) % 60 + 1 for z in (zone, zone - 1, zone + 1)]
    hemispheres = (32600, 32700) if lat >= 0 else (32700, 32600)
    worldwide = [hemispheres[0] + zones[0], 3857, *(hemisphere + z for hemisphere in hemispheres for z in zones)]
    around = AreaOfInterest(city.west, city.south, city.east, city.north)
    national = [
        (crs.area_of_use.east - crs.area_of_use.west, int(crs.code))
        for crs in query_crs_info("EPSG", PJType.PROJECTED_CRS, area_of_interest=around)
        if crs.area_of_use is not None and crs.area_of_use.east - crs.area_of_use.west < _WIDEST_GRID_DEGREES
    ]
    return list(dict.fromkeys([*worldwide, *(code for _, code in sorted(national))]))


def _share_in(city: Extent, x: NDArray[np.float64], y: NDArray[np.float64], crs: pyproj.CRS) -> float:
    if len(x) == 0:
        return 0.0
    try:
        return float(np.mean(city.holds(*positions_to_storage(x, y, crs))))
    except UnknownCRS:
        return 0.0


def _may_be_utm(x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    in_range = (np.abs(x - 500_000) <= 450_000) & (y >= 0) & (y <= 10_000_000)
    return bool(len(x) and np.mean(in_range) >= 0.5 and np.median(y) > 90)


def _first_positions(layer: Layer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A point of each of the first shapes."""
    batch = next(layer.batches, None)
    if batch is None or batch.geometry is None:
        return np.array([]), np.array([])
    return middles(read_shapes(batch.geometry[: 10 * _SAMPLE]))


def middles(shapes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middle of each shape's box; NaN where there is none."""
    bounds = shapely.bounds(shapes)
    return (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2


def _codes(proposed: list[pyproj.CRS]) -> list[str]:
    return [f"EPSG:{crs.to_epsg()}" for crs in proposed]


def name_crs(crs: pyproj.CRS) -> str:
    """A CRS by its code and its name, such as EPSG:32643 (WGS 84 / UTM zone 43N)."""
    code = crs.to_epsg()
    name = "longitude and latitude" if code == 4326 else crs.name
    return name if code is None else f"EPSG:{code} ({name})"
