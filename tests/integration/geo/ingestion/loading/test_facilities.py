"""Loading community toilets and water points: what a file says of each, what is wrong, and what replaces what."""

from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyproj
import pytest
import shapely
from sqlalchemy import Connection, func, select

from geo.database import read_data_version
from geo.database.schema.facilities import facility
from geo.database.schema.uploads import finding, upload
from geo.errors import Conflict, MissingColumn, NotFound, UnknownCRS
from geo.ingestion.loading import ErrorsFound, LoadResult, withdraw
from geo.ingestion.mapping import FacilityColumns
from geo.ingestion.reading import ReadOptions
from geo.places import add_city, find_city, provision
from geo.surveys import open_survey
from tests.support import factories as f

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    """Four settlements, about a kilometre apart."""
    f.load_city(connection, tmp_path, f.small_city())
    return connection


def live(connection: Connection, city: str = "pune") -> dict[str, dict[str, Any]]:
    """The facilities that count, by code."""
    point = (func.ST_X(facility.c.geom).label("lon"), func.ST_Y(facility.c.geom).label("lat"))
    rows = select(*(c for c in facility.columns if c.name != "geom"), *point)
    rows = rows.where(facility.c.is_live, facility.c.city_id == find_city(connection, city))
    return {row["code"]: dict(row) for row in connection.execute(rows).mappings()}


def told(result: LoadResult) -> list[tuple[Any, ...]]:
    """Row, field, value and code of each finding."""
    rows = result.findings.frame()[["row_number", "field", "value", "code"]]
    return [tuple(row) for row in rows.itertuples(index=False)]


def test_load_facilities_keeps_what_the_row_says(city: Connection, tmp_path: Path) -> None:
    rows = [
        f.facility(0, opened_on="2019-05-01", closed_on="2024-05-31 00:00:00"),
        {**f.facility(1, 2), "facility_name": "  सुलभ ", "kind": "Water Point", "seats": "2.0", "seats_working": 1},
    ]
    result = f.load_facilities(city, tmp_path, rows)
    assert (result.state, result.rows_read, result.rows_loaded, told(result)) == ("loaded", 2, 2, [])
    kept = live(city)
    said = ("row_number", "name", "kind", "seats", "seats_working", "is_working", "opened_on", "closed_on")
    assert [kept["F000"][name] for name in said] == [
        *(2, "Block 0", "community_toilet", 10, 8, True, date(2019, 5, 1), date(2024, 5, 31))
    ]
    assert [kept["F001"][name] for name in said] == [3, "सुलभ", "water_point", 2, 1, True, None, None]
    assert (kept["F001"]["lon"], kept["F001"]["lat"]) == (rows[1]["longitude"], rows[1]["latitude"])
    assert kept["F000"]["upload_id"] == result.upload_id


@pytest.mark.parametrize(
    ("said", "field", "value", "code"),
    [
        ({"facility_code": " "}, "facility_code", None, "facility_code_missing"),
        ({"facility_code": "F000"}, "facility_code", "F000 (row 2)", "facility_code_duplicate"),
        ({"kind": "latrine"}, "kind", "latrine", "facility_kind_unknown"),
        ({"kind": None}, "kind", None, "facility_kind_unknown"),
        ({"longitude": None}, "position", None, "facility_position_missing"),
        ({"latitude": 95, "longitude": 200}, "position", "200, 95", "position_impossible"),
        ({"seats_working": 11}, "seats_working", "11 of 10", "seats_exceeded"),
        ({"working": "partly"}, "working", "partly", "working_unreadable"),
        ({"working": "yes", "seats_working": 0}, "working", "working = yes, seats_working = 0", None),
        ({"working": "no", "seats_working": 2}, "working", "working = no, seats_working = 2", None),
        ({"opened_on": "31/05/2024"}, "opened_on", "31/05/2024", "facility_date_unreadable"),
        ({"closed_on": "soon"}, "closed_on", "soon", "facility_date_unreadable"),
        ({"opened_on": "2024-02-01", "closed_on": "2024-01-31"}, "closed_on", "2024-02-01 to 2024-01-31", None),
        ({"opened_on": "2024-02-01", "closed_on": "2024-02-01"}, "closed_on", "2024-02-01 to 2024-02-01", None),
    ],
)
def test_load_facilities_refuses_a_row(
    city: Connection, tmp_path: Path, said: dict[str, Any], field: str, value: str | None, code: str | None
) -> None:
    rows = [f.facility(0), f.facility(1, **said), f.facility(2)]
    expected = code or {"working": "working_contradicts_seats", "closed_on": "facility_dates_reversed"}[field]
    with pytest.raises(ErrorsFound, match="1 of 3 rows have errors") as raised:
        f.load_facilities(city, tmp_path, rows)
    assert told(raised.value.result) == [(3, field, value, expected)]
    assert live(city) == {}
    assert city.execute(select(upload.c.id).where(upload.c.content == "facilities")).all() == []
    loaded = f.load_facilities(city, tmp_path, rows, skip_errors=True)
    assert (loaded.rows_read, loaded.rows_loaded, loaded.rows_rejected) == (3, 2, 1)
    assert sorted(live(city)) == ["F000", "F002"]
    stored = city.execute(select(finding.c.row_number, finding.c.code).where(finding.c.upload_id == loaded.upload_id))
    assert [tuple(row) for row in stored] == [(3, expected)]


