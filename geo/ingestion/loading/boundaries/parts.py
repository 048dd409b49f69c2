"""Parts: rows that share a code. Near each other, of one name and ward, they are parts of one settlement."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.base import METRES_PER_DEGREE, fold_name, geodesic_distance_m
from geo.ingestion.findings import Findings, few
from geo.ingestion.mapping import BoundaryColumns
from geo.ingestion.mapping.made_columns import made_name
from geo.ingestion.reading import Note, middles
from geo.messages import Message

_APART_M = 1_000.0
"""Parts of one settlement may have a road, a river or a market between them, not a kilometre."""

_SHOWN = 5
"""Of places, and of the rows of each: so many are told."""


def one_row_a_settlement(rows: pd.DataFrame, columns: BoundaryColumns, findings: Findings) -> tuple[pd.DataFrame, int]:
    """Joins rows that are parts of one settlement, such as one cut by a road; returns how many rows are refused too.

    One code that stands for different settlements, by name, by ward, or by where they lie, joins nothing: their
    households would be added up. `rows` has row_number, code, name, ward_code, ward_name and geom, in lon/lat.
    """
    repeated = rows["code"].duplicated(keep=False).to_numpy()
    groups = [group for _, group in rows[repeated].groupby("code", sort=False)]
    shared = [group for group in groups if not _is_one(group)]
    parts = [group for group in groups if _is_one(group)]
    _tell("settlement_code_shared", shared, [_places_of(group) for group in shared], findings)
    drawn = [group for group in parts if group["geom"].notna().any()]
    _tell("parts_joined", drawn, [str(group["code"].iloc[0]) for group in drawn], findings)
    ward = columns.ward_name or columns.ward_code
    if shared and ward is not None and all(_is_told_by_ward(group) for group in shared):
        made = made_name([ward, columns.settlement_code])
        findings.add_note(Note("code_of_columns", made, "settlement_code"))
    joined = [{**g.iloc[0].to_dict(), "geom": shapely.union_all(g["geom"].to_numpy())} for g in parts]
    frame = pd.concat([rows[~repeated], pd.DataFrame(joined, columns=rows.columns)], ignore_index=True)
    frame = frame.sort_values("row_number", kind="stable", ignore_index=True)
    return frame, sum(map(len, shared))


def _is_one(group: pd.DataFrame) -> bool:
    """Whether rows are of one name and ward, as far as they say it, and near each other."""
    is_named_alike = all(len(_distinct(group[label])) <= 1 for label in ("name", "ward_code"))
    return is_named_alike and not _are_apart(group["geom"].to_numpy())


def _is_told_by_ward(group: pd.DataFrame) -> bool:
    """Whether ward and code together stand for one settlement each."""
    return bool(group["ward_code"].notna().all()) and all(_is_one(part) for _, part in group.groupby("ward_code"))


def _distinct(labels: pd.Series) -> set[str]:
    return {fold_name(label) for label in labels.dropna()}


def _are_apart(shapes: NDArray[Any]) -> bool:
    """Whether shapes fall into groups further from each other than parts of one settlement are."""
    drawn = shapes[~shapely.is_missing(shapes)]
    if len(drawn) < 2:
        return False
    west, south, east, north = shapely.bounds(drawn).T
    tall = _APART_M / 2 / METRES_PER_DEGREE
    wide = tall / np.cos(np.radians(np.minimum(np.maximum(np.abs(south), np.abs(north)), 89.0)))
    around = shapely.union_all(shapely.box(west - wide, south - tall, east + wide, north + tall))
    return len(shapely.get_parts(around)) > 1


def _tell(code: str, groups: list[pd.DataFrame], values: Sequence[str | Message], findings: Findings) -> None:
    numbers = [group["row_number"].to_numpy(dtype=np.int32) for group in groups]
    each = [value for value, rows in zip(values, numbers, strict=True) for _ in rows]
    findings.add(code, np.concatenate([np.zeros(0, dtype=np.int32), *numbers]), field="settlement_code", values=each)


def _places_of(group: pd.DataFrame) -> Message:
    """What a code stands for: each place with its ward and rows, and how far apart they are."""
    code, name = group["code"].iloc[0], group["name"].fillna(group["code"])
    told = [
        _on_rows(place, ward, of_place["row_number"])
        for (place, ward), of_place in group.groupby([name.astype(str), group["ward_name"]], sort=False, dropna=False)
    ]
    drawn = group["geom"].dropna().to_numpy(dtype=object)
    if len(drawn) < 2:
        return Message("code_of_places", code=code, places=few(told, _SHOWN))
    lon, lat = middles(drawn)
    furthest = float(geodesic_distance_m(np.full_like(lon, lon[0]), np.full_like(lat, lat[0]), lon, lat).max()) / 1000
    apart = round(furthest, 1) if furthest < 10 else round(furthest)
    return Message("code_of_places_apart", code=code, places=few(told, _SHOWN), km=apart)


def _on_rows(name: str, ward: str | None, numbers: pd.Series) -> Message:
    """A place with its ward, if it is known, and the first of its rows."""
    place = name if pd.isna(ward) else Message("place_in_ward", place=name, ward=ward)
    rows = [str(number) for number in numbers[:_SHOWN]]
    return Message("place_on_more_rows" if len(numbers) > _SHOWN else "place_on_rows", place=place, rows=rows)
