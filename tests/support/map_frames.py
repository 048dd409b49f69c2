"""Frames for the map tests: irregular settlements near Pimpri-Chinchwad, some of them hostile."""

import math
from typing import Any

import geopandas as gpd
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "`${alert(3)}`",
    "\"quoted\" 'single' \\back\\slash\\",
    "two\nlines\r\nand\ttab",
    "line\u2028separator\u2029paragraph",
    "\u202egnirts desrever",
    "مستوطنة النور",
    "गांधीनगर & शांतीनगर",
    "<!--<script>",
    "{{ cycler.__init__.__globals__ }}",
    "{% raw %} {# ]]>",
    "nul\x00 and \x1b[31m escape",
    "<svg/onload=alert(4)>",
    "javascript:alert(5)",
]


def blob(index: int, *, points: int = 17) -> Polygon:
    """An irregular polygon of about 300 m, the index-th on a grid of ten columns."""
    lon, lat = 73.75 + 0.012 * (index % 10), 18.58 + 0.012 * (index // 10)
    ring = []
    for step in range(points):
        angle = 2 * math.pi * step / points
        radius = 0.0036 * (1 + 0.3 * math.sin(3 * angle + index) + 0.1 * math.sin(7 * angle))
        ring.append((lon + radius * math.cos(angle), lat + radius * math.sin(angle)))
    return Polygon(ring)


def row(index: int, **changes: Any) -> dict[str, Any]:
    """One published settlement, with changes."""
    return {
        "settlement_code": f"PCM-{index:03d}",
        "settlement_name": f"वस्ती {index}",
        "ward_name": "Ward A",
        "status": "published",
        "reason": None,
        "value": 52.0,
        "low": 45.0,
        "high": 59.0,
        "n": 200,
        "n_unknown": 4,
        "unserved": 1240.0,
        "geometry": blob(index),
    } | changes


def withheld(index: int, reason: str | None = "protected", **changes: Any) -> dict[str, Any]:
    """One settlement whose figure is withheld."""
    blank = dict.fromkeys(("value", "low", "high", "n", "n_unknown", "unserved"))
    return row(index, status="withheld", reason=reason, **blank) | changes


def frame(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """A frame of these rows in EPSG:4326."""
    columns = list(rows[0]) if rows else list(row(0))
    geometry: list[BaseGeometry | None] = [r["geometry"] for r in rows]
    table = {name: [r[name] for r in rows] for name in columns if name != "geometry"}
    return gpd.GeoDataFrame(table, geometry=geometry, crs=4326)


def city() -> gpd.GeoDataFrame:
    """Thirty settlements: every class, three withheld, one without a figure, two without a boundary."""
    rows = [row(i, value=i * 100 / 24, low=None, high=None, unserved=1000.0 - 40 * i) for i in range(25)]
    rows[3]["geometry"] = None
    rows[4]["geometry"] = MultiPolygon([blob(4), blob(44)])
    return frame(
        *rows,
        withheld(25),
        withheld(26, "no_answers"),
        row(27, value=float("nan")),
        withheld(28, geometry=None),
        row(29, settlement_name="Laxmi Nagar"),
    )
