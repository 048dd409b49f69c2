"""The coverage map: one indicator in one survey round, a settlement at a time."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import shapely
from folium.map import CustomPane
from folium.utilities import JsCode
from shapely.geometry.base import BaseGeometry

from geo.errors import MissingColumn
from geo.indicators.definitions import Definition
from maps import words
from maps.figures import SettlementFigure, finite, polygonal, printable, read_figures, require_lonlat
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
    city_unserved: float | None = None,
    rounded_to: int | None = None,
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
        definition: the indicator, as it reads at the level its figures are counted at (Definition.at).
        city_name: the city, as the header says it.
        survey_name: the survey round, as the header says it.
        generated_on: the day the map is made; today (UTC) unless given.
        wards: outlines for orientation, in EPSG:4326, with a column ward_name.
        city_unserved: households without the service in the whole city, as its own figure says; None where that is
            withheld. What settlements sum to is another number: some are withheld, and each is rounded.
        rounded_to: what the counts are rounded to the nearest multiple of; None where they are exact.

    Raises:
        UnknownCRS: a frame is not in EPSG:4326.
        MissingColumn: a column is not there.
    """
    figures = read_figures(frame, definition)
    classes = make_classes(definition, [f.value for f in figures if f.value is not None])
    scale = make_circle_scale(figures)
    layers = {
        "settlements": _settlement_features(figures, definition, classes, rounded_to),
        "circles": _circle_features(figures, scale),
        "wards": [] if wards is None else _ward_features(wards),
    }
    drawn_layers = ", ".join(f"{name}: geo_json_{name}" for name, features in layers.items() if features)
    return write_document(
        _draw_map(layers, definition),
        data=layers,
        finish=f"dressMap(map_coverage, {{{drawn_layers}}}, {json.dumps(_bounds(figures))});",
        template="coverage.html",
        context={
            "words": words,
            "definition": definition,
            "city_name": printable(city_name) or "",
            "survey_name": printable(survey_name) or "",
            "made_on": generated_on or datetime.now(UTC).date(),
            "figures": most_left_to_do_first(figures, definition),
            "legend": make_legend(figures, classes, scale, definition),
            "has_wards": bool(layers["wards"]),
            "city_unserved": finite(city_unserved),
            "rounded_to": rounded_to,
            "outline": OUTLINE,
            "background": BACKGROUND,
            "circle_line": CIRCLE_LINE,
        },
    )


def most_left_to_do_first(figures: Sequence[SettlementFigure], definition: Definition) -> list[SettlementFigure]:
    """The figures in the order of the table: by unserved households, then by the gap; those without last."""
    sign = 1 if definition.direction == "up" else -1

    def rank(figure: SettlementFigure) -> tuple[bool, float, float, str, str]:
        gap = 0.0 if figure.value is None else sign * figure.value
        return (figure.value is None, -(figure.unserved or 0.0), gap, figure.name, figure.code)

    return sorted(figures, key=rank)


def _draw_map(layers: Mapping[str, list[dict[str, Any]]], definition: Definition) -> BareMap:
    """The map with its panes, layers and layer control; the features come into the layers in the browser."""
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
    # Leaflet takes these words as HTML: they are ours, never a name from a survey.
    labels = {
        "settlements": "Shading",
        "circles": f"Circles: {words.unserved_words(definition).lower()}",
        "wards": "Ward outlines",
    }
    drawn_layers = [name for name, features in layers.items() if features]
    for name in drawn_layers:
        layer = folium.GeoJson(
            {"type": "FeatureCollection", "features": []},
            name=labels[name],
            show=name != "circles" or len(layers[name]) <= _MOST_CIRCLES_AT_FIRST,
            smooth_factor=0.5,
            pane=name,
            # The functions of these names are in templates/map.js.
            on_each_feature=JsCode(f"{name}Bind"),
            style=JsCode(f"{name}Style"),
            point_to_layer=JsCode("circleMarker"),
        )
        named(layer, name).add_to(drawn)
    if len(drawn_layers) > 1:
        # Leaflet's control, which templates/map.js moves beside the map, where it covers nothing.
        named(folium.LayerControl(collapsed=False), "layers").add_to(drawn)
    return drawn


def _bounds(figures: Sequence[SettlementFigure]) -> list[list[float]] | None:
    """South-west and north-east corner (latitude, longitude) of all boundaries, or None without any."""
    shapes = [figure.shape for figure in figures if figure.shape is not None]
    if not shapes:
        return None
    west, south, east, north = (round(edge, _DECIMALS) for edge in shapely.total_bounds(shapes).tolist())
    return [[south, west], [north, east]]


def _settlement_features(
    figures: Sequence[SettlementFigure], definition: Definition, classes: Classes, rounded_to: int | None
) -> list[dict[str, Any]]:
    """The settlements that have a boundary, as GeoJSON with their colour and their texts."""
    drawn = [(key, figure) for key, figure in enumerate(figures) if figure.shape is not None]
    properties = [
        {
            "fill": fill_of(figure, classes),
            "name": figure.name,
            "popup": popup_html(figure, definition, rounded_to),
            "tooltip": tooltip_html(figure, definition),
            "key": key,
        }
        for key, figure in drawn
    ]
    return _features([figure.shape for _, figure in drawn], properties)


def _circle_features(figures: Sequence[SettlementFigure], scale: CircleScale | None) -> list[dict[str, Any]]:
    """A point inside each settlement with unserved households, the largest circle first, hence lowest."""
    if scale is None:
        return []
    circles = [
        (-figure.unserved, key, figure.shape)
        for key, figure in enumerate(figures)
        if figure.unserved and figure.shape is not None
    ]
    circles.sort(key=lambda circle: circle[:2])
    points = shapely.point_on_surface([shape for *_, shape in circles])
    return _features(list(points), [{"radius": scale.radius_px(-unserved), "key": key} for unserved, key, _ in circles])


def _ward_features(wards: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Ward outlines as GeoJSON.

    Raises:
        UnknownCRS: the frame is not in EPSG:4326.
        MissingColumn: it has no ward_name.
    """
    if "ward_name" not in wards.columns:
        raise MissingColumn("map_without_ward_names")
    require_lonlat(wards)
    shapes = [polygonal(shape) for shape in wards.geometry]
    rows = [(name, shape) for name, shape in zip(wards["ward_name"], shapes, strict=True) if shape is not None]
    return _features([shape for _, shape in rows], [{"name": printable(name) or ""} for name, _ in rows])


def _features(shapes: Sequence[BaseGeometry | None], properties: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """GeoJSON features, rounded to about 0.1 m and without vertices that make no visible difference."""
    slim = shapely.simplify(np.array(shapes, dtype=object), _INVISIBLE_DEG, preserve_topology=True)
    rounded = shapely.transform(shapely.force_2d(slim), lambda coordinates: np.round(coordinates, _DECIMALS))
    return [
        {"type": "Feature", "geometry": json.loads(geometry), "properties": of_shape}
        for geometry, of_shape in zip(shapely.to_geojson(rounded), properties, strict=True)
    ]
