"""Households of any number as a stream of Arrow batches in standard fields and codes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.sample.answers import Column, Roll, answer, draw_answers
from data.sample.conditions import Conditions, Quotas
from data.sample.positions import Ground
from data.sample.quotas import Counts, shuffle_positions
from data.sample.rounds import visit_days
from data.sample.settlements import City
from data.sample.shapefiles import GEOMETRY, ArrowArray, point_array

BATCH_HOUSEHOLDS = 250_000
_EPOCH = np.datetime64(date(1970, 1, 1))


@dataclass(frozen=True)
class HouseholdStream:
    """The households of one round, drawn batch by batch; memory holds one batch, whatever the total."""

    city: City
    conditions: Conditions
    quotas: Quotas
    seed: int
    position: Literal["point", "lonlat"] = "point"
    names: dict[str, str] | None = None
    progress: Callable[[int], None] | None = None

    @property
    def total(self) -> int:
        """How many households there are."""
        return int(self.quotas.sizes.sum())

    def reader(self) -> pa.RecordBatchReader:
        """The batches, for writers that take an Arrow stream."""
        return pa.RecordBatchReader.from_batches(self.schema(), self.batches())

    def schema(self) -> pa.Schema:
        """The columns: standard field names, or those of a profile, and the position."""
        nobody = np.arange(0, dtype=np.int64)
        return self._batch(nobody, Ground.under(self.city.settlements_gdf[:1]), np.random.default_rng(0)).schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All households, settlement by settlement."""
        ground = Ground.under(self.city.settlements_gdf, lonlat=self.position == "lonlat")
        for number, first in enumerate(range(0, self.total, BATCH_HOUSEHOLDS)):
            rows = np.arange(first, min(first + BATCH_HOUSEHOLDS, self.total), dtype=np.int64)
            yield self._batch(rows, ground, np.random.default_rng([self.seed, 6, number]))
            if self.progress is not None:
                self.progress(len(rows))

    def _batch(self, rows: Counts, ground: Ground, rng: np.random.Generator) -> pa.RecordBatch:
        """One batch of households."""
        roll = self._line_up(rows)
        draws = draw_answers(len(rows), rng)
        answers = answer(roll, self.quotas, self.conditions.deprivation, draws)
        codes = self.city.settlements_gdf["settlement_code"].tolist()
        days = visit_days(self.quotas.survey, rows / max(1, self.total), draws["interviewed_on"])
        columns: dict[str, ArrowArray] = {
            "household_code": self._household_codes(roll),
            "declared_settlement_code": pa.DictionaryArray.from_arrays(roll.settlement, pa.array(codes)),
            "interviewed_on": pa.array((days - _EPOCH).astype(np.int32), pa.int32()).cast(pa.date32()),
            **{field: _arrow(column) for field, column in answers.items()},
        }
        if self.names is not None:
            columns = {self.names[field]: column for field, column in columns.items()}
        x, y = ground.place(roll.settlement, rng)
        if self.position == "lonlat":
            columns["longitude"] = pa.array(np.round(x, 7))
            columns["latitude"] = pa.array(np.round(y, 7))
        else:
            columns[GEOMETRY] = point_array(x, y)
        return pa.record_batch(columns)

    def _line_up(self, rows: Counts) -> Roll:
        """Settlement, number and places on the ladders of households by their place in the whole stream."""
        sizes, interviewed = self.quotas.sizes, self.quotas.interviewed
        until = np.cumsum(sizes)
        settlement = np.searchsorted(until, rows, side="right").astype(np.int32)
        number = rows - (until - sizes)[settlement]
        position = shuffle_positions(settlement, number, sizes, turn=1)
        met = np.maximum(position - self.quotas.not_interviewed[settlement], 0)
        return Roll(
            settlement=settlement,
            number=number + 1,
            toilet_position=position,
            drainage_position=shuffle_positions(settlement, met, interviewed, turn=5),
        )

    def _household_codes(self, roll: Roll) -> ArrowArray:
        """Settlement code, hyphen and number, put together digit by digit for all households at once."""
        settlement_codes = np.array(self.city.settlements_gdf["settlement_code"].tolist(), dtype="S")
        letters = settlement_codes.view(np.uint8).reshape(len(settlement_codes), -1)
        digits = max(4, len(str(int(self.quotas.sizes.max(initial=0)))))
        width = letters.shape[1] + 1 + digits
        text: NDArray[np.uint8] = np.empty((len(roll), width), dtype=np.uint8)
        text[:, : letters.shape[1]] = letters[roll.settlement]
        text[:, letters.shape[1]] = ord("-")
        left = roll.number.copy()
        for place in range(width - 1, letters.shape[1], -1):
            left, digit = np.divmod(left, 10)
            text[:, place] = digit + ord("0")
        offsets = np.arange(len(roll) + 1, dtype=np.int32) * width
        buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(text.tobytes())]
        return pa.Array.from_buffers(pa.string(), len(roll), buffers)


def _arrow(column: Column) -> ArrowArray:
    """A column of answers as Arrow: codes as text (held once), yes and no as booleans, none as null."""
    blank = column.values < 0
    if column.kind == "boolean":
        return pa.array(column.values == 1, mask=blank)
    if column.kind == "code":
        return pa.DictionaryArray.from_arrays(column.values, pa.array(column.codes), mask=blank)
    return pa.array(column.values, mask=blank)