def test_load_facilities_reports_a_longitude_that_is_no_number(city: Connection, tmp_path: Path) -> None:
    with pytest.raises(ErrorsFound) as raised:
        f.load_facilities(city, tmp_path, [f.facility(0), f.facility(1, longitude="near the mosque")])
    assert told(raised.value.result) == [
        (3, "position", None, "facility_position_missing"),
        (3, "longitude", "near the mosque", "value_not_a_number"),
    ]


@pytest.mark.parametrize(
    ("seats", "seats_working", "working", "kept", "codes"),
    [
        # seats, seats_working and working as they are said; seats, seats_working and is_working as they are kept.
        (10, None, None, (10, 10, True), []),
        (10, None, "yes", (10, 10, True), []),
        (10, None, "No", (10, 0, False), []),
        (None, None, "no", (None, 0, False), []),
        (None, None, None, (None, None, True), []),
        (None, 4, None, (None, 4, True), []),
        (10, 4, None, (10, 4, True), []),
        (10, 0, None, (10, 0, False), ["working_told_by_seats"]),
        (10, 0, "no", (10, 0, False), []),
        (0, 0, "yes", (0, 0, True), []),
        (10, "some", "yes", (10, None, True), ["seats_invalid"]),
        (10, "some", None, (10, None, True), ["seats_invalid"]),
        ("4-5", None, None, (None, None, True), ["seats_invalid"]),
        (2.5, None, None, (None, None, True), ["seats_invalid"]),
        (-1, None, None, (None, None, True), ["seats_invalid"]),
        ("1e999", None, None, (None, None, True), ["seats_invalid"]),
        (20240531, None, None, (None, None, True), ["seats_invalid"]),
        (10, None, "not working", (10, 0, False), []),
        (10, None, "Non-functional", (10, 0, False), []),
        (10, None, "operational", (10, 10, True), []),
        (10, None, "não", (10, 0, False), []),
        (10, None, "1", (10, 10, True), []),
    ],
)
def test_load_facilities_tells_seats_and_working_from_each_other(
    city: Connection,
    tmp_path: Path,
    seats: object,
    seats_working: object,
    working: object,
    kept: tuple[int | None, int | None, bool],
    codes: list[str],
) -> None:
    row = f.facility(0, seats=seats, seats_working=seats_working, working=working)
    result = f.load_facilities(city, tmp_path, [row])
    assert [code for _, _, _, code in told(result)] == codes
    assert result.rows_warned == len(codes)
    found = live(city)["F000"]
    assert (found["seats"], found["seats_working"], found["is_working"]) == kept


def test_load_facilities_of_one_kind(city: Connection, tmp_path: Path) -> None:
    """A column that happens to be called kind and means something else does not matter; a contradiction does."""
    rows = [f.facility(0, kind="handpump"), f.facility(1, kind=None), f.facility(2, kind="community toilet")]
    columns = FacilityColumns(all_of_kind="water_point")
    with pytest.raises(ErrorsFound) as raised:
        f.load_facilities(city, tmp_path, rows, columns=columns)
    assert told(raised.value.result) == [(4, "kind", "community_toilet", "facility_kind_differs")]
    f.load_facilities(city, tmp_path, rows[:2], columns=columns)
    assert {code: row["kind"] for code, row in live(city).items()} == dict.fromkeys(["F000", "F001"], "water_point")


