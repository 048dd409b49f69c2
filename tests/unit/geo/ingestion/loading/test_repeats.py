"""Rows that are the same as an earlier one, in one batch and across batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from geo.ingestion.findings import Findings
from geo.ingestion.loading.repeats import Keys, Repeats, fingerprints
from geo.ingestion.mapping import Observations
from geo.ingestion.reading import Batch

Row = tuple[float | None, float | None, str | None, str, str]
"""Longitude, latitude, household code, an answer, and a column no field uses."""


def read(rows: Sequence[Row], first: int) -> tuple[Batch, Observations]:
    lon, lat, code, answer, rest = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "lon": pa.array(lon, type=pa.float64()),
        "lat": pa.array(lat, type=pa.float64()),
        "code": pa.array(code, type=pa.string()),
        "answer": pa.array(answer),
        "rest": pa.array(rest),
    }
    numbers = np.arange(first, first + len(rows), dtype=np.int32)
    x, y = (np.array([np.nan if v is None else v for v in values]) for values in (lon, lat))
    fields = {"household_code": columns["code"], "drainage": columns["answer"]}
    observations = Observations(numbers, fields, None, x, y, np.zeros(len(rows), dtype=bool))
    return Batch(numbers, columns, None), observations


def told(*batches: Sequence[Row]) -> list[tuple[int, str]]:
    firsts = [2 + sum(len(b) for b in batches[:i]) for i in range(len(batches))]

    def earlier(n_batches: int) -> Iterator[tuple[Batch, Observations]]:
        return (read(rows, first) for rows, first in zip(batches[:n_batches], firsts, strict=False))

    repeats, findings = Repeats(earlier), Findings()
    rejected: list[int] = []
    for rows, first in zip(batches, firsts, strict=True):
        batch, observations = read(rows, first)
        repeats.check(batch, observations, findings)
        rejected += observations.row_numbers[observations.rejected].tolist()
    frame = findings.frame()
    assert rejected == frame.loc[frame["code"] == "row_repeated", "row_number"].tolist()
    return list(zip(frame["row_number"], frame["code"], strict=True))


A: Row = (1.0, 2.0, None, "open", "x")
ELSEWHERE: Row = (1.5, 2.0, None, "open", "x")


@pytest.mark.parametrize("split", [False, True], ids=["one batch", "two batches"])
@pytest.mark.parametrize(
    ("row", "code"),
    [
        (A, "row_repeated"),
        ((1.0, 2.0, None, "open", "y"), "position_repeated"),
        ((1.0, 2.0, "H1", "open", "x"), "position_repeated"),  # a code of its own: another household
        ((1.0, 2.0, None, "none", "x"), None),
        (ELSEWHERE, None),
    ],
)
def test_check_tells_a_repeat(row: Row, code: str | None, split: bool) -> None:
    others: list[Row] = [(3.0 + i, 4.0, None, "open", "x") for i in range(5)]
    found = told([A, *others], [row]) if split else told([A, *others, row])
    assert found == ([] if code is None else [(8, code)])


def test_check_rows_without_position_may_answer_alike() -> None:
    nowhere: Row = (None, None, None, "open", "x")
    assert told([nowhere, nowhere], [nowhere]) == []


def test_check_keeps_the_first_of_many() -> None:
    assert told([A, A], [ELSEWHERE, A], [A]) == [(3, "row_repeated"), (5, "row_repeated"), (6, "row_repeated")]


def test_keys_find_what_was_there_before() -> None:
    """As a set would, over many calls."""
    rng = np.random.default_rng(3)
    keys, seen = Keys(), set[int]()
    for _ in range(40):
        batch = rng.integers(0, 3000, rng.integers(1, 200)).astype(np.uint64)
        before, within = keys.find(batch)
        expected, here = [], set(seen)
        for key in batch.tolist():
            expected.append(key in here)
            here.add(key)
        assert (before | within).tolist() == expected
        assert before.tolist() == [key in seen for key in batch.tolist()]
        seen = here


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.5, None, 0.0]),
        pa.array([1, None, 0]),
        pa.array([True, None, False]),
        pa.array(["a", None, ""]),
        pa.array(["a", None, ""]).dictionary_encode(),
        pa.array([b"a", None, b""]),
        pa.array([1, None, 0], type=pa.date32()),
        pa.array([1, None, 0], type=pa.timestamp("ms")),
    ],
    ids=lambda values: str(values.type),
)
def test_fingerprints_tell_values_and_missing_apart(values: Any) -> None:
    once = fingerprints([values], 3)
    assert len(set(once.tolist())) == 3
    assert fingerprints([values], 3).tolist() == once.tolist()


def test_fingerprints_heed_the_column() -> None:
    one, other = pa.array(["a", "b"]), pa.array(["b", "a"])
    assert len(set(fingerprints([one, other], 2).tolist())) == 2
