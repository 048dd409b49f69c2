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
    features = _features(found) if found.written is None else orjson.Fragment(f"[{found.written.text}]")
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": features,
            "numberMatched": found.total,
            "numberReturned": found.returned,
            "data_version": found.data_version,
            "links": found.links,
        }
    )


def _features(found: Rows) -> list[dict[str, Any]]:
    rows = found.plain()
    shapes = _texts([row["geometry"] for row in rows])
    return [_feature(dict(row), shapes, found.feature_id) for row in rows]


def _texts(shapes: Sequence[BaseGeometry | None]) -> dict[int, str]:
    """Each shape, by its identity, as GeoJSON with corners to 0.1 m. Many rows have the same one."""
    each = list({id(shape): shape for shape in shapes if shape is not None}.values())
    rounded = shapely.transform(np.array(each, dtype=object), lambda corners: np.round(corners, _DECIMALS))
    return dict(zip(map(id, each), shapely.to_geojson(rounded), strict=True))


def _feature(properties: dict[str, Any], shapes: Mapping[int, str], ids: Sequence[str]) -> dict[str, Any]:
    """A row with its shape, and the rest as properties."""
    geometry = properties.pop("geometry")
    return {
        "type": "Feature",
        "id": "/".join(str(properties[name]) for name in ids if properties[name] is not None),
        "geometry": None if geometry is None else orjson.Fragment(shapes[id(geometry)]),
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
