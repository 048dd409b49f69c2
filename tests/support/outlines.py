"""Outlines of settlements, as a person at a desk draws them."""

import json
from pathlib import Path
from typing import Any

SQUARE = 0.002


def outlines(path: Path, *rows: tuple[dict[str, Any], float, float]) -> Path:
    """Squares of about 200 m, each with its properties and the position of its south-west corner."""
    features = []
    for properties, x, y in rows:
        ring = [[x, y], [x + SQUARE, y], [x + SQUARE, y + SQUARE], [x, y + SQUARE], [x, y]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path
