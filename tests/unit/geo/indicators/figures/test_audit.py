"""What an attacker learns from all that is published of a round: of what was published before, and of what is now."""

import numpy as np
import pytest

from geo.indicators.figures.disclosure.audit import Finding, audit
from geo.indicators.figures.disclosure.audit import Text as Published
from geo.indicators.figures.disclosure.program import Impossible
from tests.support.published import Text, cells_of, households

COMPONENTS = ("water_basic", "sanitation_basic", "not_durable", "overcrowded", "tenure_secure")
SCORES = ("mpi_headcount", "mpi_adjusted", "mpi_intensity")
LADDER = ("sanitation_basic", "sanitation_limited", "sanitation_unimproved", "open_defecation")


def learnt(found: list[Finding], indicator: str, place: str, what: str = "answering") -> list[Finding]:
    return [f for f in found if (f.indicator, f.place, f.what) == (indicator, place, what)]


def deprived(settlement: str, n: int, poor: int) -> list[dict[str, object]]:
    """Households of which some drink surface water and have no toilet."""
    bare = {"toilet_type": "none", "toilet_users": None, "water_source": "surface", "water_location": None}
    return [row | (bare if i < poor else {}) for i, row in enumerate(households(settlement, n))]


def test_few_deprived_are_told_by_their_part_of_all() -> None:
    """The intensity of three households is withheld; the share of the deprived says that they are three."""
    wards = {f"S{i}": "A" if i < 4 else "B" for i in range(1, 7)}
    rows = [row for code in wards for row in deprived(code, 120, 3 if code == "S1" else 30)]
    text = Text(rows, wards, SCORES)
    hidden = cells_of(["mpi_intensity"], "S1", "S2")
    assert learnt(text.audited(text.with_withheld(hidden)), "mpi_intensity", "S1")
    assert text.audited(text.published()) == []


def test_a_sensitive_answer_is_told_by_a_sum_of_which_it_is_a_part() -> None:
    """Two of sixty fear eviction and lack nothing else; a slum household lacks one thing or more."""
    wards = {f"S{i}": "A" if i < 4 else "B" for i in range(1, 7)}
    rows = [
        row
        for code in wards
        for row in households(code, 60, fears_eviction=lambda i, code=code: i < (2 if code == "S3" else 20))
    ]
    for composites in (("slum_household",), ("slum_severity",)):
        text = Text(rows, wards, (*COMPONENTS, *composites))
        found = text.audited(text.with_withheld(cells_of(["tenure_secure"], "S2", "S3")))
        assert learnt(found, "tenure_secure", "S3", "no")
        assert text.audited(text.published()) == []


def test_two_patterns_of_one_base_tell_what_both_hide() -> None:
    """An improved toilet is a basic or a limited one; each hides the settlement of nine with another one of ten."""
    sizes = {"S1": 9, "S2": 10, "S3": 10, "S4": 120, "S5": 130, "S6": 140, "S7": 60}
    wards = {code: "A" if code < "S4" else "B" for code in sizes}
    rows = [
        row
        for code, n in sizes.items()
        for row in households(
            code,
            n,
            toilet_type=lambda i, n=n: "hanging" if i < n / 3 else "flush_septic",
            toilet_users=lambda i, code=code: None if (code, i) == ("S3", 9) else "shared" if i % 3 == 0 else "own",
        )
    ]
    text = Text(rows, wards, ("sanitation_improved", *LADDER))
    hidden = cells_of(["sanitation_improved"], "S1", "S2") | cells_of(LADDER, "S1", "S3")
    assert learnt(text.audited(text.with_withheld(hidden)), "sanitation_improved", "S1")
    assert text.audited(text.published()) == []


def test_groups_tell_who_gave_a_sensitive_answer() -> None:
    """None of the women of two settlements holds a document: those of the third are all there are in the ward."""
    spec = {
        "S1": {"female": (12, 0), "male": (20, 10)},
        "S2": {"female": (14, 0), "male": (22, 11)},
        **{code: {"female": (60, 30), "male": (60, 30)} for code in ("S3", "S4", "S5", "S6")},
    }
    wards = {code: "A" if code < "S4" else "B" for code in spec}
    rows = [
        row
        for code, groups in spec.items()
        for sex, (n, yes) in groups.items()
        for row in households(code, n, head_sex=sex, tenure_document=lambda i, yes=yes: i < yes)
    ]
    text = Text(rows, wards, ("tenure_documented", "drainage_any"), by=("head_sex",))
    before = text.with_withheld(cells_of(["tenure_documented"], "S1", "S2"))
    whole = before["group_by"].isna() & before["indicator"].eq("tenure_documented")
    before = before[~(whole & before["status"].eq("withheld"))]
    assert learnt(text.audited(before), "tenure_documented", "S1", "yes")
    assert text.audited(text.published()) == []


