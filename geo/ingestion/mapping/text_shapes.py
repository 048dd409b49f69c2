"""Shapes written as text in a column of a table: WKT, WKB, GeoJSON, Kobo's and ODK's positions, KML's coordinates."""

import json
import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyproj
import shapely
from numpy.typing import NDArray
from openlocationcode import openlocationcode

from geo.base import STORAGE_CRS, Extent, fold_name, read_crs
from geo.errors import UnknownCRS
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.angles import read_angles
from geo.ingestion.mapping.cells import is_blank, texts
from geo.ingestion.mapping.profile import PositionColumns, Profile
from geo.ingestion.mapping.standard_columns import standard_profile
from geo.ingestion.reading import Layer, Note

Order = Literal["latitude, longitude", "longitude, latitude"]

# What digits it takes, each takes for good: a cell of nothing but digits is looked through once.
_NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?"
_GEOPOINT = re.compile(rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}")
_KML_POSITION = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,{_NUMBER})?")
_PAIR = re.compile(rf"[(\[]?\s*({_NUMBER})\s*[,;]\s*({_NUMBER})\s*[)\]]?")
_ONE_NUMBER = re.compile(r"[-+]?\d+,\d+")
"""A number with a decimal comma, where degrees are meant: nobody writes two whole degrees without a blank."""
_PLUS_CODE_DIGITS = 10
"""A plus code of so many is a cell of 14 m; one of fewer, of 275 m or more, is no household's."""
_SHORT_DIGITS = 6
"""Of a short one, without its first four, as maps show it beside the name of a town;"""
_SHORT_REACH_DEGREES = 0.5
"""it stands for one place a degree, so that places up to so far from the middle of a city are told apart."""
_WKT = re.compile(
    r"(?:SRID=(\d+)\s*;\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\b.*", re.IGNORECASE | re.DOTALL
)
_HEX = re.compile(r"0[01][0-9A-Fa-f]{18,}")

_SHAPE_NAMES = (
    *("wkt", "wkb", "geometry", "geom", "the geom", "shape", "geopoint", "geo point", "geoshape", "geotrace", "gps"),
    *("plus code", "plus codes", "pluscode", "open location code", "olc", "boundary", "outline", "polygon", "poligono"),
    *("position", "location", "ubicacion", "localizacao", "coordinates", "coordenadas", "coords"),
)
"""Names of columns, folded, that may hold a position or shape as text; their first texts decide."""

_FIRST_TEXTS = 20
_MOSTLY = 0.75
"""The part of the first texts that must be shapes: a slip among them makes no column of names of it."""
_MAX_LATITUDE = 90
_RING_POSITIONS = 4
_LEAST_POINTS = 3
_SHOWN = 40

LONGEST_POSITION = 1_000
"""Letters of one position; of a shape, of each of its positions."""


