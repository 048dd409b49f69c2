"""The frame engine over a frame of households, as the database's engine has them in its tables."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geo.fields import Unit, standard_fields
from geo.indicators.definitions import Definition
from geo.indicators.tallies import ALL, CLUSTERS, UNKNOWN_GROUP, FrameTally, arrow_type
from geo.indicators.tallies.tally import cluster_code


def tally_gdf(
    households_gdf: pd.DataFrame,
    definitions: Sequence[Definition],
    *,
    by: str = ALL,
    unit: Unit = "household",
) -> pd.DataFrame:
    """The tallies of a frame of households: standard fields as columns and an integer `settlement_id`.

    `by` makes them apart for the groups of a field, or for tallies.CLUSTERS. A column `asked`, where there is one,
    lists the fields each row was asked; None: all. A column `extra` holds mappings.
    """
    fields = standard_fields()
    columns = {
        str(name): pa.array(households_gdf[name], type=arrow_type(fields[str(name)]), from_pandas=True)
        for name in households_gdf.columns
        if name in fields
    }
    cells = pd.DataFrame(
        {
            "settlement_id": households_gdf["settlement_id"].to_numpy(dtype=np.int64),
            "group_code": _group_codes(columns, by, len(households_gdf)),
        }
    )
    grouped = cells.groupby(["settlement_id", "group_code"], sort=True)
    cell = grouped.ngroup().to_numpy()
    heads = pd.DataFrame(list(grouped.groups), columns=["settlement_id", "group_code"])
    engine = FrameTally(definitions, len(heads), unit)
    engine.add(columns, cell, _asked_of(households_gdf), _extra_of(households_gdf))
    settlement_ids = heads["settlement_id"].to_numpy(dtype=np.int64)
    return engine.tallies(settlement_ids, heads.assign(group_field=by))


def _group_codes(columns: Mapping[str, pa.Array], by: str, n: int) -> list[str]:
    if by == ALL:
        return [UNKNOWN_GROUP] * n
    missing = pa.nulls(n, pa.string())
    if by == CLUSTERS:
        strata, clusters = columns.get("stratum", missing), columns.get("psu", missing)
        return [cluster_code(*pair) for pair in zip(strata.to_pylist(), clusters.to_pylist(), strict=True)]
    return list(pc.fill_null(columns.get(by, missing).cast(pa.string()), UNKNOWN_GROUP).to_pylist())


def _asked_of(households_gdf: pd.DataFrame) -> pa.DictionaryArray | None:
    """The column `asked` of a frame as the engine takes it."""
    if "asked" not in households_gdf:
        return None
    lists = [None if fields is None else tuple(fields) for fields in households_gdf["asked"]]
    distinct = list(dict.fromkeys(fields for fields in lists if fields is not None))
    at = {fields: i for i, fields in enumerate(distinct)}
    indices = pa.array([None if fields is None else at[fields] for fields in lists], type=pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(distinct, type=pa.list_(pa.string())))


def _extra_of(households_gdf: pd.DataFrame) -> pa.Array | None:
    """The column `extra` of a frame as the engine takes it."""
    if "extra" not in households_gdf:
        return None
    return pa.array([json.dumps(e) if isinstance(e, dict) else None for e in households_gdf["extra"]], pa.string())
