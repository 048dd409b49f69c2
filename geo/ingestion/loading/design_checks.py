"""What a survey as a whole lacks: weights, and households to have been sampled from. Said of the whole file."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.indicators.figures import SIZES_UNKNOWN
from geo.indicators.tallies import took_part
from geo.ingestion.findings import Findings, few
from geo.ingestion.reading import Note
from geo.messages import Message
from geo.surveys import Mode

_SHOWN = 5


class DesignChecks:
    """Looks at a household survey's observations batch by batch, and says in the end what they lack."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._codes = codes
        self._sampled = np.zeros(len(codes), dtype=np.int64)
        self._is_weighted = False
        self._n_sized = 0

    def add(self, columns: Mapping[str, pa.Array], settlement: NDArray[np.intp]) -> None:
        """Adds observations: standard fields as Arrow columns, and each one's settlement as an index."""
        interviewed = took_part(columns, len(settlement))
        self._sampled += np.bincount(settlement[interviewed], minlength=len(self._codes))
        if "members" in columns:
            sizes = columns["members"].filter(pa.array(interviewed))
            self._n_sized += len(sizes) - sizes.null_count
        if "weight" in columns and not self._is_weighted:
            weights = columns["weight"].filter(pa.array(interviewed))
            self._is_weighted = bool(pc.any(pc.not_equal(weights, 1.0)).as_py())

    def check(self, mode: Mode, frame_sizes: Mapping[str, int], findings: Findings) -> None:
        """Adds what they lack for sound figures; `frame_sizes` are the households settlements are known to have."""
        by_code = pd.Series(self._sampled, index=list(self._codes))
        sampled = by_code[by_code > 0]
        weighted_by_frame = set(sampled.index) <= frame_sizes.keys()
        if len(sampled) and mode != "census" and not self._is_weighted and not weighted_by_frame:
            findings.add_note(Note("weights_missing", field="weight"))
        if mode == "census" and self._is_weighted:
            findings.add_note(Note("weights_in_census", field="weight"))
        if len(sampled) and self._n_sized < (1 - SIZES_UNKNOWN) * sampled.sum():
            findings.add_note(Note("sizes_unknown", field="members"))
        note_small_frames(sampled, frame_sizes, findings)


def note_small_frames(sampled: "pd.Series[int]", frame_sizes: Mapping[str, int], findings: Findings) -> None:
    """Adds the settlements in which more households were surveyed than there are said to be."""
    small = [
        Message("frame_size_of", code=code, size=frame_sizes[code], surveyed=n)
        for code, n in sampled.items()
        if isinstance(code, str) and code in frame_sizes and frame_sizes[code] < n
    ]
    if small:
        findings.add_note(Note("frame_too_small", few(small, _SHOWN)))
