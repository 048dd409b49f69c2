"""Shapes written as text in a column of a table: WKT, WKB, GeoJSON, Kobo's and ODK's positions, KML's coordinates."""

import json
import re
from itertools import chain
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray

from geo.crs import STORAGE_CRS, read_crs
from geo.errors import UnknownCRS
from geo.ingestion.cells import is_blank, texts
from geo.ingestion.findings import Findings
from geo.ingestion.layers import Layer, Note
from geo.ingestion.names import fold_name
from geo.ingestion.profile import PositionColumns, Profile
from geo.ingestion.standard_columns import standard_profile

Order = Literal["latitude, longitude", "longitude, latitude"]

# What digits it takes, each takes for good: a cell of nothing but digits is looked through once.
_NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
_GEOPOINT = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}")
_KML_POSITION = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,{_NUMBER})?")
_PAIR = re.compile(rf"[(\[]?\s*({_NUMBER})\s*[,;]\s*({_NUMBER})\s*[)\]]?")
_WKT = re.compile(
    r"(?:SRID=(\d+)\s*;\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\b.*", re.IGNORECASE | re.DOTALL
)
_HEX = re.compile(r"0[01][0-9A-Fa-f]{18,}")

_SHAPE_NAMES = (
    *("wkt", "wkb", "geometry", "geom", "the geom", "shape", "geopoint", "geo point", "geoshape", "geotrace", "gps"),
    *("position", "location", "ubicacion", "localizacao", "coordinates", "coordenadas", "coords"),
)
"""Names of columns, folded, that may hold a position or shape as text; their first texts decide."""

_FIRST_TEXTS = 20
_MOSTLY = 0.75
"""The part of the first texts that must be shapes: a slip among them makes no column of names of it."""
_MAX_LATITUDE = 90
_RING_POSITIONS = 4
_SHOWN = 40

LONGEST_POSITION = 1_000
"""Letters of one position; of a shape, of each of its positions."""


class ShapeColumn:
    """The column of a table whose texts are shapes; it remembers in which order it found pairs of numbers."""

    def __init__(self, name: str, crs: pyproj.CRS) -> None:
        self.name = name
        self._crs = crs
        self._order: Order | None = None

    def read(
        self, column: pa.Array, blanks: frozenset[str], rows: NDArray[np.int32], findings: Findings
    ) -> tuple[pa.Array, NDArray[np.bool_]]:
        """The shapes as WKB, null for a blank text; and where a text was no shape, which becomes a finding."""
        given = texts(column).to_pylist()
        shapes = np.full(len(given), None, dtype=object)
        bad = np.zeros(len(given), dtype=bool)
        pairs: list[tuple[int, float, float]] = []
        for i, text in enumerate(given):
            if text is None or is_blank(text, blanks):
                continue
            pair = _pair(text.strip())
            if pair:
                pairs.append((i, float(pair[1]), float(pair[2])))
                continue
            shapes[i] = read_shape(text, self._crs)
            bad[i] = shapes[i] is None
        if pairs and self._order is None:
            self._settle_order(pairs, findings)
        for i, one, other in pairs:
            x, y = (other, one) if self._order == "latitude, longitude" else (one, other)
            shapes[i] = shapely.Point(x, y)
        shown = [_shortened(str(given[int(i)])) for i in np.flatnonzero(bad)]
        findings.add("shape_unreadable", rows[bad], field=self.name, values=shown)
        return pa.array(shapely.to_wkb(shapely.force_2d(shapes)), type=pa.binary()), bad

    def _settle_order(self, pairs: list[tuple[int, float, float]], findings: Findings) -> None:
        """Decides once for the column: 110 can be no latitude, yet most pairs could be read either way."""
        if not self._crs.is_geographic:
            self._order = "longitude, latitude"
            return
        first_is_lon = any(abs(one) > _MAX_LATITUDE for _, one, _ in pairs)
        second_is_lon = any(abs(other) > _MAX_LATITUDE for _, _, other in pairs)
        # People copy "latitude, longitude" from their maps and telephones.
        self._order = "longitude, latitude" if first_is_lon and not second_is_lon else "latitude, longitude"
        if first_is_lon == second_is_lon:
            findings.add_note(Note("pair_order_guessed", self._order, self.name))


