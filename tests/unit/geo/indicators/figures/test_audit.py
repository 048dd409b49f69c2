"""What an attacker learns from all that is published of a round: of what was published before, and of what is now."""

import numpy as np
import pytest

from geo.indicators.figures.disclosure.audit import Finding
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
