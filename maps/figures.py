"""The figures a map shows, read from a frame and made safe: one per settlement, nothing withheld kept."""

import math
import re
from dataclasses import dataclass
from typing import Any, TypeGuard

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.base import STORAGE_SRID
from geo.errors import MissingColumn, UnknownCRS
from geo.indicators.definitions import Definition

COLUMNS = (
    "settlement_code",
    "settlement_name",
    "ward_name",
    "status",
    "reason",
    "value",
    "low",
    "high",
    "n",
    "n_unknown",
    "unserved",
)

# Control characters (but tab and line feed), characters that turn the reading direction of what follows, and
# lone surrogates: none belongs in a name, and a lone surrogate cannot even be written as UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_ROUNDING_SLACK = 1e-6


@dataclass(frozen=True)
class SettlementFigure:
    """One settlement and its figure.

    Attributes:
        shape: its boundary in longitude and latitude (EPSG:4326); a point where nobody has drawn it; None: neither.
        is_withheld: the figure may not be shown; every number below is then None, whatever was handed over.
        reason: code of why it is withheld, such as "protected".
        value: per cent (0-100) for a share, in the definition's unit for a density; None where there is none.
        low, high: the interval, in the unit of `value`.
        n, n_unknown: households that answered, and whose answer is not known.
        unserved: households without the service (weighted, hence not always whole).
    """

    code: str
    name: str
    ward_name: str | None
    shape: Polygon | MultiPolygon | Point | None
    is_withheld: bool
    reason: str | None
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    n_unknown: int | None
    unserved: float | None

    @property
    def is_shown(self) -> bool:
        """Whether there is a figure to show."""
        return self.value is not None


def read_figures(frame: gpd.GeoDataFrame, definition: Definition) -> list[SettlementFigure]:
    """Each row of a frame (EPSG:4326, the columns of `COLUMNS`) as a figure, in the frame's order.

    Whatever is not finite is absent. Numbers of a row that is not published are dropped here, before
    anything is drawn: a withheld figure must not reach the file even where the caller forgot to blank it.

    Raises:
        UnknownCRS: the frame is not in longitude and latitude.
        MissingColumn: a column is not there.
    """
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise MissingColumn("map_without_columns", columns=missing)
    require_lonlat(frame)
    columns = [frame[name].tolist() for name in COLUMNS]
    return [
        _read_figure(dict(zip(COLUMNS, row, strict=True)), shape, definition)
        for shape, *row in zip(frame.geometry.tolist(), *columns, strict=True)
    ]


def require_lonlat(frame: gpd.GeoDataFrame) -> None:
    """Refuse a frame whose positions are not longitudes and latitudes on WGS 84.

    Raises:
        UnknownCRS: its coordinate reference system is another one, or not said.
    """
    if frame.crs is None:
        raise UnknownCRS("map_without_crs")
    if frame.crs.to_epsg() != STORAGE_SRID:
        raise UnknownCRS("map_in_other_crs", crs=frame.crs.to_string())


def _read_figure(row: dict[str, Any], shape: BaseGeometry | None, definition: Definition) -> SettlementFigure:
    """One row as a figure."""
    is_withheld = row["status"] != "published"
    numbers: dict[str, float | None] = {
        name: None if is_withheld else finite(row[name])
        for name in ("value", "low", "high", "n", "n_unknown", "unserved")
    }
    if definition.measure == "share":
        numbers |= {name: _percent(numbers[name]) for name in ("value", "low", "high")}
    if numbers["value"] is None:
        numbers = dict.fromkeys(numbers)
    if numbers["low"] is None or numbers["high"] is None:
        numbers["low"] = numbers["high"] = None
    return SettlementFigure(
        code=printable(row["settlement_code"]) or "",
        name=printable(row["settlement_name"]) or printable(row["settlement_code"]) or "Unnamed settlement",
        ward_name=printable(row["ward_name"]),
        shape=shape if _is_point(shape) else polygonal(shape),
        is_withheld=is_withheld,
        reason=printable(row["reason"]),
        value=numbers["value"],
        low=numbers["low"],
        high=numbers["high"],
        n=_count(numbers["n"]),
        n_unknown=_count(numbers["n_unknown"]),
        unserved=None if numbers["unserved"] is None else max(numbers["unserved"], 0.0),
    )


def finite(value: Any) -> float | None:
    """A number, or None for anything missing, infinite or not a number."""
    if value is None or value is pd.NA:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def printable(value: Any) -> str | None:
    """Text on one line without control characters, or None where there is none."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return " ".join(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(value)).split()) or None


def polygonal(shape: BaseGeometry | None) -> Polygon | MultiPolygon | None:
    """The polygons of a geometry, or None where it has none with a finite extent."""
    if shape is None or shape.is_empty or not all(math.isfinite(edge) for edge in shape.bounds):
        return None
    valid = shape if shape.is_valid else shapely.make_valid(shape)
    if isinstance(valid, Polygon | MultiPolygon):
        return valid
    # Mending a boundary can leave a collection of polygons, some of them multiple, and stray lines.
    parts = [part for part in shapely.get_parts(shapely.get_parts(valid)) if isinstance(part, Polygon)]
    return MultiPolygon(parts) if parts else None


def _is_point(shape: BaseGeometry | None) -> TypeGuard[Point]:
    """Whether a settlement is known by a single position: nobody has drawn it."""
    return isinstance(shape, Point) and not shape.is_empty and math.isfinite(shape.x) and math.isfinite(shape.y)


def _percent(value: float | None) -> float | None:
    """A percentage within 0-100; what lies outside by more than rounding is no percentage and is dropped."""
    if value is None or not -_ROUNDING_SLACK <= value <= 100 + _ROUNDING_SLACK:
        return None
    return min(max(value, 0.0), 100.0)


def _count(value: float | None) -> int | None:
    """A whole count."""
    return None if value is None else max(round(value), 0)
