"""The demonstration's files: the same each time, calibrated, and read through their own mapping profiles."""

import csv
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from data.sample.city import SampleFiles, SampleSizeInvalid, SampleSurvey, write_sample
from data.sample.practice import write_practice
from geo.fields import standard_fields
from tests.support.project import ROOT

PROFILES = ROOT / "data" / "profiles"
SAMPLE_PROFILES = ("sample-shapefile", "sample-kobo", "sample-standard-shapefile")
UTM = "EPSG:32643"
NEAR_M = 15.0


@dataclass(frozen=True)
class Read:
    """One round read back: raw cells, standard values (None where not known) and positions."""

    raw: pd.DataFrame
    standard: pd.DataFrame
    points: gpd.GeoSeries


def read_profile(name: str) -> dict[str, Any]:
    return tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))


def read_cells(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            raw = pd.DataFrame(list(csv.DictReader(file)), dtype=object)
        lon, lat = raw["_gps_longitude"].astype(float), raw["_gps_latitude"].astype(float)
        return raw, gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(UTM)
    frame = gpd.read_file(path)
    cells = {
        name: ["" if pd.isna(v) else str(int(v)) if isinstance(v, float) else str(v) for v in frame[name]]
        for name in frame.columns.drop("geometry")
    }
    return pd.DataFrame(cells, dtype=object), frame.geometry


def read_standard(text: str, mapping: dict[str, Any], kind: str) -> Any:
    """A cell as a standard value; a label the profile does not list is an error here."""
    values = mapping.get("values", {})
    if text == "" or values.get(text) == "unknown":
        return None
    if text in values:
        return values[text]
    if kind == "date":
        return datetime.strptime(text, mapping.get("format", "%Y-%m-%d")).date()
    if kind in ("integer", "number"):
        return float(text)
    assert kind == "text", f"{mapping['column']}: {text!r} is not listed"
    return text


def read_round(survey: SampleSurvey) -> Read:
    assert survey.profile is not None
    profile, fields = read_profile(survey.profile), standard_fields()
    raw, points = read_cells(survey.path)
    standard = {
        field: pd.Series(
            [read_standard(text, mapping, fields[field].type) for text in raw[mapping["column"]]], dtype=object
        )
        for field, mapping in profile["fields"].items()
    }
    return Read(raw, pd.DataFrame(standard), points)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    return write_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def settlements_gdf(sample: SampleFiles) -> gpd.GeoDataFrame:
    return gpd.read_file(sample.boundaries.path)


@pytest.fixture(scope="module")
def rounds(sample: SampleFiles) -> list[Read]:
    return [read_round(survey) for survey in sample.surveys]


def test_write_sample_twice_gives_the_same_bytes(sample: SampleFiles, tmp_path: Path) -> None:
    again = write_sample(tmp_path)
    for before, after in zip((sample.boundaries, *sample.surveys), (again.boundaries, *again.surveys), strict=True):
        assert before.path.name == after.path.name
        assert before.path.read_bytes() == after.path.read_bytes()


def test_write_sample_with_another_seed_differs(sample: SampleFiles, tmp_path: Path) -> None:
    other = write_sample(tmp_path, seed=8)
    assert other.boundaries.path.read_bytes() != sample.boundaries.path.read_bytes()


def test_write_sample_refuses_an_empty_city(tmp_path: Path) -> None:
    with pytest.raises(SampleSizeInvalid, match="at least one settlement"):
        write_sample(tmp_path, settlements=0)


@pytest.mark.parametrize(("number", "toilets", "drainage"), [(0, 9.0, 24.0), (1, 52.0, 69.0)])
def test_city_shares_are_the_calibrated_ones(rounds: list[Read], number: int, toilets: float, drainage: float) -> None:
    met = rounds[number].standard
    met = met[met["interview_result"] == "completed"]
    none, users, location = met["toilet_type"] == "none", met["toilet_users"], met["toilet_location"]
    own = (users == "own") & (location == "on_premises") & ~none
    known_no = none | (users.notna() & (users != "own")) | (location == "elsewhere")
    assert round(100 * own.sum() / (own | known_no).sum(), 1) == toilets
    drain = met["drainage"].dropna()
    assert round(100 * drain.isin(["closed", "open"]).mean(), 1) == drainage
    assert 0.005 < 1 - len(drain) / len(met) < 0.03
    assert 0.005 < 1 - (own | known_no).mean() < 0.03


def test_service_has_a_spatial_pattern(rounds: list[Read]) -> None:
    met = rounds[1].standard
    met = met[met["toilet_users"].notna() | (met["toilet_type"] == "none")]
    own = (met["toilet_users"] == "own").groupby(met["declared_settlement_code"]).agg(["mean", "size"])
    shares = own["mean"][own["size"] >= 10]
    assert (shares > 0.95).sum() >= 3
    assert (shares < 0.05).sum() >= 3
    assert 0.3 < shares.median() < 0.7


def test_a_handful_of_settlements_have_fewer_than_ten_answers(rounds: list[Read]) -> None:
    for visited in rounds:
        met = visited.standard[visited.standard["interview_result"] == "completed"]
        assert 3 <= (met["declared_settlement_code"].value_counts() < 10).sum() <= 8


def test_answers_agree_with_each_other(rounds: list[Read]) -> None:
    for visited in rounds:
        answers = visited.standard
        without = answers[answers["toilet_type"] == "none"]
        assert len(without) > 100
        assert without[["toilet_location", "toilet_users", "toilet_working"]].isna().all(axis=None)
        packaged = answers["water_source"].isin(["bottled", "sachet"])
        assert packaged.sum() > 50
        assert answers["water_source_other_uses"][packaged].notna().mean() > 0.95
        assert answers["water_source_other_uses"][~packaged].isna().all()
        assert not ((answers["internet"] == True) & (answers["device"] == False)).any()  # noqa: E712
        absent = answers[answers["interview_result"] != "completed"]
        assert (
            absent.drop(columns=["interview_result", "household_code", "declared_settlement_code", "interviewed_on"])
            .isna()
            .all(axis=None)
        )
        assert 0 < len(absent) < 0.05 * len(answers)


def test_values_lie_within_the_standard_fields(rounds: list[Read]) -> None:
    for visited in rounds:
        for name, column in visited.standard.items():
            field, values = standard_fields()[str(name)], column.dropna()
            if field.codes:
                assert set(values) <= set(field.codes)
            if field.type == "boolean":
                assert set(values) <= {True, False}
            if field.min is not None and field.max is not None:
                assert values.between(field.min, field.max).all()


def test_households_are_mostly_the_same_in_both_rounds(rounds: list[Read], sample: SampleFiles) -> None:
    first, second = (set(visited.standard["household_code"]) for visited in rounds)
    assert len(first) == len(rounds[0].standard) == sample.surveys[0].households == 6000
    assert len(second) == len(rounds[1].standard) == sample.surveys[1].households == 6000
    assert 0.75 < len(first & second) / len(first) < 0.95
    assert second - first


def test_a_toilet_once_built_mostly_stays(rounds: list[Read]) -> None:
    both = rounds[0].standard.merge(rounds[1].standard, on="household_code", suffixes=("_2018", "_2024"))
    had = both[(both["toilet_users_2018"] == "own") & both["toilet_users_2024"].notna()]
    assert (had["toilet_users_2024"] == "own").mean() > 0.9


def test_interviews_lie_in_the_round(rounds: list[Read], sample: SampleFiles) -> None:
    for visited, survey in zip(rounds, sample.surveys, strict=True):
        days = visited.standard["interviewed_on"]
        assert days.between(survey.starts_on, survey.ends_on).all()
        assert survey.starts_on.year == survey.ends_on.year == int(survey.survey)
        assert all(isinstance(day, date) and day.weekday() != 6 for day in days)


def test_positions_are_in_or_near_the_named_settlement(rounds: list[Read], settlements_gdf: gpd.GeoDataFrame) -> None:
    shapes = settlements_gdf.set_index("SETTL_CODE").geometry
    for visited in rounds:
        named = shapes.loc[visited.standard["declared_settlement_code"]].to_numpy()
        away_m = shapely.distance(named, visited.points.to_numpy())
        outside = away_m > 0.02
        assert away_m.max() < NEAR_M
        assert 3 <= outside.sum() <= 20
        elsewhere = shapely.STRtree(shapes.to_numpy()).query(visited.points.to_numpy()[outside], predicate="within")
        assert elsewhere.size == 0


def test_kobo_export_holds_what_such_exports_hold(rounds: list[Read]) -> None:
    raw = rounds[1].raw
    assert list(raw.columns[:3]) == ["start", "end", "today"]
    assert {"_id", "_uuid", "_submission_time", "__version__", "_gps_altitude", "_gps_precision"} <= set(raw.columns)
    assert raw["_uuid"].is_unique
    assert raw["_id"].is_unique
    assert all(len(position.split()) == 4 for position in raw["gps"])
    remarks = "".join(raw["remarks"])
    assert all(character in remarks for character in (",", '"', "\n", "पाणी"))
    assert not raw.isin(["n/a"]).any(axis=None)


@pytest.mark.parametrize("name", SAMPLE_PROFILES)
def test_profiles_name_only_standard_fields_and_codes(name: str) -> None:
    profile, fields = read_profile(name), standard_fields()
    assert profile["name"] == name
    assert profile["title"]
    for field, mapping in profile["fields"].items():
        assert mapping["column"]
        codes = {code for code in mapping.get("values", {}).values() if code != "unknown"}
        if fields[field].type == "boolean":
            assert codes <= {True, False}
        else:
            assert codes <= set(fields[field].codes)


def test_shapefile_names_have_ten_characters_at_most() -> None:
    for name in ("sample-shapefile", "sample-standard-shapefile"):
        profile = read_profile(name)
        columns = [*profile["boundaries"].values(), *(mapping["column"] for mapping in profile["fields"].values())]
        assert max(map(len, columns)) <= 10


def test_shapefiles_say_their_system_and_encoding(sample: SampleFiles) -> None:
    for path in (sample.boundaries.path, sample.surveys[0].path):
        found = pyogrio.read_info(path)
        assert found["crs"] == UTM
        assert found["encoding"] == "UTF-8"
        assert all(len(name) <= 10 for name in found["fields"])


def test_settlements_have_real_shapes(settlements_gdf: gpd.GeoDataFrame) -> None:
    shapes = settlements_gdf.geometry.to_numpy()
    area_ha = shapely.area(shapes) / 10_000
    assert len(shapes) == 60
    assert shapely.is_valid(shapes).all()
    assert 0.25 < area_ha.min() < area_ha.max() < 13
    assert (settlements_gdf.geom_type == "MultiPolygon").sum() == 1
    assert sum(shapely.get_num_interior_rings(shapely.get_parts(shapes))) == 1
    assert np.median(shapely.get_num_coordinates(shapes)) > 25
    # A circle has 1, a square 0.79: settlements are neither.
    roundness = 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2
    assert np.median(roundness) < 0.7


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_settlements_touch_but_do_not_overlap(seed: int, tmp_path: Path) -> None:
    gdf = gpd.read_file(write_sample(tmp_path, households=60, seed=seed, file_format="csv").boundaries.path).to_crs(UTM)
    shapes = gdf.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    shared = shapely.intersection(shapes[left], shapes[right])
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shared).max() < 0.1
    assert (shapely.length(shared) > 20).sum() >= 15


