"""The frame engine: the same tallies from columns in memory, batch by batch, with no database."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.fields import Field, standard_fields
from geo.indicators.definition import Counted, Definition, asked_fields, attributes, parse_expression
from geo.indicators.expression import evaluate
from geo.indicators.tallies import Sums, tallies_frame

NO, YES, UNKNOWN = 0, 1, 2
_OUTCOMES = 3

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "code": pa.string(),
    "text": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int16(),
    "number": pa.float64(),
    "date": pa.date32(),
}
"""The Arrow type of each type of standard field."""


def arrow_type(field: Field) -> pa.DataType:
    """The Arrow type a standard field is held in."""
    return ARROW_TYPES[field.type]


class FrameTally:
    """Adds batches of households to the tallies of a fixed set of settlements."""

    def __init__(self, definitions: Sequence[Definition], n_settlements: int) -> None:
        self.definitions = list(definitions)
        self.n_settlements = n_settlements
        self._trees = {(d.id, part): parse_expression(d, part) for d in definitions for part in ("base", "numerator")}
        self._fields = set().union(*(attributes(tree) for tree in self._trees.values()))
        self._asked = {d.id: asked_fields(d) for d in definitions}
        # Sums of count, w, w^2 (households) or count, w, a, a^2 (persons) by settlement and outcome.
        self._totals: dict[tuple[str, Counted], NDArray[np.float64]] = {
            (d.id, counted): np.zeros((4, n_settlements, _OUTCOMES))
            for d in definitions
            for counted in d.counted_levels()
        }

    def add(
        self, columns: Mapping[str, pa.Array], settlement: NDArray[np.intp], asked: pa.DictionaryArray | None = None
    ) -> None:
        """Adds households: standard fields as Arrow columns, and each one's settlement as an index from 0.

        A standard field that is absent is unknown for everybody; an absent weight is 1. `asked` are the fields each row
        was asked, a dictionary of lists; a missing list, or none at all, means every field.
        """
        n = len(settlement)
        fields = standard_fields()
        held = {name: columns.get(name, pa.nulls(n, arrow_type(fields[name]))) for name in self._fields}
        weight = _floats(columns["weight"], n, missing=1.0) if "weight" in columns else np.ones(n)
        members = _floats(columns["members"], n, missing=np.nan) if "members" in columns else np.full(n, np.nan)
        persons = weight * members
        has_members = ~np.isnan(members)
        persons = np.where(has_members, persons, 0.0)
        bases: dict[str, NDArray[np.bool_]] = {}
        for definition in self.definitions:
            if definition.base not in bases:
                bases[definition.base] = _is_true(evaluate(self._trees[definition.id, "base"], held))
            base = bases[definition.base]
            if asked is not None:
                base = base & _were_asked(asked, self._asked[definition.id])
            outcome = _outcomes(evaluate(self._trees[definition.id, "numerator"], held))
            cell = (settlement * _OUTCOMES + outcome)[base]
            for counted in definition.counted_levels():
                totals = self._totals[definition.id, counted]
                if counted == "households":
                    self._sum(totals, cell, (None, weight[base], weight[base], weight[base] ** 2))
                else:
                    # Members unknown: the household is unknown too, but has no a to sum.
                    at = np.where(has_members[base], cell, cell - cell % _OUTCOMES + UNKNOWN)
                    self._sum(totals, at, (None, weight[base], persons[base], persons[base] ** 2))

    def _sum(
        self,
        totals: NDArray[np.float64],
        cell: NDArray[np.intp],
        what: tuple[NDArray[np.float64] | None, ...],
    ) -> None:
        size = self.n_settlements * _OUTCOMES
        for i, weights in enumerate(what):
            totals[i] += np.bincount(cell, weights=weights, minlength=size).reshape(-1, _OUTCOMES)

    def tallies(self, settlement_ids: NDArray[np.int64]) -> pd.DataFrame:
        """The tallies so far: a frame with the columns `tallies.COLUMNS`, one id for each settlement index."""
        return tallies_frame(
            settlement_ids,
            [
                (d, counted, _named(self._totals[d.id, counted]))
                for d in self.definitions
                for counted in d.counted_levels()
            ],
        )


def tally_gdf(households_gdf: gpd.GeoDataFrame, definitions: Sequence[Definition]) -> pd.DataFrame:
    """The tallies of a frame of households: standard fields as columns and an integer `settlement_id`.

    A column `asked`, where there is one, lists the fields each row was asked; None: all.
    """
    ids, settlement = np.unique(households_gdf["settlement_id"].to_numpy(), return_inverse=True)
    fields = standard_fields()
    columns = {
        str(name): pa.array(households_gdf[name], type=arrow_type(fields[str(name)]), from_pandas=True)
        for name in households_gdf.columns
        if name in fields
    }
    engine = FrameTally(definitions, len(ids))
    engine.add(columns, settlement, _asked_of(households_gdf))
    return engine.tallies(ids.astype(np.int64))


def _named(totals: NDArray[np.float64]) -> Sums:
    n, w, a, a2 = totals
    return {
        "n": n[:, NO] + n[:, YES],
        "n_unknown": n[:, UNKNOWN],
        "sum_w": w[:, NO] + w[:, YES],
        "sum_a": a[:, NO] + a[:, YES],
        "sum_ay": a[:, YES],
        "sum_a2": a2[:, NO] + a2[:, YES],
        "sum_a2y": a2[:, YES],
        "sum_a_unknown": a[:, UNKNOWN],
        "sum_a2_unknown": a2[:, UNKNOWN],
        "sum_w_unknown": w[:, UNKNOWN],
    }


def _floats(column: pa.Array, n: int, *, missing: float) -> NDArray[np.float64]:
    values = pc.fill_null(column.cast(pa.float64()), missing).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64).reshape(n)


def _asked_of(households_gdf: gpd.GeoDataFrame) -> pa.DictionaryArray | None:
    """The column `asked` of a frame as the engine takes it."""
    if "asked" not in households_gdf:
        return None
    lists = [None if fields is None else tuple(fields) for fields in households_gdf["asked"]]
    distinct = list(dict.fromkeys(fields for fields in lists if fields is not None))
    at = {fields: i for i, fields in enumerate(distinct)}
    indices = pa.array([None if fields is None else at[fields] for fields in lists], type=pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, type=pa.list_(pa.string())))


def _were_asked(asked: pa.DictionaryArray, fields: frozenset[str]) -> NDArray[np.bool_]:
    """Where rows were asked all of these fields."""
    all_of = [fields <= set(answered) for answered in asked.dictionary.to_pylist()]
    indices = pc.fill_null(asked.indices, len(all_of)).to_numpy(zero_copy_only=False)
    were_asked: NDArray[np.bool_] = np.array([*all_of, True], dtype=bool)[indices]
    return were_asked


def _is_true(condition: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(condition, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _outcomes(condition: pa.Array) -> NDArray[np.intp]:
    coded = pc.fill_null(condition.cast(pa.int8()), UNKNOWN).to_numpy(zero_copy_only=False)
    return np.asarray(coded, dtype=np.intp)
