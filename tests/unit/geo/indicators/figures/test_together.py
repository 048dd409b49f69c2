"""Nothing can be worked out from all that is published of a round, whatever city hypothesis comes up with."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.indicators.definitions import catalogue
from geo.indicators.definitions.definition import read_definition
from geo.indicators.figures.disclosure.ties import find_families
from tests.spec.generated import SETTINGS
from tests.support.published import WELL_OFF, Text

SIZES = st.sampled_from([0, 1, 5, 9, 10, 11, 12, 19, 20]) | st.integers(0, 70)
INDICATORS = (
    ("sanitation_basic", "sanitation_improved", "sanitation_limited", "sanitation_unimproved", "household_toilet"),
    ("water_basic", "not_durable", "overcrowded", "tenure_secure", "slum_household", "slum_severity"),
    ("mpi_headcount", "mpi_adjusted", "mpi_intensity", "slum_severity"),
    ("hygiene_basic", "drainage_any", "drainage_closed", "density_households", "tenure_documented"),
)
ANSWERS: dict[str, list[Any]] = {
    "toilet_type": ["flush_septic", "flush_septic", "hanging", "none"],
    "toilet_users": ["own", "own", "shared", "community"],
    "toilet_location": ["on_premises", "elsewhere"],
    "water_source": ["piped_dwelling", "piped_dwelling", "surface"],
    "wall_permanent": [True, True, False],
    "rooms": [1, 2],
    "fears_eviction": [False, False, False, True],
    "drainage": ["closed", "open", "none"],
    "tenure_document": [True, False],
    "handwashing_place": ["fixed", "none", "no_permission"],
    "handwashing_water": [True, False],
    "handwashing_soap": [True, False],
    "head_sex": ["male", "male", "female"],
}


def family_of(indicator: str, *added: str) -> tuple[set[str], set[str]]:
    """The indicators withheld in the same places as one, and those it is made of, of all shipped ones and `added`."""
    own = [read_definition(text, name="own.toml") for text in added]
    definitions = [*catalogue().values(), *own]
    families = find_families(definitions)
    (found,) = [each for each in families if indicator in {definitions[i].id for i in each.members}]
    parts = [families[part].members for part in found.parts]
    return {definitions[i].id for i in found.members}, {definitions[i].id for of in parts for i in of}


def own_indicator(name: str, numerator: str) -> str:
    return f"""
id = "{name}"
name = "Own"
description = "Own."
why = "Own."
direction = "up"
measure = "share"
counted = "households"
unit = "%"
unknown = "excluded"
source = "Own"
numerator = "{numerator}"
"""


def test_ties_are_read_from_the_definitions() -> None:
    ladder = {"sanitation_basic", "sanitation_limited", "sanitation_unimproved", "open_defecation"}
    together, parts = family_of("sanitation_improved")
    assert together > ladder
    assert "sanitation_safely_managed" not in together
    assert not parts
    assert family_of("sanitation_safely_managed")[1] > ladder
    together, parts = family_of("mpi_intensity")
    assert together == {"mpi_headcount", "mpi_adjusted", "mpi_intensity", "slum_severity", "slum_household"}
    assert parts > {"tenure_secure", "water_basic", "sanitation_basic", "not_durable", "overcrowded"}
    assert "tenure_documented" not in parts
    assert family_of("internet_home") == ({"internet_home"}, set())


def test_an_own_indicator_is_tied_to_what_it_is_about() -> None:
    any_drain = own_indicator("own_drain", "drainage = 'open'")
    assert family_of("drainage_any", any_drain)[0] == {"drainage_any", "drainage_closed", "own_drain"}
    feared = own_indicator("own_fear", "fears_eviction = TRUE AND rooms > 1")
    # Sensitive answers to one question go together, though neither is a part of the other.
    assert family_of("own_fear", feared)[0] == {"tenure_secure", "own_fear"}


@st.composite
def texts(draw: Any, by: tuple[str, ...] = ()) -> Text:
    """A round of up to seven settlements: tiny ones, wards of one, settlements in none; some leave much unanswered."""
    wards = draw(st.lists(st.sampled_from([None, "A", "A", "B", "B", "C"]), min_size=1, max_size=7))
    sizes = draw(st.lists(SIZES, min_size=len(wards), max_size=len(wards)))
    random = Random(draw(st.integers(0, 10_000)))
    lost = draw(st.sampled_from([0.0, 0.0, 0.05, 0.3]))
    rare = draw(st.sampled_from([0.0, 0.1, 1.0]))
    rows = []
    for i, size in enumerate(sizes):
        for _ in range(size):
            row = {"settlement": f"S{i}", **WELL_OFF}
            for name, answers in ANSWERS.items():
                row[name] = random.choice(answers) if random.random() < rare else WELL_OFF.get(name, answers[0])
                if random.random() < lost:
                    row[name] = None
            rows.append(row)
    indicators = draw(st.sampled_from(INDICATORS))
    mode = draw(st.sampled_from(["census", "census", "sample"]))
    return Text(rows, {f"S{i}": ward for i, ward in enumerate(wards)}, indicators, by, mode=mode)


@st.composite
def registers(draw: Any) -> Text:
    """A register in which each question divides a settlement's households by itself, and one is not always asked."""
    wards = draw(st.lists(st.sampled_from([None, "A", "A", "B"]), min_size=1, max_size=6))
    rows = []
    for i in range(len(wards)):
        size = draw(SIZES)
        for name, answers in (("drainage", ["closed", "none", None]), ("toilet_type", ["none", "hanging", None])):
            first = draw(st.integers(0, size))
            second = draw(st.integers(0, size - first))
            for answer, weight in zip(answers, (first, second, size - first - second), strict=True):
                rows.append({"settlement": f"S{i}", name: answer, "weight": float(weight), "asked": [name]})
    indicators = ("drainage_any", "drainage_closed", "open_defecation", "sanitation_unimproved")
    return Text(rows, {f"S{i}": ward for i, ward in enumerate(wards)}, indicators, unit="settlement")


@settings(SETTINGS, max_examples=10)
@given(registers())
def test_nothing_can_be_learnt_of_registers(text: Text) -> None:
    assert text.audited(text.published()) == []


@settings(SETTINGS, max_examples=20)
@given(texts().filter(lambda text: len(text.rows) > 0))
def test_nothing_can_be_learnt_of_what_is_withheld(text: Text) -> None:
    assert text.audited(text.published()) == []


@settings(SETTINGS, max_examples=4)
@given(texts(by=("head_sex",)).filter(lambda text: len(text.rows) > 0))
def test_nothing_can_be_learnt_of_groups(text: Text) -> None:
    assert text.audited(text.published()) == []
