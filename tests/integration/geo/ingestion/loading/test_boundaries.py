"""Boundaries over time: added, redrawn, unchanged, and which settlement has which ward."""

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.affinity import scale
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from sqlalchemy import Connection, select

from geo.database.schema.places import boundary, settlement, settlement_ward, ward
from geo.errors import Conflict, UnreadableFile
from geo.ingestion.loading import ErrorsFound, LoadResult, load_boundaries
from geo.ingestion.mapping import BoundaryColumns
from geo.ingestion.reading import ReadOptions
from geo.places import add_city
from tests.support import factories as f
from tests.support.factories import redrawn


def versions(connection: Connection, code: str) -> list[tuple[date | None, date | None]]:
    rows = select(boundary.c.valid_from_on, boundary.c.valid_to_on).join(settlement).where(settlement.c.code == code)
    return [tuple(row) for row in connection.execute(rows.order_by(boundary.c.id))]


def test_load_boundaries_versions(connection: Connection, tmp_path: Path) -> None:
    city = f.small_city()
    first = f.load_city(connection, tmp_path, city)
    assert first.changes is not None
    assert (first.changes.added, first.changes.changed, first.changes.unchanged) == (4, 0, 0)
    again = f.load_city(connection, tmp_path, redrawn(city, 0), valid_from_on=date(2024, 3, 1))
    assert again.changes is not None
    assert (again.changes.added, again.changes.changed, again.changes.unchanged) == (0, 1, 3)
    assert versions(connection, f.code(0)) == [(None, date(2024, 3, 1)), (date(2024, 3, 1), None)]
    assert versions(connection, f.code(1)) == [(None, None)]
    with pytest.raises(Conflict, match="--valid-from"):
        f.load_city(connection, tmp_path, redrawn(redrawn(city, 0), 0), valid_from_on=date(2024, 2, 1))


def test_load_boundaries_same_file_twice(connection: Connection, tmp_path: Path) -> None:
    first = f.load_city(connection, tmp_path, f.small_city())
    (path,) = tmp_path.glob("*.gpkg")
    again = load_boundaries(
        connection,
        path,
        "pune",
        read=ReadOptions(),
        columns=None,
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(tmp_path),
    )
    assert (again.state, again.upload_id) == ("already loaded", first.upload_id)


def test_load_boundaries_wards_and_names(connection: Connection, tmp_path: Path) -> None:
    city = f.small_city()
    f.load_city(connection, tmp_path, city)
    f.load_city(connection, tmp_path, city.assign(settlement_name="New name", ward_name="Renamed"))
    rows = connection.execute(
        select(settlement.c.code, settlement.c.name, ward.c.code, ward.c.name)
        .select_from(settlement.join(settlement_ward).join(ward))
        .order_by(settlement.c.code)
    )
    assert [tuple(row) for row in rows] == [(f.code(i), "New name", ("W1", "W2")[i % 2], "Renamed") for i in range(4)]


def test_load_boundaries_areas_are_geodesic(connection: Connection, tmp_path: Path) -> None:
    """A degree square at the equator is 12,308.8 km2 (Snyder's authalic formula), less its hole of a ninth."""
    hole = box(10 + 1 / 3, 1 / 3, 10 + 2 / 3, 2 / 3)
    square = Polygon(box(10, 0, 11, 1).exterior, [hole.exterior])
    frame = gpd.GeoDataFrame({"code": ["A"]}, geometry=[square], crs="EPSG:4326")
    f.load_city(connection, tmp_path, frame)
    area = connection.execute(select(boundary.c.area_m2).join(settlement).where(settlement.c.code == "A")).scalar_one()
    assert area / 1e6 == pytest.approx(12_308.8 * 8 / 9, rel=1e-4)


def test_load_boundaries_findings(connection: Connection, tmp_path: Path) -> None:
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes: list[Any] = [
        box(2, 0, 3, 1),
        bow_tie,
        LineString([(0, 0), (1, 1)]),
        None,
        box(5, 5, 6, 6),
        box(7, 7, 8, 8),
        box(8.05, 7, 9, 8),
    ]
    shapes = [None if shape is None else scale(shape, 0.01, 0.01, origin=(0, 0)) for shape in shapes]
    codes = ["A", "B", "C", "D", None, "E", "E"]
    frame = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:4326")
    with pytest.raises(ErrorsFound, match="3 of 7 rows") as raised, connection.begin_nested():
        f.load_city(connection, tmp_path, frame)
    found = raised.value.result.findings.frame()
    assert list(zip(found["row_number"], found["code"], strict=True)) == [
        (2, "geometry_repaired"),
        (3, "geometry_not_a_polygon"),
        (4, "geometry_missing"),
        (5, "settlement_code_missing"),
        (6, "parts_joined"),
        (7, "parts_joined"),
    ]
    f.load_city(connection, tmp_path, frame, skip_errors=True)
    stored = connection.execute(select(settlement.c.code).order_by(settlement.c.code)).scalars().all()
    assert stored == ["A", "B", "E"]


