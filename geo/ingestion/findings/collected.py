"""Findings: what is wrong with which row, as data, grouped and said in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.ingestion.findings.kinds import RULES, Severity
from geo.ingestion.findings.values import Value, kept_value, told_value
from geo.ingestion.reading import Layer, Note
from geo.messages import Audience, params_as_json, say_finding

WHOLE_FILE = 0
"""The row number of a finding that is about the whole file; outside this module it is None."""

ROWS_SHOWN, VALUES_SHOWN = 5, 4
"""Of a group: the first rows, and the most frequent values."""


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one kind in one field: how many, the first few rows, and what stands there most often."""

    code: str
    severity: Severity
    field: str | None
    count: int
    rows: tuple[int, ...]
    given: tuple[Value, ...]
    n_values: int
    """How many different values there are; `given` holds the most frequent."""

    @property
    def values(self) -> tuple[str, ...]:
        """The most frequent values, in words."""
        return tuple(map(str, self.given))

    def order(self) -> tuple[str, int, str, str]:
        """Errors first, then the most frequent."""
        return self.severity, -self.count, self.code, self.field or ""

    def params(self) -> dict[str, Any]:
        """What its sentence is about, as JSON has it."""
        return params_as_json(self._params())

    def _params(self) -> dict[str, Any]:
        return {"field": self.field, "values": list(self.given), "n_values": self.n_values}

    def sentence(self, audience: Audience = "command", language: str = "en") -> str:
        """The finding and what to do about it, in the reader's words."""
        return say_finding(self.code, self._params(), audience, language)


def finding_params(field: str | None, value: Value | None) -> dict[str, Any]:
    """What the sentence of one finding is about."""
    return {"field": field, "values": [] if value is None else [value], "n_values": 0 if value is None else 1}


def sentence(
    code: str, field: str | None, value: Value | None, audience: Audience = "command", language: str = "en"
) -> str:
    """One finding and what to do about it, in the reader's words."""
    return say_finding(code, finding_params(field, value), audience, language)


