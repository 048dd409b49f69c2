"""A proposal written as TOML reads back as what it was, whatever the file's names and values are."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from geo.base import fold
from geo.fields import standard_fields
from geo.ingestion.mapping import FileEvidence, Profile, parse_profile
from geo.ingestion.mapping.profile import value_table
from geo.ingestion.suggesting import Proposal, Suggestion, write_profile
from geo.ingestion.suggesting.fits import ValueLine
from geo.ingestion.suggesting.profile_text import add_answers, quote
from geo.ingestion.suggesting.proposal import Confidence
from geo.messages import Message
from tests.support.suggested import uncommented

TEXT = st.text(max_size=30) | st.sampled_from(
    ['"', "\\", '"""', "a\nb", "\x7f\x00\x1f", "# x", "é", "ग", "\u2028", "'"]
)


def answers(*values: str | None) -> st.SearchStrategy[dict[str, str | None]]:
    """Values of a file with what they mean; two that are the same to the eye are one."""
    lines = st.tuples(TEXT, st.sampled_from(values))
    return st.lists(lines, unique_by=lambda line: fold(line[0])).map(dict)


def proposal(column: str, answers: dict[str, str | None], *, confidence: Confidence, unmapped: list[str]) -> Proposal:
    open_ = Message("answer_may_be", meanings=["x"])
    values = tuple(ValueLine(text, value, open_ if value is None else None) for text, value in answers.items())
    why = (Message("as_told", text="why"),)
    made = Suggestion("toilet_type", "fields", column, confidence, why, values, separator=", ", prefer=("none",))
    where = [Suggestion(t, "position", column, confidence, why) for t in ("longitude", "latitude")]
    evidence = FileEvidence({}, 3, is_whole=True, has_geometry=False, is_polygons=False)
    return Proposal("a", column, column, "household", [*where, made], [], unmapped, [], "EPSG:4326", evidence)


@given(TEXT)
def test_quote_reads_back(text: str) -> None:
    line = f"key = {quote(text)}   # {quote(text)}"
    assert "\n" not in line
    assert tomllib.loads(line) == {"key": text}


@given(
    column=TEXT,
    answers=answers(*standard_fields()["toilet_type"].codes, "unknown", None),
    unmapped=st.lists(TEXT),
)
def test_write_profile_reads_back(column: str, answers: dict[str, str | None], unmapped: list[str]) -> None:
    text = write_profile(proposal(column, answers, confidence="sure", unmapped=unmapped))
    profile = Profile.model_validate(tomllib.loads(text))
    assert profile.fields["toilet_type"].column == column
    assert profile.fields["toilet_type"].values == {k: v for k, v in answers.items() if v is not None}
    assert profile.position is not None
    assert profile.position.columns() == [column, column]


@given(column=TEXT, answers=answers("vip", None))
def test_write_profile_of_what_is_unsure_maps_nothing_until_uncommented(
    column: str, answers: dict[str, str | None]
) -> None:
    text = write_profile(proposal(column, answers, confidence="unsure", unmapped=[]))
    silent = Profile.model_validate(tomllib.loads(text))
    assert silent.fields == {}
    assert silent.position is None
    profile = Profile.model_validate(tomllib.loads(uncommented(text)))
    assert profile.fields["toilet_type"].column == column
    assert profile.fields["toilet_type"].values == {k: v for k, v in answers.items() if v is not None}


OURS = """
# Kept as it is.
name = "ours"

[fields.toilet_type]
column = "wc"   # asked of the head
[fields.toilet_type.values]
"Letrina" = "pit_slab"
"hoyo" = "pit_no_slab"

[fields.drainage]
column = "drain"

[fields.internet]
column = "net"
"""


def test_add_answers_keeps_what_is_said_already() -> None:
    text = add_answers(OURS, {"toilet_type": {"monte": "none", "HOYO": "unknown"}, "water_source": {"x": "kiosk"}})
    profile = parse_profile(text, "ours")
    assert profile.fields["toilet_type"].values == {"Letrina": "pit_slab", "monte": "none", "HOYO": "unknown"}
    assert "# Kept as it is." in text
    assert "# asked of the head" in text
    assert set(profile.fields) == {"toilet_type", "drainage", "internet"}


def test_add_answers_leaves_standard_answers_known() -> None:
    profile = parse_profile(add_answers(OURS, {"drainage": {"nala": "open"}, "internet": {"sim": True}}), "ours")
    drains = value_table("drainage", profile.fields["drainage"])
    assert (drains["nala"], drains["closed"], drains["none"]) == ("open", "closed", "none")
    homes = value_table("internet", profile.fields["internet"])
    assert (homes["sim"], homes["yes"], homes["0"]) == (True, True, False)


@given(answers("none", "unknown"))
def test_add_answers_takes_any_text(said: dict[str, str]) -> None:
    """Whatever stands in a cell is one answer, and no more of the profile."""
    named = {text: meaning for text, meaning in said.items() if text.strip()}
    profile = parse_profile(add_answers(OURS, {"toilet_type": named}), "ours")
    table = value_table("toilet_type", profile.fields["toilet_type"])
    for text, meaning in named.items():
        assert table[fold(text)] == (None if meaning == "unknown" else meaning)
    assert set(profile.fields) == {"toilet_type", "drainage", "internet"}