def test_load_facilities_reads_the_columns_that_are_named(city: Connection, tmp_path: Path) -> None:
    renamed = {
        **{"facility_code": "id", "facility_name": "label", "kind": "type", "seats": "n", "seats_working": "ok"},
        **{"working": "open", "opened_on": "from", "closed_on": "to", "longitude": "easting", "latitude": "northing"},
    }
    row = f.facility(7, opened_on="2020-01-01", closed_on="2030-01-01")
    # What stands under the standard names is something else then.
    written = {renamed[name]: value for name, value in row.items()} | {"facility_code": "other", "working": "no"}
    columns = FacilityColumns(
        code="id",
        name="label",
        kind="type",
        seats="n",
        seats_working="ok",
        working="open",
        opened_on="from",
        closed_on="to",
        longitude="easting",
        latitude="northing",
    )
    f.load_facilities(city, tmp_path, [written], columns=columns)
    found = live(city)["F007"]
    names = ("name", "kind", "seats", "seats_working", "is_working", "opened_on", "closed_on", "lon", "lat")
    assert [found[name] for name in names] == [
        *("Block 7", "community_toilet", 10, 8, True, date(2020, 1, 1), date(2030, 1, 1)),
        *(row["longitude"], row["latitude"]),
    ]


@pytest.mark.parametrize(
    ("without", "columns", "says"),
    [
        ("facility_code", FacilityColumns(), "no column facility_code; .* with --code"),
        ("kind", FacilityColumns(), "--kind community_toilet or --kind water_point, .* --kind-column"),
        ("longitude", FacilityColumns(), "no positions; .* --longitude and --latitude"),
        ("seats", FacilityColumns(seats="n_seats"), "no column 'n_seats', which the command names"),
    ],
)
def test_load_facilities_says_which_option_names_a_column(
    city: Connection, tmp_path: Path, without: str, columns: FacilityColumns, says: str
) -> None:
    row = {name: value for name, value in f.facility(0).items() if name != without}
    with pytest.raises(MissingColumn, match=says):
        f.load_facilities(city, tmp_path, [row], columns=columns)


def test_load_facilities_of_shapes_without_columns(city: Connection, tmp_path: Path) -> None:
    path = f.write_geojson(tmp_path / "bare.geojson", [(f.geometry(shapely.Point(*f.centre(0))), {})])
    with pytest.raises(MissingColumn, match=r"no column kind; .* The file has no columns\."):
        f.load_facilities(city, tmp_path, path)
    columns = FacilityColumns(all_of_kind="water_point")
    assert f.load_facilities(city, tmp_path, path, columns=columns).rows_loaded == 1


def test_load_facilities_from_a_shapefile(city: Connection, tmp_path: Path) -> None:
    """Ten-character names and metres of a UTM zone; without its .prj, the file is asked for the CRS that would fit."""
    frame = f.points([f.facility(i, i) for i in range(3)]).to_crs("EPSG:32643")
    plain = f.write_shapefile(tmp_path / "blocks", frame)
    result = f.load_facilities(city, tmp_path, plain)
    assert {(field, value) for _, field, value, code in told(result) if code == "column_matched"} == {
        *(("facility_code", "facility_c"), ("facility_name", "facility_n"), ("seats_working", "seats_work")),
    }
    for i in range(3):
        row, found = f.facility(i, i), live(city)[f"F00{i}"]
        assert GEOD.inv(row["longitude"], row["latitude"], found["lon"], found["lat"])[2] < 0.01
        assert (found["seats"], found["seats_working"]) == (10, 8)
    plain.with_suffix(".prj").unlink()
    with pytest.raises(UnknownCRS, match="in the city with EPSG:32643"):
        f.load_facilities(city, tmp_path, plain)
    assert f.load_facilities(city, tmp_path, plain, read=ReadOptions(crs="EPSG:32643")).rows_loaded == 3


