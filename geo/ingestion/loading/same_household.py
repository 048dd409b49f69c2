"""The same household on several rows, in a file without codes and positions: an export with a row for each member."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.fields import standard_fields
from geo.ingestion.findings import Findings
from geo.ingestion.loading.repeats import FirstRows, fingerprints
from geo.ingestion.mapping import Observations, texts
from geo.ingestion.reading import Batch, Note, as_mask
from geo.messages import Message

_FEWEST_HOUSEHOLDS, _FEWEST_ROWS = 3, 20
_LARGEST = 12
"""More rows on average than this are those of a place or an interviewer, not of a household."""
_BY_CHANCE = math.log(1e-6)
_PLACES = ("declared_settlement_code", "declared_settlement_name", "declared_ward_name", "psu", "stratum")
_ALIKE, _VARIED, _FEWEST_ANSWERS = 0.4, 0.1, 4


class SameHousehold:
    """Finds the column that tells a file's households apart, where several rows have one, and rejects the later rows.

    It is one whose rows with the same value have every answer alike, more often than by chance; the file's first batch
    tells. Where there is none, rows that answer as the one before are told of the file as a whole.
    """

    def __init__(self) -> None:
        self._is_first = True
        self._column: str | None = None
        self._seen = FirstRows()

    def check(self, batch: Batch, observations: Observations, findings: Findings) -> None:
        """Looks at the rows of a batch that have neither a code nor a position."""
        if "household_code" in observations.fields or not np.isnan(observations.lon).all():
            return
        if self._is_first:
            self._is_first = False
            self._begin(batch, observations, findings)
        if self._column is None:
            return
        column = batch.columns[self._column]
        at = np.flatnonzero(_says(column))
        seen, first = self._seen.find(fingerprints([column.take(pa.array(at))], len(at)), observations.row_numbers[at])
        again = at[seen]
        said = [Message("column_on_row", column=self._column, earlier=earlier) for earlier in first]
        findings.add("household_repeated", observations.row_numbers[again], values=said)
        observations.rejected[again] = True

    def _begin(self, batch: Batch, observations: Observations, findings: Findings) -> None:
        fields = standard_fields()
        asked = [c for name, c in observations.fields.items() if fields[name].role == "answer" or name == "members"]
        n = len(observations.row_numbers)
        if len(asked) < 2 or n < 2 * _FEWEST_HOUSEHOLDS:
            return
        answers = fingerprints(asked, n)
        counts = np.unique(answers, return_counts=True)[1]
        by_chance = float(((counts / n) ** 2).sum())
        candidates = [(name, c) for name, c in batch.columns.items() if _is_text_or_number(c)]
        places = [c for name, c in observations.fields.items() if name in _PLACES]
        n_places = len(np.unique(fingerprints(places, n)))
        self._column = next((name for name, column in candidates if _tells(column, answers, n_places, by_chance)), None)
        alike = np.mean(answers[1:] == answers[:-1])
        is_telling = n >= _FEWEST_ROWS and len(asked) >= _FEWEST_ANSWERS and by_chance < _VARIED
        if self._column is None and is_telling and alike >= _ALIKE:
            findings.add_note(Note("rows_alike", f"{alike:.0%}"))


def _is_text_or_number(column: pa.Array) -> bool:
    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_dictionary(kind))


def _says(column: pa.Array) -> NDArray[np.bool_]:
    """Where something stands in a column."""
    return as_mask(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts(column)), ""), False))


def _tells(column: pa.Array, answers: NDArray[np.uint64], n_places: int, by_chance: float) -> bool:
    """Whether rows with the same value in a column are the same household, as far as all its answers show."""
    at = np.flatnonzero(_says(column))
    if len(at) < len(answers) / 2:
        return False
    values = fingerprints([column.take(pa.array(at))], len(at))
    rows = pd.DataFrame({"value": values, "answers": answers[at]}).groupby("value")["answers"]
    sizes = rows.size()
    several = sizes[sizes > 1]
    # Places have more households than one, which may all answer alike.
    is_place = len(sizes) < 1.5 * n_places or len(at) / len(sizes) > _LARGEST
    if len(several) < _FEWEST_HOUSEHOLDS or is_place or (rows.nunique() > 1).any():
        return False
    n_again = int((several - 1).sum())
    return by_chance == 0 or n_again * math.log(by_chance) < _BY_CHANCE
