"""Nothing can be worked out from all that is published of a round, whatever city hypothesis comes up with."""

from hypothesis import given, settings

from geo.indicators.definitions import catalogue
from geo.indicators.definitions.definition import read_definition
from geo.indicators.figures.disclosure.ties import find_families
from tests.spec.generated import SETTINGS
from tests.support.generated_rounds import registers, texts
from tests.support.published import Text


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