def test_load_facilities_refuses_metres_taken_for_degrees(city: Connection, tmp_path: Path) -> None:
    to_metres = pyproj.Transformer.from_crs(4326, 32643, always_xy=True)
    x, y = to_metres.transform(*f.centre(0))
    rows = [f.facility(0, longitude=x, latitude=y)]
    with pytest.raises(UnknownCRS, match=r"every position lies far .* EPSG:32643"):
        f.load_facilities(city, tmp_path, rows)
    f.load_facilities(city, tmp_path, rows, read=ReadOptions(crs="EPSG:32643"))
    assert (live(city)["F000"]["lon"], live(city)["F000"]["lat"]) == pytest.approx(f.centre(0), abs=1e-7)


def test_load_facilities_takes_positions_from_columns_before_shapes(city: Connection, tmp_path: Path) -> None:
    """Where somebody names them: the shapes lie elsewhere, in another CRS."""
    row = f.facility(0)
    frame = gpd.GeoDataFrame([row], geometry=[shapely.Point(5e5, 1e6)], crs="EPSG:32643")
    path = f.write_boundaries(tmp_path / "blocks.gpkg", frame)
    f.load_facilities(city, tmp_path, path, columns=FacilityColumns(longitude="longitude", latitude="latitude"))
    assert (live(city)["F000"]["lon"], live(city)["F000"]["lat"]) == (row["longitude"], row["latitude"])


def test_load_facilities_from_footprints_that_are_boundaries_too(connection: Connection, tmp_path: Path) -> None:
    """One file loaded as both; a footprint counts at a point within it, also where its middle is outside."""
    u_shape = shapely.box(73.75, 18.58, 73.76, 18.59).difference(shapely.box(73.752, 18.581, 73.758, 18.6))
    frame = gpd.GeoDataFrame({"code": ["A"], "facility_code": ["A1"]}, geometry=[u_shape], crs="EPSG:4326")
    f.load_city(connection, tmp_path, frame)
    (path,) = tmp_path.glob("*.gpkg")
    columns = FacilityColumns(all_of_kind="community_toilet")
    result = f.load_facilities(connection, tmp_path, path, columns=columns)
    assert result.state == "loaded"
    assert f.load_facilities(connection, tmp_path, path, columns=columns).state == "already loaded"
    found = live(connection)["A1"]
    assert not u_shape.covers(u_shape.centroid)
    assert u_shape.covers(shapely.Point(found["lon"], found["lat"]))


@pytest.mark.parametrize(
    "change",
    [
        lambda lon, lat: (lon, -lat),
        lambda lon, lat: (-lon, lat),
        lambda lon, lat: (-lon, -lat),
        lambda lon, lat: (lat, lon),
        lambda lon, lat: (-lat, lon),
    ],
)
def test_load_facilities_names_the_slip(city: Connection, tmp_path: Path, change: Any) -> None:
    """Between two settlements too, where no settlement contains the position that was meant."""
    inside, between = f.centre(0), (f.centre(0)[0] + 0.005, f.centre(0)[1])
    slipped = [dict(zip(("longitude", "latitude"), change(*place), strict=True)) for place in (inside, between)]
    rows = [f.facility(0), *(f.facility(i, **place) for i, place in enumerate(slipped, start=1))]
    with pytest.raises(ErrorsFound) as raised:
        f.load_facilities(city, tmp_path, rows)
    first, second = told(raised.value.result)
    assert (first[0], second[0]) == (3, 4)
    assert {first[3], second[3]} == {"facility_position_slipped"}
    assert f"it lies in {f.code(0)} (about" in first[2]
    assert "it lies in the city, but in no settlement" in second[2]


@pytest.mark.parametrize(
    ("km", "code", "is_kept"),
    [(15, None, True), (30, "facility_far", True), (45, "facility_far", True), (55, "facility_too_far", False)],
)
def test_load_facilities_far_from_the_city(
    city: Connection, tmp_path: Path, km: int, code: str | None, is_kept: bool
) -> None:
    """South of the first settlement, whose southern edge is some 0.2 km south of its middle."""
    lon, lat, _ = GEOD.fwd(*f.centre(0), 180, km * 1000)
    rows = [f.facility(0), f.facility(1, longitude=lon, latitude=lat)]
    result = f.load_facilities(city, tmp_path, rows, skip_errors=True)
    expected = [] if code is None else [(3, "position", f"about {km} km from settlement {f.code(0)}", code)]
    assert told(result) == expected
    assert ("F001" in live(city)) == is_kept


