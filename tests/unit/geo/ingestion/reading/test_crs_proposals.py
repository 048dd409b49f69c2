"""Which CRS a file's positions may be in, told from where they would lie."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
from shapely.geometry import box

from geo.base import Extent
from geo.errors import UnknownCRS
from geo.ingestion.loading import SourceOptions, read_boundaries
from geo.ingestion.loading.observe import observe
from geo.ingestion.placing import Placement
from geo.ingestion.reading import ReadOptions
from geo.ingestion.reading.crs_proposals import propose
from geo.places import Places
from tests.support import factories as f

PUNE = Extent(73.7, 18.5, 73.9, 18.7)


def in_crs(code: int, city: Extent = PUNE) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(city.west, city.east, 50), rng.uniform(city.south, city.north, 50)
    x, y = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    return np.asarray(x), np.asarray(y)


@pytest.mark.parametrize(
    ("city", "code"),
    [
        (PUNE, 4326),
        (PUNE, 32643),
        (PUNE, 3857),
        (PUNE, 7767),  # Maharashtra's own grid
        (Extent(-58.6, -34.8, -58.3, -34.5), 32721),
        (Extent(-58.6, -34.8, -58.3, -34.5), 22185),  # Argentina's strip 5
        (Extent(34.0, -13.6, 34.2, -13.4), 32736),
        (Extent(-46.5, -24.0, -46.3, -23.9), 31983),  # SIRGAS 2000, zone 23S
    ],
)
def test_propose_finds_the_crs(city: Extent, code: int) -> None:
    found = propose(*in_crs(code, city), city)
    assert 1 <= len(found) <= 3
    lon, lat = (city.west + city.east) / 2, (city.south + city.north) / 2
    x, y = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    # A grid and its twin on another datum differ by some hundred metres: either may be named.
    back = [pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y) for crs in found]
    assert min(abs(a - lon) + abs(b - lat) for a, b in back) < 0.01


def test_propose_names_the_usual_one_first() -> None:
    assert propose(*in_crs(32643), PUNE)[0].to_epsg() == 32643
    assert propose(*in_crs(3857), PUNE)[0].to_epsg() == 3857


def test_propose_nothing_where_nothing_fits() -> None:
    assert propose(np.array([10.0, 11.0]), np.array([10.0, 11.0]), PUNE) == []
    assert propose(np.array([5.0, 6.0]) * 1e8, np.array([5.0, 6.0]) * 1e8, PUNE) == []
    assert propose(np.array([np.nan]), np.array([np.nan]), PUNE) == []


def test_propose_without_a_city_tells_degrees() -> None:
    assert [crs.to_epsg() for crs in propose(*in_crs(4326), None)] == [4326]
    assert [crs.to_epsg() for crs in propose(*in_crs(3857), None)] == [3857]
    assert propose(*in_crs(32643), None) == []


def city_places() -> Places:
    city = f.small_city()
    return Places(list(city["settlement_code"]), list(city["settlement_name"]), city.geometry.to_numpy())


def observed(path: Path, **read: str) -> int:
    source = SourceOptions(read=ReadOptions(**read))
    return sum(len(placed.settlement) for placed in observe(path, city_places(), source, lambda _: None, None))


def without_prj(folder: Path, epsg: int) -> Path:
    path = f.write_shapefile(folder / "parts", f.points(f.households()).to_crs(epsg))
    path.with_suffix(".prj").unlink()
    return f.zip_folder(folder / "households.zip", path.parent)


def test_observe_without_prj_names_the_likely_crs(tmp_path: Path) -> None:
    path = without_prj(tmp_path, 32643)
    with pytest.raises(UnknownCRS, match=r"households\.zip does not say .*\.prj.* in the city with EPSG:32643 .*--crs"):
        observed(path)
    assert observed(path, crs="EPSG:32643") == 48


def test_observe_wrong_prj_is_one_sentence(tmp_path: Path) -> None:
    frame = f.points(f.households()).to_crs(32643).set_crs(32736, allow_override=True)
    frame.to_file(tmp_path / "rows.gpkg")
    with pytest.raises(UnknownCRS, match=r"rows\.gpkg: taken as EPSG:32736 .*far from .*EPSG:32643 .*--crs"):
        observed(tmp_path / "rows.gpkg")


def test_observe_metres_in_degree_columns_is_one_sentence(tmp_path: Path) -> None:
    frame = f.points(f.households()).to_crs(32643)
    rows = [{**row, "longitude": p.x, "latitude": p.y} for row, p in zip(f.households(), frame.geometry, strict=True)]
    path = f.write_csv(tmp_path / "rows.csv", [{**row, "settlement_code": None} for row in rows])
    with pytest.raises(UnknownCRS, match=r"rows\.csv: taken as EPSG:4326 .*EPSG:32643"):
        observed(path)
    assert observed(path, crs="EPSG:32643") == 48


def test_observe_some_positions_lost_stay_findings(tmp_path: Path) -> None:
    rows = f.households()
    rows[0] |= {"longitude": 377000.0, "latitude": 2055000.0, "settlement_code": None}
    assert observed(f.write_csv(tmp_path / "rows.csv", rows)) == 47


@pytest.mark.parametrize("placement", ["declared", "position"])
def test_observe_in_the_right_crs_is_not_refused(tmp_path: Path, placement: Placement) -> None:
    """Also where twins of the CRS would do as well, and where no row is placed by its position."""
    f.points(f.households()).to_crs(32643).to_file(tmp_path / "rows.gpkg")
    source = SourceOptions(placement=placement)
    kept = [len(p.settlement) for p in observe(tmp_path / "rows.gpkg", city_places(), source, lambda _: None, None)]
    assert sum(kept) == 48


def boundaries(path: Path, known: Places | None = None, **read: str) -> int:
    return len(read_boundaries(path, ReadOptions(**read), None, known).frame)


def test_read_boundaries_without_prj_by_what_the_city_has(tmp_path: Path) -> None:
    path = f.write_shapefile(tmp_path, f.small_city().to_crs(32643))
    path.with_suffix(".prj").unlink()
    with pytest.raises(UnknownCRS, match=r"in the city with EPSG:32643"):
        boundaries(path, city_places())
    with pytest.raises(UnknownCRS, match=r"UTM zone.*EPSG:326"):
        boundaries(path)
    assert boundaries(path, crs="EPSG:32643") == 4


def test_read_boundaries_metres_said_to_be_degrees(tmp_path: Path) -> None:
    frame = f.small_city().to_crs(32643).set_crs(4326, allow_override=True)
    frame.to_file(tmp_path / "city.gpkg")
    with pytest.raises(UnknownCRS, match=r"taken as EPSG:4326 .*outside the world; .*EPSG:326"):
        boundaries(tmp_path / "city.gpkg")
    with pytest.raises(UnknownCRS, match=r"outside the world; .*EPSG:32643"):
        boundaries(tmp_path / "city.gpkg", city_places())


def test_read_boundaries_far_from_the_city_in_a_wrong_crs(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(f.small_city()).to_crs(32643).set_crs(32736, allow_override=True)
    frame.to_file(tmp_path / "city.gpkg")
    with pytest.raises(UnknownCRS, match=r"far from the city's settlements; .*EPSG:32643"):
        boundaries(tmp_path / "city.gpkg", city_places())


def test_read_boundaries_a_new_part_of_the_city_is_no_mistake(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["N"]}, geometry=[box(73.99, 18.9, 74.0, 18.91)], crs="EPSG:4326")
    frame.to_file(tmp_path / "new.gpkg")
    assert boundaries(tmp_path / "new.gpkg", city_places()) == 1
