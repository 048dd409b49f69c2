"""What a column holds is judged by its whole name, and by the group of the form it stands in."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from geo.ingestion.reading import ReadOptions
from geo.ingestion.suggesting import Suggestion, suggest_profile
from tests.support import factories as f


def _suggest(folder: Path, columns: Mapping[str, Sequence[object]]) -> dict[str, Suggestion]:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    made = suggest_profile(f.write_csv(folder / "survey.csv", rows), ReadOptions()).suggestions
    return {s.target: s for s in made}


MATERIALS, YES_NO = ["Concrete", "Thatch", "Concrete"], ["Yes", "No", "Yes"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Latrine roof material", MATERIALS),
        ("Material of the walls of the kitchen", MATERIALS),
        ("Kitchen/roof", MATERIALS),
        ("latrine/floor material", MATERIALS),
        ("School floor", MATERIALS),
        ("shop/roof material", MATERIALS),
        ("material techo cocina", MATERIALS),
        ("material telhado escola", MATERIALS),
        ("materiau toit ecole", MATERIALS),
        ("school has internet", YES_NO),
        ("school/internet", YES_NO),
        ("internet of the neighbour", YES_NO),
        ("Toilet of the neighbour", ["Septic tank", "Bush", "Septic tank"]),
        ("Latrine floor", ["Septic tank", "Bush", "Septic tank"]),
        ("Drinking water at the clinic", ["Borehole", "Tanker", "Borehole"]),
        ("Distance to nearest water point of the school", [100, 200, 300]),
        ("Number of rooms rented out", [1, 2, 1]),
        ("electricity of the landlord", ["Solar", "None", "Solar"]),
    ],
)
def test_a_name_about_another_thing_is_not_the_homes(name: str, values: Sequence[object], tmp_path: Path) -> None:
    assert _suggest(tmp_path, {name: values}) == {}


@pytest.mark.parametrize(
    ("name", "values", "target"),
    [
        ("House roof", MATERIALS, "roof_permanent"),
        ("dwelling/roof material", MATERIALS, "roof_permanent"),
        ("housing/wall_material", MATERIALS, "wall_permanent"),
        ("roof permanent?", YES_NO, "roof_permanent"),
        ("toilet/handwashing facility", ["Fixed", "Mobile", "Fixed"], "handwashing_place"),
        ("Handwashing place at the toilet", ["Fixed", "Mobile", "Fixed"], "handwashing_place"),
        ("toilet shared", YES_NO, "toilet_users"),
        ("habitable rooms", [1, 2, 3], "rooms"),
        ("toilet/type of toilet", ["Septic tank", "Bush", "Septic tank"], "toilet_type"),
    ],
)
def test_a_name_about_the_home_is(name: str, values: Sequence[object], target: str, tmp_path: Path) -> None:
    made = _suggest(tmp_path, {name: values})
    assert made[target].confidence in ("sure", "likely")


@pytest.mark.parametrize("name", ["roof", "wall", "floor", "techo material"])
def test_yes_and_no_say_that_there_is_a_roof_not_of_what(name: str, tmp_path: Path) -> None:
    (made,) = _suggest(tmp_path, {name: YES_NO}).values()
    assert made.confidence == "unsure"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Consent", ["Yes", "No", "yes"]),
        ("Do you agree to take part in this survey?", ["Yes", "No", "Yes"]),
        ("intro/consent_given", ["1", "0", "1"]),
        ("Consentimiento informado", ["Sí", "No", "si"]),
        ("aceita participar", ["Sim", "Não", "Sim"]),
        ("Accepte de participer", ["oui", "non", "oui"]),
        ("sahmati", ["haan", "nahi", "haan"]),
        ("Consent", ["Agreed", "Declined", "Agreed"]),
    ],
)
def test_consent_is_the_result_of_the_visit(name: str, values: list[str], tmp_path: Path) -> None:
    made = _suggest(tmp_path, {name: values})["interview_result"]
    assert made.confidence == "likely"
    assert {line.text: line.value for line in made.values} | {} == {
        text: "refused" if text in ("No", "0", "Não", "non", "nahi", "Declined") else "completed"
        for text in {line.text for line in made.values}
    }


def test_a_result_goes_before_consent(tmp_path: Path) -> None:
    made = _suggest(tmp_path, {"consent": ["yes", "no"], "interview result": ["completed", "absent"]})
    assert made["interview_result"].column == "interview result"
