"""What the public sees of a block: withheld, rounded, and with nothing to be worked out from what is left."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from geo.indicators.definitions import catalogue
from geo.indicators.figures import LEVELS, NO_WARD, REASONS, Cells
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure import rules as d
from tests.support.exact_sums import Equation, ranges
from tests.support.tables import counts, figures, figures_by_level, table

SETTINGS = settings(max_examples=30, deadline=None, derandomize=True)

SECRET = {"protected"}

N = st.sampled_from([0, 0, 1, 5, 9, 10, 11, 14, 30]) | st.integers(0, 80)


@st.composite
def answers(draw: Any) -> tuple[int, int]:
    """How many say yes and how many say no."""
    n = draw(N)
    return (yes := draw(st.integers(0, n))), n - yes


Settlements = list[tuple[int, list[tuple[int, int]]]]


def settlements(groups: int) -> SearchStrategy[Settlements]:
    """Up to eight settlements, each with a ward or none and the answers of each group."""
    one = st.tuples(st.integers(-1, 2), st.lists(answers(), min_size=groups, max_size=groups))
    return st.lists(one, min_size=1, max_size=8)


def whole_table(drawn: Settlements, indicator: str) -> Cells:
    cells = [
        counts(sum(yes for yes, _ in parts), sum(map(sum, parts)), ward=number(drawn, ward)) for ward, parts in drawn
    ]
    return table(cells, indicator, counted="households")


def number(drawn: Settlements, ward: int) -> int:
    """Wards as indices without gaps."""
    used = sorted({w for w, _ in drawn} - {NO_WARD})
    return NO_WARD if ward == NO_WARD else used.index(ward)


def members_of(made: Cells) -> dict[str, list[list[int]]]:
    """The settlements of each place, by level."""
    ward = made.places["ward"].to_numpy()
    return {
        "settlement": [[i] for i in range(len(ward))],
        "ward": [np.flatnonzero(ward == w).tolist() for w in range(len(made.wards))],
        "city": [list(range(len(ward)))],
    }


def published(figure: dict[str, Any]) -> bool:
    """Whether the figure's counts are known: where nobody answered, that is."""
    return figure["reason"] not in SECRET


def check_numbers(figure: dict[str, Any]) -> None:
    """A withheld figure has a reason and no number; a published one only coarse ones."""
    if figure["status"] == "withheld":
        assert figure["reason"] in REASONS
        assert all(figure[name] != figure[name] for name in NUMBERS)
        return
    assert figure["n"] >= 10
    assert all(figure[name] % 5 == 0 for name in ("n", "n_unknown", "population", "unserved"))
    digits = 0 if figure["n"] < 100 else 1
    assert figure["value"] == round(figure["value"], digits)


def audit(made: Cells, *counted: np.ndarray[Any, Any]) -> None:
    """Each count of every withheld place has room of ten, for whoever knows the published ones exactly."""
    known: list[list[int]] = []
    targets: list[list[int]] = []
    places, by_level = members_of(made), figures_by_level(made, "public")
    for level in LEVELS:
        for members, figure in zip(places[level], by_level[level], strict=True):
            check_numbers(figure)
            (known if published(figure) else targets).append(members)
    for values in counted:
        equations: list[Equation] = [(members, float(values[members].sum())) for members in known]
        for target, room in zip(targets, ranges(equations, targets, len(values)), strict=True):
            assert room >= 10 - 1e-6, target


@SETTINGS
@given(settlements(1))
def test_withheld_households_cannot_be_counted(drawn: Settlements) -> None:
    made = whole_table(drawn, "drainage_any")
    audit(made, made.cells["n"].to_numpy())


@SETTINGS
@given(settlements(1))
def test_withheld_sensitive_answers_cannot_be_counted(drawn: Settlements) -> None:
    """Of an answer that could harm, neither those who gave it nor those who did not."""
    made = whole_table(drawn, "tenure_documented")
    yes = made.cells["n_yes"].to_numpy()
    audit(made, yes, made.cells["n"].to_numpy() - yes)