def test_load_facilities_in_the_middle_of_a_wide_city(connection: Connection, tmp_path: Path) -> None:
    """Two settlements 300 km apart: what lies halfway is within the extent, and no facility of either."""
    shapes = [f.blob(73.0, 18.5), f.blob(75.85, 18.5)]
    f.load_city(connection, tmp_path, gpd.GeoDataFrame({"code": ["W", "E"]}, geometry=shapes, crs="EPSG:4326"))
    rows = [f.facility(0, longitude=73.1, latitude=18.5), f.facility(1, longitude=74.0, latitude=18.5)]
    result = f.load_facilities(connection, tmp_path, rows, skip_errors=True)
    assert told(result) == [(3, "position", "about 105 km from settlement W", "facility_too_far")]


def test_load_facilities_finds_the_nearest_settlement_in_the_north(connection: Connection, tmp_path: Path) -> None:
    """At 60 degrees north, 0.8 degrees of longitude are 45 km, and 0.6 of latitude 67 km."""
    shapes = [f.blob(25.8, 60.0), f.blob(25.0, 60.6)]
    f.load_city(connection, tmp_path, gpd.GeoDataFrame({"code": ["E", "N"]}, geometry=shapes, crs="EPSG:4326"))
    result = f.load_facilities(connection, tmp_path, [f.facility(0, longitude=25.0, latitude=60.0)])
    assert (result.rows_loaded, told(result)) == (1, [])


def test_load_facilities_needs_boundaries(connection: Connection, tmp_path: Path) -> None:
    add_city(connection, "pune", "Pune")
    with pytest.raises(NotFound, match="no settlement with a boundary yet"):
        f.load_facilities(connection, tmp_path, [f.facility(0)])


def test_load_facilities_again_and_dry(city: Connection, tmp_path: Path) -> None:
    """A file counts once until it is withdrawn; a dry run leaves nothing; what readers may see raises the version."""
    path = f.write_csv(tmp_path / "blocks.csv", [f.facility(0), f.facility(1, seats="many")])
    originals = sorted((tmp_path / "originals").rglob("*"))
    versions = [read_data_version(city)]
    checked = f.load_facilities(city, tmp_path, path, dry_run=True)
    assert (checked.state, checked.upload_id, checked.rows_loaded, checked.rows_warned) == ("checked", None, 2, 1)
    assert live(city) == {}
    assert sorted((tmp_path / "originals").rglob("*")) == originals
    assert read_data_version(city) == versions[-1]
    loaded = f.load_facilities(city, tmp_path, path)
    assert loaded.upload_id is not None
    assert any(path.read_bytes() == kept.read_bytes() for kept in (tmp_path / "originals").rglob("*") if kept.is_file())
    versions.append(read_data_version(city))
    again = f.load_facilities(city, tmp_path, path)
    assert (again.state, again.upload_id) == ("already loaded", loaded.upload_id)
    assert withdraw(city, loaded.upload_id) == 2
    versions.append(read_data_version(city))
    assert live(city) == {}
    with pytest.raises(Conflict, match="withdrawn already"):
        withdraw(city, loaded.upload_id)
    assert f.load_facilities(city, tmp_path, path).state == "loaded"
    assert versions == sorted(set(versions))


def test_load_facilities_from_two_sheets_of_a_workbook(city: Connection, tmp_path: Path) -> None:
    """Toilets on one sheet and taps on the other, of one file: two uploads, each once."""
    rows = {"toilets": [f.facility(0)], "taps": [f.facility(1)]}
    cells = {name: [list(these[0]), *(list(row.values()) for row in these)] for name, these in rows.items()}
    path = f.write_sheet(tmp_path / "both.xlsx", cells)
    states = [f.load_facilities(city, tmp_path, path, read=ReadOptions(layer=name)).state for name in [*rows, *rows]]
    assert states == ["loaded", "loaded", "already loaded", "already loaded"]
    assert sorted(live(city)) == ["F000", "F001"]


