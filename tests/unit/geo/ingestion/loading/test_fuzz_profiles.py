"""Profiles of any content on tables of any content: a sentence, or answers that are possible, and no row lost."""

import csv
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from geo.errors import ProfileInvalid, VastiError
from geo.fields import standard_fields
from geo.ingestion.loading import SourceOptions
from geo.ingestion.loading.observe import ReadSoFar, observe
from geo.ingestion.mapping import Profile, read_profile
from tests.support.fuzzing import PLACES

SHIPPED = {p.name: p.read_text(encoding="utf-8") for p in files("data").joinpath("profiles").iterdir()}  # type: ignore[attr-defined,unused-ignore]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]

AWKWARD = """
yes
No
1
0
-1
1e400
nan
inf
12,5
1,140
200-300
2024-02-30
2024-02-29
closed
closed none
n/a
99
Ñ
'
"
=1+1
18.58 73.75 0 5
POINT (73.75 18.58)
POLYGON EMPTY
73.75,18.58
""".splitlines()
CELLS = st.one_of(
    st.sampled_from([*AWKWARD, " ", "\u0000", "9" * 400]),
    st.text(max_size=12),
    st.floats().map(str),
    st.integers(-1000, 100_000).map(str),
)
COLUMNS = ["a", "b c", "é", "q/x", "q/y", "code"]
ANYTHING = st.one_of(st.sampled_from(["closed", "unknown"]), st.booleans(), st.integers(0, 9))


def _some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def _mapping(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping of one standard field, mostly one that makes sense for its type."""
    field = standard_fields()[name]
    answers: st.SearchStrategy[Any] = st.integers(0, 9)
    if field.codes:
        answers = st.sampled_from(["unknown", *field.codes])
    elif field.type == "boolean":
        answers = st.sampled_from(["unknown", True, False])
    keys: dict[str, st.SearchStrategy[Any]] = {}
    if field.type not in ("text", "date"):
        keys["values"] = st.dictionaries(CELLS.filter(bool), answers, max_size=4)
    if field.codes or field.type == "boolean":
        keys["multiple"] = _some(
            separator=st.sampled_from([" ", ", ", ";"]), prefer=st.lists(answers, max_size=2), others=answers
        )
    if field.type == "date":
        keys["format"] = st.sampled_from(["%d/%m/%Y", "%Y", "%", "%Q"])
    if field.type in ("integer", "number"):
        keys["decimal"] = st.sampled_from([".", ","])
    if field.units:
        keys["unit"] = st.sampled_from(list(field.units))
    return st.fixed_dictionaries({"column": st.sampled_from([*COLUMNS, "q"])}, optional=keys)


PROFILES = st.fixed_dictionaries(
    {
        "name": st.just("any"),
        "fields": st.lists(st.sampled_from(list(standard_fields())), max_size=5, unique=True).flatmap(
            lambda names: st.fixed_dictionaries({name: _mapping(name) for name in names})
        ),
    },
    optional={
        "position": st.one_of(
            st.fixed_dictionaries({"column": st.sampled_from(COLUMNS)}),
            st.fixed_dictionaries({"longitude": st.sampled_from(COLUMNS), "latitude": st.sampled_from(COLUMNS)}),
        ),
    },
)
TABLES = st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(given=st.one_of(PROFILES, st.recursive(ANYTHING, lambda inner: st.dictionaries(st.text(max_size=8), inner))))
def test_profile_is_valid_or_refused(given: Any) -> None:
    """Nothing but a profile or the reasons it is none."""
    try:
        assert Profile.model_validate(given).name
    except ValidationError as error:
        assert error.errors()


@pytest.mark.parametrize("name", SHIPPED)
@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(where=st.floats(0, 1), n_gone=st.integers(0, 40), instead=st.text(max_size=5))
def test_read_profile_damaged(name: str, where: float, n_gone: int, instead: str, tmp_path: Path) -> None:
    """A shipped profile with some of its text replaced is read, or refused in one sentence."""
    text = SHIPPED[name]
    at = int(where * len(text))
    path = tmp_path / "damaged.toml"
    path.write_text(text[:at] + instead + text[at + n_gone :], encoding="utf-8", errors="surrogatepass")
    try:
        assert read_profile(str(path)).name
    except ProfileInvalid as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "pydantic" not in sentence


@settings(max_examples=250, deadline=None, suppress_health_check=SLOW)
@given(given=PROFILES, cells=TABLES, unit=st.sampled_from(["household", "settlement"]))
def test_observe_any_table_with_any_profile(given: Any, cells: list[list[str]], unit: Any, tmp_path: Path) -> None:
    try:
        profile = Profile.model_validate(given)
    except ValidationError:
        assume(False)
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *cells])
    path = tmp_path / "any.csv"
    path.write_text(text.getvalue(), encoding="utf-8", errors="replace", newline="")
    readings: list[ReadSoFar] = []
    try:
        kept = list(observe(path, PLACES, SourceOptions(profile=profile, unit=unit), readings.append, None))
    except VastiError as error:
        assert str(error).endswith(".")
        return
    (reading,) = readings
    frame = reading.findings.frame()
    rejected = set(frame.loc[frame["severity"] == "error", "row_number"].dropna())
    loaded = {int(row) for placed in kept for row in placed.observations.row_numbers}
    assert not loaded & rejected
    assert len(loaded | rejected) == reading.rows_read
    for placed in kept:
        assert ((placed.settlement >= 0) & (placed.settlement < len(PLACES.codes))).all()
        _assert_possible(placed.observations.fields)
        assert np.nanmax(np.abs(placed.observations.lat), initial=0) <= 90
        assert np.nanmax(np.abs(placed.observations.lon), initial=0) <= 180


def _assert_possible(fields: Any) -> None:
    for name, column in fields.items():
        field, given = standard_fields()[name], column.drop_null()
        if field.codes:
            assert set(given.to_pylist()) <= set(field.codes)
        if field.min is not None and len(given):
            assert field.min <= pc.min(given).as_py()
        if field.max is not None and len(given):
            assert pc.max(given).as_py() <= field.max
