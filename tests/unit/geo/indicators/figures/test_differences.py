"""What few households changed stays, and what stays leaves those few room: held by an attacker of its own."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from geo.indicators.figures import NO_WARD
from geo.indicators.figures.disclosure.differences import COUNTS, NONE, Counted, Kept, Places, find_kept
from geo.indicators.figures.disclosure.ties import Family
from geo.indicators.figures.disclosure.together import Plan

Floats = NDArray[np.float64]


def plan(*, sensitive: bool = False) -> Plan:
    """One indicator, that everybody is asked."""
    return Plan((None,), np.array([False]), np.array([sensitive]), False, (Family((0,)),))


def counted(answering: list[float], yes: list[float] | None = None, *, weight: float = 1.0) -> Counted:
    """The counts of settlements, of one indicator, not by groups."""
    n = np.array(answering, dtype=np.float64)[None, :, None]
    y = np.zeros_like(n) if yes is None else np.array(yes, dtype=np.float64)[None, :, None]
    return Counted(dict(zip(COUNTS, (n, y, n, n * weight, y * weight), strict=True)), np.array([True]))


def kept(now: Counted, *former: Counted, ward: list[int], is_sensitive: bool = False) -> Kept:
    """What stays, of settlements in these wards."""
    nobody = np.zeros(len(ward), dtype=bool)
    places = Places(np.array(ward, dtype=np.intp), max(ward) + 1, nobody, False)
    return find_kept(
        now,
        [partial(Counted, each.counts, each.has_block) for each in former],
        np.ones(1),
        places,
        plan(sensitive=is_sensitive),
    )


def room(added: Floats, ward: list[int], found: Kept, settlement: int) -> float:
    """How far apart the fewest and the most are that can have been added to a settlement that stays."""
    hidden, wards, city = (found.keeps[level][0] for level in ("settlement", "ward", "city"))
    rows = []
    for number in range(max(ward) + 1):
        if not wards[number]:
            rows.append([float(hidden[i] and ward[i] == number) for i in range(len(ward))])
    if not city[0]:
        rows.append([float(each) for each in hidden])
    totals = [float(np.dot(row, added)) for row in rows]
    ends: list[float] = []
    for sign in (1.0, -1.0):
        aim = np.zeros(len(ward))
        aim[settlement] = sign
        solved = linprog(aim, A_eq=rows or None, b_eq=totals or None, bounds=(0, None), method="highs")
        assert solved.status in (0, 3)
        ends.append(sign * float(solved.fun or 0.0) if solved.status == 0 else np.inf)
    return ends[1] - ends[0]


SETTLEMENTS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from([10, 20, 60]), min_size=n, max_size=n),
        st.lists(st.sampled_from([0, 0, 1, 3, 9, 10, 12, 40]), min_size=n, max_size=n),
        st.lists(st.sampled_from([NO_WARD, 0, 1, 2]), min_size=n, max_size=n),
    )
)


@settings(max_examples=300, deadline=None)
@given(SETTLEMENTS)
def test_no_addition_of_fewer_than_ten_can_be_told(city: tuple[list[int], list[int], list[int]]) -> None:
    before, added, ward = city
    now = [float(one + more) for one, more in zip(before, added, strict=True)]
    found = kept(counted(now), counted([float(one) for one in before]), ward=ward)
    if not any(added):
        assert not any(keeps.any() for keeps in found.keeps.values())
    for settlement, more in enumerate(added):
        if 0 < more < 10:
            assert found.keeps["settlement"][0, settlement]
            assert room(np.array(added, dtype=float), ward, found, settlement) >= 10


def test_what_differs_by_ten_is_shown() -> None:
    found = kept(counted([30, 40]), counted([20, 40]), ward=[0, 0])
    assert not any(keeps.any() for keeps in found.keeps.values())


@pytest.mark.parametrize(
    ("now", "yes"),
    [
        pytest.param([30, 40], [17, 20], id="two-answers-corrected"),
        pytest.param([33, 40], [15, 20], id="three-added"),
        pytest.param([21, 40], [10, 20], id="nine-taken-back"),
    ],
)
def test_few_that_differ_stay(now: list[float], yes: list[float]) -> None:
    found = kept(counted(now, yes), counted([30, 40], [15, 20]), ward=[0, 0])
    assert found.keeps["settlement"][0].tolist() == [True, False]
    assert found.keeps["ward"][0].tolist() == [True]
    assert found.keeps["city"][0].tolist() == [True]


def test_a_member_more_is_a_household_that_differs() -> None:
    before, now = counted([30, 40], weight=4), counted([30, 40], weight=4)
    now.counts["sum_a"][0, 0, 0] += 2
    found = kept(now, before, ward=[0, 0])
    assert found.keeps["settlement"][0].tolist() == [True, False]


def test_weights_that_all_changed_are_shown() -> None:
    found = kept(counted([30, 40], weight=8), counted([30, 40], weight=4), ward=[0, 0])
    assert not found.keeps["settlement"].any()


def test_of_a_sensitive_answer_few_who_gave_it_stay() -> None:
    """Forty more, of whom two said yes."""
    for is_sensitive in (False, True):
        now, before = counted([140, 80], [22, 20]), counted([100, 80], [20, 20])
        found = kept(now, before, ward=[0, 0], is_sensitive=is_sensitive)
        assert found.keeps["settlement"][0, 0] == is_sensitive


def test_the_newest_of_which_few_differ_is_what_stays() -> None:
    """A wrong file came in between: the figures before it stay, and not the wrong ones."""
    wrong, right = counted([90, 40]), counted([30, 40])
    found = kept(counted([33, 40]), wrong, right, ward=[0, 0])
    assert found.keeps["settlement"][0].tolist() == [True, False]
    assert found.former["settlement"][0, 0] == 1
    assert found.former["city"][0, 0] == 1


def test_what_was_never_published_has_no_former_figure() -> None:
    nothing = Counted(counted([30, 40]).counts, np.array([False]))
    found = kept(counted([33, 40]), nothing, ward=[0, 0])
    assert found.former["settlement"][0, 0] == NONE
