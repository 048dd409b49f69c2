"""Reading settlement boundaries: from a file's shapes to valid lon/lat MultiPolygons with a code and a name each."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.crs import STORAGE_CRS, geodesic_area_m2, positions_to_storage, read_crs, to_storage
from geo.errors import MissingColumn, UnreadableFile
from geo.ground import SLIVER_M2
from geo.ingestion.attributes import Attributes
from geo.ingestion.boundary_checks import check_boundaries
from geo.ingestion.cells import is_blank, texts
from geo.ingestion.columns import Wanted, find_columns
from geo.ingestion.crs_proposals import check_crs, middles, name_crs, refuse_far_positions, refuse_outside_world
from geo.ingestion.extent import Extent, extent_of
from geo.ingestion.findings import Findings
from geo.ingestion.formats import open_layer
from geo.ingestion.layers import Batch, Layer, ReadAs, ReadOptions
from geo.ingestion.others_ground import OthersGround, leave_others_ground
from geo.ingestion.placement import Places
from geo.ingestion.profile import BoundaryColumns, Profile, fold
from geo.ingestion.reasons import without_reasons
from geo.ingestion.text_shapes import ShapeColumn, find_outlines, standard_profile_of
from geo.ingestion.vector import read_shapes

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True)
class Boundaries:
    """The settlements of a file: one row each in `frame`, and what was found in the file's rows.

    `frame` has the columns code, name, ward_code, ward_name (None where the file has none), geom (MultiPolygon,
    lon/lat) and area_m2 (geodesic).
    """

    frame: pd.DataFrame
    findings: Findings
    rows_read: int
    rows_kept: int
    columns: BoundaryColumns
    read_as: ReadAs

    def places(self) -> Places:
        """The settlements, to place observations in."""
        wards = [
            [str(label) for label in labels if pd.notna(label)]
            for labels in zip(self.frame["ward_code"], self.frame["ward_name"], strict=True)
        ]
        return Places(list(self.frame["code"]), list(self.frame["name"]), self.frame["geom"].to_numpy(), wards)


def read_boundaries(
    path: Path,
    options: ReadOptions,
    columns: BoundaryColumns | Profile | None,
    known: Places | None = None,
    attributes: Attributes | None = None,
    others: OthersGround | None = None,
) -> Boundaries:
    """Reads a file of settlement boundaries, checks every row and repairs what can be repaired.

    `known` are the settlements the city has already; those that are not in the file are neighbours of those that are.
    `attributes` are names and wards from a table of their own. `others` is what must stay as it is, where only the
    sender's own places are open to it.

    Raises:
        InputError: the file cannot be read, has no shapes, no CRS, or no column with the settlements' codes.
    """
    findings = Findings()
    city = None if known is None else extent_of(known.shapes)
    with open_layer(path, options) as opened:
        layer = without_reasons(opened)
        named = _columns(layer, columns, path.name, only_code=attributes is not None)
        if not layer.has_geometry and named.shape is None:
            raise UnreadableFile(
                f"{path.name} holds no shapes; boundaries come as shapefile, GeoPackage or GeoJSON, "
                "or as a table with a column of shapes as text, such as WKT."
            )
        check_crs(layer, options, city, path.name)
        crs = read_crs(options.crs) if options.crs else layer.crs or STORAGE_CRS
        blanks = frozenset(fold(word) for word in columns.blank) if isinstance(columns, Profile) else frozenset()
        shapes = None if layer.has_geometry or named.shape is None else ShapeColumn(named.shape, crs, are_outlines=True)
        frames = [_read_batch(batch, named, blanks, shapes, findings) for batch in layer.batches]
        findings.add_remarks(layer)
        n_bad = len(layer.bad_rows)
        read_as = replace(layer.read_as, crs=name_crs(crs))
    rows = pd.concat(frames, ignore_index=True) if frames else _empty()
    rows_read = len(rows) + n_bad
    rows = rows[~rows.pop("is_unreadable").to_numpy(dtype=bool)]
    if attributes is not None:
        rows = attributes.join(rows, findings)
    _refuse_wrong_crs(rows, crs, city, path.name)
    rows = _usable(rows, crs, findings)
    frame = _one_row_a_settlement(rows, findings)
    n_settlements = len(frame)
    if known is not None and others is not None:
        frame = leave_others_ground(frame, known, others, findings)
    frame["area_m2"] = geodesic_area_m2(frame["geom"].to_numpy())
    rejected = check_boundaries(frame, known, findings)
    frame = frame[~rejected].drop(columns="row_number").reset_index(drop=True)
    return Boundaries(frame, findings, rows_read, len(rows) - (n_settlements - len(frame)), named, read_as)


def _refuse_wrong_crs(rows: pd.DataFrame, crs: pyproj.CRS, city: Extent | None, file_name: str) -> None:
    """Refuses shapes that all lie outside the world, or far from the city where another CRS brings them into it."""
    shapes = rows["geom"].to_numpy(dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if len(shapes) == 0:
        return
    x, y = middles(shapes)
    lon, lat = positions_to_storage(x, y, crs)
    in_world = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    if not in_world.any():
        refuse_outside_world(x, y, crs, city, file_name)
    if city is not None and not city.holds(lon, lat).any():
        refuse_far_positions(x, y, crs, city, file_name)


def _columns(
    layer: Layer, given: BoundaryColumns | Profile | None, file_name: str, *, only_code: bool
) -> BoundaryColumns:
    columns = given.boundaries if isinstance(given, Profile) else given
    if columns is not None and only_code:
        # Names and wards are in the other table.
        columns = BoundaryColumns(settlement_code=columns.settlement_code, shape=columns.shape)
    columns = columns or standard_profile_of(layer).boundaries
    if columns is None:
        raise MissingColumn(
            f"{file_name} has no column called settlement_code or code, by which a settlement is known again; name the "
            f"one that holds it with --code. The file has {', '.join(layer.columns)}."
        )
    if columns.shape is None and not layer.has_geometry:
        columns = columns.model_copy(update={"shape": find_outlines(layer)})
    wanted = {role: column for role, column in columns.model_dump().items() if column is not None}
    named_by = f"the mapping profile {given.name!r}" if isinstance(given, Profile) else "the command"
    columns_wanted = [Wanted(column, role) for role, column in wanted.items()]
    found = find_columns(columns_wanted, layer, file_name=file_name, named_by=named_by)
    return columns.model_copy(update={role: found[column].column for role, column in wanted.items()})


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=["row_number", "code", "name", "ward_code", "ward_name", "geom", "is_unreadable"])


def _read_batch(
    batch: Batch, columns: BoundaryColumns, blanks: frozenset[str], shapes: ShapeColumn | None, findings: Findings
) -> pd.DataFrame:
    wkb, unreadable = batch.geometry, np.zeros(len(batch.row_numbers), dtype=bool)
    if shapes is not None:
        wkb, unreadable = shapes.read(batch.columns[shapes.name], blanks, batch.row_numbers, findings)

    def column(name: str | None) -> list[str | None]:
        if name is None:
            return [None] * len(batch.row_numbers)
        given = texts(batch.columns[name]).to_pylist()
        return [None if text is None or is_blank(text, blanks) else text.strip() for text in given]

    return pd.DataFrame(
        {
            "row_number": batch.row_numbers,
            "code": pd.Series(column(columns.settlement_code), dtype=object),
            "name": pd.Series(column(columns.settlement_name), dtype=object),
            "ward_code": pd.Series(column(columns.ward_code or columns.ward_name), dtype=object),
            "ward_name": pd.Series(column(columns.ward_name or columns.ward_code), dtype=object),
            "geom": pd.Series(read_shapes(wkb), dtype=object),
            "is_unreadable": unreadable,
        }
    )


def _usable(rows: pd.DataFrame, crs: pyproj.CRS, findings: Findings) -> pd.DataFrame:
    """The rows with a code and a polygon, in lon/lat and valid; a finding for each that is not, or was repaired."""
    numbers = rows["row_number"].to_numpy(dtype=np.int32)
    shapes = rows["geom"].to_numpy(dtype=object)
    missing_code = rows["code"].isna().to_numpy()
    findings.add("settlement_code_missing", numbers[missing_code], field="settlement_code")
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    findings.add("geometry_missing", numbers[missing])
    types = shapely.get_type_id(shapes)
    other = ~missing & ~np.isin(types, _POLYGONS)
    kinds = [str(shape.geom_type) for shape in shapes[other]]
    findings.add("geometry_not_a_polygon", numbers[other], values=kinds)
    good = ~(missing_code | missing | other)
    lonlat = to_storage(shapes[good], crs)
    findings.remember_positions(numbers[good], *middles(lonlat))
    lonlat = _repaired(lonlat, numbers[good], findings)
    usable = rows[good].copy()
    usable["geom"] = lonlat
    return usable[np.array([shape is not None for shape in lonlat], dtype=bool)]


def _repaired(shapes: NDArray[Any], numbers: NDArray[np.int32], findings: Findings) -> NDArray[Any]:
    bounds = shapely.bounds(shapes)
    outside = ~(
        np.isfinite(bounds).all(axis=1)
        & (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1)
        & (np.abs(bounds[:, [1, 3]]) <= 90).all(axis=1)
    )
    shown = [f"{b[0]:.6g}, {b[1]:.6g}" for b in bounds[outside]]
    findings.add("position_impossible", numbers[outside], values=shown)
    repaired = shapes.copy()
    repaired[outside] = None
    invalid = np.flatnonzero(~outside & ~shapely.is_valid(shapes))
    for i in invalid:
        # GEOS says where: "Ring Self-intersection[73.8 18.6]". The kind is enough for a person.
        reason = shapely.is_valid_reason(shapes[i]).split("[")[0]
        overlap = _overlap_of_parts_m2(shapes[i])
        if overlap >= SLIVER_M2:
            findings.add("parts_overlap", numbers[[i]], values=[f"{overlap:,.0f} m2"])
        with np.errstate(over="ignore", invalid="ignore"):
            polygons = _polygons(shapely.make_valid(shapes[i], method="structure", keep_collapsed=False))
        repaired[i] = polygons
        code = "geometry_unusable" if polygons is None else "geometry_repaired"
        findings.add(code, numbers[[i]], values=[reason])
    whole = np.array([shape is not None for shape in repaired], dtype=bool)
    repaired[whole] = [_polygons(shape) for shape in repaired[whole]]
    return repaired


def _overlap_of_parts_m2(shape: Any) -> float:
    """How much ground the parts of a shape hold more than once."""
    parts = shapely.make_valid(shapely.get_parts(shape), method="structure", keep_collapsed=False)
    if len(parts) < 2:
        return 0.0
    pieces = [piece for piece in map(_polygons, [*parts, shapely.union_all(parts)]) if piece is not None]
    areas = geodesic_area_m2(np.array(pieces, dtype=object))
    return float(areas[:-1].sum() - areas[-1]) if len(areas) > 1 else 0.0


def _polygons(shape: Any) -> shapely.MultiPolygon | None:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.MultiPolygon(parts) if parts else None


def _one_row_a_settlement(rows: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Rows that share a code are parts of one settlement, such as one cut at a district border."""
    repeated = rows["code"].duplicated(keep=False).to_numpy()
    shared = rows[repeated]
    findings.add(
        "parts_joined",
        shared["row_number"].to_numpy(dtype=np.int32),
        field="settlement_code",
        values=[str(code) for code in shared["code"]],
    )
    joined = [
        {**group.iloc[0].to_dict(), "geom": _polygons(shapely.union_all(group["geom"].to_numpy()))}
        for _, group in shared.groupby("code", sort=False)
    ]
    frame = pd.concat([rows[~repeated], pd.DataFrame(joined, columns=rows.columns)], ignore_index=True)
    frame = frame.sort_values("row_number", kind="stable", ignore_index=True)
    frame["name"] = frame["name"].where(frame["name"].notna(), frame["code"])
    return frame
