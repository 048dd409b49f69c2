"""Columns as a proposal sees them, made of a list of texts."""

from collections.abc import Sequence

import pyarrow as pa

from geo.ingestion.mapping import ColumnEvidence
from geo.ingestion.mapping.evidence import column_evidence


def seen_column(name: str, values: Sequence[str]) -> ColumnEvidence:
    """What these values show of a column."""
    return column_evidence(name, [pa.array(values, pa.string())], len(values))
