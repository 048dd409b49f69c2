"""A limit of rows holds in every reader, whether or not the file says how many it has."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geo.errors import UnreadableFile
from geo.ingestion.reading import FORMATS, open_layer
from geo.ingestion.reading.layer import LimitedReadOptions
from tests.support import factories as f

N = 12


def table() -> pd.DataFrame:
    return pd.DataFrame({"code": [f"H{i}" for i in range(N)], "drainage": ["open"] * N})


def shapes() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table(), geometry=[shapely.Point(73.8, 18.5 + i / 1000) for i in range(N)], crs="EPSG:4326")


def drawn(path: Path) -> Path:
    shapes().to_file(path, engine="pyogrio")
    return path


def csv(path: Path, separator: str = ",") -> Path:
    table().to_csv(path, index=False, sep=separator)
    return path


def gzipped(path: Path) -> Path:
    path.write_bytes(gzip.compress(table().to_csv(index=False).encode()))
    return path


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", table().to_csv(index=False))
    return path


def sheet(path: Path) -> Path:
    return f.write_sheet(path, {"rows": [list(table().columns), *table().to_numpy().tolist()]})


def lines(path: Path) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in table().to_dict("records")))
    return path


def listed(path: Path) -> Path:
    path.write_text(json.dumps(table().to_dict("records")))
    return path


def kml(path: Path) -> Path:
    marks = "".join(
        f"<Placemark><name>H{i}</name><Point><coordinates>73.8,18.5{i:02}</coordinates></Point></Placemark>"
        for i in range(N)
    )
    path.write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>')
    return path


def parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pandas(table()), path)
    return path


def malformed(path: Path) -> Path:
    path.write_text("code,drainage\n" + "H,open,too much\n" * N)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "rows.csv": csv,
    "rows.tsv": lambda path: csv(path, "\t"),
    "rows.csv.gz": gzipped,
    "rows.zip": zipped,
    "rows.xlsx": sheet,
    "rows.json": listed,
    "rows.ndjson": lines,
    "rows.parquet": parquet,
    "shapes.gpkg": drawn,
    "shapes.fgb": drawn,
    "shapes.geojson": drawn,
    "shapes.shp": drawn,
    "shapes.kml": kml,
}


def read(path: Path, max_rows: int) -> int:
    with open_layer(path, LimitedReadOptions(max_rows=max_rows)) as layer:
        return sum(len(batch.row_numbers) for batch in layer.batches)


@pytest.mark.parametrize("name", FILES)
def test_m6_a_file_with_more_rows_than_it_may_have_is_refused(tmp_path: Path, name: str) -> None:
    path = FILES[name](tmp_path / name)
    assert path.suffix in FORMATS
    assert read(path, N) == N
    with pytest.raises(UnreadableFile) as refused:
        read(path, N - 1)
    assert str(refused.value) == (
        f"{name} has more than {N - 1} rows, the most that are read of one file; send it in parts."
    )


def test_m6_rows_that_are_no_rows_count_too(tmp_path: Path) -> None:
    path = malformed(tmp_path / "malformed.csv")
    with pytest.raises(UnreadableFile, match="has more than 11 rows"):
        read(path, N - 1)


def test_m6_a_file_of_a_few_kilobytes_is_refused_before_its_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "millions.parquet"
    code = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000_000, type=pa.int8()), pa.array(["01"]))
    pq.write_table(pa.table({"settlement_code": code}), path, compression="zstd")
    assert path.stat().st_size < 20_000
    with (
        pytest.raises(UnreadableFile, match="has more than 2,000,000 rows"),
        open_layer(path, LimitedReadOptions(max_rows=2_000_000)),
    ):
        pass