UPLOADS = [
    [f.facility(0), f.facility(1), f.facility(2)],
    [f.facility(1, 1, seats=20, seats_working=20), f.facility(2, working="no", seats_working=None), f.facility(3)],
    [f.facility(2, 2, kind="water_point"), f.facility(3, facility_name="Renamed"), f.facility(4)],
]


def counting(connection: Connection, city: str) -> dict[str, dict[str, Any]]:
    """What counts in a city, without what differs between two loads of the same rows."""
    own = ("id", "city_id", "upload_id", "superseded_by")
    return {code: {k: v for k, v in row.items() if k not in own} for code, row in live(connection, city).items()}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_withdraw_facilities_leaves_what_the_rest_would_give(
    city: Connection, tmp_path: Path, order: tuple[int, ...]
) -> None:
    ids = [f.load_facilities(city, tmp_path, rows).upload_id or 0 for rows in UPLOADS]
    assert {code: row["upload_id"] for code, row in live(city).items()} == {
        **{"F000": ids[0], "F001": ids[1], "F002": ids[2], "F003": ids[2], "F004": ids[2]},
    }
    for n_gone, index in enumerate(order, start=1):
        assert withdraw(city, ids[index]) == len(UPLOADS[index])
        slug = f"only-{n_gone}"
        f.load_city(city, tmp_path, f.small_city(), slug=slug)
        for i in sorted(set(range(3)) - set(order[:n_gone])):
            f.load_facilities(city, tmp_path, UPLOADS[i], city=slug)
        assert counting(city, "pune") == counting(city, slug)


def test_load_facilities_of_kibera(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """792 surveyed water points, 62 of them out of order; those in a boundary drawn here are known by another way."""
    (path,) = (real_files / "ke_mapkibera_watsan").glob("*.geojson")
    kibera = shapely.box(36.775, -1.320, 36.800, -1.305)
    frame = gpd.GeoDataFrame({"code": ["K"]}, geometry=[kibera], crs="EPSG:4326")
    f.load_city(connection, tmp_path, frame, slug="nairobi")
    columns = FacilityColumns(code="id", name="name", working="operational_status", all_of_kind="water_point")
    result = f.load_facilities(connection, tmp_path, path, city="nairobi", columns=columns)
    assert (result.rows_read, result.rows_loaded) == (792, 792)
    assert {code for *_, code in told(result)} == {"facility_position_repeated"}
    found = live(connection, "nairobi")
    assert sum(not row["is_working"] for row in found.values()) == 62
    features = gpd.read_file(path)
    n_inside = int(features.within(kibera).sum())
    works = features[features["operational_status"] != "non_operational"]
    survey_id = open_survey(connection, find_city(connection, "nairobi"), f.spec())
    row = provision(connection, "water_point", [survey_id]).iloc[0]
    middle = shapely.point_on_surface(kibera)
    distances = [GEOD.inv(middle.x, middle.y, point.x, point.y)[2] for point in works.geometry]
    assert (row["facilities"], 0 < n_inside < 792) == (n_inside, True)
    assert row["nearest_m"] == pytest.approx(min(distances), abs=0.01)
    # None of them says how many taps it has.
    assert row.isna()["seats_working"]


def test_load_facilities_of_blantyre(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """53 places of a KML without codes: by their positions, or by their names, of which the 12 that repeat are told."""
    (path,) = (real_files / "mw_blantyre_skips_kml").glob("*.kml")
    frame = gpd.GeoDataFrame({"code": ["N"]}, geometry=[shapely.box(35.0, -15.85, 35.06, -15.75)], crs="EPSG:4326")
    f.load_city(connection, tmp_path, frame, slug="blantyre")
    with pytest.raises(MissingColumn, match="has no column kind"):
        f.load_facilities(connection, tmp_path, path, city="blantyre")
    columns = FacilityColumns(code="Name", all_of_kind="water_point")
    result = f.load_facilities(connection, tmp_path, path, city="blantyre", columns=columns, skip_errors=True)
    assert (result.rows_read, result.rows_loaded) == (53, 41)
    assert {code for _, _, _, code in told(result)} == {"facility_code_duplicate"}
    assert live(connection, "blantyre")["Ndirande ground"]["lat"] == pytest.approx(-15.7751478, abs=1e-6)
