"""Settlements, and observations to be placed in them."""

from typing import Any

import numpy as np
import pyarrow as pa

from geo.ingestion.mapping import Observations
from geo.places import Places


def places(*shapes: Any, names: list[str] | None = None) -> Places:
    codes = [f"S{i}" for i in range(len(shapes))]
    drawn = np.empty(len(shapes), dtype=object)
    drawn[:] = shapes
    return Places(codes, names or [f"Name {i}" for i in range(len(shapes))], drawn)


def observed(positions: list[tuple[float, float] | None], declared: list[str | None] | None = None) -> Observations:
    lon = np.array([np.nan if p is None else p[0] for p in positions])
    lat = np.array([np.nan if p is None else p[1] for p in positions])
    fields = {} if declared is None else {"declared_settlement_code": pa.array(declared, type=pa.string())}
    n = len(positions)
    return Observations(np.arange(2, n + 2, dtype=np.int32), fields, None, lon, lat, np.zeros(n, dtype=bool))
