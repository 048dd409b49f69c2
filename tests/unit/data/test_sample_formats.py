"""Sample cities of any size: every format, standard fields, exact shares across batches."""

import tomllib
from pathlib import Path
from typing import get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.sample import households as stream
from data.sample.city import write_sample
from data.sample.quotas import calibrate_counts, shuffle_positions, split_total
from data.sample.standard_files import FileFormat, TooManyHouseholds
from geo.fields import standard_fields
from tests.support.project import ROOT

PROFILES = ROOT / "data" / "profiles"
FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
UTM = "EPSG:32643"


def read_frame(path: Path) -> gpd.GeoDataFrame:
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    if path.suffix == ".csv":
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
        points = gpd.points_from_xy(table.pop("longitude"), table.pop("latitude"))
        return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326").to_crs(UTM)
    return gpd.read_file(path)


def rename_from_shapefile(frame: gpd.GeoDataFrame, profile: str | None) -> gpd.GeoDataFrame:
    if profile is None:
        return frame
    table = tomllib.loads((PROFILES / f"{profile}.toml").read_text(encoding="utf-8"))
    names = {mapping["column"]: field for field, mapping in table["fields"].items()}
    return frame.rename(columns=names)


@pytest.mark.parametrize("file_format", FORMATS)
def test_write_sample_honours_sizes_in_each_format(
    file_format: FileFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH_HOUSEHOLDS", 700)
    written: list[int] = []
    sample = write_sample(tmp_path, settlements=35, households=2_000, file_format=file_format, progress=written.append)
    assert written == [700, 700, 600]

    (survey,) = sample.surveys
    frame = read_frame(survey.path)
    boundaries_gdf = read_frame(sample.boundaries.path).to_crs(UTM)
    if file_format == "shapefile":
        frame = rename_from_shapefile(frame, survey.profile)
        boundaries_gdf = boundaries_gdf.rename(columns={"settl_code": "settlement_code"})
    assert len(frame) == 2_000 == survey.households
    assert len(boundaries_gdf) == 35
    assert frame.crs == UTM
    assert frame["household_code"].is_unique

    fields = standard_fields()
    assert set(frame.columns.drop("geometry")) <= set(fields)
    for name in frame.columns.intersection([name for name, field in fields.items() if field.codes]):
        assert set(frame[name].dropna()) <= set(fields[name].codes)

    shapes = boundaries_gdf.set_index("settlement_code").geometry
    away_m = shapely.distance(shapes.loc[frame["declared_settlement_code"]].to_numpy(), frame.geometry.to_numpy())
    assert away_m.max() < 0.1

    met = frame[frame["interview_result"] == "completed"]
    none, users, location = met["toilet_type"] == "none", met["toilet_users"], met["toilet_location"]
    own = (users == "own") & (location == "on_premises") & ~none
    known = own | none | (users.notna() & (users != "own")) | (location == "elsewhere")
    assert round(100 * own.sum() / known.sum(), 1) == 52.0
    assert round(100 * met["drainage"].dropna().ne("none").mean(), 1) == 69.0


@pytest.mark.parametrize("file_format", FORMATS)
def test_write_sample_twice_gives_the_same_bytes(file_format: FileFormat, tmp_path: Path) -> None:
    first, second = (
        write_sample(tmp_path / name, settlements=12, households=300, file_format=file_format) for name in ("a", "b")
    )
    assert first.boundaries.path.read_bytes() == second.boundaries.path.read_bytes()
    assert first.surveys[0].path.read_bytes() == second.surveys[0].path.read_bytes()


def test_write_sample_replaces_what_was_there(tmp_path: Path) -> None:
    for _ in range(2):
        sample = write_sample(tmp_path, settlements=5, households=40, file_format="geopackage")
    assert len(gpd.read_file(sample.surveys[0].path)) == 40


def test_write_sample_refuses_a_shapefile_beyond_two_gigabytes(tmp_path: Path) -> None:
    with pytest.raises(TooManyHouseholds, match="at most 2 GB"):
        write_sample(tmp_path / "new", households=10_000_000, file_format="shapefile")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("settlements", "households"), [(1, 1), (1, 500), (60, 7), (3, 90)])
def test_write_sample_of_any_small_size(settlements: int, households: int, tmp_path: Path) -> None:
    sample = write_sample(tmp_path, settlements=settlements, households=households, file_format="geoparquet")
    assert len(gpd.read_parquet(sample.boundaries.path)) == settlements
    assert len(gpd.read_parquet(sample.surveys[0].path)) == households
    assert len(write_sample(tmp_path / "demo", settlements=settlements, households=households).surveys) == 2


def test_split_total_adds_up() -> None:
    assert split_total(10, np.array([1.0, 1.0, 1.0])).tolist() == [4, 3, 3]
    assert split_total(0, np.array([1.0, 2.0])).tolist() == [0, 0]


def test_calibrate_counts_meets_the_share_within_sizes() -> None:
    sizes = np.array([4, 50, 946])
    counts = calibrate_counts(sizes, np.array([9.0, -9.0, 0.0]), 0.25)
    assert counts.sum() == 250
    assert (counts <= sizes).all()
    assert counts[0] == 4
    assert counts[1] == 0


def test_shuffle_positions_meets_every_position_once() -> None:
    sizes = np.array([1, 2, 7, 10, 144])
    settlement = np.repeat(np.arange(5, dtype=np.int32), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    position = shuffle_positions(settlement, number, sizes, turn=3)
    for place, size in enumerate(sizes):
        assert sorted(position[settlement == place]) == list(range(size))
