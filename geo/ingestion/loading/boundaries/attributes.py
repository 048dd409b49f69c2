"""Attributes: a table with the names and wards of settlements whose shapes are in another file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geo.errors import MissingColumn, UnreadableFile
from geo.ingestion.findings import Findings, few
from geo.ingestion.mapping import BoundaryColumns, Profile, texts
from geo.ingestion.mapping.columns import Wanted, find_columns
from geo.ingestion.mapping.standard_columns import standard_profile
from geo.ingestion.placing.labels import NOWHERE, Label, Labels
from geo.ingestion.reading import Batch, Layer, Note, ReadOptions, open_layer
from geo.messages import Message

_ROLES = {
    "code": "settlement_code",
    "name": "settlement_name",
    "ward_code": "ward_code",
    "ward_name": "ward_name",
}
_SHOWN = 5


@dataclass(frozen=True)
class Attributes:
    """The rows of such a table: the columns code, name, ward_code and ward_name; None where it has none."""

    file_name: str
    frame: pd.DataFrame

    def join(self, shapes: pd.DataFrame, findings: Findings) -> pd.DataFrame:
        """Shapes with the code, name and ward of the row that bears their code or, alone in the table, their name.

        `shapes` has the same columns and row_number. A shape no row belongs to keeps what it has, and that is said.
        """
        labels = Labels(list(self.frame["code"]), [str(name) for name in self.frame["name"].fillna(self.frame["code"])])
        joined = [
            labels.join(Label(code, name), has_codes=True) if code or name else None
            for code, name in zip(shapes["code"], shapes["name"], strict=True)
        ]
        at = np.array([NOWHERE if j is None else j.settlement for j in joined], dtype=np.intp)
        rows = shapes["row_number"].to_numpy(dtype=np.int32)
        for finding, code in (
            ("settlement_unknown", "attributes_missing"),
            ("name_ambiguous", "attributes_ambiguous"),
            ("joined_by_name", "joined_by_name"),
            ("name_differs", "name_differs"),
        ):
            where = np.array([j is not None and j.finding == finding for j in joined], dtype=bool)
            values = [j.value for j in joined if j is not None and j.finding == finding]
            findings.add(code, rows[where], field="settlement_code", values=values)
        self._tell_unused(at, findings)
        known = at != NOWHERE
        joint = shapes.copy()
        for column in _ROLES:
            found = self.frame[column].to_numpy(dtype=object)[at[known]]
            own = joint.loc[known, column].to_numpy(dtype=object)
            joint.loc[known, column] = np.where(pd.isna(found), own, found)
        return joint

    def _tell_unused(self, at: np.ndarray, findings: Findings) -> None:
        unused = np.setdiff1d(np.arange(len(self.frame)), at)
        if len(unused):
            codes = [str(code) for code in self.frame["code"].to_numpy()[unused]]
            findings.add_note(Note("attributes_without_shape", few(codes, _SHOWN), self.file_name))


def read_attributes(path: Path, columns: BoundaryColumns | Profile | None) -> Attributes:
    """Reads the table; `columns` None: it carries the standard names.

    Raises:
        MissingColumn: it has no column with the settlements' codes, or not the ones that were named.
        UnreadableFile: it cannot be read, or a code stands in it twice.
    """
    with open_layer(path, ReadOptions()) as layer:
        given = columns.boundaries if isinstance(columns, Profile) else columns
        named = _find(layer, given, path.name)
        frames = [pd.DataFrame({role: _texts(batch, named.get(role)) for role in _ROLES}) for batch in layer.batches]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_ROLES))
    frame = frame[frame["code"].notna()].reset_index(drop=True)
    frame["ward_code"] = frame["ward_code"].where(frame["ward_code"].notna(), frame["ward_name"])
    frame["ward_name"] = frame["ward_name"].where(frame["ward_name"].notna(), frame["ward_code"])
    twice = frame.loc[frame["code"].duplicated(), "code"]
    if len(twice):
        raise UnreadableFile("settlement_repeated_in_table", file=path.name, code=twice.iloc[0])
    return Attributes(path.name, frame)


def _find(layer: Layer, columns: BoundaryColumns | None, file_name: str) -> dict[str, str]:
    """The table's own column for each role it has."""
    given = columns or standard_profile(layer.columns).boundaries
    if given is None:
        raise MissingColumn("attributes_without_code", file=file_name, known=layer.columns)
    wanted = {role: name for role, key in _ROLES.items() if (name := getattr(given, key)) is not None}
    columns_wanted = [Wanted(column, role) for role, column in wanted.items()]
    found = find_columns(columns_wanted, layer, file_name=file_name, named_by=Message("by_command"))
    return {role: str(found[column].column) for role, column in wanted.items()}


def _texts(batch: Batch, column: str | None) -> pd.Series:
    given = [None] * len(batch.row_numbers) if column is None else texts(batch.columns[column]).to_pylist()
    return pd.Series([None if text is None or not text.strip() else text.strip() for text in given], dtype=object)
