"""Rows as GeoJSON (RFC 7946): each a feature with its boundary."""

from collections.abc import Sequence
from typing import Any

import orjson

from service.formats.format import Format
from service.formats.rows import Rows


def _write(found: Rows) -> bytes:
    features = [_feature(dict(row), found.feature_id) for row in found.plain()]
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": features,
            "numberMatched": found.total,
            "numberReturned": len(features),
            "data_version": found.data_version,
            "links": found.links,
        }
    )


def _feature(properties: dict[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """A row with its `geometry` (GeoJSON text or None) and the rest as properties."""
    geometry = properties.pop("geometry")
    return {
        "type": "Feature",
        "id": "/".join(str(properties[name]) for name in ids if properties[name] is not None),
        # The database wrote it as GeoJSON already: it goes through as it is.
        "geometry": None if geometry is None else orjson.Fragment(geometry),
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
