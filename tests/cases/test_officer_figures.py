"""Cases of wrong figures: whom a figure is of, and on whose ground they live."""

import pytest

from tests.support.officer import Officer, figure, read_figures

ASSESS = ("settlements.geojson", "households.csv", "--mode", "census")
NAMED = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")
OF_2025 = (
    *("--city", "case", "--survey", "2025"),
    *("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census"),
)


@pytest.mark.case("officer/A1-unanswered-settlement")
def test_people_who_did_not_answer_count_as_people_and_as_unserved(officer: Officer) -> None:
    figures = officer.figures(*ASSESS)
    for place, expected in {"": (52.27, 176, 84), "East": (46.88, 128, 68)}.items():
        found = figure(figures, "sanitation_basic", place)
        assert (found["value"], found["population"], found["unserved"]) == expected
    # The same of every indicator that keeps unknown answers in its base; the others leave the settlement out.
    assert figure(figures, "open_defecation")["population"] == 176
    assert figure(figures, "sanitation_basic", "TD3")["reason"] == "no_answers"


@pytest.mark.case("officer/A1-unanswered-settlement")
def test_households_of_a_register_that_did_not_answer_count_too(officer: Officer) -> None:
    figures = officer.figures("settlements.geojson", "register.csv", "--unit", "settlement", "--mode", "census")
    found = figure(figures, "sanitation_basic")
    assert (found["value"], found["population"], found["unserved"]) == (45.45, 1650, 900)


@pytest.mark.case("officer/A1-unanswered-settlement")
def test_gaps_of_a_ward_count_those_who_did_not_answer(officer: Officer) -> None:
    officer.city("case", "settlements.geojson")
    officer.run("load", "survey", "households.csv", *OF_2025)
    asked = ("gaps", "--city", "case", "--indicator", "sanitation_basic", "--level", "ward", "--counted", "persons")
    found = officer.table(*asked, "--target", 80).set_index("ward_code").loc["East"]
    assert (found["population"], found["unserved"], found["to_target"]) == (130, 70, 45)
    whole = officer.table(*asked, "--target", 80, "--full").set_index("ward_code").loc["East"]
    # 128 people at 46.875 %, up to 80 %: 42.4, so the 43rd reaches it.
    assert (whole["population"], whole["unserved"], whole["to_target"]) == (128, 68, 43)


@pytest.mark.case("field/51-register-with-one-settlement-unknown")
@pytest.mark.parametrize(
    ("register", "ward", "city"),
    [("register.csv", (25.0, 200, 50), (37.5, 400, 150)), ("register_small.csv", (45.45, 110, 50), (48.39, 310, 150))],
)
def test_of_a_bad_thing_never_fewer_have_it_than_are_known_to(
    officer: Officer, register: str, ward: tuple[float, ...], city: tuple[float, ...]
) -> None:
    profile = officer.folder / "register.toml"
    profile.write_text(
        'name = "register"\n'
        '[fields.declared_settlement_code]\ncolumn = "settlement_code"\n'
        '[fields.weight]\ncolumn = "families"\n'
        '[shares.toilets]\nkind = "count"\nof = "families"\nrest = { toilet_type = "flush_septic" }\n'
        '[[shares.toilets.parts]]\ncolumn = "without_drain"\nanswers = { toilet_type = "none" }\n',
        encoding="utf-8",
    )
    officer.city("case", "../_base_boundaries.geojson", *NAMED)
    officer.run("load", "survey", register, *OF_2025, "--unit", "settlement", "--profile", profile)
    figures = officer.values("case", "2025", "--counted", "households", "--indicator", "open_defecation")
    # Of the ward 25 % of all are known to have none, which is too little to be said where half did not answer.
    for place, expected in (("A", ward), ("", city)):
        found = figure(figures, "open_defecation", place)
        if found["reason"] != "too_many_unknown":
            assert (found["value"], found["population"], found["unserved"]) == expected
    assert (figure(figures, "open_defecation", "A")["reason"] == "too_many_unknown") == (register == "register.csv")
    gaps = officer.table("gaps", "--city", "case", "--indicator", "open_defecation", "--level", "ward", "--target", 5)
    found = gaps.set_index("ward_code").loc["A"]
    if register == "register_small.csv":
        # 110 households at 45 %, down to 5 %: 44.5 of them.
        assert (found["unserved"], found["to_target"]) == (50, 45)


@pytest.mark.case("officer/A2-nested-two")
def test_ground_of_a_settlement_inside_another_counts_once(officer: Officer) -> None:
    figures = officer.figures(*ASSESS)
    people = {place: figure(figures, "density_persons", place)["value"] for place in ("KIJ", "West Bank", "KIS", "")}
    assert people == {"KIJ": 143.15, "West Bank": 143.15, "KIS": 224.95, "": 163.60}
    homes = {place: figure(figures, "density_households", place)["value"] for place in ("KIJ", "KIS", "")}
    assert homes == {"KIJ": 0.24, "KIS": 0.56, "": 0.32}


@pytest.mark.case("officer/A2-nested-inner-empty")
def test_ground_of_an_inner_settlement_without_rows_is_not_the_outer_ones(officer: Officer) -> None:
    figures = officer.figures(*ASSESS)
    assert figure(figures, "density_persons", "KIJ")["value"] == 143.15
    assert figure(figures, "density_persons")["value"] == 143.15
    assert figure(figures, "density_persons", "KIS")["reason"] == "no_answers"
    assert figure(figures, "density_households")["value"] == 0.24


@pytest.mark.case("officer/A2-nested-three")
@pytest.mark.parametrize(
    ("survey", "expected"),
    [
        ("households.csv", {"KIJ": 143.15, "KIS": 276.86, "KAT": 1363.34, "": 227.51}),
        ("households_without_middle.csv", {"KIJ": 143.15, "KAT": 1363.34, "": 214.93}),
    ],
)
def test_ground_within_ground_within_ground(officer: Officer, survey: str, expected: dict[str, float]) -> None:
    _, out = officer.assess("settlements.geojson", survey, "--mode", "census")
    assessed = read_figures(out)
    officer.city("case", "settlements.geojson")
    officer.run("load", "survey", survey, *OF_2025)
    for figures in (assessed, officer.values("case", "2025")):
        assert {place: figure(figures, "density_persons", place)["value"] for place in expected} == expected


@pytest.mark.case("officer/C9-empty-figures-of-a-sample")
def test_figures_without_answers_say_how_the_round_was_surveyed(officer: Officer) -> None:
    done, out = officer.assess("settlements.geojson", "drawn.csv", "--mode", "sample")
    figures = read_figures(out)
    of_city = figures[(figures["level"] == "city") & (figures["method"] != "measurement")]
    assert len(of_city) > 20
    assert set(of_city["method"]) == {"sample"}
    assert figure(figures, "household_toilet")["reason"] == "too_many_unknown"
    assert "No figure of household_toilet: toilet_location is not in the file." in done.stdout
