"""Rows as GeoJSON (RFC 7946): each a feature with its boundary."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from service.formats.format import Format
from service.formats.rows import Rows

_DECIMALS = 6


def _write(found: Rows) -> bytes:
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": _features(found),
            "numberMatched": found.total,
            "numberReturned": found.returned,
            "data_version": found.data_version,
            "links": found.links,
        }
    )


def _features(found: Rows) -> list[dict[str, Any]]:
    rows = found.plain()
    shapes = found.shapes
    if shapes is None:
        shapes = _texts([row["geometry"] for row in rows])
        rows = [{name: value for name, value in row.items() if name != "geometry"} for row in rows]
    return [_feature(row, shape, found.feature_id) for row, shape in zip(rows, shapes, strict=True)]


def _texts(shapes: Sequence[BaseGeometry | None]) -> list[str | None]:
    """Each shape as GeoJSON with corners to 0.1 m. Many rows have the same one."""
    each = list({id(shape): shape for shape in shapes if shape is not None}.values())
    rounded = shapely.transform(np.array(each, dtype=object), lambda corners: np.round(corners, _DECIMALS))
    texts = dict(zip(map(id, each), shapely.to_geojson(rounded), strict=True))
    return [texts.get(id(shape)) for shape in shapes]


def _feature(properties: Mapping[str, Any], shape: str | None, ids: Sequence[str]) -> dict[str, Any]:
    """A row with its shape."""
    return {
        "type": "Feature",
        "id": "/".join([str(properties[name]) for name in ids if properties[name] is not None]),
        "geometry": None if shape is None else orjson.Fragment(shape),
        "properties": properties,
    }


FORMAT = Format(
    "geojson",
    "application/geo+json",
    "all rows with their boundaries (RFC 7946)",
    _write,
    needs="shapes",
    # Saved only where somebody saves it: browsers show it.
    saved="inline",
    # As service.http.bodies describes it.
    schema={"$ref": "#/components/schemas/FeatureCollection"},
)