def test_load_boundaries_nothing_usable(connection: Connection, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["A"]}, geometry=[LineString([(0, 0), (1, 1)])], crs="EPSG:4326")
    with pytest.raises(ErrorsFound), connection.begin_nested():
        f.load_city(connection, tmp_path, frame, skip_errors=True)


def test_redrawn_boundary_places_by_the_round(connection: Connection, tmp_path: Path) -> None:
    """A household lies in the settlement as it was drawn when the round began."""
    before = gpd.GeoDataFrame({"code": ["A"]}, geometry=[MultiPolygon([box(0, 0, 1, 1)])], crs="EPSG:4326")
    after = before.set_geometry(gpd.GeoSeries([box(0, 0, 2, 1)], crs="EPSG:4326"))
    f.load_city(connection, tmp_path, before)
    f.load_city(connection, tmp_path, after, valid_from_on=date(2024, 1, 1))
    rows = [{"longitude": 1.5, "latitude": 0.5, "household_code": "H"}]
    old = f.spec("2020", starts_on=date(2020, 1, 1), ends_on=date(2020, 12, 31))
    with pytest.raises(ErrorsFound), connection.begin_nested():
        f.load(connection, tmp_path, rows, survey=old)
    assert f.load(connection, tmp_path, rows).rows_loaded == 1


def load_with_table(connection: Connection, folder: Path, table: list[dict[str, Any]], **changes: Any) -> LoadResult:
    """Four shapes with nothing but a number, and a table of names and wards."""
    add_city(connection, "pune", "Pune")
    path = folder / "traced.gpkg"
    shapes = f.small_city()[["geometry"]].assign(No=[1.0, 2.0, 3.0, 4.0])
    return load_boundaries(
        connection,
        path if path.exists() else f.write_boundaries(path, shapes),
        "pune",
        read=ReadOptions(),
        columns=BoundaryColumns(settlement_code="No", settlement_name="Name", ward_name="Ward"),
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(folder),
        attributes=f.write_csv(folder / f"names_{len(table)}.csv", table),
        **changes,
    )


def named(connection: Connection) -> list[tuple[str, str, str | None]]:
    rows = select(settlement.c.code, settlement.c.name, ward.c.name)
    rows = rows.select_from(settlement.outerjoin(settlement_ward).outerjoin(ward)).order_by(settlement.c.code)
    return [tuple(row) for row in connection.execute(rows)]


def test_load_boundaries_with_attributes(connection: Connection, tmp_path: Path) -> None:
    """Names come from the table by code; what fits nowhere is said on either side."""
    table = [{"No": n, "Name": name, "Ward": "North"} for n, name in ((1, "गांधीनगर"), (2, "São José"), (7, "Ñembý"))]
    result = load_with_table(connection, tmp_path, table)
    assert named(connection) == [
        ("1", "गांधीनगर", "North"),
        ("2", "São José", "North"),
        ("3", "3", None),
        ("4", "4", None),
    ]
    found = result.findings.frame()[["code", "value"]].to_numpy().tolist()
    assert ["attributes_without_shape", "7"] in found
    assert [value for code, value in found if code == "attributes_missing"] == ["3", "4"]
    again = load_with_table(connection, tmp_path, table)
    assert again.state == "already loaded"
    more = load_with_table(connection, tmp_path, [*table, {"No": 3, "Name": "Nagar 3", "Ward": "South"}])
    assert more.state == "loaded"
    assert named(connection)[2] == ("3", "Nagar 3", "South")


def test_load_boundaries_with_ambiguous_attributes(connection: Connection, tmp_path: Path) -> None:
    twice = [{"No": 1, "Name": "A", "Ward": "N"}, {"No": 1, "Name": "B", "Ward": "N"}]
    with pytest.raises(UnreadableFile, match="the code '1' on more than one row"):
        load_with_table(connection, tmp_path, twice)
