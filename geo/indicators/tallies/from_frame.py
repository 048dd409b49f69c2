"""The frame engine: the same tallies from columns in memory, batch by batch, with no database."""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.fields import Field, Unit, standard_fields
from geo.indicators.definitions import Definition
from geo.indicators.definitions.definition import CUTOFF_SLACK, NUMBER_PATTERN
from geo.indicators.definitions.expressions.check import read_expression
from geo.indicators.definitions.expressions.to_arrow import Columns
from geo.indicators.tallies.tally import ALL, INTERVIEWED, SUMS, UNKNOWN_GROUP, tallies_frame

NO, YES, UNKNOWN, OUTSIDE = 0, 1, 2, 3
"""What a row comes to for an indicator; outside are rows that are not in its base."""

_OUTCOMES = 4

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "code": pa.string(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int16(),
    "number": pa.float64(),
    "date": pa.date32(),
}
"""The Arrow type of each type of standard field."""

_INTERVIEWED = read_expression(INTERVIEWED, where="The base")


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type a standard field is held in."""
    return ARROW_TYPES[field.type]


def _arrow_types() -> dict[str, pa.DataType]:
    return {name: arrow_type(field) for name, field in standard_fields().items()}


def took_part(columns: Mapping[str, pa.Array], n: int, unit: Unit = "household") -> Bools:
    """Who was interviewed and belongs to the sample, of n rows whose standard fields are given as Arrow columns."""
    interviewed = _is_true(Columns(columns, _arrow_types(), n).holds(_INTERVIEWED))
    # A register's row of no households says that nobody lives there.
    if unit == "household" and "weight" in columns:
        interviewed &= _floats(columns["weight"], n, missing=1.0) > 0
    return interviewed


class FrameTally:
    """Adds batches of households to the tallies of a fixed set of cells: settlements, or their groups."""

    def __init__(self, definitions: Sequence[Definition], n_cells: int, unit: Unit = "household") -> None:
        self.unit = unit
        self.definitions = [definition for definition in definitions if definition.is_tallied]
        self.n_cells = n_cells
        self._totals = [
            (definition, counted, {name: np.zeros(n_cells) for name in ("interviewed", *SUMS)})
            for definition in self.definitions
            for counted in definition.counted_levels()
        ]

    def add(
        self,
        columns: Mapping[str, pa.Array],
        cell: NDArray[np.intp],
        asked: pa.DictionaryArray | None = None,
        extra: pa.Array | None = None,
    ) -> None:
        """Adds households: standard fields as Arrow columns, and each one's cell as an index from 0.

        A standard field that is absent is unknown for everybody; an absent weight is 1. `asked` are the fields each row
        was asked, a dictionary of lists; a missing list, or none at all, means every field. `extra` holds what else a
        file said of a row, as JSON texts.
        """
        interviewed = took_part(columns, len(cell), self.unit)
        if not interviewed.all():
            kept = pa.array(interviewed)
            columns = {name: column.filter(kept) for name, column in columns.items()}
            asked = None if asked is None else asked.filter(kept)
            extra = None if extra is None else extra.filter(kept)
            cell = cell[interviewed]
        answers = Columns(columns, _arrow_types(), len(cell))
        weights = _Weights(columns, len(cell))
        own = _OwnColumns(extra, len(cell))
        everybody = np.bincount(cell, minlength=self.n_cells)
        bins = cell * _OUTCOMES
        for definition, counted, totals in self._totals:
            if counted == definition.counted:
                answers.add(own.read(definition))
                in_base, y, known = _outcome(definition, answers)
                were_asked = None if asked is None else _were_asked(asked, definition.asked_fields)
                outcome = _outcome_codes(_both(in_base, were_asked), y, known)
                score = np.where(outcome == YES, y, 0.0) if definition.measure == "mean" else None
            sampled = everybody if were_asked is None else np.bincount(cell[were_asked], minlength=self.n_cells)
            totals["interviewed"] += sampled
            persons = counted == "persons"
            at = bins + (weights.of_persons(outcome) if persons else outcome)
            self._add_rows(totals, at, weights, score, persons=persons)

    def _add_rows(
        self,
        totals: dict[str, Floats],
        at: NDArray[np.intp],
        weights: "_Weights",
        score: Floats | None,
        *,
        persons: bool,
    ) -> None:
        """Adds rows: each sum is taken once over cells and outcomes together, which `at` numbers cell by cell.

        `score` is each row's y where that is no yes or no, and 0 where it is not known or not in the base.
        """

        def by_outcome(values: Floats | None) -> Floats:
            summed = np.bincount(at, weights=values, minlength=self.n_cells * _OUTCOMES)
            return summed.reshape(-1, _OUTCOMES).astype(np.float64)

        n = by_outcome(None)
        # A weight of 1 makes one sum of three.
        w = n if weights.all_one else by_outcome(weights.w)
        if persons:
            a, a2 = by_outcome(weights.persons), by_outcome(weights.persons2)
        else:
            a, a2 = w, n if weights.all_one else by_outcome(weights.w2)
        if score is None:
            ay, a2y, a2y2 = a, a2, a2
        else:
            of_row, of_row2 = (weights.persons, weights.persons2) if persons else (weights.w, weights.w2)
            ay, a2y, a2y2 = (by_outcome(v) for v in (of_row * score, of_row2 * score, of_row2 * score * score))
        for name, sums in {"n": n, "sum_w": w, "sum_a": a, "sum_a2": a2}.items():
            totals[name] += sums[:, NO] + sums[:, YES]
        for name, sums in {"n_yes": n, "sum_ay": ay, "sum_a2y": a2y, "sum_a2y2": a2y2}.items():
            totals[name] += sums[:, YES]
        for name, sums in {"n_unknown": n, "sum_a_unknown": a, "sum_a2_unknown": a2, "sum_w_unknown": w}.items():
            totals[name] += sums[:, UNKNOWN]

    def tallies(self, settlement_ids: NDArray[np.int64], groups: pd.DataFrame | None = None) -> pd.DataFrame:
        """The tallies so far: a frame with the columns `tallies.COLUMNS`, one settlement's id for each cell.

        `groups` says the group_field and group_code of each cell; without it, cells are of all households.
        """
        cells = pd.DataFrame({"settlement_id": settlement_ids})
        heads = ALL if groups is None else groups["group_field"].to_numpy()
        codes = UNKNOWN_GROUP if groups is None else groups["group_code"].to_numpy()
        return tallies_frame(cells.assign(group_field=heads, group_code=codes), self._totals)


class _Weights:
    """What a household counts for, at either level; 0 persons where its members are not known."""

    def __init__(self, columns: Mapping[str, pa.Array], n: int) -> None:
        self.w = _floats(columns["weight"], n, missing=1.0) if "weight" in columns else np.ones(n)
        members = _floats(columns["members"], n, missing=np.nan) if "members" in columns else np.full(n, np.nan)
        self._has_members: Bools = ~np.isnan(members)
        self.persons = np.where(self._has_members, self.w * members, 0.0)
        self.w2, self.persons2 = self.w**2, self.persons**2
        self.all_one = bool((self.w == 1).all())

    def of_persons(self, outcome: Codes) -> Codes:
        """What rows come to where persons are counted: unknown where their members are, which leaves no a to sum."""
        return np.where(self._has_members | (outcome == OUTSIDE), outcome, np.int8(UNKNOWN))


class _OwnColumns:
    """An organisation's own columns, read from the JSON a row keeps of what else its file said."""

    def __init__(self, extra: pa.Array | None, n: int) -> None:
        self._extra = extra
        self._n = n
        self._rows: list[Mapping[str, object]] | None = None
        self._columns: dict[tuple[str, str], pa.Array] = {}

    def read(self, definition: Definition) -> dict[str, pa.Array]:
        """The definition's own columns, as its expressions take them."""
        for name, column in definition.columns.items():
            if (name, column.type) not in self._columns:
                self._columns[name, column.type] = self._column(name, is_number=column.type == "number")
        return {name: self._columns[name, column.type] for name, column in definition.columns.items()}

    def _column(self, name: str, *, is_number: bool) -> pa.Array:
        if self._extra is None:
            return pa.nulls(self._n, pa.float64() if is_number else pa.string())
        if self._rows is None:
            self._rows = [_read_extra(text) if text else {} for text in self._extra.to_pylist()]
        texts = [_as_text(row.get(name)) for row in self._rows]
        if not is_number:
            return pa.array(texts, type=pa.string())
        numbers = [float(text) if text and re.fullmatch(NUMBER_PATTERN, text) else None for text in texts]
        return pa.array(numbers, type=pa.float64())


