"""Shares: a row of a register becomes one for each part of its settlement's households that answers alike.

A register says how many households have water and how many a sewer, never how many have both. So each question keeps
rows of its own, which say what they were asked, and no answer to two questions at once is ever made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.base import fold
from geo.fields import standard_fields
from geo.indicators.tallies import arrow_type
from geo.ingestion.findings import Findings
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, texts, translate
from geo.ingestion.mapping.columns import Found
from geo.ingestion.mapping.mapper import Observations
from geo.ingestion.mapping.profile import UNKNOWN, Part, Profile, Share, Value
from geo.ingestion.mapping.quantities import MOST_HOUSEHOLDS, read_number
from geo.ingestion.reading import Batch

Floats = NDArray[np.float64]

MAX_PERCENT = 100.5
"""Percentages rounded one by one may sum to a little more than all."""


@dataclass(frozen=True)
class _Group:
    """Some households of every row that answer alike: how many in each row, which answers, and what they were asked."""

    households: Floats
    answers: Mapping[str, Value]
    asked: int


@dataclass(frozen=True)
class Division:
    """How the households of a batch's rows divide."""

    groups: tuple[_Group, ...]
    asked: pa.Array

    def expand(
        self, observations: Observations, settlement: NDArray[np.intp], kept: NDArray[np.bool_]
    ) -> tuple[Observations, NDArray[np.intp]]:
        """Kept rows as one for what is answered of all, and one for each group that has households."""
        households = [group.households[kept] for group in self.groups]
        n = len(settlement)
        counts = [np.flatnonzero(h > 0) for h in households]
        row = np.concatenate([np.arange(n), *counts])
        size = [n, *map(len, counts)]
        part = np.repeat(np.arange(len(size), dtype=np.int16), size)
        design = {name for name, field in standard_fields().items() if field.role in ("identifier", "design")}
        first = part == 0
        fields = {name: column.take(pa.array(row)) for name, column in observations.fields.items()}
        fields = {name: column if name in design else _where(first, column) for name, column in fields.items()}
        answered = dict.fromkeys(name for group in self.groups for name in group.answers)
        for name in answered:
            arrow = arrow_type(standard_fields()[name])
            said = [_said(group.answers.get(name)) for group in self.groups]
            fields[name] = pa.array([None, *said], type=arrow).take(pa.array(part))
        weight = fields.get("weight")
        of_rows = np.ones(n) if weight is None else weight.to_numpy(zero_copy_only=False)[:n]
        of_groups = [h[at] for h, at in zip(households, counts, strict=True)]
        fields["weight"] = pa.array(np.concatenate([of_rows, *of_groups]))
        asked = np.repeat(np.array([0, *(group.asked for group in self.groups)], dtype=np.int32), size)
        extra = observations.extra
        whole = Observations(
            observations.row_numbers[row],
            fields,
            None if extra is None else _where(first, extra.take(pa.array(row))),
            np.where(first, observations.lon[row], np.nan),
            np.where(first, observations.lat[row], np.nan),
            observations.rejected[row],
            part,
            pa.DictionaryArray.from_arrays(pa.array(asked), self.asked),
        )
        return whole, settlement[row]


