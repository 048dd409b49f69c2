"""Reading an area of somebody's own choice: every polygon of a file, as one shape."""

from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.base import STORAGE_CRS, read_crs, to_storage
from geo.errors import UnreadableFile
from geo.ingestion.reading.formats import open_layer
from geo.ingestion.reading.gdal import read_shapes
from geo.ingestion.reading.layer import ReadOptions

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def read_area(path: Path, options: ReadOptions) -> BaseGeometry:
    """The polygons of a file together, in longitude and latitude.

    Raises:
        InputError: the file cannot be read, or holds no polygon.
    """
    with open_layer(path, options) as layer:
        crs = read_crs(options.crs) if options.crs else layer.crs or STORAGE_CRS
        read = [read_shapes(batch.geometry) for batch in layer.batches if batch.geometry is not None]
    shapes = np.concatenate(read) if read else np.array([], dtype=object)
    polygons = shapes[np.isin(shapely.get_type_id(shapes), _POLYGONS) & ~shapely.is_empty(shapes)]
    if len(polygons) == 0:
        raise UnreadableFile("area_without_polygon", file=path.name)
    return shapely.union_all(shapely.make_valid(to_storage(polygons, crs)))