def test_neighbours_share_their_border_vertex_for_vertex(settlements_gdf: gpd.GeoDataFrame) -> None:
    assert shapely.coverage_is_valid(settlements_gdf.geometry.to_numpy())


def test_the_enclave_lies_in_the_hole(settlements_gdf: gpd.GeoDataFrame) -> None:
    shapes = settlements_gdf.geometry.to_numpy()
    (holed,) = [shape for shape in shapes if shape.geom_type == "Polygon" and shape.interiors]
    hole = shapely.Polygon(holed.interiors[0])
    assert sum(shape.representative_point().within(hole) for shape in shapes if shape is not holed) == 1


def test_names_come_in_several_scripts_and_codes_are_unique(settlements_gdf: gpd.GeoDataFrame) -> None:
    names = settlements_gdf["SETTL_NAME"]
    devanagari = names.str.contains(r"[\u0900-\u097f]")
    accented = ~devanagari & names.str.contains(r"[^\x00-\x7f]")
    assert devanagari.sum() >= 15
    assert accented.sum() >= 4
    assert (~devanagari & ~accented).sum() >= 10
    assert names.is_unique
    assert list(settlements_gdf["SETTL_CODE"]) == [f"S{n:03d}" for n in range(1, 61)]
    assert settlements_gdf.groupby("WARD_NO")["WARD_NAME"].nunique().eq(1).all()
    assert 5 <= settlements_gdf["WARD_NO"].nunique() <= 7


