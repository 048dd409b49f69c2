"""Generated cities, one after another, of which nothing can be learnt, as a whole."""

import os
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.generated_rounds import registers, texts
from tests.support.published import Text

_SHARE = 0.25
"""How much of the soak's time is theirs."""


def test_nothing_can_be_learnt_of_many_cities() -> None:
    seconds = os.environ.get("VASTI_SOAK_SECONDS")
    until = time.monotonic() + _SHARE * float(seconds or "60")
    looked_at = 0

    # In a soak other cities each time; in a short run the same ones.
    @settings(
        max_examples=10_000,
        deadline=None,
        database=None,
        derandomize=seconds is None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(texts(), registers()))
    def look_at(text: Text) -> None:
        nonlocal looked_at
        if text.rows and time.monotonic() < until:
            assert text.audited(text.published()) == []
            looked_at += 1

    look_at()
    assert looked_at > 0
