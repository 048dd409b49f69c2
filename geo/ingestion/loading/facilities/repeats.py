"""Facilities at one position: the same one twice, where no code tells them apart."""

import numpy as np
import pandas as pd

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import STANDARD
from geo.ingestion.reading import Note
from geo.messages import Message

_DECIMALS = 5  # about a metre


def tell_repeated(rows: pd.DataFrame, findings: Findings, *, has_codes: bool) -> pd.DataFrame:
    """Tells rows at the position of an earlier one of their kind; without codes these are left out.

    A file without codes gets one for each position, which the next file with that position has too. `rows` has
    row_number, code, kind, lon and lat, in degrees.
    """
    located = rows["lon"].notna() & rows["kind"].notna()
    place = rows["kind"].astype(str) + "_" + _shown(rows["lat"]) + "_" + _shown(rows["lon"])
    place = place.where(located)
    again = (place.duplicated() & located).to_numpy(dtype=bool)
    first = rows.loc[located & ~again, ["row_number"]].set_index(place[located & ~again])["row_number"]
    earlier = [Message("row_earlier", row=first[at]) for at in place[again]]
    numbers = rows["row_number"].to_numpy(dtype=np.int32)[again]
    if has_codes:
        findings.add("facility_position_repeated", numbers, field="position", values=earlier)
        return rows
    findings.add("facility_repeated", numbers, field="position", values=earlier)
    findings.add_note(Note("facility_code_made", field=STANDARD["code"]))
    return rows.assign(code=place.astype(object).where(located, None))[~again].reset_index(drop=True)


def _shown(degrees: pd.Series) -> pd.Series:
    return degrees.map(lambda number: f"{number:.{_DECIMALS}f}")