class Findings:
    """The findings of one file, gathered column by column as its rows are checked."""

    def __init__(self) -> None:
        self._rows: list[NDArray[np.int32]] = []
        self._values: list[Sequence[str | None]] = []
        self._heads: list[tuple[str, str | None]] = []
        self._positions: list[tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]] = []
        self.counts: dict[Severity, int] = {"error": 0, "warning": 0}

    def add(
        self,
        code: str,
        rows: NDArray[np.int32],
        *,
        field: str | None = None,
        values: Sequence[Value | None] | None = None,
    ) -> None:
        """Adds one finding a row; `values` holds what stands there, as the kind has it: messages, or texts."""
        if len(rows) == 0:
            return
        self._heads.append((code, field))
        self._rows.append(rows)
        given = [None] * len(rows) if values is None else values
        self._values.append([None if value is None else kept_value(code, value) for value in given])
        self.counts[RULES[code].severity] += len(rows)

    def remember_positions(self, rows: NDArray[np.int32], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
        """Keeps where rows lie as the file has them, NaN for nowhere; degrees. What is found in one may come later."""
        self._positions.append((rows, lon.copy(), lat.copy()))

    def positions(self, rows: pd.Series) -> pd.DataFrame:
        """Columns longitude and latitude of rows, in degrees; NaN where a row lies nowhere or is no row."""
        if not self._positions:
            return pd.DataFrame({"longitude": np.nan, "latitude": np.nan}, index=rows.index)
        numbers, lon, lat = (np.concatenate(parts) for parts in zip(*self._positions, strict=True))
        known = pd.DataFrame({"longitude": lon, "latitude": lat}, index=numbers)
        return known[~known.index.duplicated()].reindex(rows.fillna(WHOLE_FILE)).set_index(rows.index)

    def sample_positions(self, most: int) -> NDArray[np.float64]:
        """Where rows lie, every so many of them: longitude and latitude, shape (at most `most`, 2), in degrees."""
        known = [np.column_stack([lon, lat]) for _, lon, lat in self._positions]
        every = np.concatenate(known) if known else np.empty((0, 2))
        every = every[np.isfinite(every).all(axis=1)]
        return every[:: max(1, -(-len(every) // most))]

    def add_note(self, note: Note) -> None:
        """Adds what is to be said of the whole file."""
        row = WHOLE_FILE if note.row is None else note.row
        self.add(note.code, np.array([row], dtype=np.int32), field=note.field, values=[note.value])

    def add_remarks(self, layer: Layer) -> None:
        """Adds what reading a layer to its end brought up: rows that are none, and what is to be said of the file."""
        for bad in layer.bad_rows:
            self.add(bad.code, np.array([bad.row_number], dtype=np.int32), values=[bad.value()])
        for note in layer.notes:
            self.add_note(note)

    def frame(self) -> pd.DataFrame:
        """Columns row_number (<NA>: the whole file), field, value (in words), code, severity; in order of rows."""
        frame = self.kept()
        said = cache(lambda code, value: str(told_value(code, value)))
        values = [
            None if value is None else said(code, value)
            for code, value in zip(frame["code"], frame["value"], strict=True)
        ]
        return frame.assign(value=pd.Series(values, dtype=object))

    def kept(self) -> pd.DataFrame:
        """The same with values as they are stored."""
        heads = [head for head, rows in zip(self._heads, self._rows, strict=True) for _ in range(len(rows))]
        texts = {
            "field": [field for _, field in heads],
            "value": [None if pd.isna(value) else value for values in self._values for value in values],
            "code": [code for code, _ in heads],
            "severity": [RULES[code].severity for code, _ in heads],
        }
        numbers = np.concatenate([np.array([], dtype=np.int32), *self._rows])
        whole = pd.DataFrame(
            {"row_number": numbers, **{name: pd.Series(column, dtype=object) for name, column in texts.items()}}
        )
        whole = whole.sort_values(["row_number", "code"], kind="stable", ignore_index=True)
        whole["row_number"] = whole["row_number"].astype("Int32").mask(whole["row_number"] == WHOLE_FILE)
        return whole

    def groups(self) -> list[FindingGroup]:
        """The findings grouped by kind and field: errors first, then the most frequent."""
        groups = []
        for (code, field), alike in self.kept().groupby(["code", "field"], dropna=False, sort=False):
            values = alike["value"].dropna().value_counts()
            groups.append(
                FindingGroup(
                    code=str(code),
                    severity=RULES[str(code)].severity,
                    field=None if pd.isna(field) else str(field),
                    count=len(alike),
                    rows=tuple(int(r) for r in alike["row_number"].dropna()[:ROWS_SHOWN]),
                    given=tuple(told_value(str(code), str(v)) for v in values.index[:VALUES_SHOWN]),
                    n_values=len(values),
                )
            )
        return sorted(groups, key=FindingGroup.order)

    def stop_load(self) -> bool:
        """Whether there is an error that keeps the other rows from being loaded."""
        return any(rule.severity == "error" and rule.stops_load for rule in (RULES[code] for code, _ in self._heads))

    def rejected_rows(self) -> int:
        """How many rows have an error."""
        return len(self.rows_with_errors())

    def warned_rows(self) -> int:
        """How many rows have a warning and no error."""
        return len(np.setdiff1d(self._rows_with("warning"), self.rows_with_errors(), assume_unique=True))

    def rows_with_errors(self) -> NDArray[np.int32]:
        """The numbers of the rows that are rejected, each once."""
        return self._rows_with("error")

    def _rows_with(self, severity: Severity) -> NDArray[np.int32]:
        """The numbers of the rows with such a finding, each once."""
        none = np.array([], dtype=np.int32)
        found = [
            rows for (code, _), rows in zip(self._heads, self._rows, strict=True) if RULES[code].severity == severity
        ]
        return np.setdiff1d(np.concatenate([none, *found]), [WHOLE_FILE])
