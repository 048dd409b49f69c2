"""Positions in two columns, as a person says which they are."""

from collections.abc import Sequence

from geo.ingestion.loading.choices import Choices


def half_a_position(choices: Choices) -> Sequence[str]:
    """What is wrong where only one of the two columns of a position is told: one reason, or none."""
    held = set(choices.columns.values())
    if ("longitude" in held) == ("latitude" in held):
        return ()
    return ("name longitude without latitude, or latitude without longitude",)
