"""The sample city's community toilet blocks and water points: a table as a ward office keeps it."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import shapely
from pyproj import Transformer

from data.sample.positions import LONLAT_CRS
from data.sample.settlements import City
from data.sample.terrain import UTM_CRS

HEADER = (
    *("facility_code", "facility_name", "kind", "seats", "seats_working", "working", "opened_on", "closed_on"),
    *("longitude", "latitude"),
)

_FLOOD = (date(2019, 7, 1), date(2020, 3, 31))
"""When the temporary blocks stood."""

_SHARE_WITH_BLOCK, _SHARE_BROKEN, _SHARE_TEMPORARY, _SHARE_NEW = 0.7, 0.12, 0.08, 0.15


def write_facilities(path: Path, city: City, seed: int) -> Path:
    """Toilet blocks and water points in and beside the settlements; the same seed writes the same file."""
    rng = np.random.default_rng([seed, 6])
    to_lonlat = Transformer.from_crs(UTM_CRS, LONLAT_CRS, always_xy=True)
    rows: list[list[object]] = []
    for place in city.settlements_gdf.itertuples():
        kinds = ["community_toilet"] * int(rng.random() < _SHARE_WITH_BLOCK) * int(rng.integers(1, 3))
        kinds += ["water_point"] * int(rng.integers(0, 4))
        middle = shapely.point_on_surface(place.geometry)
        for kind in kinds:
            x, y = middle.x + rng.normal(0, 25), middle.y + rng.normal(0, 25)
            lon, lat = to_lonlat.transform(x, y)
            number = len(rows) + 1
            is_toilet = kind == "community_toilet"
            works = rng.random() >= _SHARE_BROKEN
            seats = int(rng.integers(2, 11)) * 2 if is_toilet else int(rng.integers(1, 5))
            broken = int(rng.binomial(seats, 0.15))
            temporary, new = rng.random() < _SHARE_TEMPORARY, rng.random() < _SHARE_NEW
            opened, closed = _FLOOD if temporary else (date(2021, 4, 1) if new else None, None)
            rows.append(
                [
                    f"{'T' if is_toilet else 'W'}{number:04d}",
                    f"{place.settlement_name} {number}",
                    kind,
                    seats,
                    max(seats - broken, 1) if works else 0,
                    "yes" if works else "no",
                    opened or "",
                    closed or "",
                    f"{lon:.7f}",
                    f"{lat:.7f}",
                ]
            )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
    return path
