"""Checks of boundaries against each other: shapes that overlap, lie in one another, or lie where none should."""

from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.base import METRES_PER_DEGREE, geodesic_area_m2, geodesic_distance_m, is_sliver, polygon_areas_m2
from geo.errors import InputError
from geo.ingestion.findings import Findings
from geo.ingestion.reading import Note, middles
from geo.messages import Message
from geo.places import Places

_NESTED_SHARE = 0.99
_AREA_M2 = (100.0, 50e6)
_FAR_M = 200_000.0
_MOST_FAR = 0.2
"""With more of a file's outlines far from the middle, the file is of more than one city."""

_MOST_PAIRS, _MOST_PAIRS_EACH = 100_000, 30
"""Of outlines that touch: real settlements have a few neighbours each."""
_AT_ONCE = 200


def check_boundaries(frame: pd.DataFrame, known: Places | None, findings: Findings) -> NDArray[np.bool_]:
    """Checks settlements against each other and against `known` ones that are not among them; returns the rejected.

    `frame` has the columns row_number, code, geom (lon/lat) and area_m2.

    Raises:
        InputError: outlines are stacked on each other.
    """
    if frame.empty:
        return np.zeros(0, dtype=bool)
    rows = frame["row_number"].to_numpy(dtype=np.int32)
    area = frame["area_m2"].to_numpy(dtype=np.float64)
    odd = (area < _AREA_M2[0]) | (area > _AREA_M2[1])
    findings.add("area_implausible", rows[odd], values=[_area(a) for a in area[odd]])
    codes, shapes, areas = list(frame["code"]), frame["geom"].to_numpy(), area
    if known is not None:
        others = [i for i, s in enumerate(known.shapes) if s is not None and known.codes[i] not in set(codes)]
        codes += [known.codes[i] for i in others]
        shapes = np.concatenate([shapes, known.shapes[others]])
        areas = np.concatenate([areas, geodesic_area_m2(known.shapes[others])])
    _check_distance(shapes, rows, findings)
    return _check_overlaps(codes, shapes, areas, rows, findings)


def _check_distance(shapes: NDArray[Any], rows: NDArray[np.int32], findings: Findings) -> None:
    """A settlement far from the middle of the others; with fewer than three, nobody can say which is the stray."""
    if len(shapes) < 3:
        return
    lon, lat = middles(shapes)
    middle = np.full(len(lon), np.median(lon)), np.full(len(lat), np.median(lat))
    distance = geodesic_distance_m(lon, lat, *middle)[: len(rows)]
    far = distance > _FAR_M
    # Where many are far, "far" says nothing of each.
    if np.count_nonzero(far) > max(1, _MOST_FAR * len(rows)):
        findings.add_note(Note("boundaries_scattered", _groups_apart(lon[: len(rows)], lat[: len(rows)])))
        return
    findings.add("boundary_far", rows[far], values=[f"{metres / 1000:,.0f} km" for metres in distance[far]])


def _groups_apart(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Message:
    """Into how many groups places fall that lie far from each other, and how far apart these are."""
    tall = _FAR_M / 4 / METRES_PER_DEGREE
    wide = tall / np.cos(np.radians(np.minimum(np.abs(lat), 80.0)))
    around = shapely.get_parts(shapely.union_all(shapely.box(lon - wide, lat - tall, lon + wide, lat + tall)))
    of, group = shapely.STRtree(around).query(shapely.points(lon, lat), predicate="intersects")
    x, y = (np.array([axis[of[group == g]].mean() for g in range(len(around))]) for axis in (lon, lat))
    one, other = np.triu_indices(len(around), 1)
    if len(one) == 0:
        return Message("groups_one_wide")
    km = geodesic_distance_m(x[one], y[one], x[other], y[other]) / 1000
    return Message("groups_apart", n=len(around), nearest=round(km.min()), furthest=round(km.max()))


def _check_overlaps(
    codes: list[str],
    shapes: NDArray[Any],
    areas: NDArray[np.float64],
    rows: NDArray[np.int32],
    findings: Findings,
) -> NDArray[np.bool_]:
    """Pairs that share ground. Of two equal shapes the first stays; of two others, the smaller one's row is told."""
    n = len(rows)
    rejected = np.zeros(n, dtype=bool)
    one, other = _touching(shapes, n)
    shared = shapely.intersection(shapes[one], shapes[other])
    solid = shapely.area(shared) > 0
    one, other, shared = one[solid], other[solid], shared[solid]
    overlap = polygon_areas_m2(shared)
    smaller = np.minimum(areas[one], areas[other])
    equal = (overlap >= 0.999 * np.maximum(areas[one], areas[other])) & shapely.equals(shapes[one], shapes[other])
    nested = ~equal & (overlap >= _NESTED_SHARE * smaller)
    over = ~equal & ~nested & ~is_sliver(overlap, smaller)
    for a, b in zip(one[equal], other[equal], strict=True):
        # A known settlement keeps its shape; within the file the later row goes.
        late, early = (a, b) if b >= n else (b, a)
        if not rejected[late]:
            rejected[late] = True
            findings.add("boundary_duplicate", rows[[late]], field="settlement_code", values=[codes[early]])
    for a, b, is_nested, m2, of in zip(
        *(values[nested | over] for values in (one, other, nested, overlap, smaller)), strict=True
    ):
        # The smaller one is told; of a settlement the city has already no row is here.
        told, neighbour = (a, b) if b >= n or areas[a] <= areas[b] else (b, a)
        near = codes[neighbour]
        if not is_nested:
            overlapped = Message("ground_overlapped", code=near, m2=round(m2), share=m2 / of)
            findings.add("boundary_overlap", rows[[told]], field="settlement_code", values=[overlapped])
        elif areas[told] > areas[neighbour]:
            whole = Message("ground_whole", code=near)
            findings.add("boundary_overlap", rows[[told]], field="settlement_code", values=[whole])
        else:
            findings.add("boundary_nested", rows[[told]], field="settlement_code", values=[near])
    return rejected


def _touching(shapes: NDArray[Any], n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of the first `n` shapes with each other and with the rest that touch, each once, the rest as the second.

    Raises:
        InputError: there are too many for settlements that lie side by side, and for the time to look at each.
    """
    tree = shapely.STRtree(shapes)
    most = max(_MOST_PAIRS, _MOST_PAIRS_EACH * n)
    found, total = [], 0
    for start in range(0, n, _AT_ONCE):
        one, other = tree.query(shapes[start : min(start + _AT_ONCE, n)], predicate="intersects")
        one = one + start
        # A neighbour the city has already is never the first of a pair.
        once = (one < other) | (other >= n)
        pairs = np.stack([one[once], other[once]])
        found.append(pairs)
        total += pairs.shape[1]
        if total > most:
            raise InputError("outlines_overlap_everywhere", most=most)
    both = np.concatenate(found, axis=1)
    return both[0], both[1]


def _area(area_m2: float) -> str:
    return f"{area_m2:,.0f} m2" if area_m2 < 1e6 else f"{area_m2 / 1e6:,.0f} km2"
