"""What a publication's figures were made from, as its audit needs it: for nobody's eyes."""

from collections.abc import Collection

import pandas as pd

from geo.indicators.figures.disclosure.audit import Counts, Named
from geo.publications.former import Former

_NAMES = ["indicator", "counted", "field", "group"]


def counts_of_settlements(of: Former, fields: Collection[str]) -> pd.DataFrame:
    """What figures of settlements were made from, as a whole (the field is empty) and by some fields.

    code, ward, indicator, counted, field, group and differences.COUNTS.
    """
    heads = {block.number: key for key, block in of.blocks.items() if key[0] in fields}
    codes = {number: code for (level, code), number in of.places.items() if level == "settlement"}
    counts = of.counts(heads).rename(columns={"group_name": "group"})
    code = counts["place"].map(codes)
    named = {
        name: counts["block"].map({number: key[i] for number, key in heads.items()})
        for i, name in enumerate(("field", "indicator", "counted"))
    }
    return counts.assign(code=code, ward=code.map(of.wards), **named)


def find_answering(counts: pd.DataFrame) -> dict[Named, float]:
    """How many households answered, of settlements, wards and the city."""
    found: dict[Named, float] = {}
    city = pd.Series("", counts.index)
    for level, place in {"settlement": counts["code"], "ward": counts["ward"], "city": city}.items():
        answering = counts["answering"].groupby([place.rename("place"), *(counts[name] for name in _NAMES)]).sum()
        found |= {_named(level, *key): n for key, n in zip(answering.index, answering, strict=True)}
    return found


def as_made_from(counts: pd.DataFrame) -> dict[Named, Counts]:
    """The counts by the figures of settlements that were made from them."""
    columns = [counts[name] for name in ("code", *_NAMES)]
    numbers = [counts[name] for name in ("answering", "yes", "asked", "sum_ay")]
    keys, made_from = zip(*columns, strict=True), zip(*numbers, strict=True)
    return {_named("settlement", *key): Counts(*each) for key, each in zip(keys, made_from, strict=True)}


def _named(level: str, place: str, indicator: str, counted: str, field: str, group: str) -> Named:
    return level, place, indicator, counted, field or None, group if field else None
