"""Sample cities of any size in one of four formats, in standard fields and codes, written as a stream."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyogrio
from pyproj import CRS

from data.sample.demo_files import write_settlements
from data.sample.households import HouseholdStream
from data.sample.labelling import read_profile
from data.sample.positions import LONLAT_CRS
from data.sample.settlements import City
from data.sample.shapefiles import GEOMETRY, shape_array, write_zipped_shapefile
from data.sample.terrain import UTM_CRS
from geo.errors import InputError

FileFormat = Literal["shapefile", "geopackage", "csv", "geoparquet"]
STANDARD_SHAPEFILE_PROFILE = "sample-standard-shapefile"
BOUNDARY_COLUMNS = ("settlement_code", "settlement_name", "ward_code", "ward_name")

# A .dbf may not grow beyond 2 GB, and GDAL keeps 80 bytes for every text: 1,509 bytes a household.
SHAPEFILE_MOST_HOUSEHOLDS = 1_400_000
# Sorting points into a spatial index takes as long as writing them, and a load reads the whole file.
INDEXED_MOST_HOUSEHOLDS = 250_000
_FIXED_TIME = "2024-06-01T00:00:00.000Z"


class TooManyHouseholds(InputError):
    """A shapefile cannot hold that many households; choose geopackage, csv or geoparquet."""


def check_size(file_format: FileFormat | None, households: int) -> None:
    """Refuse before any work what the format cannot hold."""
    if file_format == "shapefile" and households > SHAPEFILE_MOST_HOUSEHOLDS:
        raise TooManyHouseholds("sample_too_large_for_shapefile", most=SHAPEFILE_MOST_HOUSEHOLDS, households=households)


def write_standard_settlements(out: Path, city: City, file_format: FileFormat) -> Path:
    """The settlements in the format; beside a CSV of households they come as GeoJSON."""
    if file_format == "shapefile":
        return write_settlements(out / "settlements.zip", city, STANDARD_SHAPEFILE_PROFILE)
    gdf = city.settlements_gdf[[*BOUNDARY_COLUMNS, "geometry"]]
    columns = {name: pa.array(gdf[name].tolist(), pa.string()) for name in BOUNDARY_COLUMNS}
    if file_format == "csv":
        path = out / "settlements.geojson"
        path.unlink(missing_ok=True)
        gdf.to_crs(LONLAT_CRS).to_file(path, driver="GeoJSON", engine="pyogrio", layer_options={"RFC7946": "YES"})
        return path
    table = pa.table({**columns, GEOMETRY: shape_array(gdf.geometry.to_numpy())})
    if file_format == "geopackage":
        return _write_geopackage(out / "settlements.gpkg", table, "Unknown", indexed=True)
    path = out / "settlements.parquet"
    types = sorted(gdf.geom_type.unique())
    with _parquet_writer(path, table.schema, types) as writer:
        writer.write_table(table)
    return path


def write_standard_households(out: Path, stream: HouseholdStream, file_format: FileFormat) -> Path:
    """One round of households in the format."""
    if file_format == "shapefile":
        names = read_profile(STANDARD_SHAPEFILE_PROFILE).columns
        rows = replace(stream, names=names).reader()
        return write_zipped_shapefile(out / "households.zip", rows, "Point", trimmed=False)
    if file_format == "geopackage":
        indexed = stream.total <= INDEXED_MOST_HOUSEHOLDS
        return _write_geopackage(out / "households.gpkg", stream.reader(), "Point", indexed=indexed)
    if file_format == "csv":
        return _write_csv(out / "households.csv", replace(stream, position="lonlat"))
    path = out / "households.parquet"
    with _parquet_writer(path, stream.schema(), ["Point"]) as writer:
        for batch in stream.batches():
            writer.write_batch(batch)
    return path


def _write_csv(path: Path, stream: HouseholdStream) -> Path:
    """Households as CSV with longitude and latitude; text is quoted only where it must be."""
    schema = pa.schema([(field.name, _plain_type(field.type)) for field in stream.schema()])
    options = pa.csv.WriteOptions(quoting_style="needed")
    with pa.csv.CSVWriter(path, schema, write_options=options) as writer:
        for batch in stream.batches():
            writer.write_batch(batch.cast(schema))
    return path


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of a dictionary's values; any other type as it is."""
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _write_geopackage(
    path: Path,
    rows: pa.Table | pa.RecordBatchReader,
    geometry_type: Literal["Point", "Unknown"],
    *,
    indexed: bool,
) -> Path:
    """One layer, named after the file, in a new GeoPackage."""
    path.unlink(missing_ok=True)
    with _gdal_options(OGR_CURRENT_DATE=_FIXED_TIME, OGR_SQLITE_SYNCHRONOUS="OFF"):
        pyogrio.write_arrow(
            rows,
            path,
            layer=path.stem,
            driver="GPKG",
            geometry_name=GEOMETRY,
            geometry_type=geometry_type,
            crs=CRS.from_user_input(UTM_CRS).to_wkt(),
            layer_options={"SPATIAL_INDEX": "YES" if indexed else "NO"},
        )
    return path


@contextmanager
def _gdal_options(**options: str) -> Iterator[None]:
    """GDAL's options for a while: the time it stamps into files, and no waiting for the disk."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(dict(options))
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _parquet_writer(path: Path, schema: pa.Schema, geometry_types: list[str]) -> pq.ParquetWriter:
    """A writer of GeoParquet 1.0 in the city's UTM zone."""
    geo = {
        "version": "1.0.0",
        "primary_column": GEOMETRY,
        "columns": {
            GEOMETRY: {
                "encoding": "WKB",
                "geometry_types": geometry_types,
                "crs": CRS.from_user_input(UTM_CRS).to_json_dict(),
            }
        },
    }
    # Without Arrow's own schema inside, codes held once per file come out as plain text. Looking for repeats in
    # positions and household codes, which have none, would only cost time.
    coded: Any = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    writer = pq.ParquetWriter(path, schema, compression="zstd", store_schema=False, use_dictionary=coded or False)
    writer.add_key_value_metadata({"geo": json.dumps(geo)})
    return writer
