"""What a data officer does at a command line with the files of a case, and what comes out."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from geo.indicators.figures import LEVELS
from tests.support.cli import Done, Shell

YEAR = ("--starts", "2024-01-01", "--ends", "2024-12-31")
"""The dates of the field cases' rounds."""


class Officer(Shell):
    """A command line in the folder of a case."""

    def assess(self, *arguments: object, code: int = 0) -> tuple[Done, Path]:
        """Runs `vasti assess --full` with these arguments; the folder its report is in beside what was printed."""
        out = self.folder / "report"
        return self.run("assess", *arguments, "--full", "--out", out, code=code), out

    def figures(self, *arguments: object) -> pd.DataFrame:
        """The figures that `vasti assess` makes of files, as `figure` takes them."""
        return read_figures(self.assess(*arguments)[1])

    def city(self, slug: str, *boundaries: object) -> None:
        """Makes a city, with settlements from a file where arguments of `vasti load boundaries` are given."""
        self.run("city", "add", slug, "--name", slug.title())
        if boundaries:
            self.run("load", "boundaries", *boundaries, "--city", slug)

    def table(self, *arguments: object) -> pd.DataFrame:
        """What a command prints as CSV."""
        return _read(StringIO(self.run(*arguments, "--format", "csv").stdout))

    def values(self, city: str, survey: str, *arguments: object) -> pd.DataFrame:
        """The full figures of a stored round, at every level."""
        asked = ("values", "--city", city, "--survey", survey, "--full", *arguments)
        return pd.concat([self.table(*asked, "--level", level) for level in LEVELS], ignore_index=True)


def read_figures(report: Path) -> pd.DataFrame:
    """The figures of a report of `vasti assess`."""
    return _read(report / "figures.csv")


def _read(path: Path | StringIO) -> pd.DataFrame:
    text = ["city", "survey", "ward_code", "settlement_code"]
    return pd.read_csv(path, dtype=dict.fromkeys(text, str), comment="#")


def figure(figures: pd.DataFrame, indicator: str, place: str = "", *, counted: str | None = None) -> "pd.Series[Any]":
    """One figure: of the city, or of the settlement or ward with this code."""
    found = figures[figures["indicator"] == indicator]
    if counted is not None:
        found = found[found["counted"] == counted]
    if place:
        found = found[_codes(found, ["settlement_code", "ward_code"]).eq(place).any(axis=1)]
        found = found[found["level"] == ("settlement" if (found["settlement_code"] == place).any() else "ward")]
    else:
        found = found[found["level"] == "city"]
    assert len(found) == 1, (indicator, place, counted, found)
    return found.iloc[0]


def _codes(found: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return found[[name for name in names if name in found]]
