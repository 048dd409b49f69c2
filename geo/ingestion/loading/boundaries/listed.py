"""Settlements that nobody has drawn: a list of codes and names, with a position each or none."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.base import STORAGE_CRS, positions_to_storage
from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Mapper, PositionColumns, Profile
from geo.ingestion.mapping.cells import FieldCells
from geo.ingestion.mapping.quantities import read_coordinates
from geo.ingestion.reading import Batch, Layer, Note, ReadAs, ReadOptions, name_crs
from geo.messages import Message
from geo.places import Places


class ListedPositions:
    """Where the rows of a table lie, by its columns for positions; nowhere where it has none."""

    def __init__(self, layer: Layer, position: PositionColumns | None, options: ReadOptions, file_name: str) -> None:
        self._mapper = Mapper(layer, Profile(name="settlements", position=position), options, file_name)
        self.read_as: ReadAs = layer.read_as
        if self._mapper.has_position:
            self.read_as = replace(layer.read_as, crs=name_crs(self._mapper.crs or STORAGE_CRS))

    def read(self, batch: Batch, findings: Findings) -> NDArray[Any]:
        """Where the rows of a batch lie, as points in degrees; None for nowhere."""
        seen = self._mapper.map(batch, findings)
        findings.remember_positions(batch.row_numbers, seen.lon, seen.lat)
        impossible = (np.abs(seen.lon) > 180) | (np.abs(seen.lat) > 90)
        shown = [f"{x:.6g}, {y:.6g}" for x, y in zip(seen.lon[impossible], seen.lat[impossible], strict=True)]
        findings.add("position_impossible", batch.row_numbers[impossible], values=shown)
        geom = np.full(len(batch.row_numbers), None, dtype=object)
        known = ~np.isnan(seen.lon) & ~impossible
        geom[known] = shapely.points(seen.lon[known], seen.lat[known])
        return geom


def read_radius(batch: Batch, column: str | None, findings: Findings) -> NDArray[np.float64]:
    """How far around a point each settlement reaches, in metres; NaN where that is not said."""
    if column is None:
        return np.full(len(batch.row_numbers), np.nan)
    radius = read_coordinates(FieldCells("radius_m", batch.columns[column], batch.row_numbers, findings))
    return np.where(radius > 0, radius, np.nan)


def are_points(shapes: NDArray[Any]) -> bool:
    """Whether all shapes that are there are single positions, one at least."""
    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return len(there) > 0 and bool((shapely.get_type_id(there) == shapely.GeometryType.POINT).all())


def points_to_storage(shapes: NDArray[Any], crs: Any) -> NDArray[Any]:
    """Points in a CRS, in degrees; None where there is none, or none that can be."""
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    lon, lat = positions_to_storage(shapely.get_x(shapes[there]), shapely.get_y(shapes[there]), crs)
    points = np.full(len(shapes), None, dtype=object)
    points[there] = shapely.points(lon, lat)
    return points


def with_positions(frame: pd.DataFrame) -> pd.DataFrame:
    """Settlements whose geom is points, with lon and lat instead, and no outline and no area."""
    points = frame["geom"].to_numpy(dtype=object, copy=True)
    points[shapely.is_missing(points) | shapely.is_empty(points)] = None
    middle = shapely.centroid(points)
    none = pd.Series([None] * len(frame), dtype=object, index=frame.index)
    return frame.assign(lon=shapely.get_x(middle), lat=shapely.get_y(middle), geom=none, area_m2=np.nan)


def tell_listed(frame: pd.DataFrame, findings: Findings) -> None:
    """Says that settlements have no outlines, and how many have a position; `frame` has lon."""
    located = int(frame["lon"].notna().sum())
    findings.add_note(
        Note("settlements_without_outlines", Message("settlements_located", located=located, n=len(frame)))
    )


def keep_theirs(frame: pd.DataFrame, known: Places, theirs: Collection[str]) -> None:
    """Leaves settlements of another organisation as they are known: name, ward and place."""
    names = dict(zip(known.codes, known.names, strict=True))
    for at, code in enumerate(frame["code"]):
        if code in theirs:
            frame.loc[at, ["name", "ward_code", "ward_name", "lon", "lat", "radius_m"]] = [
                *(names[code], None, None),
                *(np.nan, np.nan, np.nan),
            ]
