"""Rows of facilities: what the cells of a file say of each one, and what follows where a cell says nothing."""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geo.base import fold_name
from geo.database.schema.facilities import FACILITY_KINDS
from geo.ingestion.findings import Findings
from geo.ingestion.mapping import STANDARD
from geo.ingestion.mapping.answers import map_text
from geo.ingestion.mapping.cells import FieldCells, NotUnderstood, translate
from geo.ingestion.mapping.dates import read_date
from geo.ingestion.mapping.doubtful import not_answers
from geo.ingestion.mapping.facility_columns import NamedLayer
from geo.ingestion.mapping.quantities import read_number
from geo.ingestion.mapping.yes_no import yes_or_no
from geo.ingestion.reading import Batch
from geo.messages import Message

MOST_SEATS = 10_000
"""More than any block on Earth has: a number above it is something else, such as a date."""

_KINDS = {fold_name(kind): kind for kind in FACILITY_KINDS}
_GOING = ("working", "functional", "functioning", "operational")
_WORKS = {
    **dict.fromkeys(_GOING, True),
    **{f"{negation}{word}": False for word in _GOING for negation in ("not ", "non ", "non")},
    **dict.fromkeys(("broken", "out of order"), False),
}
"""What people write beside yes and no, folded."""


def read_rows(batch: Batch, named: NamedLayer, findings: Findings) -> pd.DataFrame:
    """What the cells of a batch say, a row each; what they do not say, or not so that it is understood, is missing.

    `seats_misread` is where something stood in seats_working that was no number of seats.
    """

    def cells(role: str) -> FieldCells:
        column = named.columns.get(role)
        given = pa.nulls(len(batch.row_numbers), pa.string()) if column is None else batch.columns[column]
        return FieldCells(STANDARD[role], given, batch.row_numbers, findings)

    seats_working = cells("seats_working")
    rows = {
        "row_number": batch.row_numbers,
        "code": _objects(map_text({}, cells("code"))),
        "name": _objects(map_text({}, cells("name"))),
        "kind": _kinds(cells("kind"), named),
        "seats": _numbers(translate(cells("seats"), pa.int64(), _seats)),
        "seats_working": _numbers(translate(seats_working, pa.int64(), _seats)),
        "is_working": pd.array(translate(cells("working"), pa.bool_(), _works).to_pylist(), dtype="boolean"),
        "opened_on": _dates(cells("opened_on")),
        "closed_on": _dates(cells("closed_on")),
        "seats_misread": np.False_ if seats_working.misread is None else seats_working.misread,
    }
    return pd.DataFrame(rows)


