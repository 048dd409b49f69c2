"""Answers as a file holds them: the labels and column names of a mapping profile, used backwards.

The profile is the one place that says how the sample files write an answer, so files and profile cannot part.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.sample.answers import NOT_KNOWN, Column

FIRST_LABEL_SHARE = 0.85
SPOKEN_UNKNOWN_SHARE = 0.55
Text = NDArray[np.object_]


@dataclass(frozen=True)
class Profile:
    """A mapping profile read backwards: columns by field, and labels by field and code."""

    name: str
    boundaries: dict[str, str]
    columns: dict[str, str]
    labels: dict[str, dict[str | bool, list[str]]]
    date_format: str

    def write_column(self, field: str, column: Column, rng: np.random.Generator) -> Text:
        """A coded or yes/no field as text: a label for each answer, blank where there is none.

        Where the profile knows several labels for a code, some households get one of the others, as when
        forms are filled in by many hands. Of the answers not known, half are spoken and half left blank.
        """
        labels = self.labels.get(field, {})
        codes: Sequence[str | bool] = column.codes if column.kind == "code" else (False, True)
        text = np.full(len(column.values), "", dtype=object)
        for value, code in enumerate(codes):
            rows = np.flatnonzero(column.values == value)
            text[rows] = _pick_labels(labels[code] if labels else [str(code)], len(rows), rng)
        unknown = np.flatnonzero(column.values == NOT_KNOWN)
        if spoken := labels.get("unknown", []):
            said = unknown[rng.random(len(unknown)) < SPOKEN_UNKNOWN_SHARE]
            text[said] = _pick_labels(spoken, len(said), rng)
        return text

    def write_numbers(self, field: str, column: Column) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """A number field and where it is blank; a number the profile reads as unknown is written for it."""
        numbers = column.values.astype(np.int32)
        if special := self.labels.get(field, {}).get("unknown"):
            numbers[column.values == NOT_KNOWN] = int(special[0])
        return numbers, numbers < 0


@cache
def read_profile(name: str) -> Profile:
    """One of the profiles shipped beside this package."""
    table = tomllib.loads(files("data").joinpath(f"profiles/{name}.toml").read_text(encoding="utf-8"))
    fields: dict[str, dict[str, Any]] = table["fields"]
    labels: dict[str, dict[str | bool, list[str]]] = {}
    for field, mapping in fields.items():
        for label, code in mapping.get("values", {}).items():
            labels.setdefault(field, {}).setdefault(code, []).append(label)
    return Profile(
        name=table["name"],
        boundaries=table.get("boundaries", {}),
        columns={field: mapping["column"] for field, mapping in fields.items()},
        labels=labels,
        date_format=fields["interviewed_on"].get("format", "%Y-%m-%d"),
    )


def _pick_labels(labels: list[str], count: int, rng: np.random.Generator) -> Text:
    """Mostly the first label, now and then another."""
    other = rng.integers(len(labels), size=count)
    which = np.where(rng.random(count) < FIRST_LABEL_SHARE, 0, other)
    return np.array(labels, dtype=object)[which]