class Divider:
    """Divides the rows of one file's batches as its profile's shares say."""

    def __init__(self, profile: Profile, found: Mapping[str, Found], blanks: frozenset[str]) -> None:
        self._shares = profile.shares
        self._column = {name: str(each.column) for name, each in found.items()}
        self._blanks = blanks
        shared = {name: share.fields() for name, share in profile.shares.items()}
        # What nothing in the profile answers is unknown of every household: each part may be asked it too.
        nobody = set(standard_fields()) - set(profile.fields) - set().union(*shared.values())
        nobody -= {name for name, field in standard_fields().items() if field.role in ("identifier", "design")}
        of_all = set(standard_fields()) - set().union(*shared.values())
        asked = [of_all, *(fields | nobody for fields in shared.values())]
        self._asked = pa.array([sorted(fields) for fields in asked], type=pa.list_(pa.string()))

    def divide(self, batch: Batch, observations: Observations, findings: Findings) -> Division:
        """How the rows' households divide; a row whose parts are more than the whole is rejected."""
        n = len(batch.row_numbers)
        weight = observations.fields.get("weight")
        of_rows = None if weight is None else weight.to_numpy(zero_copy_only=False)
        groups: list[_Group] = []
        for number, (name, share) in enumerate(self._shares.items(), start=1):
            base = self._base(share, batch, of_rows, findings)
            fallback = np.zeros(n) if of_rows is None else of_rows
            parts = [self._part(share, part, batch, findings) for part in share.parts]
            households, rest, exceeds = _count(share, parts, base, fallback)
            if exceeds.any():
                shown = [_shown(row, share) for row in np.array(parts).T[exceeds]]
                findings.add("share_exceeds_base", batch.row_numbers[exceeds], field=name, values=shown)
                observations.rejected |= exceeds
            known_rest, unknown = rest
            groups += [_Group(h, part.answers, number) for h, part in zip(households, share.parts, strict=True)]
            if share.rest is not None:
                groups.append(_Group(known_rest, share.rest, number))
            groups.append(_Group(unknown, {}, number))
        return Division(tuple(groups), self._asked)

    def _base(self, share: Share, batch: Batch, of_rows: Floats | None, findings: Findings) -> Floats | None:
        """The households each row's share is of; NaN where that is not known, None where the parts are all there is."""
        if share.of is None:
            return of_rows
        cells = self._cells(share.of, batch, findings)
        base = _numbers(cells, top=MOST_HOUSEHOLDS)
        missing = np.isnan(base) if cells.misread is None else np.isnan(base) & ~cells.misread
        findings.add("share_base_missing", batch.row_numbers[missing], field=share.of)
        return base

    def _part(self, share: Share, part: Part, batch: Batch, findings: Findings) -> Floats:
        """What a part's column says: households, or their percentage; NaN where it does not say."""
        if share.kind != "scale":
            top = MOST_HOUSEHOLDS if share.kind == "count" else 100.0
            return _numbers(self._cells(part.column, batch, findings), top=top)
        steps = {fold(word): None if step == UNKNOWN else float(step) for word, step in part.steps.items()}
        cells = self._cells(part.column, batch, findings)

        def meaning(text: str) -> float | None:
            if fold(text) not in steps:
                raise NotUnderstood("value_unmapped")
            return steps[fold(text)]

        percent = _floats(translate(cells, pa.float64(), meaning))
        assumed = (percent > 0) & (percent < 100)
        words = texts(cells.column).filter(pa.array(assumed)).to_pylist()
        shown = [f"{word.strip()} = {step:g} %" for word, step in zip(words, percent[assumed], strict=True)]
        findings.add("share_assumed", batch.row_numbers[assumed], field=part.column, values=shown)
        return percent

    def _cells(self, column: str, batch: Batch, findings: Findings) -> FieldCells:
        return FieldCells(column, batch.columns[self._column[column]], batch.row_numbers, findings, self._blanks)


def _numbers(cells: FieldCells, *, top: float) -> Floats:
    """Numbers of households, or percentages up to `top`; NaN where blank or no such number, which is reported."""

    def meaning(text: str) -> float:
        try:
            number = read_number(text.strip().removesuffix("%"))
        except NotUnderstood as error:
            raise NotUnderstood("share_invalid") from error
        if not 0 <= number <= top:
            raise NotUnderstood("share_invalid")
        return number

    return _floats(translate(cells, pa.float64(), meaning))


def _count(
    share: Share, parts: list[Floats], base: Floats | None, fallback: Floats
) -> tuple[list[Floats], tuple[Floats, Floats], NDArray[np.bool_]]:
    """Households in each part, in the rest and in what is not known; and where the parts are more than the whole."""
    said = np.nan_to_num(np.array(parts))
    total = said.sum(axis=0)
    complete = ~np.isnan(np.array(parts)).any(axis=0)
    if base is None:
        base = np.where(complete, total, np.nan)
        fallback = total
    known = ~np.isnan(base)
    of = np.where(known, base, 0.0)
    if share.kind == "count":
        exceeds = known & (total > of)
        # Counts need no base to be counted; of what, they do not say then.
        households = said
    else:
        exceeds = total > MAX_PERCENT
        households = said / np.maximum(total, 100.0) * of
    households = np.where(known, households, 0.0)
    left = np.where(known, np.maximum(of - households.sum(axis=0), 0.0), fallback)
    # A rounding is nobody.
    left = np.where(left < 1e-9 * np.maximum(of, 1.0), 0.0, left)
    is_rest = known & complete & (share.rest is not None)
    return list(households), (np.where(is_rest, left, 0.0), np.where(is_rest, 0.0, left)), exceeds


def _shown(row: Floats, share: Share) -> str:
    unit = "" if share.kind == "count" else " %"
    return " + ".join(f"{number:g}{unit}" for number in row if not np.isnan(number))


def _said(value: Value | None) -> Value | None:
    return None if value == UNKNOWN else value


def _where(first: NDArray[np.bool_], column: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(first), column, pa.scalar(None, column.type))


def _floats(column: pa.Array) -> Floats:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
