"""Simple questions to the standard fields, as peers ask them: `toilet_type` is `none`, and the like."""

from itertools import zip_longest
from pathlib import Path

from geo.fields import standard_fields

_INDICATORS = Path("data/catalogue/indicators")


def count_indicators() -> int:
    """How many indicators Vasti ships."""
    return len(list(_INDICATORS.glob("*.toml")))


def simple_conditions(count: int) -> list[tuple[str, str]]:
    """So many different pairs of a field and a code: first each field's first code, then each one's second."""
    columns = [[(f.name, code) for code in f.codes] for f in standard_fields().values() if f.codes]
    pairs = [pair for rank in zip_longest(*columns) for pair in rank if pair is not None]
    return pairs[:count]
