"""Reading shapefiles, GeoPackages and GeoJSON, as they come and damaged."""

import random
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyogrio
import pytest

from geo.errors import InputError, UnknownCRS, UnknownFormat, UnreadableFile, VastiError
from geo.ingestion.loading import read_boundaries
from geo.ingestion.loading.boundaries.rows import BoundariesRead
from geo.ingestion.mapping import BoundaryColumns
from geo.ingestion.reading import ReadOptions, open_layer
from geo.ingestion.reading.formats import bundle
from tests.support.factories import geometry, small_city, write_boundaries, write_geojson, write_shapefile, zip_folder

CITY = small_city()
CODES = list(CITY["settlement_code"])
NAMES = list(CITY["settlement_name"])


def read(path: Path, **options: str) -> BoundariesRead:
    return read_boundaries(path, ReadOptions(**options), None)


def assert_is_city(found: BoundariesRead) -> None:
    assert list(found.frame["code"]) == CODES
    assert list(found.frame["name"]) == NAMES
    assert set(found.frame["ward_code"]) == {"W1", "W2"}
    for geom, drawn in zip(found.frame["geom"], CITY.geometry, strict=True):
        assert geom.geom_type == "MultiPolygon"
        assert geom.symmetric_difference(drawn).area < 1e-12


@pytest.mark.parametrize("name", ["city.zip", "city.gpkg", "city.geojson", "we!rd né.gpkg", "a!b.geojson"])
def test_read_vector_formats(tmp_path: Path, name: str) -> None:
    path = write_boundaries(tmp_path / f"plain{Path(name).suffix}", CITY)
    assert_is_city(read(path.rename(tmp_path / name)))


@pytest.mark.parametrize("folder", ["plain", "odd! (1)", "नगर"])
def test_read_plain_shapefile(tmp_path: Path, folder: str) -> None:
    path = write_shapefile(tmp_path / "first", CITY)
    path.parent.rename(tmp_path / folder)
    assert_is_city(read(tmp_path / folder / path.name))


def test_read_plain_shapefile_odd_name(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path, CITY)
    for part in list(tmp_path.iterdir()):
        part.rename(part.with_name(f"we!rd{part.suffix}"))
    assert_is_city(read(path.with_name("we!rd.shp")))


def test_read_zip_inner_folder_and_upper_case(tmp_path: Path) -> None:
    parts = write_shapefile(tmp_path / "parts", CITY).parent
    for part in list(parts.iterdir()):
        part.rename(part.with_name(f"Ñ! {part.stem}{part.suffix.upper()}"))
    assert_is_city(read(zip_folder(tmp_path / "CITY.ZIP", parts, inside="from QGIS/2024/")))


def test_read_zip_beside_what_a_mac_adds(tmp_path: Path) -> None:
    path = write_boundaries(tmp_path / "city.zip", CITY)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._layer.shp", b"\x00")
        archive.writestr(".DS_Store", b"\x00")
        archive.writestr("readme.txt", "hello")
    assert_is_city(read(path))


def test_read_zip_two_shapefiles(tmp_path: Path) -> None:
    write_shapefile(tmp_path / "parts", CITY, "north")
    write_shapefile(tmp_path / "parts", CITY.iloc[:1], "south")
    path = zip_folder(tmp_path / "both.zip", tmp_path / "parts")
    with pytest.raises(UnreadableFile, match=r"north\.shp, south\.shp.*--layer"):
        read(path)
    assert_is_city(read(path, layer="north"))
    assert list(read(path, layer="south.shp").frame["code"]) == CODES[:1]


