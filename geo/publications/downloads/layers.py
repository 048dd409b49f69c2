"""The settlements and wards of a publication with their headline figures, as files that GIS programs read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pyogrio import set_gdal_config_options
from sqlalchemy import Connection, select

from geo.base import STORAGE_CRS
from geo.database.schema.publications import published_block, published_figure, published_place
from geo.places import as_wkb, read_shape

LAYERS = {"settlement": "settlements", "ward": "wards"}
"""The levels that have shapes of their own, and what their layers are called."""

PLACE_COLUMNS = ("code", "ward_code", "ward_name", "settlement_code", "settlement_name", "area_m2")
"""What a place has besides its figures; `area_m2` is geodesic."""

PARTS = {
    "": "value",
    "_low": "low",
    "_high": "high",
    "_n": "n",
    "_reason": "reason",
}
"""What is told of each indicator: the end of a column's name, and the column of figures it has."""

_OF_FORMATS = ("fid", "geom", "geometry")
"""Names that a format has for something else."""

_DECIMALS = 6
"""Of degrees: corners to 0.1 m, as in every answer."""


def name_columns(indicators: list[str]) -> dict[tuple[str, str], str]:
    """The column of each indicator's value, ends, count and reason; no two have one name."""
    taken = {*_OF_FORMATS, *PLACE_COLUMNS}
    names = {}
    for indicator in indicators:
        for end in PARTS:
            name = f"{indicator}{end}"
            while name in taken:
                name += "_"
            taken.add(name)
            names[indicator, end] = name
    return names


def read_layers(connection: Connection, publication_id: int) -> dict[str, gpd.GeoDataFrame]:
    """The layers of a publication by their names, one row a place in the order of codes; without the empty ones."""
    place, block, figure = published_place.c, published_block.c, published_figure.c
    columns = ("place", "level", *PLACE_COLUMNS)
    of_places = select(*(place[name] for name in columns), as_wkb(place.geom)).where(
        place.publication_id == publication_id, place.level.in_(LAYERS)
    )
    found = connection.execute(of_places.order_by(place.place)).all()
    places = pd.DataFrame(found, columns=[*columns, "shape"]).set_index("place")
    of_figures = (
        select(figure.place, block.indicator_id, *(figure[name] for name in PARTS.values()))
        .join(published_block, (block.publication_id == figure.publication_id) & (block.block == figure.block))
        .where(figure.publication_id == publication_id, block.group_field == "", block.is_headline)
    )
    told = pd.DataFrame(connection.execute(of_figures).all(), columns=["place", "indicator", *PARTS.values()])
    shapes = gpd.GeoSeries([read_shape(wkb) for wkb in places["shape"]], index=places.index, crs=STORAGE_CRS)
    texts = places[list(PLACE_COLUMNS)].astype(dict.fromkeys(PLACE_COLUMNS[:-1], object) | {"area_m2": float})
    whole = gpd.GeoDataFrame(texts.join(_wide(told, places.index)), geometry=shapes)
    layers = {name: whole[places["level"] == level] for level, name in LAYERS.items()}
    return {name: layer for name, layer in layers.items() if len(layer)}


def _wide(told: pd.DataFrame, places: pd.Index) -> pd.DataFrame:
    """The figures with a column for each part of each indicator."""
    indicators = sorted({*told["indicator"]})
    names = name_columns(indicators)
    parts = {end: told.pivot(index="place", columns="indicator", values=name) for end, name in PARTS.items()}
    types = {end: {"n": "Int64", "reason": object}.get(name, float) for end, name in PARTS.items()}
    return pd.DataFrame(
        {
            names[indicator, end]: parts[end][indicator].reindex(places).astype(types[end])
            for indicator in indicators
            for end in PARTS
        },
        index=places,
    )


def write_geopackage(path: Path, layers: dict[str, gpd.GeoDataFrame], made_at: datetime) -> None:
    """Writes the layers into one GeoPackage, as of that time."""
    with _as_of(made_at):
        for name, layer in layers.items():
            # Columns of texts that are all missing are texts all the same.
            layer.to_file(
                path,
                layer=name,
                driver="GPKG",
                mode="a" if path.exists() else "w",
                geometry_type="MultiPolygon",
                index=False,
                use_arrow=True,
            )


def write_geojson(path: Path, layer: gpd.GeoDataFrame) -> None:
    """Writes a layer as GeoJSON (RFC 7946), its corners to 0.1 m."""
    layer.to_file(path, driver="GeoJSON", index=False, RFC7946="YES", COORDINATE_PRECISION=_DECIMALS, use_arrow=True)


def write_geoparquet(path: Path, layer: gpd.GeoDataFrame) -> None:
    """Writes a layer as GeoParquet."""
    layer.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0")


@contextmanager
def _as_of(at: datetime) -> Iterator[None]:
    """Has GDAL take a time for the present one: GeoPackages hold when they were last changed."""
    set_gdal_config_options({"OGR_CURRENT_DATE": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"})
    try:
        yield
    finally:
        set_gdal_config_options({"OGR_CURRENT_DATE": None})
