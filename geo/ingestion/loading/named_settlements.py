"""Settlements that the rows of a survey name and its city does not have: read first, to be made where asked for."""

from pathlib import Path

import pandas as pd

from geo.base import fold_name
from geo.ingestion.findings import Findings, few
from geo.ingestion.loading.source import SourceOptions, open_source
from geo.ingestion.placing.labels import Label, Labels
from geo.ingestion.reading import Note
from geo.places import Places

_SHOWN = 10


def read_named(path: Path, options: SourceOptions, places: Places) -> pd.DataFrame:
    """The settlements that rows name and the city does not have: code, name, ward_code and ward_name, each once.

    A settlement that is named without a code has its name as code.

    Raises:
        InputError: the file or the profile cannot be used.
    """
    labels = Labels(places.codes, places.names, places.wards)
    found: dict[tuple[str, str], Label] = {}
    with open_source(path, options, None) as source:
        for _, batch in source.batches(Findings()):
            fields = source.mapper.map(batch, Findings()).fields
            columns = [
                fields[name].to_pylist() if name in fields else [None] * len(batch.row_numbers)
                for name in ("declared_settlement_code", "declared_settlement_name", "declared_ward_name")
            ]
            for said in dict.fromkeys(zip(*columns, strict=True)):
                label = Label(*said)
                text = label.code or label.name
                if text and text.strip():
                    found.setdefault((fold_name(text), fold_name(label.ward or "")), label)
    new = [label for label in found.values() if labels.join(label, has_codes=True).finding == "settlement_unknown"]
    rows = [
        {
            "code": (label.code or label.name or "").strip(),
            "name": (label.name or label.code or "").strip(),
            "ward_code": label.ward,
            "ward_name": label.ward,
        }
        for label in new
    ]
    return pd.DataFrame(rows, columns=["code", "name", "ward_code", "ward_name"], dtype=object).drop_duplicates("code")


def tell_named(frame: pd.DataFrame, findings: Findings) -> None:
    """Says which settlements were made of what rows name."""
    if frame.empty:
        return
    findings.add_note(Note("settlements_made", few(list(frame["name"]), _SHOWN)))
