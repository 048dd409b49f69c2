"""Repeats: which rows are the same as an earlier one, told by a few bytes a row."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Observations
from geo.ingestion.reading import Batch
from geo.messages import Message

_NOT_ANSWERS = ("household_code", "declared_settlement_code", "interviewed_on")
"""Fields that tell of the interview, not of the household."""

_MISSING = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0x100000001B3)


def fingerprints(columns: Sequence[pa.Array], n_rows: int) -> NDArray[np.uint64]:
    """A number for each row: the same for rows that are the same, and hardly ever for others."""
    mixed = np.full(n_rows, 7, dtype=np.uint64)
    for column in columns:
        mixed ^= _hashes(column)
        mixed *= _STEP
        mixed ^= mixed >> np.uint64(29)
    return mixed


def text_fingerprints(column: pa.Array) -> NDArray[np.uint64]:
    """A number for each text of a column without nulls, most of which differ."""
    texts = column.to_numpy(zero_copy_only=False).astype(object)
    return np.asarray(pd.util.hash_array(texts, categorize=False), dtype=np.uint64)


def _hashes(column: pa.Array) -> NDArray[np.uint64]:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind):
        if pa.types.is_date32(kind):
            column = column.cast(pa.int32())
        missing = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
        filled = column.fill_null(False if pa.types.is_boolean(kind) else 0) if column.null_count else column
        hashes = pd.util.hash_array(filled.to_numpy(zero_copy_only=False))
        return hashes if missing is None else np.where(missing, _MISSING, hashes)
    coded = column if pa.types.is_dictionary(kind) else column.dictionary_encode()
    # Text repeats itself: each distinct one is hashed once.
    distinct = text_fingerprints(coded.dictionary)
    hashes = np.append(distinct, _MISSING)
    at = coded.indices.fill_null(len(distinct)) if coded.indices.null_count else coded.indices
    return np.asarray(hashes[at.to_numpy(zero_copy_only=False)], dtype=np.uint64)


class Keys:
    """What has been seen before, in sorted runs that are merged as they grow: a search costs the same for any file."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of these were there in an earlier call, and which earlier in this one; all are remembered."""
        ordered = np.sort(keys)
        before, within = np.zeros((2, len(keys)), dtype=bool)
        again = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(again):
            first = np.zeros(len(keys), dtype=bool)
            first[np.unique(keys, return_index=True)[1]] = True
            within = np.isin(keys, again) & ~first
        for run in self._runs:
            at = np.searchsorted(run, ordered)
            hits = ordered[run[np.minimum(at, len(run) - 1)] == ordered]
            if len(hits):
                before |= np.isin(keys, hits)
        self._keep(ordered)
        return before, within

    def _keep(self, run: NDArray[np.uint64]) -> None:
        if len(run) == 0:
            return
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)


class FirstRows:
    """What has been seen before, and on which row first, of files in which little comes again."""

    def __init__(self) -> None:
        self._seen = Keys()
        self._batches: list[tuple[NDArray[np.uint64], NDArray[np.int32], pa.Array | None]] = []

    def find(
        self, keys: NDArray[np.uint64], rows: NDArray[np.int32], codes: pa.Array | None = None
    ) -> tuple[NDArray[np.bool_], list[Message]]:
        """Which of these keys were seen before, and of each of those the row it was seen on first.

        `rows` are the numbers of the rows that hold the keys, `codes` their households' codes; all are remembered.
        """
        before, within = self._seen.find(keys)
        self._batches.append((keys, rows, codes))
        again = before | within
        if not again.any():
            return again, []
        wanted = np.unique(keys[again])
        first: dict[np.uint64, Message] = {}
        for seen, numbers, known_by in self._batches:
            for i in np.flatnonzero(np.isin(seen, wanted)):
                if seen[i] not in first:
                    first[seen[i]] = _earlier(numbers[i], None if known_by is None else known_by[i].as_py())
        return again, [first[key] for key in keys[again]]


def _earlier(row: int, code: str | None) -> Message:
    return Message("row_earlier", row=row) if code is None else Message("row_earlier_of", row=row, code=code)


Earlier = Callable[[int], Iterator[tuple[Batch, Observations]]]
"""Reads the first so many batches of the file once more."""


class Repeats:
    """Finds rows of one file that are the same as an earlier one.

    Most files hold every position once. So only positions are remembered, until one comes again in a later batch; from
    then on whole rows are, and those before it are read once more.
    """

    def __init__(self, earlier: Earlier) -> None:
        self._earlier = earlier
        self._n_batches = 0
        self._positions = Keys()
        self._whole: _WholeRows | None = None

    def check(self, batch: Batch, observations: Observations, findings: Findings) -> None:
        """Rejects rows that repeat an earlier one, and warns of those that repeat its position and answers.

        Only rows with a position: without one, two households may well answer alike. A row with a household code of
        its own is never rejected here: the code says that it is another household.
        """
        placed = np.flatnonzero(~np.isnan(observations.lon))
        if self._whole is None:
            keys = fingerprints([pa.array(observations.lon[placed]), pa.array(observations.lat[placed])], len(placed))
            before, within = self._positions.find(keys)
            if before.any():
                self._whole = _WholeRows()
                for earlier_batch, earlier in self._earlier(self._n_batches):
                    self._whole.check(earlier_batch, earlier, np.flatnonzero(~np.isnan(earlier.lon)), Findings())
            elif within.any():
                _WholeRows().check(batch, observations, placed[np.isin(keys, keys[within])], findings)
        if self._whole is not None:
            self._whole.check(batch, observations, placed, findings)
        self._n_batches += 1


class _WholeRows:
    """Compares rows by all they hold."""

    def __init__(self) -> None:
        self._rows = FirstRows()
        self._answers = FirstRows()

    def check(self, batch: Batch, observations: Observations, at: NDArray[np.intp], findings: Findings) -> None:
        """Looks at the rows at these places of a batch."""
        codes = observations.fields.get("household_code")
        unnamed = at if codes is None else at[codes.take(pa.array(at)).is_null().to_numpy(zero_copy_only=False)]
        columns = [*batch.columns.values(), *([] if batch.geometry is None else [batch.geometry])]
        repeated = _tell(self._rows, "row_repeated", columns, unnamed, observations, findings)
        observations.rejected[repeated] = True
        answers = [column for name, column in observations.fields.items() if name not in _NOT_ANSWERS]
        if answers:
            positions = [pa.array(observations.lon), pa.array(observations.lat)]
            kept = at[~observations.rejected[at]]
            _tell(self._answers, "position_repeated", positions + answers, kept, observations, findings)


def _tell(
    seen: FirstRows,
    finding: str,
    columns: Sequence[pa.Array],
    at: NDArray[np.intp],
    observations: Observations,
    findings: Findings,
) -> NDArray[np.intp]:
    """Adds a finding for each row at these places that is the same as an earlier one, and returns their places."""
    some, rows = pa.array(at), observations.row_numbers[at]
    codes = observations.fields.get("household_code")
    keys = fingerprints([column.take(some) for column in columns], len(at))
    again, first = seen.find(keys, rows, None if codes is None else codes.take(some))
    said = [Message("row_repeats", row=row, earlier=earlier) for row, earlier in zip(rows[again], first, strict=True)]
    findings.add(finding, rows[again], values=said)
    return at[again]
