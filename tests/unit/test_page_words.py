"""The core's sentences as pages say them."""

import re
from typing import get_args

import pytest

from geo.ingestion.findings import RULES, sentence
from geo.ingestion.findings.kinds import MISPLACED
from service.api.uploads.bodies import ShownState
from service.http.wording import for_page
from service.pages.wording import STATES


@pytest.mark.parametrize(
    ("said", "on_the_page"),
    [
        (
            "a.zip holds several layers (x, y); choose one with --layer.",
            "a.zip holds several layers (x, y); choose one with Layer.",
        ),
        (
            "Correct the columns, or load with --fix",
            "Correct the columns, or load with “Correct positions that are certain to be wrong”.",
        ),
        (
            "City pune has no settlements yet; load them first with `vasti load boundaries`.",
            "City pune has no settlements yet.",
        ),
        ("It has no columns. `vasti suggest` proposes a profile for the file.", "It has no columns."),
        ("Is it so?", "Is it so?"),
    ],
)
def test_for_page(said: str, on_the_page: str) -> None:
    assert for_page(said) == on_the_page


@pytest.mark.parametrize("code", RULES)
def test_no_finding_names_an_option_on_a_page(code: str) -> None:
    told = sentence(code, "a_field", "a value", "page")
    assert not re.search(r"--[a-z]|`", told)


def test_every_state_has_words() -> None:
    assert set(STATES) == set(get_args(ShownState))
    assert set(MISPLACED) <= set(RULES)
