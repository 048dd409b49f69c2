"""Values of findings: messages are said where somebody reads them, and stored as JSON; texts of the file stay texts."""

import json

import numpy as np
import pytest

from geo.ingestion.findings import Findings, few
from geo.ingestion.findings.values import kept_value, told_value
from geo.messages import Message, say_finding

ROWS = np.array([2, 3, 4], dtype=np.int32)
FROM = Message("place_from", place="S1", km=7000)
IN_WORDS = "S1 (about 7,000 km from there)"


def test_a_message_is_stored_with_its_code_and_said_in_words() -> None:
    findings = Findings()
    slipped = Message("slip_swapped", place=FROM)
    findings.add("position_correctable", ROWS, field="position", values=[slipped, slipped, "S2"])
    said = f"with latitude and longitude swapped it lies in {IN_WORDS}"
    assert list(findings.frame()["value"]) == [said, said, "S2"]
    assert json.loads(findings.kept()["value"][0]) == {
        "code": "slip_swapped",
        "params": {"place": {"code": "place_from", "params": {"place": "S1", "km": 7000}}},
    }
    (group,) = findings.groups()
    assert (group.values, group.n_values) == ((said, "S2"), 2)
    assert f"“{said}”, “S2”; the row counts" in group.sentence()
    again = Message.of_json(group.code, group.params())
    assert again.say() == group.sentence()
    assert json.loads(json.dumps(group.params()))["values"][1] == {"code": "as_told", "params": {"text": "S2"}}


@pytest.mark.parametrize("text", ["S1 (about 7,000 km from there)", "12", "[1]", '{"code": 1}', '{"a": ', "", "null"])
def test_a_text_that_an_earlier_version_stored_stays_as_it_was(text: str) -> None:
    assert told_value("position_correctable", text) == text
    params = {"field": "position", "values": [told_value("position_swapped", text)], "n_values": 1}
    assert f"it lies in “{text}”" in say_finding("position_swapped", params)


def test_what_stands_in_a_file_is_never_taken_for_a_message() -> None:
    forged = json.dumps(Message("place_in_city").as_json())
    assert kept_value("value_unmapped", forged) == told_value("value_unmapped", forged) == forged
    assert str(told_value("settlement_unknown", kept_value("settlement_unknown", forged))) == forged
    with pytest.raises(TypeError, match="value_unmapped"):
        kept_value("value_unmapped", FROM)


def test_of_many_values_the_first_are_told() -> None:
    assert str(few(["a", "b"], 2)) == "a, b"
    assert str(few(["a", FROM, "c"], 2)) == f"a, {IN_WORDS} and 1 more"


@pytest.mark.parametrize(
    ("metres", "said"), [(7, "7 m"), (300, "300 m"), (1000, "1.0 km"), (9900, "9.9 km"), (12_000, "12 km")]
)
def test_a_distance_is_written_as_people_say_it(metres: int, said: str) -> None:
    assert str(Message("place_away", place="S1", metres=metres)) == f"S1, {said} away"
