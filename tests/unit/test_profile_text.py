"""A proposal written as TOML reads back as what it was, whatever the file's names and values are."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from geo.fields import standard_fields
from geo.ingestion.evidence import FileEvidence
from geo.ingestion.fits import ValueLine
from geo.ingestion.profile import Profile, fold
from geo.ingestion.profile_text import quote, write_profile
from geo.ingestion.suggest import Confidence, Proposal, Suggestion
from tests.suggested import uncommented

TEXT = st.text(max_size=30) | st.sampled_from(
    ['"', "\\", '"""', "a\nb", "\x7f\x00\x1f", "# x", "é", "ग", "\u2028", "'"]
)


def answers(*values: str | None) -> st.SearchStrategy[dict[str, str | None]]:
    """Values of a file with what they mean; two that are the same to the eye are one."""
    lines = st.tuples(TEXT, st.sampled_from(values))
    return st.lists(lines, unique_by=lambda line: fold(line[0])).map(dict)


def proposal(column: str, answers: dict[str, str | None], *, confidence: Confidence, unmapped: list[str]) -> Proposal:
    values = tuple(ValueLine(text, value, "may be x" if value is None else "") for text, value in answers.items())
    made = Suggestion("toilet_type", "fields", column, confidence, "why", values, separator=", ", prefer=("none",))
    where = [Suggestion(t, "position", column, confidence, "why") for t in ("longitude", "latitude")]
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
