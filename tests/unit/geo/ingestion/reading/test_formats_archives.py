"""Reading what lies in zips and gzips, however it is packed."""

import gzip
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest

from geo.errors import UnreadableFile
from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.factories import small_city, write_shapefile, zip_folder

CITY = small_city()


def rows(path: Path, **options: str) -> int:
    with open_layer(path, ReadOptions(**options)) as layer:
        return sum(len(batch.row_numbers) for batch in layer.batches)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_open_zip_in_zip(tmp_path: Path) -> None:
    inner = zip_folder(tmp_path / "inner.zip", write_shapefile(tmp_path / "parts", CITY).parent)
    path = zipped(tmp_path / "outer.zip", {"a folder/[inner] é!.ZIP": inner.read_bytes()})
    assert rows(path) == 4


def test_open_zip_too_deep(tmp_path: Path) -> None:
    content = b"a\n1\n"
    name = "rows.csv"
    for depth in range(5):
        content = zipped(tmp_path / f"{depth}.zip", {name: content}).read_bytes()
        name = f"{depth}.zip"
    with pytest.raises(UnreadableFile, match="archive within archives"):
        rows(tmp_path / "4.zip")


@pytest.mark.parametrize("layer", ["b/two", "x/b.gpkg/two", "b.gpkg/two"])
def test_open_zip_layer_of_one_of_its_files(tmp_path: Path, layer: str) -> None:
    path = tmp_path / "b.gpkg"
    CITY.to_file(path, layer="one", engine="pyogrio")
    CITY.iloc[:2].to_file(path, layer="two", engine="pyogrio", mode="a")
    both = zipped(tmp_path / "both.zip", {"x/a.csv": b"a\n1\n", "x/b.gpkg": path.read_bytes()})
    with pytest.raises(UnreadableFile, match=r"x/a\.csv, x/b\.gpkg.*--layer"):
        rows(both)
    with pytest.raises(UnreadableFile, match=r"one, two.*--layer"):
        rows(both, layer="b")
    assert rows(both, layer=layer) == 2


def test_open_zip_without_shp(tmp_path: Path) -> None:
    parts = write_shapefile(tmp_path / "parts", CITY).parent
    (parts / "layer.shp").unlink()
    with pytest.raises(UnreadableFile, match=r"holds layer\.dbf but no layer\.shp"):
        rows(zip_folder(tmp_path / "city.zip", parts))


@pytest.mark.parametrize("name", ["city.gdb.zip", "city.zip"])
@pytest.mark.parametrize("inside", ["", "from ArcGIS/"])
def test_open_zipped_file_geodatabase(tmp_path: Path, name: str, inside: str) -> None:
    points = CITY.set_geometry(CITY.representative_point())
    points.to_file(tmp_path / "city.gdb", driver="OpenFileGDB", engine="pyogrio", layer="settlements")
    members = {f"{inside}city.gdb/{part.name}": part.read_bytes() for part in (tmp_path / "city.gdb").iterdir()}
    assert rows(zipped(tmp_path / name, members)) == 4


def test_open_zip_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("rows.csv", "w") as member,
    ):
        for _ in range(256):
            member.write(bytes(1 << 20))
    with pytest.raises(UnreadableFile, match=r"unpacks to 0\.3 GB"):
        rows(path)


def test_open_zip_of_too_many_files(tmp_path: Path) -> None:
    path = zipped(tmp_path / "many.zip", {f"{i}.csv": b"" for i in range(10_001)})
    with pytest.raises(UnreadableFile, match="10,000 files"):
        rows(path)


def test_open_gzip(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.GZ"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert rows(path) == 1
    path.write_bytes(gzip.compress(b"a,b\n1,2\n")[:-6])
    with pytest.raises(UnreadableFile, match=r"rows\.csv\.GZ is not a gzip file or is damaged"):
        rows(path)
    with pytest.raises(UnreadableFile, match="does not say what is packed"):
        rows(path.rename(tmp_path / "rows.gz"))


def test_open_gzip_that_unpacks_to_too_much(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for _ in range(256):
            packed.write(bytes(1 << 20))
    with pytest.raises(UnreadableFile, match="unpacks to"):
        rows(path)


def test_open_shapefile_without_index_beside_it(tmp_path: Path) -> None:
    """A missing .shx is rebuilt elsewhere: nothing is written beside the user's file."""
    path = write_shapefile(tmp_path / "parts", CITY)
    path.with_suffix(".shx").unlink()
    before = sorted(path.parent.iterdir())
    with open_layer(path, ReadOptions()) as layer:
        assert sum(len(batch.row_numbers) for batch in layer.batches) == 4
        assert [note.code for note in layer.notes] == ["index_rebuilt"]
    assert sorted(path.parent.iterdir()) == before


def test_open_zip_ignores_case_of_parts(tmp_path: Path) -> None:
    parts = write_shapefile(tmp_path / "parts", CITY).parent
    (parts / "layer.dbf").rename(parts / "LAYER.DBF")
    assert rows(zip_folder(tmp_path / "city.zip", parts)) == 4
    assert len(gpd.read_file(parts / "layer.shp", engine="pyogrio").columns) == 1, "GDAL alone loses the table"
