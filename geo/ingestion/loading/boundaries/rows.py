"""Reading settlement boundaries: from a file's shapes to valid lon/lat MultiPolygons with a code and a name each."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.base import (
    SLIVER_M2,
    STORAGE_CRS,
    Extent,
    extent_of,
    fold,
    geodesic_area_m2,
    polygons,
    positions_to_storage,
    read_crs,
    to_storage,
)
from geo.errors import MissingColumn
from geo.ingestion.findings import Findings
from geo.ingestion.loading.boundaries.attributes import Attributes
from geo.ingestion.loading.boundaries.checks import check_boundaries
from geo.ingestion.loading.boundaries.listed import (
    ListedPositions,
    are_points,
    keep_theirs,
    points_to_storage,
    read_radius,
    tell_listed,
    with_positions,
)
from geo.ingestion.loading.boundaries.others_ground import keep_ward_names, leave_others_ground
from geo.ingestion.loading.boundaries.parts import one_row_a_settlement
from geo.ingestion.loading.boundaries.redrawn import tell_missing, tell_moved, tell_renamed
from geo.ingestion.mapping import BoundaryColumns, PositionColumns, Profile, standard_profile_of, texts
from geo.ingestion.mapping.cells import is_blank
from geo.ingestion.mapping.columns import Wanted, find_columns
from geo.ingestion.mapping.text_shapes import ShapeColumn, find_outlines
from geo.ingestion.reading import (
    Batch,
    Layer,
    ReadAs,
    ReadOptions,
    check_crs,
    middles,
    name_crs,
    open_layer,
    read_shapes,
    refuse_far_positions,
    without_reasons,
)
from geo.ingestion.reading.crs_proposals import refuse_outside_world
from geo.messages import Message
from geo.places import Named, OthersGround, Places, Renamed

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


@dataclass(frozen=True)
class BoundariesRead:
    """The settlements of a file: one row each in `frame`, and what was found in the file's rows.

    `frame` has the columns code, name, ward_code, ward_name (None where the file has none), geom (MultiPolygon,
    lon/lat) and area_m2 (geodesic). Of a file without outlines geom is None, and there are lon, lat and radius_m, NaN
    where they are not said.
    """

    frame: pd.DataFrame
    findings: Findings
    rows_read: int
    rows_kept: int
    columns: BoundaryColumns
    read_as: ReadAs
    renamed: tuple[Renamed, ...] = ()
    missing: tuple[Named, ...] = ()
    """Settlements of the city that a file of all of it no longer has."""

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
    *,
    may_move: bool = False,
) -> BoundariesRead:
    """Reads a file of settlement boundaries, checks every row and repairs what can be repaired.

    `known` are the settlements the city has already; those that are not in the file are neighbours of those that are.
    `attributes` are names and wards from a table of their own. `others` is what must stay as it is, where only the
    sender's own places are open to it. `may_move`: most may lie where they did not lie before.

    Raises:
        InputError: the file cannot be read, or has no CRS, or no column with the settlements' codes.
        Conflict: most settlements that are known lie elsewhere in the file.
    """
    findings = Findings()
    city = None if known is None else extent_of(known.shapes)
    with open_layer(path, options) as opened:
        layer = without_reasons(opened)
        named = _columns(layer, columns, path.name, only_code=attributes is not None)
        positions = None
        if not layer.has_geometry and named.shape is None:
            positions = ListedPositions(layer, _position(layer, columns), options, path.name)
        check_crs(layer, options, city, path.name)
        crs = read_crs(options.crs) if options.crs else layer.crs or STORAGE_CRS
        blanks = frozenset(fold(word) for word in columns.blank) if isinstance(columns, Profile) else frozenset()
        shapes = None if layer.has_geometry or named.shape is None else ShapeColumn(named.shape, crs, are_outlines=True)
        frames = [_read_batch(batch, named, blanks, positions or shapes, findings) for batch in layer.batches]
        findings.add_remarks(layer)
        n_bad = len(layer.bad_rows)
        read_as = replace(layer.read_as, crs=name_crs(crs)) if positions is None else positions.read_as
    rows = pd.concat(frames, ignore_index=True) if frames else _empty()
    rows_read = len(rows) + n_bad
    rows = rows[~rows.pop("is_unreadable").to_numpy(dtype=bool)]
    if attributes is not None:
        rows = attributes.join(rows, findings)
    is_listed = positions is not None
    if not is_listed and are_points(rows["geom"].to_numpy(dtype=object)):
        is_listed = True
        rows["geom"] = points_to_storage(rows["geom"].to_numpy(dtype=object), crs)
    if not is_listed:
        _refuse_wrong_crs(rows, crs, city, path.name)
    rows = _with_code(rows, findings) if is_listed else _usable(rows, crs, findings)
    frame, n_refused = one_row_a_settlement(rows, named, findings)
    if known is not None:
        # A file without names takes none away.
        names = dict(zip(known.codes, known.names, strict=True))
        frame["name"] = frame["name"].fillna(frame["code"].map(names))
    frame["name"] = frame["name"].fillna(frame["code"])
    settle = _settle_listed if is_listed else _settle_drawn
    n_settlements = len(frame)
    frame = settle(frame, known, findings, others)
    read = BoundariesRead(frame.drop(columns="row_number"), findings, rows_read, 0, named, read_as)
    read = replace(read, rows_kept=len(rows) - n_refused - (n_settlements - len(frame)))
    if known is None:
        return read
    if not is_listed:
        tell_moved(frame, known, findings, may_move=may_move)
    return replace(
        read,
        renamed=tell_renamed(frame, known, findings),
        missing=tell_missing(frame, known, frozenset() if others is None else others.theirs, findings),
    )


def _position(layer: Layer, columns: BoundaryColumns | Profile | None) -> PositionColumns | None:
    """The columns with the positions of a list, by the profile or else by their names, unless it leaves them out."""
    said = columns if isinstance(columns, Profile) else None
    if said is not None and said.position is not None:
        return said.position
    called = standard_profile_of(layer).position
    if said is not None and called is not None and set(called.columns()) & set(said.leave_out):
        return None
    return called


def _settle_drawn(
    frame: pd.DataFrame, known: Places | None, findings: Findings, others: OthersGround | None
) -> pd.DataFrame:
    """Settlements with outlines, checked against each other and those that are known, without those rejected."""
    shapes = [polygons(shape) for shape in frame["geom"]]
    frame = frame.drop(columns="radius_m").assign(geom=pd.Series(shapes, dtype=object))
    if known is not None and others is not None:
        frame = leave_others_ground(frame, known, others, findings)
    frame["area_m2"] = geodesic_area_m2(frame["geom"].to_numpy())
    return frame[~check_boundaries(frame, known, findings)].reset_index(drop=True)


def _settle_listed(
    frame: pd.DataFrame, known: Places | None, findings: Findings, others: OthersGround | None
) -> pd.DataFrame:
    """Settlements without outlines; those of other organisations are left as they are."""
    frame = with_positions(frame)
    tell_listed(frame, findings)
    if known is not None and others is not None:
        frame = keep_ward_names(frame, others.wards, findings)
        keep_theirs(frame, known, others.theirs)
    return frame


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
        code = "boundaries_without_code" if layer.has_geometry else "list_without_code"
        raise MissingColumn(code, file=file_name, known=layer.columns)
    if columns.shape is None and not layer.has_geometry:
        columns = columns.model_copy(update={"shape": find_outlines(layer)})
    wanted = {role: column for role, column in columns.model_dump().items() if column is not None}
    named_by = Message("by_profile", profile=given.name) if isinstance(given, Profile) else Message("by_command")
    columns_wanted = [Wanted(column, role) for role, column in wanted.items()]
    found = find_columns(columns_wanted, layer, file_name=file_name, named_by=named_by)
    return columns.model_copy(update={role: found[column].column for role, column in wanted.items()})


def _empty() -> pd.DataFrame:
    texts_of = ["code", "name", "ward_code", "ward_name"]
    return pd.DataFrame(columns=["row_number", *texts_of, "geom", "radius_m", "is_unreadable"])


def _read_batch(
    batch: Batch,
    columns: BoundaryColumns,
    blanks: frozenset[str],
    shapes: ShapeColumn | ListedPositions | None,
    findings: Findings,
) -> pd.DataFrame:
    wkb, unreadable = batch.geometry, np.zeros(len(batch.row_numbers), dtype=bool)
    if isinstance(shapes, ShapeColumn):
        wkb, unreadable = shapes.read(batch.columns[shapes.name], blanks, batch.row_numbers, findings)
    geom = shapes.read(batch, findings) if isinstance(shapes, ListedPositions) else read_shapes(wkb)

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
            "geom": pd.Series(geom, dtype=object),
            "radius_m": read_radius(batch, columns.radius, findings),
            "is_unreadable": unreadable,
        }
    )


def _with_code(rows: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """The rows with a code, of a list of settlements."""
    missing = rows["code"].isna().to_numpy()
    numbers = rows["row_number"].to_numpy(dtype=np.int32)
    findings.add("settlement_code_missing", numbers[missing], field="settlement_code")
    impossible = np.isin(numbers, findings.rows_with_errors())
    return rows[~missing & ~impossible].copy()


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
            mended = polygons(shapely.make_valid(shapes[i], method="structure", keep_collapsed=False))
        repaired[i] = mended
        code = "geometry_unusable" if mended is None else "geometry_repaired"
        findings.add(code, numbers[[i]], values=[reason])
    whole = np.array([shape is not None for shape in repaired], dtype=bool)
    repaired[whole] = [polygons(shape) for shape in repaired[whole]]
    return repaired


def _overlap_of_parts_m2(shape: Any) -> float:
    """How much ground the parts of a shape hold more than once."""
    parts = shapely.make_valid(shapely.get_parts(shape), method="structure", keep_collapsed=False)
    if len(parts) < 2:
        return 0.0
    pieces = [piece for piece in map(polygons, [*parts, shapely.union_all(parts)]) if piece is not None]
    areas = geodesic_area_m2(np.array(pieces, dtype=object))
    return float(areas[:-1].sum() - areas[-1]) if len(areas) > 1 else 0.0
