"""What `suggest` proposes, a load takes; or the proposal itself says what a person must say first."""

import os
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest

from data.sample.city import write_sample
from geo.errors import VastiError
from geo.ingestion.findings import Findings
from geo.ingestion.loading import SourceOptions, read_boundaries
from geo.ingestion.loading.observe import choose_placement
from geo.ingestion.loading.source import open_source
from geo.ingestion.mapping import parse_profile
from geo.ingestion.reading import FORMATS, ReadOptions
from geo.ingestion.suggesting import suggest_profile, write_profile
from tests.support import factories as f

_SAYS_WHAT = ("No column is sure to", "name it with --crs", "The file has no rows")


def shared_files() -> Iterator[Path]:
    """The files of the folders of data and cases, where these are at hand."""
    for variable in ("VASTI_TEST_DATA", "VASTI_TEST_CASES"):
        folder = os.environ.get(variable)
        for path in sorted(Path(folder).rglob("*")) if folder else ():
            if path.suffix.lower() in FORMATS and path.is_file():
                yield path


def refusal(path: Path) -> str | None:
    """Why a load refuses the file with the profile that is proposed for it, where the proposal does not say it."""
    try:
        proposal = suggest_profile(path, ReadOptions())
    except VastiError:
        # The file cannot be read at all, and that is what is said.
        return None
    told = any(words in str(note) for note in proposal.notes for words in _SAYS_WHAT)
    profile = parse_profile(write_profile(proposal), "proposed.toml")
    options = SourceOptions(profile=profile, unit=proposal.unit)
    try:
        if profile.boundaries is not None:
            read_boundaries(path, ReadOptions(), profile)
        elif proposal.evidence.is_polygons and not told:
            return "it has outlines, and nothing is proposed of them"
        if profile.boundaries is None or profile.fields:
            with open_source(path, options, None) as source:
                choose_placement(source.mapper, options, path.name)
                for _, batch in source.batches(Findings()):
                    source.mapper.map(batch, Findings())
    except VastiError as error:
        return None if told else str(error)
    return None


@pytest.mark.filterwarnings("ignore")
def test_of_shared_files() -> None:
    files = list(shared_files())
    if not files:
        pytest.skip("VASTI_TEST_DATA and VASTI_TEST_CASES are not set")
    refused = {path.name: why for path in files if (why := refusal(path)) is not None}
    assert not refused


def test_of_generated_files(tmp_path: Path) -> None:
    files = write_sample(tmp_path / "files", settlements=6, households=120)
    assert [refusal(path) for path in (files.boundaries.path, *(s.path for s in files.surveys))] == [None] * 3


@pytest.mark.parametrize(
    "columns",
    [
        {"Settlement name": [*"abcd"]},
        {"Settlement name": [*"aabb"], "District": [*"xyxy"]},
        {"gid": [1, 2, 3, 4]},
        {"remarks": ["", "", "", "same"]},
        {"settlement_code": [*"abcd"], "Number of households": [5, 6, 7, 8], "Main toilet type": ["pit"] * 4},
    ],
)
def test_of_outlines(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    frame = gpd.GeoDataFrame(columns, geometry=f.small_city().geometry[:4], crs="EPSG:4326")
    assert refusal(f.write_boundaries(tmp_path / "outlines.gpkg", frame)) is None


@pytest.mark.parametrize(
    "row",
    [
        {"hh": "a", "Toilet type": "vip"},
        {"Toilet type": "vip", "long_x": 500_000.5, "lat_y": 18.6},
        {"Toilet type": "vip", "Settlement": "Riverside"},
        {"Number of households": 50, "Toilet type": "vip", "Village name": "Riverside"},
        {"a": 1},
    ],
)
def test_of_rows(tmp_path: Path, row: dict[str, object]) -> None:
    rows = [row, {**row, "note": "x"}]
    assert refusal(f.write_csv(tmp_path / "rows.csv", rows)) is None
