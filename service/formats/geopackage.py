"""Rows as a GeoPackage of points, for GIS programs."""

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd

from geo.base import STORAGE_CRS
from service.formats.format import Format
from service.formats.rows import Rows


def _write(found: Rows) -> bytes:
    """Points at the columns longitude and latitude; what lies nowhere is there without a point."""
    frame = found.frame()
    is_placed = frame["longitude"].notna()
    points = gpd.GeoSeries.from_xy(frame["longitude"].astype(float), frame["latitude"].astype(float)).where(is_placed)
    placed = gpd.GeoDataFrame(frame.drop(columns=["longitude", "latitude"]), geometry=points, crs=STORAGE_CRS)
    with TemporaryDirectory(prefix="vasti-") as folder:
        path = Path(folder) / f"{found.file_name}.gpkg"
        placed.to_file(path, layer=found.file_name, driver="GPKG", geometry_type="Point")
        return path.read_bytes()


FORMAT = Format(
    "gpkg",
    "application/geopackage+sqlite3",
    "a GeoPackage of points",
    _write,
    needs="points",
    saved="attachment",
)
