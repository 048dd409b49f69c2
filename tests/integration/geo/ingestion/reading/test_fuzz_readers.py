"""Readers given damaged files of every format: rows or one sentence, never a traceback, a hang or a flood of memory."""

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.ingestion.reading import FORMATS
from tests.support import factories as f
from tests.support.fuzzing import Damage, Reader

ROWS = f.households(3, 4)
POINTS = f.points(ROWS)


def _vector(path: Path) -> Path:
    POINTS.to_file(path, engine="pyogrio")
    return path


def _shapefile_zip(path: Path) -> Path:
    return f.write_boundaries(path, f.small_city())


def _sheet(path: Path) -> Path:
    return f.write_sheet(path, {"rows": [list(ROWS[0]), *(list(row.values()) for row in ROWS)]})


def _kml(path: Path) -> Path:
    places = "".join(
        f"<Placemark><name>{row['household_code']}</name><Point><coordinates>{row['longitude']},{row['latitude']},5"
        f"</coordinates></Point></Placemark>"
        for row in ROWS
    )
    path.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>rows</name>{places}</Document></kml>')
    return path


def _kmz(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(_kml(path.with_suffix(".kml")), "doc.kml")
    return path


def _parquet(path: Path) -> Path:
    POINTS.to_parquet(path)
    return path


def _gzip(path: Path) -> Path:
    path.write_bytes(gzip.compress(f.write_csv(path.with_suffix(""), ROWS).read_bytes()))
    return path


def _dbf(path: Path) -> Path:
    shapefile = f.write_shapefile(path.parent / "shapes", f.small_city())
    path.write_bytes(shapefile.with_suffix(".dbf").read_bytes())
    return path


def _sequence(path: Path) -> Path:
    POINTS.to_file(path, driver="GeoJSONSeq", engine="pyogrio")
    return path


def _json_table(path: Path) -> Path:
    path.write_text(json.dumps({"results": ROWS}), encoding="utf-8")
    return path


SEEDS: dict[str, Callable[[Path], Path]] = {
    ".zip": _shapefile_zip,
    ".gpkg": _vector,
    ".geojson": _vector,
    ".json": _json_table,
    ".geojsonl": _sequence,
    ".kml": _kml,
    ".kmz": _kmz,
    ".fgb": _vector,
    ".parquet": _parquet,
    ".dbf": _dbf,
    ".csv.gz": _gzip,
    ".csv": lambda path: f.write_csv(path, ROWS),
    ".tsv": lambda path: f.write_csv(path, ROWS, sep="\t"),
    ".xlsx": _sheet,
}
"""A small whole file of each format."""


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.end()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("seeds")
    return {suffix: write(folder / f"seed{suffix}") for suffix, write in SEEDS.items()}


BYTES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        [b'"', b"\x00", b"\n", b"{", b"]", b"<", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"-1e999", b"NaN"]
    ),
)

# Bytes put in place of as many others, as in most damage that gets past the first look, or of none, or of more.
CUT = st.tuples(st.floats(0, 1, exclude_max=True), st.one_of(st.none(), st.integers(0, 64)), BYTES).map(
    lambda cut: (cut[0], len(cut[2]) if cut[1] is None else cut[1], cut[2])
)

DAMAGES = st.builds(
    Damage,
    st.lists(CUT, min_size=1, max_size=5).map(tuple),
    st.one_of(st.just(1.0), st.floats(0.01, 1)),
    st.one_of(st.none(), st.floats(0, 1, exclude_max=True)),
)


@pytest.mark.parametrize("suffix", SEEDS)
def test_read_seed(suffix: str, seeds: dict[str, Path], reader: Reader) -> None:
    """The files that are then damaged are whole."""
    assert reader.read(seeds[suffix]) == "read"


@pytest.mark.parametrize("suffix", SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGES)
def test_read_damaged(suffix: str, damage: Damage, seeds: dict[str, Path], reader: Reader, tmp_path: Path) -> None:
    reader.read(damage.copy(seeds[suffix], tmp_path / f"damaged{suffix}"))


@pytest.mark.parametrize("suffix", FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode())))
def test_read_anything(suffix: str, content: bytes, reader: Reader, tmp_path: Path) -> None:
    """Bytes that were never a file of this format."""
    path = tmp_path / f"anything{suffix}"
    path.write_bytes(content)
    reader.read(path)
