"""Checks that look at more than one answer: codes that repeat, dates out of the round, members not known."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.ingestion.findings import Findings
from geo.ingestion.loading.repeats import FirstRows, text_fingerprints
from geo.ingestion.mapping import Observations
from geo.ingestion.reading import as_mask
from geo.messages import Message

_EARLIEST = date(1990, 1, 1)
"""No survey Vasti is for was made before."""


class Checks:
    """The checks of one file, which remember what earlier batches held."""

    def __init__(self, *, starts_on: date | None = None, ends_on: date | None = None) -> None:
        self.starts_on = starts_on
        self.ends_on = ends_on
        self._codes = FirstRows()
        # Where this machine's day has ended, another's may have hours to go.
        self._latest = datetime.now(UTC).date() + timedelta(days=1)

    def check_rows(self, observations: Observations, findings: Findings) -> None:
        """Checks rows as mapped, before they are placed."""
        rows = observations.row_numbers
        fields = observations.fields
        if "household_code" in fields:
            missing = _nulls(fields["household_code"])
            findings.add("household_code_missing", rows[missing], field="household_code")
            self.reject_repeats(fields["household_code"], "household_code_duplicate", observations, findings)
        report_zero_weights(observations, "weight_zero", findings)
        if "members" in fields:
            findings.add("members_missing", rows[_nulls(fields["members"])], field="members")
        if "interviewed_on" in fields:
            on = fields["interviewed_on"]
            odd = _outside(on, _EARLIEST, self._latest)
            findings.add("date_implausible", rows[odd], field="interviewed_on", values=_shown(on, odd))
            if self.starts_on and self.ends_on:
                outside = _outside(on, self.starts_on, self.ends_on) & ~odd
                findings.add("date_outside_survey", rows[outside], field="interviewed_on", values=_shown(on, outside))

    def reject_repeats(self, codes: pa.Array, finding: str, observations: Observations, findings: Findings) -> None:
        """Rejects rows whose code stood on an earlier row that was kept; missing codes never repeat."""
        at = np.flatnonzero(~observations.rejected & ~_nulls(codes))
        given = codes.take(pa.array(at))
        again, first = self._codes.find(text_fingerprints(given), observations.row_numbers[at])
        repeated = at[again]
        codes_again = given.filter(pa.array(again)).to_pylist()
        said = [
            Message("code_on_row", code=code, earlier=earlier) for code, earlier in zip(codes_again, first, strict=True)
        ]
        findings.add(finding, observations.row_numbers[repeated], field="household_code", values=said)
        observations.rejected[repeated] = True


def report_zero_weights(observations: Observations, finding: str, findings: Findings) -> None:
    """Reports the rows that stand for no household."""
    if "weight" in observations.fields:
        zero = as_mask(pc.fill_null(pc.equal(observations.fields["weight"], 0), False))
        findings.add(finding, observations.row_numbers[zero], field="weight")


def _outside(on: pa.Array, first: date, last: date) -> NDArray[np.bool_]:
    outside = pc.or_(pc.less(on, pa.scalar(first)), pc.greater(on, pa.scalar(last)))
    return np.asarray(pc.fill_null(outside, False).to_numpy(zero_copy_only=False), dtype=bool)


def _shown(on: pa.Array, where: NDArray[np.bool_]) -> list[str]:
    return [day.isoformat() for day in on.filter(pa.array(where)).to_pylist()]


def _nulls(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
