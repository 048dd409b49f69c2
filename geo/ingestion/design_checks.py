"""What a survey as a whole lacks: weights, and households to have been sampled from. Said of the whole file."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geo.ingestion.findings import Findings
from geo.ingestion.layers import Note
from geo.surveys import Mode

_SHOWN = 5


def check_design(tallies: pd.DataFrame, mode: Mode, frame_sizes: Mapping[str, int], findings: Findings) -> None:
    """Adds what the observations of a household survey lack for sound figures.

    `tallies` are theirs, with a column settlement_code; `frame_sizes` the households settlements are known to have.
    """
    if tallies.empty:
        return
    weighted_by_frame = set(tallies["settlement_code"]) <= frame_sizes.keys()
    if mode != "census" and _all_weights_one(tallies) and not weighted_by_frame:
        findings.add_note(Note("weights_missing", field="weight"))
    note_small_frames(tallies.groupby("settlement_code")["n_sampled"].max(), frame_sizes, findings)


def note_small_frames(sampled: "pd.Series[int]", frame_sizes: Mapping[str, int], findings: Findings) -> None:
    """Adds the settlements in which more households were surveyed than there are said to be."""
    small = [
        f"{code} ({frame_sizes[code]} of {n})"
        for code, n in sampled.items()
        if isinstance(code, str) and code in frame_sizes and frame_sizes[code] < n
    ]
    if small:
        more = f" and {len(small) - _SHOWN} more" if len(small) > _SHOWN else ""
        findings.add_note(Note("frame_too_small", ", ".join(small[:_SHOWN]) + more))


def _all_weights_one(tallies: pd.DataFrame) -> bool:
    households = tallies[tallies["counted"] == "households"]
    return bool(
        np.allclose(households["sum_w"], households["n"]) and np.allclose(households["sum_a2"], households["n"])
    )