def test_a_group_is_told_by_an_answer_that_all_of_it_give() -> None:
    """All women have a closed drain and nobody else does: the drains of a settlement say how many women there are.

    Who knows what figures were made from begins elsewhere, and finds the same.
    """
    rows = [
        row
        for code, women in {"S1": 3, "S2": 4, "S3": 12, "S4": 20, "S5": 20, "S6": 20}.items()
        for row in [
            *households(code, women, head_sex="female", drainage="closed"),
            *households(code, 40, head_sex="male", drainage="open"),
        ]
    ]
    text = Text(rows, {f"S{i}": "A" if i < 4 else "B" for i in range(1, 7)}, ("drainage_closed",), by=("head_sex",))
    shown = text.published()
    found = text.audited(shown)
    assert {(each.place, each.group) for each in found} >= {("S1", "female"), ("S2", "female")}
    again = text.audited(shown, made_from=text.made_from())
    assert {(each.place, each.group, each.what) for each in again} == {
        (each.place, each.group, each.what) for each in found
    }
    for each in again:
        answering = text.made_from()["settlement", each.place, each.indicator, each.counted, "head_sex", each.group]
        assert each.least - 1e-3 <= answering.answering <= each.most + 1e-3


def nine_and_ten(n: int = 9, **more: object) -> Text:
    sizes = {"S1": n, "S2": 10, "S3": 60, "S4": 70, "S5": 80, "S6": 90}
    wards = {code: "A" if code < "S4" else "B" for code in sizes}
    rows = [
        row
        for code, of in sizes.items()
        for row in households(code, of, drainage=lambda i: "none" if i % 2 else "open")
    ]
    return Text(rows, wards, ("drainage_any", "density_households"), **more)  # type: ignore[arg-type]


def test_reasons_of_two_kinds_tell_which_settlement_has_nine() -> None:
    text = nine_and_ten()
    hidden = cells_of(text.indicators, "S1", "S2")
    before = text.with_withheld(hidden, lambda cell: "fewer_than_10" if cell[2] == "S1" else "protects_another")
    assert learnt(text.audited(before), "drainage_any", "S1")
    assert text.audited(text.with_withheld(hidden)) == []
    assert text.audited(text.published()) == []


def test_the_unserved_tell_no_more_than_the_share() -> None:
    """35 of 60 where 3,000 live: the shown 58 % say nothing of a sixtieth, 1,250 do."""
    text = nine_and_ten(frame=3000.0, mode="sample")
    shown = text.published()
    assert [f for f in text.audited(shown) if f.what == "unserved"] == []
    there = shown["unserved"].notna() & shown["value"].gt(0)
    finer = shown.assign(unserved=shown["unserved"].mask(there, shown["unserved"] + 15))
    assert {f.what for f in text.audited(finer)} == {"unserved"}


def test_a_density_tells_no_more_than_people_rounded_to_five() -> None:
    text = nine_and_ten(hectares=1.37)
    shown = text.published()
    assert text.audited(shown) == []
    is_density = shown["indicator"].eq("density_households") & shown["value"].notna()
    exact = {"S3": 60, "S4": 70, "S5": 80, "S6": 90}
    finer = shown["settlement_code"].map({code: (n + 2) / 1.37 for code, n in exact.items()})
    before = shown.assign(value=shown["value"].mask(is_density & finer.notna(), np.round(finer, 1)))
    assert {f.what for f in text.audited(before)} == {"density"}


def test_figures_no_survey_could_have_are_refused() -> None:
    text = nine_and_ten()
    shown = text.published()
    city = shown["level"].eq("city") & shown["indicator"].eq("drainage_any")
    with pytest.raises(Impossible):
        text.audited(shown.assign(n=shown["n"].mask(city, 15.0)))


def test_fewer_than_a_hundred_are_shown_as_a_hundred_with_a_decimal_less() -> None:
    """Of 98 households means are told to two decimals, and so is how closely they can be known."""
    wards = {f"S{i}": "A" for i in range(1, 4)}
    rows = [row for code, n in {"S1": 98, "S2": 120, "S3": 130}.items() for row in deprived(code, n, 41)]
    text = Text(rows, wards, SCORES)
    shown = text.published()
    of_98 = shown["settlement_code"].eq("S1") & shown["indicator"].eq("mpi_adjusted")
    assert set(shown.loc[of_98, "n"]) == {100.0}
    assert text.audited(shown) == []
    assert text.audited(shown, made_from=text.made_from()) == []


