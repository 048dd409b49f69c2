"""Share hints: columns of a register that say how many of a settlement's households have something."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from geo.fields import standard_fields
from geo.ingestion.mapping import ColumnEvidence, Value, Vocabulary, on_one_line
from geo.messages import Message

_PERCENT_WORDS = ("pct", "percentage", "percent", "perc", "porcentaje", "porc", "share", "%")


@dataclass(frozen=True)
class ShareHint:
    """A column of a register that says how many of a settlement's households have something."""

    name: str
    column: str
    kind: Literal["percent", "scale"]
    why: Message
    steps: dict[str, Value] = field(default_factory=dict)


def hint_shares(
    columns: Mapping[str, ColumnEvidence], taken: set[str], words: Vocabulary, *, is_cut: bool
) -> Iterator[ShareHint]:
    """Columns of a register that hold a scale or a percentage; what they count only a person can say."""
    names: set[str] = set()
    for column, seen in columns.items():
        known = seen.without(words.is_unknown)
        if column in taken or not known.counts:
            continue
        steps = {text: words.scale_step(text) for text, _ in known.counts}
        is_scale = all(steps.values()) and len(set(steps.values())) > 1
        plain = "_".join(w for w in column.lower().replace("%", "").split("_") if w not in _PERCENT_WORDS)
        asked = any(c.target in standard_fields() for c in words.name_claims(plain, is_cut=is_cut))
        if not is_scale and not (plain != column.lower() and asked and _is_percentage(known)):
            continue
        stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in plain) or "share"
        name = next(n for n in (stem, *(f"{stem}_{i}" for i in range(2, len(columns) + 2))) if n not in names)
        names.add(name)
        if is_scale:
            meant: dict[str, Value] = {"all": 100, "some": "unknown", "none": 0}
            unknown: dict[str, Value] = {text: "unknown" for text, _ in seen.counts if words.is_unknown(text)}
            why = Message("share_of_scale", column=on_one_line(column))
            yield ShareHint(name, column, "scale", why, {t: meant[str(s)] for t, s in steps.items()} | unknown)
        else:
            yield ShareHint(name, column, "percent", Message("share_of_percent", column=on_one_line(column)))


def _is_percentage(seen: ColumnEvidence) -> bool:
    return seen.number_share == 1 and all(0 <= n <= 100 for n in [*seen.numbers, *seen.comma_numbers])
