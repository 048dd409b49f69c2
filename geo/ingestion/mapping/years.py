"""Years: whether one file holds the rows of several rounds, told by a column of years or by the interviews' dates."""

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from geo.base import fold_name
from geo.ingestion.findings import Findings, few
from geo.ingestion.mapping.cells import texts
from geo.ingestion.reading import Note
from geo.messages import Message

_NAMES = frozenset(
    {
        *("year", "survey year", "year of survey", "round year", "interview year", "year of interview", "data year"),
        *("ano", "ano encuesta", "ano de la encuesta", "ano pesquisa", "ano da pesquisa"),
        *("annee", "annee enquete", "annee de l enquete", "jahr", "mwaka", "tahun", "varsh", "वर्ष"),
    }
)
_SHOWN = 8
_MOST_DAYS = 366
"""A round may run over New Year; one whose interviews lie further apart is more than one."""


def year_column(columns: Iterable[str]) -> str | None:
    """The column of a table that is called the year of the survey."""
    return next((column for column in columns if fold_name(column) in _NAMES), None)


def years_of(given: Iterable[str]) -> list[str]:
    """The years some texts are, in order; none where one of them is no year."""
    told = {text.strip().removesuffix(".0") for text in given if text.strip()}
    are_years = all(len(text) == 4 and text.isdecimal() and "1980" <= text < "2100" for text in told)
    return sorted(told) if are_years else []


def name_years(years: Iterable[str]) -> Message:
    """Some years as a sentence has them."""
    return few(sorted(years), _SHOWN)


class Years:
    """Gathers the years of a file's rows, batch by batch."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._column = year_column(columns)
        self._seen: set[str] = set()
        self._first: int | None = None
        self._last: int | None = None

    def add(self, columns: Mapping[str, pa.Array], fields: Mapping[str, pa.Array]) -> None:
        """Takes up a batch: its columns as the file has them, and as standard fields."""
        if self._column is not None:
            self._seen.update(texts(columns[self._column]).drop_null().unique().to_pylist())
        days = fields.get("interviewed_on")
        if days is not None and days.null_count < len(days):
            range_ = pc.min_max(days.cast(pa.int32()))
            first, last = range_["min"].as_py(), range_["max"].as_py()
            self._first = first if self._first is None else min(first, self._first)
            self._last = last if self._last is None else max(last, self._last)

    def report(self, findings: Findings) -> None:
        """Says that there are several."""
        years = years_of(self._seen)
        if self._column is not None and len(years) > 1:
            findings.add_note(Note("several_years", name_years(years), self._column))
        elif self._first is not None and self._last is not None and self._last - self._first > _MOST_DAYS:
            days = pa.array([self._first, self._last], pa.int32()).cast(pa.date32()).to_pylist()
            between = Message("years_from_to", first=str(days[0].year), last=str(days[1].year))
            findings.add_note(Note("several_years", between, "interviewed_on"))
