"""What is withheld cannot be worked out: audited by linear programming over whatever city hypothesis comes up with."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from geo.indicators.figures import NO_WARD
from geo.indicators.figures.disclosure.protection import MIN_RANGE, Withheld, protect
from tests.support.exact_sums import Equation, ranges

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)

COUNT = st.sampled_from([0, 1, 4, 9, 10, 11, 12, 25]) | st.integers(0, 60)


City = tuple[list[int], list[list[int]], list[bool]]


def cities(columns: int) -> SearchStrategy[City]:
    """Up to nine settlements in up to four wards, some in none, with counts in each column.

    Some are withheld for a reason of their own, however large they are.
    """
    settlement = st.tuples(
        st.integers(-1, 3), st.lists(COUNT, min_size=columns, max_size=columns), st.sampled_from([False] * 5 + [True])
    )
    return st.lists(settlement, min_size=1, max_size=9).map(
        lambda s: ([w for w, *_ in s], [c for _, c, _ in s], [f for *_, f in s])
    )


def numbered(wards: list[int]) -> tuple[Any, int]:
    """Wards as indices from 0 without gaps."""
    used = sorted(set(wards) - {NO_WARD})
    return np.array([NO_WARD if w == NO_WARD else used.index(w) for w in wards], dtype=np.intp), len(used)


def ward_sums(ward: Any, n_wards: int, counts: Any) -> Any:
    return np.array([counts[ward == w].sum(axis=0) for w in range(n_wards)]).reshape(n_wards, counts.shape[1])


def audit(ward: Any, counts: Any, out: Withheld, columns: list[int]) -> None:
    """Every count that is withheld, of a settlement, a ward or the city, has room of MIN_RANGE.

    The unknowns are the counts of each settlement and column. Whoever reads knows every published count exactly, which
    is more than what is published: counts are rounded.
    """
    n_settlements, n_columns = counts.shape
    for column in columns:
        n = n_settlements
        members = {w: np.flatnonzero(ward == w).tolist() for w in range(len(out.wards))}
        equations = [([s], counts[s, column]) for s in range(n) if not out.settlements[s]]
        equations += [(members[w], counts[members[w], column].sum()) for w in members if not out.wards[w]]
        if not out.city:
            equations.append((list(range(n)), counts[:, column].sum()))
        targets = [[s] for s in range(n) if out.settlements[s]]
        targets += [members[w] for w in members if out.wards[w] and out.settlements[members[w]].any()]
        for target, room in zip(targets, ranges(equations, targets, n), strict=True):
            assert room >= MIN_RANGE - 1e-6, (column, target)
    assert n_columns >= len(columns)


def in_turn(counts: Any) -> Any:
    """Sizes by which settlements are chosen as they stand: whichever are chosen, the withheld ones have room."""
    return np.arange(len(counts), dtype=float)


@SETTINGS
@given(cities(1))
def test_protect_leaves_every_withheld_count_room(city: City) -> None:
    (ward, n_wards), counts = numbered(city[0]), np.array(city[1], dtype=float)
    small = (counts[:, 0] > 0) & ((counts[:, 0] < 10) | np.array(city[2]))
    sums = ward_sums(ward, n_wards, counts)[:, 0]
    out = protect(ward, counts, small, (sums > 0) & (sums < 10), bool(0 < counts.sum() < 10), in_turn(counts))
    assert out.settlements[small].all()
    audit(ward, counts, out, [0])


@SETTINGS
@given(cities(2))
def test_protect_leaves_sensitive_answers_room(city: City) -> None:
    """Columns: those that said yes, and those that said no; neither may be told to within ten."""
    (ward, n_wards), counts = numbered(city[0]), np.array(city[1], dtype=float)

    def alike(of: Any) -> Any:
        return (of.sum(axis=1) > 0) & ((of.min(axis=1) < 5) | (of.sum(axis=1) < 10))

    whole = bool(alike(counts.sum(axis=0, keepdims=True))[0])
    out = protect(ward, counts, alike(counts), alike(ward_sums(ward, n_wards, counts)), whole, in_turn(counts))
    audit(ward, counts, out, [0, 1])


@SETTINGS
@given(st.integers(2, 4).flatmap(cities))
def test_protect_leaves_groups_room(city: City) -> None:
    """Columns are groups; of a place whose groups are withheld, all households together are known."""
    (ward, n_wards), counts = numbered(city[0]), np.array(city[1], dtype=float)
    wards = ward_sums(ward, n_wards, counts)
    # Groups that are small in the whole city have been pooled before.
    counts = counts[:, counts.sum(axis=0) >= 10]
    if counts.shape[1] < 2:
        return
    wards = ward_sums(ward, n_wards, counts)

    def small(of: Any) -> Any:
        return ((of > 0) & (of < 10)).any(axis=1)

    whole = protect(
        ward,
        counts.sum(axis=1, keepdims=True),
        small(counts.sum(axis=1, keepdims=True)),
        small(wards.sum(axis=1, keepdims=True)),
        False,
        in_turn(counts),
    )
    out = protect(
        ward,
        counts,
        small(counts) | whole.settlements | (np.array(city[2]) & (counts.sum(axis=1) > 0)),
        small(wards) | whole.wards,
        whole.city,
        in_turn(counts),
    )
    n_settlements, n_columns = counts.shape
    at = np.arange(n_settlements * n_columns).reshape(n_settlements, n_columns)
    equations: list[Equation] = []
    for s in range(n_settlements):
        if not whole.settlements[s]:
            equations.append((at[s].tolist(), counts[s].sum()))
        if not out.settlements[s]:
            equations += [([int(at[s, g])], counts[s, g]) for g in range(n_columns)]
    for w in range(n_wards):
        of_ward = ward == w
        if not whole.wards[w]:
            equations.append((at[of_ward].ravel().tolist(), counts[of_ward].sum()))
        if not out.wards[w]:
            equations += [(at[of_ward, g].tolist(), counts[of_ward, g].sum()) for g in range(n_columns)]
    if not out.city:
        equations += [(at[:, g].tolist(), counts[:, g].sum()) for g in range(n_columns)]
    if not whole.city:
        equations.append((at.ravel().tolist(), counts.sum()))
    cells = [(s, g) for s in range(n_settlements) if out.settlements[s] and counts[s].sum() for g in range(n_columns)]
    targets = [[int(at[cell])] for cell in cells]
    for cell, room in zip(cells, ranges(equations, targets, at.size), strict=True):
        assert room >= MIN_RANGE - 1e-6, cell


def test_protect_withholds_the_smallest_neighbour() -> None:
    ward = np.array([0, 0, 0, 1, 1], dtype=np.intp)
    counts = np.array([[9.0], [40.0], [15.0], [30.0], [30.0]])
    out = protect(ward, counts, counts[:, 0] < 10, np.zeros(2, bool), False, counts[:, 0])
    assert out.settlements.tolist() == [True, False, True, False, False]
    assert out.wards.tolist() == [False, False]
    assert not out.city


def test_protect_two_small_ones_hide_each_other_once_they_are_ten() -> None:
    ward = np.zeros(3, dtype=np.intp)
    for small, hidden in (([9.0, 1.0], 2), ([4.0, 4.0], 3)):
        counts = np.array([*[[n] for n in small], [50.0]])
        out = protect(ward, counts, counts[:, 0] < 10, np.zeros(1, bool), False, counts[:, 0])
        assert out.settlements.sum() == hidden


def test_protect_a_small_ward_takes_another_along() -> None:
    """A ward of one settlement of nine: the smaller other ward goes with it, and one of its settlements."""
    ward = np.array([0, 1, 1, 2, 2], dtype=np.intp)
    counts = np.array([[9.0], [20.0], [25.0], [30.0], [40.0]])
    small = counts[:, 0] < 10
    out = protect(ward, counts, small, np.array([True, False, False]), False, counts[:, 0])
    assert out.wards.tolist() == [True, True, False]
    assert out.settlements.tolist() == [True, True, False, False, False]


def test_protect_a_city_of_one_small_settlement_beside_an_empty_one() -> None:
    counts = np.array([[12.0], [9.0]])
    small, size = counts[:, 0] < 10, counts[:, 0]
    out = protect(np.array([NO_WARD, NO_WARD], dtype=np.intp), counts, small, np.zeros(0, bool), False, size)
    assert out.settlements.all()
    assert not out.city


@pytest.mark.parametrize("columns", [1, 3])
def test_protect_withholds_nothing_without_need(columns: int) -> None:
    counts = np.full((6, columns), 20.0)
    ward = np.array([0, 0, 1, 1, NO_WARD, NO_WARD], dtype=np.intp)
    out = protect(ward, counts, np.zeros(6, bool), np.zeros(2, bool), False, counts.sum(axis=1))
    assert not out.settlements.any()
    assert not out.wards.any()
    assert not out.city