def settle_rows(rows: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """The rows of a whole file with what follows from the cells, and a finding for each that cannot be as it says."""
    _note_doubtful_seats(rows, findings)
    rows = rows.drop(columns="seats_misread").assign(**_working(rows, findings))
    numbers = rows["row_number"].to_numpy(dtype=np.int32)
    code = rows["code"]
    findings.add("facility_code_missing", numbers[_mask(code.isna())], field=STANDARD["code"])
    again = _mask(code.duplicated() & code.notna())
    first = dict(zip(code[~again], numbers[~again], strict=True))
    said = [Message("code_on_row", code=each, earlier=Message("row_earlier", row=first[each])) for each in code[again]]
    findings.add("facility_code_duplicate", numbers[again], field=STANDARD["code"], values=said)
    exceeded = _mask(rows["seats_working"] > rows["seats"])
    shown = [Message("seats_of", working=r.seats_working, seats=r.seats) for r in rows[exceeded].itertuples()]
    findings.add("seats_exceeded", numbers[exceeded], field="seats_working", values=shown)
    reversed_ = np.array(
        [o is not None and c is not None and o >= c for o, c in zip(rows["opened_on"], rows["closed_on"], strict=True)],
        dtype=bool,
    )
    shown = [Message("facility_dates", opened=r.opened_on, closed=r.closed_on) for r in rows[reversed_].itertuples()]
    findings.add("facility_dates_reversed", numbers[reversed_], field="closed_on", values=shown)
    return rows


def _note_doubtful_seats(rows: pd.DataFrame, findings: Findings) -> None:
    """Tells of numbers such as 99 among blocks of ten. They count: no profile could say that one is meant."""
    for name in ("seats", "seats_working"):
        doubtful = _mask(rows[name].isin(not_answers(rows[name].dropna().astype(float))))
        numbers = rows["row_number"].to_numpy(dtype=np.int32)[doubtful]
        findings.add("seats_doubtful", numbers, field=name, values=[str(n) for n in rows[name][doubtful]])


def _working(rows: pd.DataFrame, findings: Findings) -> dict[str, pd.Series]:
    """Whether each facility works and how many of its seats do, where one of the two tells the other."""
    numbers = rows["row_number"].to_numpy(dtype=np.int32)
    said, seats, working_seats = rows["is_working"], rows["seats"], rows["seats_working"]
    none_works = (working_seats == 0).fillna(False)
    told = _mask(said.isna() & none_works)
    findings.add("working_told_by_seats", numbers[told], field="working")
    idle = said.fillna(False) & none_works & ~(seats == 0).fillna(False)
    busy = ~said.fillna(True) & (working_seats > 0).fillna(False)
    contrary = _mask(idle | busy)
    shown = [
        Message(
            "facility_works_seats" if r.is_working else "facility_works_not_seats",
            field=STANDARD["working"],
            seats=r.seats_working,
        )
        for r in rows[contrary].itertuples()
    ]
    findings.add("working_contradicts_seats", numbers[contrary], field="working", values=shown)
    is_working = said.fillna(~none_works)
    # A number that was not understood is unknown: it does not mean that all seats work.
    unsaid = working_seats.isna() & ~rows["seats_misread"]
    follows = seats.where(is_working, 0)
    return {"is_working": is_working, "seats_working": working_seats.mask(unsaid, follows)}


def _kinds(cells: FieldCells, named: NamedLayer) -> list[str | None]:
    """The kind of each row; one that says nothing, or another than the whole file is said to be, is reported."""
    if named.all_of_kind is None:
        kinds: list[str | None] = translate(cells, pa.string(), _kind).to_pylist()
        blank = np.array([kind is None for kind in kinds], dtype=bool)
        blank &= True if cells.misread is None else ~cells.misread
        cells.findings.add("facility_kind_unknown", cells.rows[blank], field=cells.field)
        return kinds
    # The file may use the word for something of its own: only a kind Vasti knows can contradict.
    said = [_KINDS.get(fold_name(text)) if text else None for text in map_text({}, cells).to_pylist()]
    differs = np.array([kind not in (None, named.all_of_kind) for kind in said], dtype=bool)
    values = [kind for kind, other in zip(said, differs, strict=True) if other]
    cells.findings.add("facility_kind_differs", cells.rows[differs], field=cells.field, values=values)
    return [named.all_of_kind] * len(said)


def _kind(text: str) -> str:
    try:
        return _KINDS[fold_name(text)]
    except KeyError as error:
        raise NotUnderstood("facility_kind_unknown") from error


def _seats(text: str) -> int:
    try:
        number = read_number(text)
    except NotUnderstood as error:
        raise NotUnderstood("seats_invalid") from error
    if not (0 <= number <= MOST_SEATS and number.is_integer()):
        raise NotUnderstood("seats_invalid")
    return int(number)


def _works(text: str) -> bool:
    answer = _WORKS.get(fold_name(text), yes_or_no(text))
    if answer is None:
        raise NotUnderstood("working_unreadable")
    return answer


def _dates(cells: FieldCells) -> list[date | None]:
    if pa.types.is_date(cells.column.type) or pa.types.is_timestamp(cells.column.type):
        days = cells.column.cast(pa.date32(), safe=False)
    else:
        days = translate(cells, pa.date32(), _date)
    return list(days.to_pylist())


def _date(text: str) -> date:
    try:
        return read_date(text)
    except NotUnderstood as error:
        raise NotUnderstood("facility_date_unreadable") from error


def _objects(column: pa.Array) -> pd.Series:
    return pd.Series(column.to_pylist(), dtype=object)


def _numbers(column: pa.Array) -> pd.api.extensions.ExtensionArray:
    return pd.array(column.to_pylist(), dtype="Int64")


def _mask(where: pd.Series) -> NDArray[np.bool_]:
    """A condition as numpy has it; unknown is no."""
    return np.asarray(where.fillna(False), dtype=bool)