@settings(SETTINGS, max_examples=25)
@given(st.integers(2, 4).flatmap(settlements))
def test_withheld_groups_cannot_be_counted(drawn: Settlements) -> None:
    """With the figures of everybody published beside those of groups."""
    whole = whole_table(drawn, "drainage_any")
    cells = [
        counts(yes, yes + no, settlement=i, ward=number(drawn, ward), group=("", "a", "b", "c")[g])
        for i, (ward, parts) in enumerate(drawn)
        for g, (yes, no) in enumerate(parts)
    ]
    made = table(cells, "drainage_any", counted="households", group_field="head_sex")
    by_level, of_all = figures_by_level(made, "public", whole), figures_by_level(whole, "public")
    groups = sorted({figure["group"] for figure in by_level["city"]})
    exact = np.zeros((len(drawn), len(groups)))
    for i, (_, parts) in enumerate(drawn):
        for g, answer in enumerate(parts):
            code = ("unknown", "a", "b", "c")[g]
            for column, group in enumerate(groups):
                if code in group.split(" + "):
                    exact[i, column] += sum(answer)
    at = np.arange(exact.size).reshape(exact.shape)
    equations: list[Equation] = []
    targets = []
    for level in LEVELS:
        places = members_of(whole)[level]
        for members, figure in zip(places, of_all[level], strict=True):
            if published(figure):
                equations.append((at[members].ravel().tolist(), float(exact[members].sum())))
        for row, figure in enumerate(by_level[level]):
            members, column = places[row // len(groups)], row % len(groups)
            assert figure["group"] == groups[column]
            cell = at[members, column].tolist()
            if published(figure):
                equations.append((cell, float(exact[members, column].sum())))
            elif len(groups) > 1:
                targets.append(cell)
    for target, room in zip(targets, ranges(equations, targets, exact.size), strict=True):
        assert room >= 10 - 1e-6, target


def test_sensitive_answers_at_the_threshold() -> None:
    """Four who hold a document are hidden, and five are not; so are four who hold none, none at all, and all."""
    for yes, shown in ((0, False), (4, False), (5, True), (25, True), (26, False), (30, False)):
        made = table([counts(yes, 30), *[counts(15, 30)] * 3], "tenure_documented")
        first = figures(made, access="public")[0]
        assert (first["status"] == "published") == shown
        if not shown:
            assert first["reason"] == "protected"
        plain = table([counts(yes, 30), *[counts(15, 30)] * 3], "drainage_any")
        assert figures(plain, access="public")[0]["status"] == "published"


def test_a_small_group_takes_its_whole_place() -> None:
    """Nine of the women in one settlement: what all and the men there answered would give theirs away."""
    groups = [("female", 9), ("male", 40)]
    cells = [counts(5, n, settlement=0, group=code) for code, n in groups]
    cells += [counts(9, 20, settlement=s, group=code) for s in (1, 2) for code in ("female", "male")]
    made = table(cells, group_field="head_sex")
    whole = table([counts(10, 49), counts(18, 40), counts(18, 40)])
    rows = figures(made, "settlement", "public", whole)
    assert [(row["place"], row["group"], row["reason"]) for row in rows] == [
        (0, "female", "protected"),
        (0, "male", "protected"),
        (1, "female", "protected"),
        (1, "male", "protected"),
        (2, "female", None),
        (2, "male", None),
    ]
    assert [row["reason"] for row in figures(whole, access="public")] == [None] * 3


def shown(groups: list[tuple[str, int]], field: str = "head_sex") -> list[tuple[str, int]]:
    """The groups the public sees of a city of one settlement."""
    made = table([counts(n // 2, n, group=code, settlement=0) for code, n in groups], group_field=field)
    whole = table([counts(sum(n // 2 for _, n in groups), sum(n for _, n in groups))])
    return [(row["group"], row["n"]) for row in figures(made, "city", "public", whole)]


def test_groups_too_small_to_tell_apart_are_pooled() -> None:
    assert shown([("", 4), ("female", 60), ("male", 70), ("other", 7)]) == [
        ("female", 60),
        ("male", 70),
        ("other + unknown", 10),
    ]
    # Still too small, they join the largest.
    assert shown([("", 3), ("female", 60), ("male", 70), ("other", 5)]) == [
        ("female", 60),
        ("male + other + unknown", 80),
    ]
    assert shown([("", 3), ("Tailor", 60), ("Driver", 70), ("Mayor", 1)], "occupation") == [
        ("Tailor", 60),
        ("other", 75),
    ]


def test_groups_small_in_most_wards_are_pooled() -> None:
    """Thirty in the city, and ten of them in one ward only."""
    cells = [
        counts(2, n, settlement=ward, ward=ward, group=code)
        for ward, small in enumerate((10, 7, 7, 6))
        for code, n in (("female", 40), ("male", 70), ("other", small))
    ]
    whole = table([counts(6, 110 + small, ward=ward) for ward, small in enumerate((10, 7, 7, 6))])
    made = table(cells, group_field="head_sex")
    wards = figures(made, "ward", "public", whole)
    assert {row["group"] for row in wards} == {"female", "male + other"}
    assert all(row["status"] == "published" for row in wards)
    full = figures(made, "city")
    assert [(row["group"], row["n"]) for row in full] == [("female", 160), ("male", 280), ("other", 30)]


def test_groups_of_a_sensitive_field_hide_that_there_are_none() -> None:
    """That nobody in a settlement lives with a disability says something of everybody there."""
    cells = [
        *(counts(10, n, settlement=0, group=code) for code, n in (("false", 50), ("true", 0))),
        *(counts(10, n, settlement=s, group=code) for s in (1, 2, 3) for code, n in (("false", 40), ("true", 20))),
    ]
    whole = table([counts(20, 50), *[counts(20, 60)] * 3])
    hidden = figures(table(cells, group_field="has_disability"), "settlement", "public", whole)
    assert [row["reason"] for row in hidden[:2]] == ["protected", "protected"]
    open_ = figures(table(cells, group_field="head_sex"), "settlement", "public", whole)
    assert [row["reason"] for row in open_[:2]] == [None, "no_answers"]


@pytest.mark.parametrize("indicator", [d.id for d in catalogue().values() if d.is_tallied])
def test_every_indicator_is_withheld_at_nine(indicator: str) -> None:
    made = table([{**counts(4, 9), "seats": 3}, *[{**counts(20, 40), "seats": 3}] * 3], indicator)
    shown = figures(made, access="public")
    assert shown[0]["reason"] == "protected"
    assert [row["status"] for row in shown].count("published") == 2


def test_a_figure_withheld_to_hide_households_has_no_flags() -> None:
    """That a sample has 25 to 49 answers, or some unknown, tells how many there are."""
    small, other = counts(4, 9, 1), counts(10, 30, 3)
    made = table([{**small}, {**other}, *[counts(20, 80)] * 3], mode="sample")
    shown = figures(made, access="public")
    assert [row["reason"] for row in shown[:2]] == ["protected", "protected"]
    assert [row["flags"] for row in shown[:2]] == [(), ()]
    assert [row["flags"] for row in figures(made)[:2]] == [
        ("few_answers", "some_unknown"),
        ("uncertain", "some_unknown"),
    ]


@pytest.mark.parametrize("unknown", [(0, 0), (2, 0), (0, 3)])
def test_the_same_settlement_protects_another_whoever_answered(unknown: tuple[int, int]) -> None:
    """Were it one for households and another for persons, who may be unknown in some, each would be published once."""
    second, third = (counts(8, asked - lost, lost) for asked, lost in zip((21, 23), unknown, strict=True))
    shown = figures(table([counts(4, 9), second, third, counts(40, 80)]), access="public")
    assert [row["status"] for row in shown] == ["withheld", "withheld", "published", "published"]


def test_counts_are_rounded_and_few_are_never_none() -> None:
    counts = np.array([0, 1e-12, 1, 2, 2.4, 3, 7, 8, 12, np.nan])
    assert d.rounded_counts(counts).tolist()[:9] == [0, 0, 5, 5, 5, 5, 5, 10, 10]
    assert np.isnan(d.rounded_counts(counts)[9])


def test_rounded_counts_follow_from_shown_figures_but_for_somebody() -> None:
    """100 % of 3,000 leaves nobody; where one is without, a few are."""
    assert d.rounded_counts(np.array([0.0, 0.0, 18.4]), exact=np.array([0.0, 1.0, 20.0])).tolist() == [0, 5, 20]