def without(part: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        parts = write_shapefile(folder / "parts", CITY).parent
        (parts / f"layer.{part}").unlink()
        return zip_folder(folder / "city.zip", parts)

    return make


def test_read_zip_without_dbf(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"city\.zip holds layer\.shp but no layer\.dbf"):
        read(without("dbf")(tmp_path))


def test_read_plain_shapefile_without_dbf(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path, CITY)
    path.with_suffix(".dbf").unlink()
    with pytest.raises(UnreadableFile, match=r"no layer\.dbf beside it"):
        read(path)


def test_read_zip_without_prj_names_the_option(tmp_path: Path) -> None:
    path = without("prj")(tmp_path)
    with pytest.raises(UnknownCRS, match=r"city\.zip.*--crs EPSG:4326"):
        read(path)
    assert_is_city(read(path, crs="EPSG:4326"))


def test_read_zip_with_password(tmp_path: Path) -> None:
    path = write_boundaries(tmp_path / "city.zip", CITY)
    whole = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = whole.find(mark)
        while at >= 0:
            whole[at + flags] |= 1
            at = whole.find(mark, at + 4)
    path.write_bytes(whole)
    with pytest.raises(UnreadableFile, match="password"):
        read(path)


def test_read_zip_of_a_table_names_the_table(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "inner.csv").write_bytes("código\nSão\n".encode("cp1252"))
    path = zip_folder(tmp_path / "outer.zip", tmp_path / "parts")
    with pytest.raises(UnreadableFile, match=r"inner\.csv is not utf-8"), open_layer(path, ReadOptions("utf-8")):
        pass
    with open_layer(path, ReadOptions(encoding="cp1252")) as layer:
        assert layer.columns == ["código"]


def test_read_cpg_decides_the_encoding(tmp_path: Path) -> None:
    latin = CITY.assign(settlement_name=["São", "Ñembý", "Málaga", "x"])
    path = write_shapefile(tmp_path, latin, encoding="ISO-8859-1")
    assert b"S\xe3o" in path.with_suffix(".dbf").read_bytes()
    assert list(read(path).frame["name"]) == ["São", "Ñembý", "Málaga", "x"]
    path.with_suffix(".cpg").unlink()
    assert list(read(path, encoding="latin-1").frame["name"]) == ["São", "Ñembý", "Málaga", "x"]


def test_read_cpg_that_lies(tmp_path: Path) -> None:
    path = write_shapefile(tmp_path, CITY.assign(settlement_name="São"), encoding="ISO-8859-1")
    path.with_suffix(".cpg").write_text("UTF-8")
    found = read(path)
    assert set(found.frame["name"]) == {"São"}
    assert "encoding_guessed" in set(found.findings.frame()["code"])
    with pytest.raises(UnreadableFile, match="--encoding"):
        read(path, encoding="utf-8")


def test_read_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read(write_shapefile(tmp_path, CITY), encoding="klingon")


def test_read_geopackage_two_layers(tmp_path: Path) -> None:
    path = tmp_path / "both.gpkg"
    CITY.to_file(path, layer="settlements", engine="pyogrio")
    CITY.iloc[:1].to_file(path, layer="one", engine="pyogrio", mode="a")
    with pytest.raises(UnreadableFile, match=r"settlements, one.*--layer"):
        read(path)
    assert_is_city(read(path, layer="settlements"))
    with pytest.raises(UnreadableFile, match="no layer 'two'"):
        read(path, layer="two")


def test_read_geojson_old_crs_member(tmp_path: Path) -> None:
    """Coordinates in UTM 43N with the crs member of 2008, which RFC 7946 dropped and files still carry."""
    metric = CITY.to_crs("EPSG:32643")
    features = [
        (geometry(row.geometry), {"code": row.settlement_code, "name": row.settlement_name, "ward": row.ward_code})
        for row in metric.itertuples()
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32643"}}
    found = read(write_geojson(tmp_path / "city.geojson", features, crs=crs))
    for geom, drawn in zip(found.frame["geom"], CITY.geometry, strict=True):
        assert geom.hausdorff_distance(drawn) < 1e-7


@pytest.mark.parametrize("crs", ["EPSG:5773", "EPSG:4978", "EPSG:99999", "nonsense", 'LOCAL_CS["plan",UNIT["m",1]]'])
def test_read_named_crs_that_places_nothing(tmp_path: Path, crs: str) -> None:
    with pytest.raises(UnknownCRS):
        read(without("prj")(tmp_path), crs=crs)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_read_file_crs_that_places_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    CITY.set_crs(None, allow_override=True).to_file(path, engine="pyogrio")
    with pytest.raises(UnknownCRS, match="--crs"):
        read(path)
    assert_is_city(read(path, crs="EPSG:4326"))


@pytest.mark.parametrize("name", ["city.dwg", "city", "city.tar", "city.doc"])
def test_open_layer_unknown_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UnknownFormat, match=r"it reads .*\.gpkg"), open_layer(tmp_path / name, ReadOptions()):
        pass


@pytest.mark.parametrize("suffix", [".shp", ".zip", ".gpkg", ".geojson", ".json", ".csv", ".tsv", ".xlsx"])
@pytest.mark.parametrize("kind", ["empty", "directory", "absent", "text"])
def test_open_layer_no_such_file(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"city{suffix}"
    if kind == "directory":
        path.mkdir()
    elif kind == "empty" or (kind == "text" and suffix not in (".csv", ".tsv")):
        path.write_text("" if kind == "empty" else '{"a": 1}')
    with pytest.raises(UnreadableFile) as raised, open_layer(path, ReadOptions()):
        pass
    assert "city" in str(raised.value)
    assert "\n" not in str(raised.value)


def damaged(whole: bytes, seed: int) -> bytes:
    """The file cut short, or with twenty bytes changed."""
    chance = random.Random(seed)
    if seed % 3 == 0:
        return whole[: chance.randrange(len(whole))]
    broken = bytearray(whole)
    for _ in range(20):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


@pytest.mark.parametrize("name", ["city.zip", "city.gpkg", "city.geojson"])
def test_read_damaged_is_a_sentence_or_shapes(tmp_path: Path, name: str) -> None:
    """Whatever is broken, a VastiError or what can still be read: never another exception."""
    path = write_boundaries(tmp_path / name, CITY)
    whole = path.read_bytes()
    refused = []
    for seed in range(60):
        path.write_bytes(damaged(whole, seed))
        try:
            assert set(read(path).frame["geom"].map(lambda g: g.geom_type)) <= {"MultiPolygon"}
        except VastiError as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert not any("\n" in sentence for sentence in refused)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # GDAL and GEOS say what they stumble over
@pytest.mark.parametrize("part", ["shp", "shx", "dbf", "prj", "cpg"])
def test_read_damaged_part_of_a_shapefile(tmp_path: Path, part: str) -> None:
    path = write_shapefile(tmp_path, CITY)
    broken = path.with_suffix(f".{part}")
    whole = broken.read_bytes()
    for seed in range(20):
        broken.write_bytes(damaged(whole, seed))
        with suppress(VastiError):
            read_boundaries(path, ReadOptions(), BoundaryColumns(settlement_code="settl_code"))


def test_bundle_same_parts_same_bytes(tmp_path: Path) -> None:
    """Moved to another folder on another day, the parts of a shapefile are the same upload."""
    first = write_shapefile(tmp_path / "a", CITY)
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    with bundle(first) as one, bundle(tmp_path / "b" / "layer.shp") as other:
        assert one.read_bytes() == other.read_bytes()
        assert {Path(name).suffix for name in zipfile.ZipFile(one).namelist()} == {
            ".shp",
            ".shx",
            ".dbf",
            ".prj",
            ".cpg",
        }
        assert len(pyogrio.read_dataframe(f"zip://{one}")) == len(CITY)
