"""Registers and surveys as their publishers give them; known answers only, none of their rows."""

import statistics
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from sqlalchemy import Connection, text

from geo.errors import VastiError
from geo.ingestion.loading import ErrorsFound, SourceOptions, load_boundaries, read_boundaries
from geo.ingestion.loading.boundaries.rows import BoundariesRead
from geo.ingestion.mapping import BoundaryColumns, Profile, read_profile
from geo.ingestion.reading import ReadOptions, open_layer
from geo.places import add_city
from tests.support import factories as f


def draw_city(connection: Connection, folder: Path, path: Path, columns: BoundaryColumns | Profile) -> None:
    add_city(connection, "real", "Real")
    load_boundaries(
        connection,
        path,
        "real",
        read=ReadOptions(),
        columns=columns,
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(folder, skip_errors=True),
    )


def test_renabap_register_joins_its_polygons(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """1,444 features are 1,365 settlements; of 6,467 rows those join; areas are the register's own."""
    folder, profile = real_files / "ar_renabap_2023", read_profile("renabap")
    polygons = folder / "barrios_inside_amba.geojson"
    assert pyogrio.read_info(polygons)["features"] == 1444
    draw_city(connection, tmp_path, polygons, profile)
    (register,) = folder.glob("*.csv")
    result = f.load(
        connection,
        tmp_path,
        register,
        city="real",
        survey=f.spec("2023", unit="settlement"),
        source=SourceOptions(profile=profile, unit="settlement"),
        skip_errors=True,
    )
    assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (6467, 1365, 6467 - 1365)
    assert set(result.findings.frame().query("severity == 'error'")["code"]) == {"settlement_unknown"}
    ratios = connection.execute(
        text(
            "SELECT b.area_m2 / (h.extra->>'superficie_m2')::float FROM household h"
            " JOIN boundary b ON b.settlement_id = h.settlement_id WHERE (h.extra->>'superficie_m2')::float > 0"
        )
    ).scalars()
    assert statistics.median(ratios) == pytest.approx(1, abs=0.001)


def test_malawi_households_place_by_position(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    """23,112 households in a grid of half degrees over the country, drawn here."""
    cells = [shapely.box(32 + i / 2, -18 + j / 2, 32.5 + i / 2, -17.5 + j / 2) for i in range(9) for j in range(19)]
    grid = gpd.GeoDataFrame({"code": [f"G{i}" for i in range(len(cells))]}, geometry=cells, crs="EPSG:4326")
    path = f.write_boundaries(tmp_path / "grid.gpkg", grid)
    draw_city(connection, tmp_path, path, BoundaryColumns(settlement_code="code"))
    result = f.load(
        connection,
        tmp_path,
        real_files / "mw_sdg_households" / "washmalawi.xlsx",
        city="real",
        source=SourceOptions(profile=read_profile("malawi-sdg")),
        skip_errors=True,
    )
    assert result.rows_read == 23_112
    frame = result.findings.frame()
    # The publisher's known answer: 151 rows repeat an earlier one in every column.
    assert (frame["code"] == "row_repeated").sum() == 151
    assert (result.rows_loaded, result.rows_rejected) == (23_112 - 151, 151)
    assert "value_unmapped" not in set(frame["code"])
    # The publisher counts 21,243 of them; those outside the grid are among the rejected.
    pits = connection.execute(text("SELECT count(*) FROM household WHERE toilet_type = 'pit_no_slab'")).scalar_one()
    assert 21_243 - result.rows_rejected <= pits <= 21_243


@pytest.fixture
def dowa(connection: Connection, tmp_path: Path, real_files: Path) -> tuple[Path, pd.DataFrame]:
    """The raw latrine survey, whose latitudes lost their minus, and its clean twin, around which a city is drawn."""
    folder = real_files / "mw_dowa_latrines"
    clean = pd.read_csv(folder / "dowalatrinesurvey.csv")
    around = shapely.union_all(shapely.buffer(shapely.points(clean["longitude"], clean["latitude"]), 0.01))
    parts = shapely.get_parts(around)
    city = gpd.GeoDataFrame({"code": [f"D{i}" for i in range(len(parts))]}, geometry=parts, crs="EPSG:4326")
    boundaries = f.write_boundaries(tmp_path / "dowa.gpkg", city)
    draw_city(connection, tmp_path, boundaries, BoundaryColumns(settlement_code="code"))
    return folder / "Dowa Household Latrine survey.csv", clean


def test_dowa_lost_minus_is_named(connection: Connection, tmp_path: Path, dowa: tuple[Path, pd.DataFrame]) -> None:
    source = SourceOptions(read=ReadOptions(encoding="latin-1"))
    with pytest.raises(ErrorsFound) as raised, connection.begin_nested():
        f.load(connection, tmp_path, dowa[0], city="real", source=source)
    result = raised.value.result
    errors = result.findings.frame().query("severity == 'error'")
    assert (len(errors), result.rows_rejected, set(errors["code"])) == (89, 89, {"latitude_sign_lost"})


def test_dowa_with_fix_lies_where_the_clean_file_says(
    connection: Connection, tmp_path: Path, dowa: tuple[Path, pd.DataFrame]
) -> None:
    source = SourceOptions(read=ReadOptions(encoding="latin-1"), fix=True)
    result = f.load(connection, tmp_path, dowa[0], city="real", source=source)
    assert (result.rows_loaded, result.rows_rejected) == (89, 0)
    assert (result.findings.frame()["code"] == "position_fixed").sum() == 89
    stored = connection.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM household ORDER BY row_number")).all()
    assert np.allclose(np.array([tuple(row) for row in stored]), dowa[1][["longitude", "latitude"]].to_numpy())


def test_mumbai_repairs_exactly_the_invalid_shapes(real_files: Path) -> None:
    """26 shapes are invalid: 25 rings cross themselves, one has no area, which no repair can give it."""
    path = real_files / "in_mumbai_slum_clusters" / "slumClusters.geojson"
    found = read_boundaries(path, ReadOptions(), BoundaryColumns(settlement_code="polyno"))
    frame = found.findings.frame()
    codes = frame["code"].value_counts()
    assert (found.rows_read, codes["geometry_repaired"], codes["geometry_unusable"]) == (2542, 25, 1)
    # One polygon is smaller than a square metre.
    assert codes["area_implausible"] >= 1
    shapes = gpd.read_file(path)
    shapes = shapes[shapes.is_valid]
    inside = gpd.sjoin(shapes, shapes, predicate="within")
    inside = inside[inside.index != inside["index_right"]]
    assert len(inside) > 100
    assert set(inside.index + 1) <= set(frame.loc[frame["code"] == "boundary_nested", "row_number"])


def sao_vicente(path: Path) -> BoundariesRead:
    return read_boundaries(path, ReadOptions(), BoundaryColumns(settlement_code="cd_fcu", settlement_name="nome"))


def test_sao_vicente_shapefile_and_geojson_are_the_same(real_files: Path) -> None:
    folder = real_files / "br_ibge_favelas_sao_vicente"
    one, other = (sao_vicente(folder / f"favelas.{suffix}").frame for suffix in ("shp", "geojson"))
    assert len(one) == 38
    one, other = one.set_index("code").sort_index(), other.set_index("code").sort_index()
    assert list(one.index) == list(other.index)
    assert list(one["name"]) == list(other["name"])
    assert any("ç" in name or "ã" in name or "ú" in name for name in one["name"])
    assert np.allclose(one["area_m2"].to_numpy(float), other["area_m2"].to_numpy(float), rtol=1e-4)


def test_paraguay_reads(real_files: Path) -> None:
    path = real_files / "py_techo_asuncion" / "central.zip"
    found = read_boundaries(
        path, ReadOptions(encoding="latin-1"), BoundaryColumns(settlement_code="id", settlement_name="nombre")
    )
    assert found.rows_read == 375
    codes = found.findings.frame()["code"].value_counts()
    assert codes["settlement_code_missing"] == 50
    assert not any(str(code).endswith(".0") for code in found.frame["code"])


@pytest.mark.filterwarnings("ignore")
def test_every_real_file_reads_or_is_refused(real_files: Path) -> None:
    """No file of any kind ends in anything but rows or a sentence."""
    tried, refused = 0, []
    for path in sorted(p for p in real_files.rglob("*") if p.is_file()):
        tried += 1
        try:
            with open_layer(path, ReadOptions()) as layer:
                columns = layer.columns
                for batch in layer.batches:
                    assert set(batch.columns) == set(columns)
            if layer.has_geometry and columns:
                read_boundaries(path, ReadOptions(crs="EPSG:4326"), BoundaryColumns(settlement_code=columns[0]))
        except VastiError as error:
            sentence = str(error)
            refused.append(sentence)
    assert tried > 150
    assert 0 < len(refused) < tried
    assert all(sentence and "\n" not in sentence for sentence in refused)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("big5", "國語"),
        ("euckr", "한국말"),
        ("koi8r", "русский"),
        ("latin2", "čeština"),
        ("shiftjis", "カタカナひらがな"),
        ("win1251", "РУССКИЙ"),
        ("win874", "ภาษาไทย"),
    ],
)
def test_dbf_of_another_script(real_files: Path, name: str, text: str) -> None:
    """Tables in the encodings of other scripts, declared as people declare them."""
    with open_layer(real_files / "awkward_gis" / "mapshaper" / "dbf_cpg" / f"{name}.dbf", ReadOptions()) as layer:
        (batch,) = layer.batches
        assert batch.columns["NAME"].to_pylist() == [text]
        assert layer.notes == []


@pytest.mark.filterwarnings("ignore")
def test_dbf_declared_by_its_language_byte(real_files: Path) -> None:
    path = real_files / "awkward_gis" / "mapshaper" / "dbf_ldid" / "chinese.shp"
    with open_layer(path, ReadOptions()) as layer:
        (batch,) = layer.batches
        (values,) = ([v for v in column.to_pylist() if v] for column in batch.columns.values())
        assert any("\u4e00" <= c <= "\u9fff" for c in values[0])


def test_gba_register_reads_shapes_as_text(real_files: Path) -> None:
    """999 rows below a header within the publisher's own JSON, with shapes as KML writes them."""
    path = real_files / "ar_gba_registry_2015" / "mockedData.json"
    columns = BoundaryColumns(settlement_code="cod_folio", shape="coordenadas")
    with open_layer(path, ReadOptions()) as layer:
        assert {"-", "-_2"} <= set(layer.columns)
    found = read_boundaries(path, ReadOptions(), columns)
    assert found.rows_read == 999
    assert "shape_unreadable" not in set(found.findings.frame()["code"])
    assert found.rows_kept > 900