def _read_extra(text: str) -> dict[str, object]:
    """What a row keeps, each number as its file wrote it."""
    row: dict[str, object] = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=lambda _: None)
    return row


def _as_text(value: object) -> str | None:
    """What an own column holds, as `from_sql` reads it: lists and objects are unknown, and so are blanks."""
    match value:
        case str():
            return value.strip(" ") or None
        case bool():
            return str(value).lower()
        case Decimal():
            plain = format(value, "f")
            plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
            return "0" if plain == "-0" else plain
    return None


def _both(one: Bools | None, other: Bools | None) -> Bools | None:
    """Where both hold; None stands for everywhere."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _outcome(definition: Definition, answers: Columns) -> tuple[Bools | None, Bools | Floats, Bools]:
    """Who is in the base (None: everybody); each one's y, false or 0 where it is unknown; who is known."""
    n = answers.n
    in_base = _is_true(answers.holds(definition.parts["base"])) if "base" in definition.parts else None
    if definition.score is None:
        y, known = _yes_and_known(answers.holds(definition.parts["numerator"]))
        return in_base, y, known
    score, known = np.zeros(n), np.ones(n, dtype=bool)
    for expression, weight in definition.terms:
        deprived, is_known = _yes_and_known(answers.holds(expression))
        score += weight * deprived
        known &= is_known
    reached = known & (score >= (definition.cutoff or 0.0) - CUTOFF_SLACK)
    if definition.score == "headcount":
        return in_base, reached, known
    mean = score / definition.total_weight
    match definition.score:
        case "count":
            mean = score
        case "adjusted":
            mean = np.where(reached, mean, 0.0)
        case "intensity":
            # A household that may be deprived enough belongs, as unknown.
            in_base = _both(in_base, reached | ~known)
    return in_base, np.where(known, mean, 0.0), known


def _outcome_codes(in_base: Bools | None, y: Bools | Floats, known: Bools) -> Codes:
    """What each row comes to."""
    codes = (y > 0) + UNKNOWN * (~known).view(np.int8)
    return codes if in_base is None else np.where(in_base, codes, np.int8(OUTSIDE))


def _floats(column: pa.Array, n: int, *, missing: float) -> Floats:
    values = pc.fill_null(column.cast(pa.float64(), safe=False), missing).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64).reshape(n)


def _were_asked(asked: pa.DictionaryArray, fields: frozenset[str]) -> Bools:
    """Where rows were asked all of these fields."""
    all_of = [fields <= set(answered) for answered in asked.dictionary.to_pylist()]
    indices = pc.fill_null(asked.indices, len(all_of)).to_numpy(zero_copy_only=False)
    were_asked: Bools = np.array([*all_of, True], dtype=bool)[indices]
    return were_asked


def _is_true(condition: pa.Array) -> Bools:
    return np.asarray(pc.fill_null(condition, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _yes_and_known(condition: pa.Array) -> tuple[Bools, Bools]:
    """Where a condition is true, and where it is known."""
    return _is_true(condition), np.asarray(condition.is_valid().to_numpy(zero_copy_only=False))
