"""Reading JSON, KML, FlatGeobuf, Parquet and workbooks, and what only pretends to be one of them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl  # type: ignore[import-untyped,unused-ignore]
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pyogrio
import pytest

from geo.errors import UnreadableFile
from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.factories import geometry, small_city, write_csv, write_sheet

CITY = small_city()
CODES = list(CITY["settlement_code"])


def read(path: Path, **options: str) -> list[dict[str, Any]]:
    with open_layer(path, ReadOptions(**options)) as layer:
        return [row for batch in layer.batches for row in pa.table(batch.columns).to_pylist()]


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("suffix", "driver"), [("fgb", "FlatGeobuf"), ("kml", "LIBKML"), ("kmz", "LIBKML"), ("geojson", "GeoJSON")]
)
def test_read_shapes_of_other_programs(tmp_path: Path, suffix: str, driver: str) -> None:
    path = tmp_path / f"odd! [1] ñ.{suffix}"
    CITY.to_file(tmp_path / f"plain.{suffix}", driver=driver, engine="pyogrio")
    (tmp_path / f"plain.{suffix}").rename(path)
    with open_layer(path, ReadOptions()) as layer:
        assert layer.has_geometry
        assert layer.crs is not None
        codes = [c for batch in layer.batches for c in batch.columns["settlement_code"].to_pylist()]
    # FlatGeobuf stores its features in the order of its index.
    assert sorted(codes) == sorted(CODES)


@pytest.mark.parametrize("suffix", ["geojsonl", "ndjson", "geojsons", "geojsonseq", "seq", "geojson", "json"])
@pytest.mark.parametrize("mark", ["", "\x1e"])
def test_read_a_feature_a_line(tmp_path: Path, suffix: str, mark: str) -> None:
    features = [
        {"type": "Feature", "properties": {"code": c}, "geometry": geometry(g)}
        for c, g in zip(CODES, CITY.geometry, strict=True)
    ]
    path = written(tmp_path / f"city.{suffix}", "".join(f"{mark}{json.dumps(f)}\n" for f in features))
    assert [row["code"] for row in read(path)] == CODES
    path = written(path, path.read_text().replace('"geometry"', '"geom', 1))
    with pytest.raises(UnreadableFile, match=path.name):
        read(path)


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": {"c": "x"}}, {"a": 2.5, "b": {"c": null}, "d": [1]}]',
        '{"count": 2, "results": [{"a": 1, "b": {"c": "x"}}, {"a": 2.5, "b": {"c": null}, "d": [1]}]}',
        '{"result": [["a", "b/c", "d"], [1, "x", null], ["2.5", null, [1]]]}',
        '{"a": 1, "b": {"c": "x"}}\n{"a": 2.5, "b": {"c": null}, "d": [1]}\n',
    ],
)
def test_read_json_table(tmp_path: Path, content: str) -> None:
    expected = [{"a": "1", "b/c": "x", "d": None}, {"a": "2.5", "b/c": None, "d": "[1]"}]
    assert read(written(tmp_path / "rows.json", content)) == expected


def test_read_json_table_with_repeated_names(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.json", '{"result": [["-", "-"], ["1", "2"]]}')
    assert read(path) == [{"-": "1", "-_2": "2"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a": 1}', "neither GeoJSON nor a table"),
        ("[1, 2]", "neither GeoJSON nor a table"),
        ('[{"a": 1}, 2]', "unlike things"),
        ('[{"a": 1}, {"b"', "no valid JSON"),
        ('{"x": [{"a": 1}], "y": [{"a": 1}]}', r"x, y.*--layer"),
        ('{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}', "neither GeoJSON"),
        ("<OGRVRTDataSource></OGRVRTDataSource>", "no valid JSON"),
    ],
)
def test_read_json_refused(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(written(tmp_path / "rows.json", content))


@pytest.mark.parametrize("name", ["city.kml", "city.geojson", "city.gpkg", "city.fgb", "city.kmz"])
def test_no_file_makes_gdal_follow_a_link(tmp_path: Path, name: str) -> None:
    """A file that GDAL would take for a list of other sources is refused, whatever it is called."""
    CITY.to_file(tmp_path / "secret.gpkg", engine="pyogrio")
    source = f"<SrcDataSource>{tmp_path / 'secret.gpkg'}</SrcDataSource><SrcLayer>secret</SrcLayer>"
    layer = f"<OGRVRTDataSource><OGRVRTLayer name='secret'>{source}</OGRVRTLayer></OGRVRTDataSource>"
    with pytest.raises(UnreadableFile, match=name):
        read(written(tmp_path / name, layer))
    assert not {"OGR_VRT", "GDALG", "HTTP", "WFS"} & set(pyogrio.list_drivers())


def test_read_file_of_another_format_than_its_name(tmp_path: Path) -> None:
    CITY.to_file(tmp_path / "city.gpkg", engine="pyogrio")
    with pytest.raises(UnreadableFile, match=r"city\.geojson"):
        read((tmp_path / "city.gpkg").rename(tmp_path / "city.geojson"))


def test_read_geopackage_beside_styles(tmp_path: Path) -> None:
    path = tmp_path / "city.gpkg"
    CITY.to_file(path, engine="pyogrio", layer="city")
    table = gpd.pd.DataFrame({"styleName": ["x"]})
    pyogrio.write_dataframe(table, path, layer="layer_styles", append=True)
    assert len(read(path)) == 4


def test_read_geopackage_open_elsewhere(tmp_path: Path) -> None:
    CITY.to_file(tmp_path / "city.gpkg", engine="pyogrio")
    (tmp_path / "city.gpkg-wal").write_bytes(b"x")
    with pytest.raises(UnreadableFile, match="open in another program"):
        read(tmp_path / "city.gpkg")


def test_read_geopackage_leaves_the_folder_as_it_is(tmp_path: Path) -> None:
    CITY.to_file(tmp_path / "city.gpkg", engine="pyogrio")
    whole = bytearray((tmp_path / "city.gpkg").read_bytes())
    whole[18:20] = b"\x02\x02"  # as QGIS leaves it
    (tmp_path / "city.gpkg").write_bytes(whole)
    assert len(read(tmp_path / "city.gpkg")) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["city.gpkg"]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32643", None])
def test_read_geoparquet(tmp_path: Path, crs: str | None) -> None:
    frame = CITY.to_crs(crs) if crs else CITY.set_crs(None, allow_override=True)
    frame.to_parquet(tmp_path / "city.geoparquet")
    with open_layer(tmp_path / "city.geoparquet", ReadOptions()) as layer:
        assert layer.has_geometry
        assert (None if layer.crs is None else layer.crs.to_epsg()) == (crs and int(crs[5:]))
        assert "geometry" not in layer.columns
        assert sum(len(batch.row_numbers) for batch in layer.batches) == 4


def test_read_geoparquet_without_crs_is_lonlat(tmp_path: Path) -> None:
    path = tmp_path / "city.parquet"
    CITY.to_parquet(path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    del geo["columns"]["geometry"]["crs"]
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    with open_layer(path, ReadOptions()) as layer:
        assert layer.crs is not None
        assert layer.crs.is_geographic
    geo["columns"]["geometry"]["encoding"] = "point"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    with pytest.raises(UnreadableFile, match="WKB"):
        read(path)


def test_a_parquet_column_whose_name_is_no_text_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"members": [4, 5]}), path, store_schema=False)
    whole = path.read_bytes()
    assert b"members" in whole
    path.write_bytes(whole.replace(b"members", b"m\x80mbers"))
    with pytest.raises(UnreadableFile, match="cannot be read as Parquet"):
        read(path)


def test_read_parquet_table(tmp_path: Path) -> None:
    table = pa.table({"a": [[1, 2], None], "b": pa.array(["x", "y"]).dictionary_encode(), "c": [date(2024, 1, 5)] * 2})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert read(tmp_path / "rows.parquet") == [
        {"a": "[1, 2]", "b": "x", "c": date(2024, 1, 5)},
        {"a": None, "b": "y", "c": date(2024, 1, 5)},
    ]
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(UnreadableFile, match=r"rows\.parquet"):
        read(tmp_path / "rows.parquet")


def test_read_sheet_dates_are_dates(tmp_path: Path) -> None:
    days: list[list[Any]] = [["day"], [date(2024, 1, 5)], [None], [date(2024, 2, 6)]]
    path = write_sheet(tmp_path / "rows.xlsx", {"S": days})
    assert [row["day"] for row in read(path)] == [date(2024, 1, 5), date(2024, 2, 6)]


def test_read_sheet_hidden_or_below_a_title(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b", "c"])
    book.active.append([1, 2, 3])
    book.create_sheet("lists").append(["x"])
    book["lists"].sheet_state = "hidden"
    book.save(tmp_path / "rows.xlsx")
    assert read(tmp_path / "rows.xlsx") == [{"a": "1", "b": "2", "c": "3"}]
    assert read(tmp_path / "rows.xlsx", layer="lists") == []
    rows: list[list[Any]] = [["Survey of 2024"], [], ["a", "b", "c"], [1, 2, 3]]
    with pytest.raises(UnreadableFile, match="row 3 of the sheet"):
        read(write_sheet(tmp_path / "title.xlsx", {"S": rows}))


def test_read_xls_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="web page"):
        read(written(tmp_path / "rows.xls", "<html><table><tr><td>a</td></tr></table></html>"))
    assert read(written(tmp_path / "rows.xls", "a\tb\n1\t2\n")) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "row", "kept"),
    [
        ('a,b,c,d\n1,2,3,4\n5,"6,7,8\n9,10,11,12\n13,14",15,16\n19,20,21,22\n', 3, 2),
        ('a,b\n1,2\n3,"4\n5,6\n', 3, 1),
    ],
    ids=["until-the-next", "until-the-end"],
)
def test_csv_quote_that_is_not_closed(tmp_path: Path, content: str, row: int, kept: int) -> None:
    path = written(tmp_path / "rows.csv", content)
    with open_layer(path, ReadOptions()) as layer:
        assert sum(len(batch.row_numbers) for batch in layer.batches) == kept
        assert [(bad.row_number, bad.code) for bad in layer.bad_rows] == [(row, "quote_unclosed")]


def test_csv_long_answers_are_kept(tmp_path: Path) -> None:
    answer = "The tap is broken,\nthe drain too,\nand nobody came; since May, or June, or July.\n" * 10
    path = write_csv(tmp_path / "rows.csv", [{"a": 1, "b": answer, "c": 2, "d": 3, "e": 4, "f": 5, "g": 6}] * 2)
    with open_layer(path, ReadOptions()) as layer:
        assert sum(len(batch.row_numbers) for batch in layer.batches) == 2
        assert layer.bad_rows == []


def test_csv_unclosed_quote_of_a_large_file_names_its_row(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.csv", 'a,b\n1,2\n1,"2\n' + "1,2\n" * 5_000_000)
    with pytest.raises(UnreadableFile, match=r"row 3: .*quotation mark"):
        read(path)
