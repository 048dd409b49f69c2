"""What reading a file takes of memory, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

PEAK = """
import sys
from pathlib import Path
import pyarrow as pa
from geo.ingestion.reading.formats import open_layer
from geo.ingestion.reading.layer import ReadOptions
with open_layer(Path(sys.argv[1]), ReadOptions()) as layer:
    rows = sum(len(batch.row_numbers) for batch in layer.batches)
print(rows, pa.default_memory_pool().max_memory() >> 20)
"""


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_does_not_grow_with_rows(tmp_path: Path, kind: str) -> None:
    """Four times the rows, 140 MB of text more, are read in the same memory: what Arrow held at its fullest."""
    peaks = []
    for n in (300_000, 1_200_000):
        path = tmp_path / f"rows.{kind}"
        texts = pa.array([f"H{i:07}" for i in range(n)])
        table = pa.table({"a": pc.binary_join_element_wise(texts, "y" * 150, "-"), "b": pa.array([1] * n)})
        if kind == "csv":
            pa.csv.write_csv(table, path)
        else:
            pq.write_table(table, path)
        found = subprocess.run([sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True)
        rows, peak = map(int, found.stdout.split())
        assert rows == n
        peaks.append(peak)
    assert peaks[1] <= peaks[0] + 8
