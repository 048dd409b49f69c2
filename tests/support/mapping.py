"""A file as it is mapped, and what was found in it."""

from pathlib import Path
from typing import Any

from geo.ingestion.findings import Findings
from geo.ingestion.mapping import Mapper, Observations, Profile
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.mapping.standard_columns import standard_profile
from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.factories import write_csv

Found = list[tuple[int, str, str | None, str | None]]


def mapped(path: Path, profile: Profile | None = None) -> tuple[Observations, Found]:
    """The file's one batch in standard fields, and row, code, field and value of each finding."""
    findings = Findings()
    with open_layer(path, ReadOptions()) as layer:
        mapper = Mapper(layer, profile or standard_profile(layer.columns), ReadOptions(), path.name)
        (observations,) = [mapper.map(batch, findings) for batch in layer.batches]
    frame = findings.frame()[["row_number", "code", "field", "value"]]
    return observations, list(frame.itertuples(index=False, name=None))


def field(tmp_path: Path, name: str, given: list[Any], **mapping: Any) -> tuple[list[Any], Found]:
    """One field's values as mapped from a CSV column, and the findings."""
    path = write_csv(tmp_path / "rows.csv", [{"q": value, "other": "x"} for value in given])
    observations, found = mapped(path, Profile(name="p", fields={name: FieldMapping(column="q", **mapping)}))
    return observations.fields[name].to_pylist(), found
