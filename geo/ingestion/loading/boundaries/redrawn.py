"""What a newer file of settlements changes of those a city has: their names, and the ground they lie on."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.base import geodesic_distance_m
from geo.errors import Conflict
from geo.ingestion.findings import Findings, few
from geo.ingestion.reading import Note, middles
from geo.places import Named, Places, Renamed

_LEAST_JUMPS = 2
"""One settlement alone may have been drawn in the wrong place before."""

_WHOLE_SHARE = 0.5
"""A file with more than this of a city's settlements is one of all of them: others it lacks may be no more."""

_SHOWN = 5


def tell_renamed(frame: pd.DataFrame, known: Places, findings: Findings) -> tuple[Renamed, ...]:
    """Says of which settlements the file changes the name; `frame` has row_number, code and name."""
    names = dict(zip(known.codes, known.names, strict=True))
    renamed = {
        row.row_number: Renamed(row.code, names[row.code], row.name)
        for row in frame.itertuples()
        if row.code in names and names[row.code] != row.name
    }
    rows = np.array(list(renamed), dtype=np.int32)
    values = [f"{each.code}: {each.before} -> {each.after}" for each in renamed.values()]
    findings.add("settlement_renamed", rows, field="settlement_name", values=values)
    return tuple(renamed.values())


def tell_missing(frame: pd.DataFrame, known: Places, theirs: Collection[str], findings: Findings) -> tuple[Named, ...]:
    """Says which settlements a file of the whole city no longer has; those of other organisations are not its own."""
    own = [Named(c, n) for c, n in zip(known.codes, known.names, strict=True) if c not in theirs]
    there = set(frame["code"])
    missing = tuple(each for each in own if each.code not in there)
    if not missing or len(own) - len(missing) <= _WHOLE_SHARE * len(own):
        return ()
    findings.add_note(Note("settlements_missing", few([str(each) for each in missing], _SHOWN)))
    return missing


def tell_moved(frame: pd.DataFrame, known: Places, findings: Findings, *, may_move: bool) -> None:
    """Says which settlements lie on none of the ground they lay on before.

    Raises:
        Conflict: most of them do, so the codes are probably others' now, and nobody said that they may.
    """
    drawn = {code: shape for code, shape in zip(known.codes, known.shapes, strict=True) if shape is not None}
    again = frame[frame["code"].isin(drawn.keys())]
    if again.empty:
        return
    before = np.array([drawn[code] for code in again["code"]], dtype=object)
    after = again["geom"].to_numpy(dtype=object)
    jumped = ~_share_ground(before, after)
    km = _apart_m(before[jumped], after[jumped]) / 1000
    moved = again[jumped]
    if len(moved) >= _LEAST_JUMPS and len(moved) > len(again) / 2 and not may_move:
        first = moved.iloc[0]
        was = known.names[list(known.codes).index(first["code"])]
        raise Conflict(
            "settlements_moved",
            moved=len(moved),
            again=len(again),
            code=first["code"],
            was=was,
            name=first["name"],
            km=km[0],
        )
    values = [f"{row.code}: {distance:,.1f} km" for row, distance in zip(moved.itertuples(), km, strict=True)]
    numbers = moved["row_number"].to_numpy(dtype=np.int32)
    findings.add("settlement_moved", numbers, field="settlement_code", values=values)


def _share_ground(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    touching = np.asarray(shapely.intersects(before, after))
    shared = np.zeros(len(before), dtype=bool)
    shared[touching] = shapely.area(shapely.intersection(before[touching], after[touching])) > 0
    return shared


def _apart_m(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.float64]:
    if len(before) == 0:
        return np.zeros(0)
    return geodesic_distance_m(*middles(before), *middles(after))