def round_of(**added: int) -> Text:
    """Six settlements in two wards, with so many households more in some, of whom as many have a drain as before."""
    sizes = {"S1": 40, "S2": 50, "S3": 60, "S4": 70, "S5": 80, "S6": 90}
    wards = {code: "A" if code < "S4" else "B" for code in sizes}
    rows = [
        row
        for code, n in sizes.items()
        for row in households(
            code,
            n + added.get(code, 0),
            drainage=lambda i: "none" if i % 2 else "open",
            tenure_document=lambda i: i % 3 > 0,
        )
    ]
    return Text(rows, wards, ("drainage_any", "drainage_closed", "tenure_documented"))


def changed(found: list[Finding]) -> set[str]:
    return {f.place for f in found if f.what == "changed"}


def test_the_same_again_tells_nothing() -> None:
    former = round_of().published()
    assert round_of().audited(round_of().published(), former) == []


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (round_of(S1=3), {"S1", "A", ""}),
        (round_of(S1=3, S2=20), {"S1"}),
    ],
    ids=["three more in one settlement", "three more in one and twenty in another"],
)
def test_a_second_publication_gives_few_away(later: Text, told: set[str]) -> None:
    former = round_of().published()
    assert changed(later.audited(later.published(), former)) == told


def test_few_who_were_taken_back_are_given_away() -> None:
    former = round_of(S1=3).published()
    assert changed(round_of().audited(round_of().published(), former)) == {"S1", "A", ""}


def test_many_more_give_nobody_away() -> None:
    former, later = round_of().published(), round_of(S1=30)
    assert later.audited(later.published(), former) == []


def test_households_who_move_link_nothing() -> None:
    """Twenty more here and twenty fewer there: who is known to be in both is known to nobody."""
    former, later = round_of(S1=20).published(), round_of(S6=20)
    assert later.audited(later.published(), former) == []


@pytest.mark.parametrize(
    ("kept", "is_safe"), [([], False), (["S1"], False), (["S1", "A"], False), (["S1", "A", ""], True)]
)
def test_figures_that_are_kept_hide_few(kept: list[str], is_safe: bool) -> None:
    """Where the settlement's are kept, its ward tells of them, and where that one's are, the city."""
    former, later = round_of().published(), round_of(S1=3)
    assert changed(later.audited(later.published_after(former, *kept), former)) == (
        set() if is_safe else {"S1", "A", ""}
    )


def test_many_more_in_another_settlement_hide_few() -> None:
    """Ward and city are told anew: of their twenty-three more it is not known where three are."""
    former, later = round_of().published(), round_of(S1=3, S2=20)
    assert later.audited(later.published_after(former, "S1"), former) == []


def test_few_in_a_ward_of_which_only_a_hidden_settlement_grew() -> None:
    """Nine and ten are hidden; that their ward has three more is three more of nineteen."""
    former, later = nine_and_ten().published(), nine_and_ten(12)
    assert {"A", ""} <= changed(later.audited(later.published(), former))
    kept = later.published_after(former, "S1", "S2", "A", "")
    assert later.audited(kept, former) == []


def documented(n: int, yes: int) -> Text:
    """A settlement in which so many hold a document of tenure, and a larger one beside it."""
    rows = [
        *households("S1", n, tenure_document=lambda i: i < yes),
        *households("S2", 300, tenure_document=lambda i: i < 90),
    ]
    return Text(rows, {"S1": "A", "S2": "A"}, ("tenure_documented",))


@pytest.mark.parametrize(
    "later", [documented(150, 14), documented(120, 14)], ids=["thirty more, of whom two do", "two answers corrected"]
)
def test_few_sensitive_answers_are_given_away(later: Text) -> None:
    former = documented(120, 12).published()
    found = later.audited(later.published(), former)
    assert "changed yes" in {f.what for f in found if f.place == "S1"}
    kept = later.published_after(former, "S1", "A", "")
    assert later.audited(kept, former) == []


def test_a_figure_kept_from_an_older_publication_speaks_of_that() -> None:
    """What the first of three publications said of a settlement stands in both others, which added to the rest."""
    first = round_of().published()
    texts = [round_of(S1=3, S2=20 * i) for i in (1, 2)]
    second, third = (text.published_after(first, "S1", "A", "") for text in texts)
    found = audit(Published(third, 3), texts[0].wards, texts[0].definitions, former=Published(second, 2))
    assert found == []
