"""What is said of a definition that cannot be used."""

import pytest

from geo.errors import DefinitionInvalid
from geo.indicators.definitions import check_own
from geo.indicators.definitions.catalogue import shipped_document
from geo.indicators.definitions.definition import read_definition

SOUND = '''
id = "own_fan"
name = "Homes with a fan"
description = "Share of homes with a fan."
why = "Heat makes people ill."
direction = "up"
measure = "share"
counted = "households"
unit = "%"
unknown = "excluded"
source = "Our survey"
numerator = """
has_fan = 'yes'
AND rooms > 1
"""

[columns.has_fan]
type = "text"
'''


def changed(*pairs: tuple[str, str]) -> str:
    text = SOUND
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


SCORE = ('numerator = """\nhas_fan = \'yes\'\nAND rooms > 1\n"""', 'score = "headcount"\ncutoff = 1')
TWO = "\n[[deprivations]]\nname = 'fan'\nexpression = \"has_fan = 'no'\""


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([('name = "Homes', 'nane = "Homes')], "nane is no key of an indicator; the nearest is name"),
        ([('why = "Heat makes people ill."', "")], "it does not say its why"),
        ([('"share"', '"percentage"')], "measure must be 'share', 'mean', 'density', 'seat_load' or 'distance'"),
        ([('"own_fan"', '"Own Fan"')], "id: 'Own Fan' is not made of 2 to 63 of a-z, 0-9 and _"),
        ([("Homes with a fan", "x" * 121)], "name is longer than 120 letters"),
        ([("Heat makes people ill.", "x" * 1001)], "why is longer than 1,000 letters"),
        ([("Homes with a fan", r"Homes\u001b[31m")], "name: has a character that cannot be seen (U+001B)"),
        ([("Homes with a fan", r"\u202eHomes")], "name: has a character that cannot be seen (U+202E)"),
        ([("Homes with a fan", " \\n ")], "name: is empty"),
        ([('"Homes with a fan"', "3")], "name must be a text"),
        ([("id =", "version = 0\nid =")], "version must be at least 1"),
        ([("id =", "decimals = 9\nid =")], "decimals must be at most 4"),
        ([("[columns.has_fan]", "[columns.rooms]")], "columns.rooms is a standard field"),
        ([('type = "text"', 'type = "yesno"')], "columns.has_fan.type must be 'text' or 'number'"),
        ([("[columns.has_fan]", '[columns."a\\u0001"]')], "is no name of a column"),
        ([('type = "text"', 'type = "text"\n[columns.fans]\ntype = "text"')], "no expression uses columns.fans"),
        ([SCORE, ('type = "text"', f'type = "text"\n{TWO}\n{TWO}')], "two deprivations are called fan"),
        (
            [SCORE, ('type = "text"', f'type = "text"\n{TWO}\nweight = 0')],
            "deprivations.1.weight must be at least 0.001",
        ),
        ([SCORE, ("cutoff = 1", "cutoff = 2"), ('type = "text"', f'type = "text"\n{TWO}')], "cutoff is more than all"),
        ([SCORE, ("cutoff = 1", "cutoff = nan"), ('type = "text"', f'type = "text"\n{TWO}')], "cutoff"),
        ([('"%"', '"homes"')], "a share has the unit %"),
        ([('"share"', '"density"')], "unit % is for shares, and for means between 0 and 1"),
        ([('"share"', '"mean"')], "a mean needs a score of deprivations"),
        ([("[columns.has_fan]", "[columns.has_fan")], "is not valid TOML"),
        ([("rooms > 1", "roms > 1")], "the numerator uses roms, which is neither"),
    ],
)
def test_read_definition_says_what_is_wrong(pairs: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(DefinitionInvalid) as raised:
        read_definition(changed(*pairs), name="fan.toml")
    said = str(raised.value)
    assert said.startswith("fan.toml")
    assert says in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 30_000, "a = " + "9" * 6_000, "a = " + '{"b" = ' * 5_000],
    ids=["lists", "figures", "tables"],
)
def test_read_definition_of_a_depth_nobody_writes(text: str) -> None:
    with pytest.raises(DefinitionInvalid, match=r"^fan.toml"):
        read_definition(text, name="fan.toml")


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        ([("rooms > 1", "roms > 1")], 14),
        ([("rooms > 1", "roms > 1"), ("\n", "\r\n")], 14),
        ([("has_fan = 'yes'", "roms = 'yes'")], 13),
        ([('"""\nhas_fan', '"""has_fan'), ("rooms > 1", "roms > 1")], 13),
        ([('"""\nhas_fan = \'yes\'\nAND rooms > 1\n"""', '"has_fan = roms"')], 12),
        ([('"""\nhas_fan', "'''\nhas_fan"), ('> 1\n"""', "> 1\n'''"), ("rooms > 1", "roms > 1")], 14),
        ([("numerator =", 'base = "rooms > 0"\nnumerator ='), ("rooms > 1", "roms > 1")], 15),
        ([("rooms > 1", r"r\u006fms > 1")], None),
    ],
)
def test_read_definition_names_the_line_of_the_file(pairs: list[tuple[str, str]], line: int | None) -> None:
    with pytest.raises(DefinitionInvalid) as raised:
        read_definition(changed(*pairs), name="fan.toml")
    said = str(raised.value)
    assert (f"; line {line} of the file)" in said) == (line is not None)
    assert ("of the file" in said) == (line is not None)


def test_read_definition_of_a_deprivation_names_the_line_of_the_file() -> None:
    text = changed(SCORE, ('type = "text"', f'type = "text"\n{TWO.replace("has_fan = ", "has_fun = ")}'))
    with pytest.raises(
        DefinitionInvalid, match=r"the deprivation fan uses has_fun.*line 1, column 1; line 20 of the file"
    ):
        read_definition(text, name="fan.toml")


def test_read_definition_puts_texts_on_one_line() -> None:
    text = changed(('"Heat makes people ill."', '"""\nHeat makes\n   people ill,\tमहिलाएँ क्\u200dष. """'))
    assert read_definition(text, name="fan.toml").why == "Heat makes people ill, महिलाएँ क्\u200dष."


def test_own_cannot_say_that_its_answers_harm_nobody() -> None:
    """Whether they could follows from the fields: what is shipped may say that a count does not tell which."""
    text = shipped_document("tenure_documented").replace("tenure_documented", "own_tenure") + "\n"
    assert check_own(None, text, "own.toml").is_sensitive
    with pytest.raises(DefinitionInvalid, match="sensitive cannot be false"):
        check_own(None, f"sensitive = false\n{text}", "own.toml")