def _position(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The numbers of a position as it is written; None where it is none."""
    return pattern.fullmatch(text) if len(text) <= LONGEST_POSITION else None


def _pair(text: str) -> re.Match[str] | None:
    """Two numbers of which nothing says which is the latitude."""
    return _position(_PAIR, text)


def read_shape(text: str, crs: pyproj.CRS = STORAGE_CRS) -> Any | None:
    """The shape a text describes, or None where it describes none."""
    given = text.strip()
    for parse in (_wkt, _wkb, _geojson, _kml_coordinates, _odk):
        try:
            shape = parse(given, crs)
        except (ValueError, KeyError, TypeError, RecursionError, UnknownCRS, shapely.GEOSException):
            return None
        if shape is not None:
            return shape
    return None


def _wkt(text: str, crs: pyproj.CRS) -> Any | None:
    match = _WKT.fullmatch(text)
    if match is None:
        return None
    srid = match[1]
    _check_srid(srid or "0", crs)
    return shapely.from_wkt(text[match.end(1) + 1 :] if srid else text)


def _check_srid(srid: str, crs: pyproj.CRS) -> None:
    if srid != "0" and not crs.equals(read_crs(f"EPSG:{srid}"), ignore_axis_order=True):
        raise ValueError(f"the shape is in EPSG:{srid}")


def _wkb(text: str, crs: pyproj.CRS) -> Any | None:
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    shape = shapely.from_wkb(text)
    _check_srid(str(shapely.get_srid(shape)), crs)
    return shape


def _geojson(text: str, _crs: pyproj.CRS) -> Any | None:
    if not text.startswith("{"):
        return None
    value = json.loads(text)
    return shapely.from_geojson(json.dumps(value["geometry"] if value.get("type") == "Feature" else value))


def _kml_coordinates(text: str, _crs: pyproj.CRS) -> Any | None:
    positions = [_position(_KML_POSITION, part) for part in text.split()]
    if not positions or not all(positions):
        return None
    if len(positions) == 2 and not re.search(r"[.eE]", text):
        raise ValueError("two numbers with decimal commas, rather than two positions")
    return _drawn([(float(p[1]), float(p[2])) for p in positions if p])


def _odk(text: str, _crs: pyproj.CRS) -> Any | None:
    positions = [_position(_GEOPOINT, part.strip()) for part in text.strip("; ").split(";")]
    if not all(positions):
        return None
    drawn = [(float(p[2]), float(p[1])) for p in positions if p]
    if not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in drawn):
        raise ValueError(text)
    return _drawn(drawn)


def _drawn(positions: list[tuple[float, float]]) -> Any:
    """One position is a point, a closed row of them a polygon, any other a line."""
    if len(positions) == 1:
        return shapely.Point(positions[0])
    if len(positions) >= _RING_POSITIONS and positions[0] == positions[-1]:
        return shapely.Polygon(positions)
    return shapely.LineString(positions)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def standard_profile_of(layer: Layer) -> Profile:
    """The profile of a layer with standard names; in a table, with the column of texts that are shapes, if any."""
    profile = standard_profile(layer.columns)
    if layer.has_geometry:
        return profile
    named = [column for column in layer.columns if fold_name(re.split("[/:]", column)[-1]) in _SHAPE_NAMES]
    if not named or (profile.position and profile.boundaries is None):
        return profile
    first = next(layer.batches, None)
    if first is None:
        return profile
    layer.batches = chain([first], layer.batches)
    for column in named:
        shapes = _first_shapes(first.columns[column])
        if shapes is None:
            continue
        are_areas = all(shape is not None and "Polygon" in shape.geom_type for shape in shapes)
        boundaries = profile.boundaries
        return profile.model_copy(
            update={
                "position": profile.position or PositionColumns(column=column),
                "boundaries": boundaries.model_copy(update={"shape": column})
                if boundaries and are_areas
                else boundaries,
            }
        )
    return profile


def _first_shapes(column: pa.Array) -> list[Any] | None:
    """The shapes of a column's first texts, None standing for a pair of numbers; None if too many are no shape."""
    if not pa.types.is_string(column.type):
        return None
    given = [text.strip() for text in column.drop_null().slice(0, _FIRST_TEXTS).to_pylist() if text.strip()]
    is_pair = [bool("." in text and _pair(text)) for text in given]
    shapes = [None if pair else read_shape(text) for text, pair in zip(given, is_pair, strict=True)]
    found = [shape for shape, pair in zip(shapes, is_pair, strict=True) if pair or shape is not None]
    return found if given and len(found) >= _MOSTLY * len(given) else None