class ShapeColumn:
    """The column of a table whose texts are shapes; it remembers in which order it found pairs of numbers."""

    def __init__(self, name: str, crs: pyproj.CRS, *, are_outlines: bool = False, near: Extent | None = None) -> None:
        self.name = name
        self._middle = near.centre() if near is not None and near.reach() < _SHORT_REACH_DEGREES else None
        self._are_short = False
        self._are_outlines = are_outlines
        self._crs = crs
        self._order: Order | None = None

    def read(
        self, column: pa.Array, blanks: frozenset[str], rows: NDArray[np.int32], findings: Findings
    ) -> tuple[pa.Array, NDArray[np.bool_]]:
        """The shapes as WKB, null for a blank text; and where a text was no shape, which becomes a finding."""
        given = texts(column).to_pylist()
        shapes = np.full(len(given), None, dtype=object)
        bad, closed, alone = np.zeros((3, len(given)), dtype=bool)
        pairs: list[tuple[int, float, float]] = []
        for i, text in enumerate(given):
            if text is None or is_blank(text, blanks):
                continue
            pair = _pair(text.strip(), are_degrees=self._crs.is_geographic)
            if pair:
                pairs.append((i, *pair))
                continue
            if (code := _short_plus_code(text)) is not None:
                shapes[i] = self._recovered(code, int(rows[i]), findings)
                alone[i] = shapes[i] is None
                continue
            shapes[i] = read_shape(text, self._crs)
            if shapes[i] is None and self._are_outlines:
                shapes[i] = read_unclosed(text, self._crs)
                closed[i] = shapes[i] is not None
            bad[i] = shapes[i] is None
        if pairs and self._order is None:
            self._settle_order(pairs, findings)
        for i, one, other in pairs:
            x, y = (other, one) if self._order == "latitude, longitude" else (one, other)
            shapes[i] = shapely.Point(x, y)
        shown = [_shortened(str(given[int(i)])) for i in np.flatnonzero(bad)]
        findings.add("shape_unreadable", rows[bad], field=self.name, values=shown)
        short = [_shortened(str(given[int(i)])) for i in np.flatnonzero(alone)]
        findings.add("plus_code_short", rows[alone], field=self.name, values=short)
        bad |= alone
        if self._are_outlines:
            bad |= _close_lines(shapes, closed, rows, findings)
        return pa.array(shapely.to_wkb(shapely.force_2d(shapes)), type=pa.binary()), bad

    def _recovered(self, code: str, row: int, findings: Findings) -> Any | None:
        """The place nearest to the middle of the city that a short plus code stands for; None without a city."""
        if self._middle is None:
            return None
        if not self._are_short:
            self._are_short = True
            findings.add_note(Note("plus_codes_short", code, self.name, row=row))
        lon, lat = self._middle
        return _plus_code(openlocationcode.recoverNearest(code, lat, lon), STORAGE_CRS)

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


def _pair(text: str, *, are_degrees: bool) -> tuple[float, float] | None:
    """The two numbers of a position that does not say which is the latitude."""
    match = _position(_PAIR, text)
    if match:
        return None if are_degrees and _ONE_NUMBER.fullmatch(text) else (float(match[1]), float(match[2]))
    angles = read_angles(text) if are_degrees else None
    if angles is None or any(angle.axis is not None for angle in angles):
        return None
    return angles[0].degrees, angles[1].degrees


def read_shape(text: str, crs: pyproj.CRS = STORAGE_CRS) -> Any | None:
    """The shape a text describes, or None where it describes none."""
    given = text.strip()
    for parse in (_wkt, _wkb, _geojson, _kml_coordinates, _odk, _plus_code, _angles):
        try:
            shape = parse(given, crs)
        except (ValueError, KeyError, TypeError, RecursionError, UnknownCRS, shapely.GEOSException):
            return None
        if shape is not None:
            return shape
    return None


def read_unclosed(text: str, crs: pyproj.CRS = STORAGE_CRS) -> Any | None:
    """The polygon a text describes whose outline does not end where it begins, closed; None where it is none."""
    match = _WKT.fullmatch(text.strip())
    try:
        if text.strip().startswith("{"):
            return shapely.geometry.shape(json.loads(text))
        if match is None:
            return None
        _check_srid(match[1] or "0", crs)
        shape = shapely.from_wkt(text.strip()[match.end(1) + 1 if match[1] else 0 :], on_invalid="fix")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UnknownCRS, shapely.GEOSException):
        return None
    return None if shape is None or shape.is_empty else shape


def _close_lines(
    shapes: NDArray[Any], closed: NDArray[np.bool_], rows: NDArray[np.int32], findings: Findings
) -> NDArray[np.bool_]:
    """Closes the lines of a column of outlines that make one; returns which have too few points."""
    short = np.zeros(len(rows), dtype=bool)
    for i in np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING):
        points = dict.fromkeys(shapes[i].coords)
        short[i] = len(points) < _LEAST_POINTS
        ring = None if short[i] else shapely.Polygon(list(points))
        # One that crosses itself may be a line that was drawn.
        if ring is not None and ring.is_valid and ring.area > 0:
            shapes[i], closed[i] = ring, True
    short |= closed & (shapely.area(shapes) == 0)
    findings.add("outline_closed", rows[closed & ~short])
    findings.add("outline_too_short", rows[short])
    shapes[short] = None
    return short


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


