"""The table of messages: every code that is raised has its words, and they are about what is given with it."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel, field_validator

import geo.errors
from geo import messages
from geo.base import validated
from geo.errors import Busy, Conflict, Fault, InvalidParameter, InvalidParameters, VastiError
from geo.ingestion.findings import RULES
from geo.messages import (
    LANGUAGES,
    Audience,
    Message,
    clauses_of_json,
    control,
    finding_codes,
    message_codes,
    message_params,
    read_entry,
    say_clauses,
)
from tests.support.project import ROOT

RAISED = {
    name
    for name, kind in vars(geo.errors).items()
    if isinstance(kind, type) and issubclass(kind, VastiError | Fault) and kind is not InvalidParameters
} | {"Message", "Unreadable"}
"""What takes a code and its parameters."""

ADDED = {"Unreadable": {"where", "place"}}
"""Parameters that are given later."""

OWN_CONSTRUCTORS = {"SignInLocked", "TooLarge", "ExpressionInvalid", "ErrorsFound"}


def _sources() -> Iterator[tuple[Path, ast.Module]]:
    for top in ("data", "geo", "maps", "service"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each call that makes a message, with what stands for its code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        at = 1 if name == "InvalidParameter" else 0
        if (name in RAISED - OWN_CONSTRUCTORS or name in ("InvalidParameter", "__init__")) and len(node.args) > at:
            yield node, node.args[at]


def _codes(said: ast.expr) -> list[str]:
    """The codes that may stand here; none where it is no text. A sentence is no code."""
    if isinstance(said, ast.IfExp):
        return _codes(said.body) + _codes(said.orelse)
    if isinstance(said, ast.JoinedStr):
        return [ast.unparse(said)]
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return [said.value]
    return []


def raised() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """Where a message is made, its code, and the names of its parameters; None: they are not written there."""
    for path, tree in _sources():
        for node, said in _calls(tree):
            names = [keyword.arg for keyword in node.keywords]
            added = ADDED.get(getattr(node.func, "id", ""), set())
            given = None if None in names else frozenset(name for name in names if name is not None) | added
            for code in _codes(said):
                yield f"{path}:{node.lineno}", code, given


def test_every_message_that_is_raised_is_about_what_its_words_say() -> None:
    wrong = []
    for where, code, given in raised():
        if code not in message_codes():
            wrong.append(f"{where}: {code} is not in data/messages")
        elif given is not None and given != message_params(code):
            wrong.append(f"{where}: {code} takes {sorted(message_params(code))}, not {sorted(given)}")
    assert not wrong, "\n".join(wrong)


def test_every_message_of_the_table_is_raised_somewhere() -> None:
    written = {
        node.value
        for _, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # A sentence that was kept before there were codes.
    assert message_codes() <= written | {"as_told"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_every_message_and_finding(language: str) -> None:
    assert message_codes(language) == message_codes("en")
    assert finding_codes(language) == set(RULES)


@pytest.mark.parametrize("audience", get_args(Audience))
def test_every_control_has_a_name_for_every_audience(audience: Audience) -> None:
    named = {
        name.removeprefix("control.")
        for file in (ROOT / "data" / "messages" / "en").glob("*.toml")
        for name in _controls(file.read_text(encoding="utf-8"))
    }
    assert named
    assert all(control(name, audience) for name in named)
    if audience == "page":
        assert not any("--" in control(name, "page") for name in named)


def _controls(text: str) -> Iterator[str]:
    for part in text.split("{control.")[1:]:
        yield part.partition("}")[0]


def test_an_error_says_one_thing_to_each_reader() -> None:
    error = Conflict("address_unknown")
    assert (
        str(error) == error.say("api") == "There is nothing at this address; /api/v1/openapi.json lists what there is."
    )
    assert error.say("page") == "There is nothing at this address."
    assert (error.code, error.params) == ("address_unknown", {})
    assert (str(Busy()), Busy().code) == ("Too many are asking at once; try again in a few seconds.", "busy")


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "Too many requests from your network address: try again in 1 second."),
        (1200, "Too many requests from your network address: try again in 1,200 seconds."),
    ],
)
def test_a_number_chooses_the_plural_form(n: int, said: str) -> None:
    assert Message("requests_too_many", seconds=n).say() == said


def test_a_number_may_have_a_form_of_its_own() -> None:
    said = [Message("answers_known_all", n=n).say() for n in (1, 2, 1200)]
    assert said == ["the only answer is known", "both answers are known", "all 1,200 answers are known"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (Message("answers_to_look_at", answers=["a", "b", "c", "d"]), "look at “a”, “b” and 2 more"),
        (Message("answers_to_look_at", answers=["a", "b"]), "look at “a”, “b”"),
        (
            Message("dates_written_either", share=0.995, form="%d/%m/%Y", other="%m/%d/%Y"),
            "100% of the values are dates written day/month/year, or as well month/day/year (%m/%d/%Y): say which",
        ),
        (Message("rows_without_value", share=0.0125), "1.2% of the rows have none"),
        (Message("weights_below_zero", weight=float("-inf")), "rows with -inf would be rejected"),
    ],
)
def test_each_rule_writes_its_parameter(message: Message, said: str) -> None:
    assert message.say() == said
    kept = json.loads(json.dumps(message.as_json(), allow_nan=False))
    assert Message.of_json(kept["code"], kept["params"]).say() == said


def test_clauses_are_said_in_one_line() -> None:
    clauses = (Message("name_means", field="toilet_type"), Message("several_answers_at_once"))
    assert say_clauses(clauses) == "the name means toilet type; several may be given at once"
    assert say_clauses(clauses_of_json([each.as_json() for each in clauses])) == say_clauses(clauses)
    assert say_clauses(clauses_of_json("as an earlier version told it; and this")) == (
        "as an earlier version told it; and this"
    )
    assert (say_clauses(()), clauses_of_json("")) == ("", ())


def test_what_the_table_does_not_know_is_refused() -> None:
    with pytest.raises(LookupError, match="no_such_code"):
        Message("no_such_code")
    with pytest.raises(TypeError, match=r"takes \['seconds'\], not \['minutes'\]"):
        Message("requests_too_many", minutes=3)
    with pytest.raises(ValueError, match="a message has a text"):
        read_entry({"pages": "x"})


def test_what_an_earlier_version_kept_is_still_said() -> None:
    assert (
        Message.of_json("requests_too_many", {}).say()
        == "Too many requests from your network address: try again in … seconds."
    )
    assert Message.of_json("of_another_time", {"a": 1}).say() == "of_another_time"
    again = Message("parameters_invalid", names=["a", "b"]).as_json()
    assert Message.of_json(again["code"], again["params"]).say() == "a, b"


def test_parameters_that_are_refused() -> None:
    error = InvalidParameters(
        [
            InvalidParameter("starts_on", "parameter_required"),
            InvalidParameter("unit", "parameter_none_of", allowed=["a", "b"]),
        ]
    )
    assert str(error) == "starts_on: is required; unit: must be 'a' or 'b'"
    assert error.say("page") == "The first day is required. The unit must be 'a' or 'b'."
    assert error.params == {"names": ["starts_on", "unit"]}
    assert [each.reason for each in error.invalid] == ["is required", "must be 'a' or 'b'"]


def test_what_is_kept_of_a_message_does_not_grow_with_what_was_sent() -> None:
    kept = Message("parameters_invalid", names=[f"n{i}" for i in range(5_000)])
    assert kept.params == {"names": [f"n{i}" for i in range(50)], "names_more": 4_950}
    assert kept.say().endswith("n48, n49 and 4,950 more")
    assert len(Message("request_malformed", reason="x" * 100_000).params["reason"]) == 8_000


OF_OPERATORS = {"host_not_here", "port_taken", "port_reserved", "tables_of_other_version"}
"""What is told at the command line alone, beside what concerns the database and its cluster."""


def message_texts(code: str, audience: Audience) -> str:
    """The forms of a message for an audience, one a line, with its parameters left open."""
    table = messages._table("en")
    entry = table.sentences[code]
    variant = entry.variants.get(audience) or entry.variants["text"]
    return "\n".join(messages._Words(table, audience, {}).vformat(form, (), {}) for form in variant.forms.values())


def test_no_page_names_an_option_or_a_command() -> None:
    of_operators = OF_OPERATORS | _codes_of("database") | _codes_of("commands")
    told = {code: message_texts(code, "page") for code in message_codes() - of_operators}
    assert {code: text for code, text in told.items() if re.search(r"--[a-z]|`vasti|VASTI_", text)} == {}


def _codes_of(part: str) -> set[str]:
    return set(tomllib.loads((ROOT / "data" / "messages" / "en" / f"{part}.toml").read_text(encoding="utf-8")))


def test_a_validator_of_a_library_says_it_in_its_own_words() -> None:
    class Given(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def _refused(cls, value: str) -> str:
            raise ValueError(f"is {value}, which is not how we like it")

    with pytest.raises(InvalidParameters, match="name: is x, which is not how we like it") as refused:
        validated(Given, {"name": "x"})
    assert refused.value.invalid[0].message.code == "key_unusable"
