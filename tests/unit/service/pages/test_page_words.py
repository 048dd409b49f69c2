"""What pages say of findings and states."""

import re
from typing import get_args

import pytest

from geo.ingestion.findings import RULES, sentence
from geo.ingestion.findings.kinds import MISPLACED
from service.api.uploads.bodies import ShownState
from service.pages.wording import STATES


@pytest.mark.parametrize("code", RULES)
def test_no_finding_names_an_option_on_a_page(code: str) -> None:
    told = sentence(code, "a_field", "a value", "page")
    assert not re.search(r"--[a-z]|`", told)


def test_every_state_has_words() -> None:
    assert set(STATES) == set(get_args(ShownState))
    assert set(MISPLACED) <= set(RULES)
