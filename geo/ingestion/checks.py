"""Checks that look at more than one answer: codes that repeat, dates out of the round, members not known."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Observations


class Checks:
    """The checks of one file, which remember what earlier batches held."""

    def __init__(self, *, starts_on: date | None = None, ends_on: date | None = None) -> None:
        self.starts_on = starts_on
        self.ends_on = ends_on
        self._codes: set[str] = set()

    def check_rows(self, observations: Observations, findings: Findings) -> None:
        """Checks rows as mapped, before they are placed."""
        rows = observations.row_numbers
        fields = observations.fields
        if "household_code" in fields:
            missing = _nulls(fields["household_code"])
            findings.add("household_code_missing", rows[missing], field="household_code")
            self.reject_repeats(fields["household_code"], "household_code_duplicate", observations, findings)
        if "members" in fields:
            findings.add("members_missing", rows[_nulls(fields["members"])], field="members")
        if "interviewed_on" in fields and self.starts_on and self.ends_on:
            on = fields["interviewed_on"]
            outside = pc.or_(pc.less(on, pa.scalar(self.starts_on)), pc.greater(on, pa.scalar(self.ends_on)))
            where = pc.fill_null(outside, False).to_numpy(zero_copy_only=False)
            shown = [d.isoformat() for d in on.filter(pa.array(where)).to_pylist()]
            findings.add("date_outside_survey", rows[where], field="interviewed_on", values=shown)

    def reject_repeats(self, codes: pa.Array, finding: str, observations: Observations, findings: Findings) -> None:
        """Rejects rows whose code stood on an earlier row that was kept; missing codes never repeat."""
        kept = (
            codes
            if not observations.rejected.any()
            else pc.if_else(pa.array(observations.rejected), pa.scalar(None, pa.string()), codes)
        )
        texts = kept.to_pylist()
        fresh = set(texts) - {None}
        if len(fresh) == len(kept) - kept.null_count and self._codes.isdisjoint(fresh):
            self._codes |= fresh
            return
        repeated = np.zeros(len(texts), dtype=bool)
        for position, text in enumerate(texts):
            if text is not None:
                repeated[position] = text in self._codes
                self._codes.add(text)
        where = pa.array(repeated)
        findings.add(
            finding, observations.row_numbers[repeated], field="household_code", values=codes.filter(where).to_pylist()
        )
        observations.rejected |= repeated


def _nulls(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