def _plus_code(text: str, _crs: pyproj.CRS) -> Any | None:
    """The middle of the cell a whole plus code stands for; a place may be named after it."""
    code = _first_word(text)
    if not openlocationcode.isFull(code):
        return None
    cell = openlocationcode.decode(code)
    if cell.codeLength < _PLUS_CODE_DIGITS:
        raise ValueError(text)
    return shapely.Point(cell.longitudeCenter, cell.latitudeCenter)


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0].rstrip(",") if text.strip() else ""


def _short_plus_code(text: str) -> str | None:
    """The code of a text such as `JRJ2+43 Pune`; None where it is whole, or none."""
    code = _first_word(text)
    is_short = len(code) > _SHORT_DIGITS and code.find("+") == _SHORT_DIGITS - 2
    return code if is_short and openlocationcode.isShort(code) else None


def _angles(text: str, crs: pyproj.CRS) -> Any | None:
    angles = read_angles(text) if crs.is_geographic else None
    if angles is None or all(angle.axis is None for angle in angles):
        return None
    latitude_first = angles[0].axis == "latitude" or angles[1].axis == "longitude"
    lat, lon = angles if latitude_first else angles[::-1]
    return shapely.Point(lon.degrees, lat.degrees)


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
    if layer.has_geometry or (profile.position and profile.boundaries is None):
        return profile
    named = [column for column in layer.columns if fold_name(re.split("[/:]", column)[-1]) in _SHAPE_NAMES]
    found = _find_shapes(layer, named)
    if found is None:
        return profile
    column, are_outlines = found
    boundaries = profile.boundaries
    return profile.model_copy(
        update={
            "position": profile.position or PositionColumns(column=column),
            "boundaries": boundaries.model_copy(update={"shape": column})
            if boundaries and are_outlines
            else boundaries,
        }
    )


def find_outlines(layer: Layer) -> str | None:
    """The column of a table whose texts are outlines, whatever it is called."""
    found = _find_shapes(layer, layer.columns, only_outlines=True)
    return None if found is None else found[0]


def _find_shapes(layer: Layer, columns: Sequence[str], *, only_outlines: bool = False) -> tuple[str, bool] | None:
    """The first of some columns whose first texts are shapes, and whether these are outlines."""
    first = next(layer.batches, None) if columns else None
    if first is None:
        return None
    layer.batches = chain([first], layer.batches)
    for column in columns:
        if not pa.types.is_string(first.columns[column].type):
            continue
        given = first.columns[column].drop_null().slice(0, _FIRST_TEXTS).to_pylist()
        are_outlines = hold_outlines(given)
        if are_outlines or (hold_positions(given) and not only_outlines):
            return column, are_outlines
    return None


def hold_outlines(given: Sequence[str]) -> bool:
    """Whether most of some texts are outlines, closed or not."""
    return _are_mostly(given, lambda text: _may_be_outline(read_shape(text) or read_unclosed(text)))


def hold_positions(given: Sequence[str]) -> bool:
    """Whether most of some texts are positions or shapes of any kind."""
    return _are_mostly(given, _is_position)


def _is_position(text: str) -> bool:
    return _is_plain_pair(text) or read_shape(text) is not None or _short_plus_code(text) is not None


def _are_mostly(given: Sequence[str], holds: Callable[[str], bool]) -> bool:
    told = [text.strip() for text in given if text.strip()]
    return bool(told) and sum(map(holds, told)) >= _MOSTLY * len(told)


def _may_be_outline(shape: Any | None) -> bool:
    if shape is None:
        return False
    is_line = shape.geom_type == "LineString" and len(shape.coords) >= _LEAST_POINTS
    return is_line or shape.geom_type in ("Polygon", "MultiPolygon")


def _is_plain_pair(text: str) -> bool:
    """Whether a text is a pair of numbers, one of them with a decimal point: two whole ones may be anything."""
    return _pair(text, are_degrees=True) is not None and ("." in text or _position(_PAIR, text) is None)
