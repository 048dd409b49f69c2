"""A household on several rows of a file without codes and positions is told before it counts several times."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.loading.same_household import SameHousehold
from geo.ingestion.mapping import Mapper
from geo.ingestion.mapping.standard_columns import standard_profile
from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.factories import write_csv

TOILETS, DRAINS, SOURCES = ["vip", "none", "pit_slab"], ["closed", "open", "none"], ["borehole", "tanker", "kiosk"]


def household(n: int) -> dict[str, Any]:
    """The answers of one of many households, few of which are alike."""
    return {
        "settlement_code": f"A{n % 3}",
        "members": 2 + n % 7,
        "toilet_type": TOILETS[n % 3],
        "drainage": DRAINS[n // 3 % 3],
        "water_source": SOURCES[n // 5 % 3],
    }


def joined(n_households: int, *, key: bool) -> Iterator[dict[str, Any]]:
    """A row for each child, with all its household said."""
    for n in range(n_households):
        for child in range(1 + n % 3):
            known = {"start": f"2024-01-{1 + n % 28:02}T10:{n % 60:02}"} if key else {}
            yield {**known, **household(n), "child": f"c{n}-{child}", "age": (5 * n + child) % 17}


def found(tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[list[int], list[str]]:
    """The rows kept, and the kinds of findings."""
    path = write_csv(tmp_path / "rows.csv", rows)
    findings = Findings()
    with open_layer(path, ReadOptions()) as layer:
        mapper = Mapper(layer, standard_profile(layer.columns), ReadOptions(), path.name)
        (batch,) = layer.batches
        observations = mapper.map(batch, findings)
        SameHousehold().check(batch, observations, findings)
    return np.flatnonzero(~observations.rejected).tolist(), findings.frame()["code"].tolist()


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_row_for_each_child_is_one_household(tmp_path: Path, shuffled: bool) -> None:
    rows = list(joined(20, key=True))
    if shuffled:
        rows.sort(key=lambda row: row["age"])
    kept, codes = found(tmp_path, rows)
    assert len(kept) == 20
    assert {rows[at]["start"] for at in kept} == {row["start"] for row in rows}
    assert codes == ["household_repeated"] * (len(rows) - 20)


def test_rows_alike_are_told_where_nothing_names_the_household(tmp_path: Path) -> None:
    rows = list(joined(40, key=False))
    kept, codes = found(tmp_path, rows)
    assert (len(kept), codes) == (len(rows), ["rows_alike"])


@pytest.mark.parametrize(
    "extra",
    [
        # Interviewers and dates have many households, which answer otherwise; remarks come again.
        lambda n: {"enumerator": f"e{n % 5}", "on": f"2024-01-{1 + n % 9:02}"},
        lambda n: {"remark": "ok" if n % 2 else f"r{n}"},
        lambda n: {"household_code": f"h{n // 2}"},
        lambda n: {"start": f"t{n // 2}", "longitude": 73.8, "latitude": 18.6},
    ],
)
def test_households_of_their_own_are_kept(tmp_path: Path, extra: Any) -> None:
    rows = [{**household(7 * n), **extra(n)} for n in range(60)]
    kept, codes = found(tmp_path, rows)
    assert (len(kept), codes) == (60, [])


def test_settlements_that_answer_alike_are_no_households(tmp_path: Path) -> None:
    rows = [household(n // 3) | {"settlement_code": f"A{n // 3}"} for n in range(90)]
    assert "household_repeated" not in found(tmp_path, rows)[1]


def test_alike_households_are_no_proof(tmp_path: Path) -> None:
    """Where nearly all answer alike, that two of a lane do says nothing."""
    rows = [{"lane": f"l{n // 2}", "toilet_type": "none", "drainage": "none", "members": 5} for n in range(60)]
    assert found(tmp_path, rows)[1] == []
