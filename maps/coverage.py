"""The coverage map: one indicator in one survey round, a settlement at a time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import folium
import geopandas as gpd
import shapely
from folium.map import CustomPane
from folium.utilities import JsCode
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from geo.errors import MissingColumn
from geo.indicators.definition import Definition
from maps import words
from maps.figures import SettlementFigure, polygonal, printable, read_figures, require_lonlat
from maps.leaflet import BareMap, named, write_document
from maps.popup import popup_html, tooltip_html
from maps.style import (
    BACKGROUND,
    CIRCLE_LINE,
    OUTLINE,
    CircleScale,
    Classes,
    fill_of,
    make_circle_scale,
    make_classes,
    make_legend,
)

# About half a metre: less than a pixel at the closest zoom, so what it removes cannot be seen.
_INVISIBLE_DEG = 5e-6
_DECIMALS = 6  # about 0.1 m
_CLOSEST_FIT_ZOOM = 17

_MOST_CIRCLES_AT_FIRST = 300
"""With more, the circles hide the settlements until the reader asks for them."""

_PANES = {"graticule": 310, "settlements": 400, "wards": 420, "circles": 450}
"""Leaflet panes and their z-index; popups and tooltips are above 600."""


def draw(
    frame: gpd.GeoDataFrame,
    definition: Definition,
    *,
    city_name: str,
    survey_name: str,
    generated_on: date | None = None,
    wards: gpd.GeoDataFrame | None = None,
) -> str:
    """The map of one indicator in one survey round, as one HTML document that makes no request.

    The same arguments give the same bytes.

    Args:
        frame: one row a settlement in longitude and latitude (EPSG:4326). Geometry: its boundary, Polygon or
            MultiPolygon, or None; without one a settlement stands in the table only. Columns:
            settlement_code, settlement_name, ward_name (may be missing), status ("published" or "withheld"),
            reason (code or missing), value (per cent 0-100 for a share, else in the definition's unit), low
            and high (its interval), n and n_unknown (households that answered, and whose answer is not
            known), unserved (households without the service). Numbers may be missing; those of withheld rows
            are not read.
        definition: the indicator.
        city_name: the city, as the header says it.
        survey_name: the survey round, as the header says it.
        generated_on: the day the map is made; today (UTC) unless given.
        wards: outlines for orientation, in EPSG:4326, with a column ward_name.

    Raises:
        UnknownCRS: a frame is not in EPSG:4326.
        MissingColumn: a column is not there.
    """
    figures = read_figures(frame, definition)
    classes = make_classes(definition, [f.value for f in figures if f.value is not None])
    scale = make_circle_scale(figures)
    ward_outlines = _ward_features(wards) if wards is not None else []
    wards_variable = "geo_json_wards" if ward_outlines else "null"
    return write_document(
        _draw_map(figures, ward_outlines, definition, classes, scale),
        finish=f"dressMap(map_coverage, geo_json_settlements, {wards_variable});",
        template="coverage.html",
        context={
            "words": words,
            "definition": definition,
            "city_name": printable(city_name) or "",
            "survey_name": printable(survey_name) or "",
            "made_on": generated_on or datetime.now(UTC).date(),
            "figures": most_left_to_do_first(figures, definition),
            "legend": make_legend(figures, classes, scale, definition),
            "has_wards": bool(ward_outlines),
            "outline": OUTLINE,
            "background": BACKGROUND,
            "circle_line": CIRCLE_LINE,
        },
    )


def most_left_to_do_first(
    figures: Sequence[SettlementFigure], definition: Definition
) -> list[SettlementFigure]:
    """The figures in the order of the table: by unserved households, then by the gap; those without last."""
    sign = 1 if definition.direction == "up" else -1

    def rank(figure: SettlementFigure) -> tuple[bool, float, float, str, str]:
        gap = 0.0 if figure.value is None else sign * figure.value
        return (figure.value is None, -(figure.unserved or 0.0), gap, figure.name, figure.code)

    return sorted(figures, key=rank)


def _draw_map(
    figures: Sequence[SettlementFigure],
    ward_outlines: list[dict[str, Any]],
    definition: Definition,
    classes: Classes,
    scale: CircleScale | None,
) -> BareMap:
    """The map with its layers: wards below, settlements, and circles above them."""
    drawn = named(
        BareMap(
            tiles=None,
            zoom_snap=0.25,
            zoom_delta=0.5,
            min_zoom=3,
            max_zoom=20,
            attribution_control=False,
        ),
        "coverage",
    )
    for pane, z_index in _PANES.items():
        named(CustomPane(pane, z_index=z_index, pointer_events=True), pane).add_to(drawn)
    layers = [
        _layer("settlements", _settlement_features(figures, definition, classes), label="Shading"),
    ]
    if scale is not None:
        label = f"Circles: {words.unserved_words(definition).lower()}"
        circles = _circle_features(figures, scale)
        show = len(circles) <= _MOST_CIRCLES_AT_FIRST
        layers.append(_layer("circles", circles, label=label, show=show))
    if ward_outlines:
        layers.append(_layer("wards", ward_outlines, label="Ward outlines"))
    for layer in layers:
        layer.add_to(drawn)
    if len(layers) > 1:
        # Leaflet's control, which templates/map.js moves beside the map, where it covers nothing.
        named(folium.LayerControl(collapsed=False), "layers").add_to(drawn)
    shapes = [f.shape for f in figures if f.shape is not None]
    if shapes:
        west, south, east, north = (round(edge, _DECIMALS) for edge in shapely.total_bounds(shapes).tolist())
        fit = folium.FitBounds([(south, west), (north, east)], padding=(24, 24), max_zoom=_CLOSEST_FIT_ZOOM)
        named(fit, "bounds").add_to(drawn)
    return drawn


def _layer(name: str, features: list[dict[str, Any]], *, label: str, show: bool = True) -> folium.GeoJson:
    """A layer in its own pane; templates/map.js has its style and what happens on a click.

    Args:
        name: of the pane, and of the JavaScript functions `<name>Style` and `<name>Bind`.
        features: GeoJSON features; their properties are what those functions read.
        label: its words in the layer control, which takes them as HTML: never a name from a survey.
        show: whether it is drawn at first.
    """
    collection = {"type": "FeatureCollection", "features": features}
    layer = folium.GeoJson(
        collection,
        name=label,
        show=show,
        smooth_factor=0.5,
        on_each_feature=JsCode(f"{name}Bind"),
        pane=name,
        style=JsCode(f"{name}Style"),
        point_to_layer=JsCode("circleMarker"),
    )
    return named(layer, name)


def _settlement_features(
    figures: Sequence[SettlementFigure], definition: Definition, classes: Classes
) -> list[dict[str, Any]]:
    """The settlements that have a boundary, as GeoJSON with their colour and their texts."""
    return [
        _feature(
            figure.shape,
            fill=fill_of(figure, classes),
            name=figure.name,
            popup=popup_html(figure, definition),
            tooltip=tooltip_html(figure, definition),
            key=key,
        )
        for key, figure in enumerate(figures)
        if figure.shape is not None
    ]


def _circle_features(figures: Sequence[SettlementFigure], scale: CircleScale) -> list[dict[str, Any]]:
    """A point inside each settlement with unserved households, the largest circle first, hence lowest."""
    circles = [
        (-figure.unserved, key, figure.shape)
        for key, figure in enumerate(figures)
        if figure.unserved and figure.shape is not None
    ]
    return [
        _feature(shape.representative_point(), radius=scale.radius_px(-unserved), key=key)
        for unserved, key, shape in sorted(circles, key=lambda circle: circle[:2])
    ]


def _ward_features(wards: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Ward outlines as GeoJSON.

    Raises:
        UnknownCRS: the frame is not in EPSG:4326.
        MissingColumn: it has no ward_name.
    """
    if "ward_name" not in wards.columns:
        raise MissingColumn("Ward outlines need the column ward_name.")
    require_lonlat(wards)
    rows = zip(wards["ward_name"].tolist(), map(polygonal, wards.geometry.tolist()), strict=True)
    return [_feature(shape, name=printable(name) or "") for name, shape in rows if shape is not None]


def _feature(shape: BaseGeometry, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature, rounded to about 0.1 m and without vertices that make no visible difference."""
    slim = shapely.simplify(shape, _INVISIBLE_DEG, preserve_topology=True)
    geometry = mapping(slim)
    return {
        "type": "Feature",
        "geometry": {"type": geometry["type"], "coordinates": _rounded(geometry["coordinates"])},
        "properties": properties,
    }


def _rounded(coordinates: Any) -> Any:
    """Nested coordinates, rounded; a third dimension is left out."""
    if isinstance(coordinates[0], int | float):
        return [round(coordinate, _DECIMALS) for coordinate in coordinates[:2]]
    return [_rounded(part) for part in coordinates]
