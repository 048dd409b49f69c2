"""What a file of settlements leaves as it is where its sender may change its own places only."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.base import SLIVER_M2, SLIVER_SHARE, geodesic_area_m2, polygon_areas_m2, polygons
from geo.ingestion.findings import Findings
from geo.messages import Message
from geo.places import OthersGround, Places, is_named

_TOLD_M2 = 1.0
"""From so much ground on, what is cut from an outline is told."""


def leave_others_ground(frame: pd.DataFrame, known: Places, others: OthersGround, findings: Findings) -> pd.DataFrame:
    """The rows that leave others' places as they are, without the slivers that lie on them.

    `frame` has the columns of `Boundaries.frame`, and row_number. Left out, with a finding, are rows that redraw a
    settlement of another organisation, or draw one on its ground.
    """
    frame = keep_ward_names(frame, others.wards, findings)
    frame = _leave_settlements(frame, known, others.theirs, findings)
    return _keep_off(frame, known, others, findings)


def keep_ward_names(frame: pd.DataFrame, wards: Mapping[str, str], findings: Findings) -> pd.DataFrame:
    """Wards the city has keep their names, which settlements of all organisations are listed under."""
    names = frame["ward_code"].map(wards)
    differs = (names.notna() & is_named(frame) & (names != frame["ward_name"])).to_numpy(dtype=bool)
    told = frame[differs]
    findings.add(
        "ward_name_kept",
        told["row_number"].to_numpy(dtype=np.int32),
        field="ward_name",
        values=[
            Message("ward_known_as", name=row.ward_name, code=row.ward_code, known=wards[row.ward_code])
            for row in told.itertuples()
        ],
    )
    return frame.assign(ward_name=names.where(names.notna(), frame["ward_name"]))


def _leave_settlements(frame: pd.DataFrame, known: Places, theirs: frozenset[str], findings: Findings) -> pd.DataFrame:
    """Without rows that would redraw others' settlements; rows that repeat one change neither its name nor its ward."""
    index = {code: i for i, code in enumerate(known.codes) if code in theirs}
    frame, rejected = frame.copy(), np.zeros(len(frame), dtype=bool)
    for at, (code, shape) in enumerate(zip(frame["code"], frame["geom"], strict=True)):
        i = index.get(code)
        if i is None:
            continue
        rejected[at] = not _is_as_known(shape, known.shapes[i])
        frame.loc[frame.index[at], ["name", "ward_code", "ward_name"]] = [known.names[i], None, None]
    told = frame[rejected]
    numbers = told["row_number"].to_numpy(dtype=np.int32)
    findings.add("boundary_of_others", numbers, field="settlement_code", values=list(told["code"]))
    return frame[~rejected].reset_index(drop=True)


def _keep_off(frame: pd.DataFrame, known: Places, others: OthersGround, findings: Findings) -> pd.DataFrame:
    """Without rows drawn on others' ground; what lies on it by a sliver is cut from an outline.

    A household in two outlines counts in the smaller one: whatever ground a new outline shared with another
    organisation's could take that one's households away.
    """
    drawn_before = {code: shape for code, shape in zip(known.codes, known.shapes, strict=True) if shape is not None}
    shapes, numbers = frame["geom"].to_numpy(dtype=object).copy(), frame["row_number"].to_numpy(dtype=np.int32)
    # What stays as it was is no new claim, whatever it lies on.
    is_new = np.array(
        [not _is_as_known(shape, drawn_before.get(code)) for code, shape in zip(frame["code"], shapes, strict=True)],
        dtype=bool,
    )
    if not is_new.any() or len(others.codes) == 0:
        return frame
    ours, theirs = shapely.STRtree(others.shapes).query(shapes, predicate="intersects")
    # A settlement's first outline holds for all earlier rounds too where no day is said.
    starts = [others.valid_from_on or (others.today if code in drawn_before else None) for code in frame["code"]]
    at_stake = np.array(
        [
            is_new[a] and frame["code"][a] != others.codes[b] and _meet(starts[a], others.until[b])
            for a, b in zip(ours, theirs, strict=True)
        ],
        dtype=bool,
    )
    ours, theirs = ours[at_stake], theirs[at_stake]
    shared_m2 = polygon_areas_m2(shapely.intersection(shapes[ours], others.shapes[theirs]))
    smaller = np.minimum(geodesic_area_m2(shapes)[ours], geodesic_area_m2(others.shapes)[theirs])
    is_on = (shared_m2 >= SLIVER_M2) | (shared_m2 >= SLIVER_SHARE * smaller)
    findings.add(
        "boundary_on_others",
        numbers[ours[is_on]],
        field="settlement_code",
        values=[_whose(others, b, m2) for b, m2 in zip(theirs[is_on], shared_m2[is_on], strict=True)],
    )
    rejected = np.isin(np.arange(len(frame)), ours[is_on])
    slivers = ~rejected[ours] & (shared_m2 > 0)
    for a in np.unique(ours[slivers]):
        on = theirs[slivers & (ours == a)]
        shapes[a] = polygons(shapely.difference(shapes[a], shapely.union_all(others.shapes[on])))
    told = slivers & (shared_m2 >= _TOLD_M2)
    findings.add(
        "boundary_trimmed",
        numbers[ours[told]],
        field="settlement_code",
        values=[_whose(others, b, m2) for b, m2 in zip(theirs[told], shared_m2[told], strict=True)],
    )
    return frame.assign(geom=shapes)[~rejected].reset_index(drop=True)


def _meet(start: date | None, until: date | None) -> bool:
    """Whether an outline that holds from a day on, or has no first day, holds beside one that ends on another day."""
    return start is None or until is None or until > start


def _whose(others: OthersGround, at: int, shared_m2: float) -> Message:
    code, until, m2 = others.codes[at], others.until[at], round(shared_m2)
    if until is None:
        return Message("ground_shared", code=code, m2=m2)
    return Message("ground_shared_until", code=code, m2=m2, until=until)


def _is_as_known(shape: Any, known: Any) -> bool:
    return known is not None and bool(shape.normalize() == known.normalize())