def test_a_few_settlements_are_as_dense_as_dharavi(rounds: list[Read], settlements_gdf: gpd.GeoDataFrame) -> None:
    answers = rounds[1].standard
    members = answers["members"].astype(float).groupby(answers["declared_settlement_code"]).sum()
    area_km2 = settlements_gdf.set_index("SETTL_CODE").area / 1e6
    density = (members / area_km2).sort_values()
    assert 120_000 < density.iloc[-1] < 400_000
    assert density.median() < 60_000


def test_write_practice_twice_is_the_same(tmp_path: Path) -> None:
    """The files have the mistakes they are there for, and the same seed makes the same households."""
    first, second = (write_practice(tmp_path / name, seed=7) for name in ("first", "second"))
    assert [path.name for path in first] == [path.name for path in second]
    for one, other in zip(first, second, strict=True):
        if one.suffix != ".xlsx":
            # A workbook carries the time it was written.
            assert one.read_bytes() == other.read_bytes()
    traced = gpd.read_file(tmp_path / "first" / "traced_from_pdf.geojson")
    assert (~traced.is_valid).sum() == 1
    assert traced.geometry.iloc[0].equals(traced.geometry.iloc[-1])
    with zipfile.ZipFile(first[0]) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".SHP", ".SHX", ".DBF"}
