"""Figures with no database: boundaries and observations in, the same figures out as PostGIS gives."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.crs import STORAGE_CRS
from geo.errors import UnreadableFile
from geo.indicators.catalogue import catalogue
from geo.indicators.figures import PLACE, Level, figures_of
from geo.indicators.tallies import SUMS
from geo.indicators.tally_frame import FrameTally
from geo.ingestion.boundaries import Boundaries
from geo.ingestion.findings import Findings
from geo.ingestion.observe import Progress, Reading, observe
from geo.ingestion.source import SourceOptions


@dataclass(frozen=True)
class Assessment:
    """Figures of every settlement, ward and of the whole, as in values.FigurePage, and what was found on the way."""

    figures: pd.DataFrame
    boundaries: Boundaries
    findings: Findings
    rows_read: int
    rows_kept: int

    def map_frame(self, indicator: str) -> gpd.GeoDataFrame:
        """One indicator's figures by settlement with the boundaries they belong to, in longitude and latitude."""
        chosen = self.figures[(self.figures["level"] == "settlement") & (self.figures["indicator"] == indicator)]
        shapes = self.boundaries.frame.set_index("code")["geom"]
        return gpd.GeoDataFrame(chosen, geometry=list(shapes.loc[chosen["settlement_code"]]), crs=STORAGE_CRS)


def assess(
    boundaries: Boundaries,
    path: Path,
    source: SourceOptions,
    *,
    city: str,
    survey: str,
    progress: Progress | None = None,
) -> Assessment:
    """Places a file's observations in the boundaries and makes every figure of the catalogue.

    Raises:
        InputError: the file or the profile cannot be used, or none of its rows can.
    """
    definitions = list(catalogue().values())
    tally = FrameTally(definitions, len(boundaries.frame))
    readings: list[Reading] = []
    for placed in observe(path, boundaries.places(), source, readings.append, progress):
        seen = placed.observations
        tally.add(seen.fields, placed.settlement, seen.asked, seen.extra)
    (reading,) = readings
    if reading.rows_read == 0:
        raise UnreadableFile(f"{path.name} holds no rows.")
    tallies = tally.tallies(np.arange(len(boundaries.frame), dtype=np.int64))
    cells = _cells(tallies, boundaries.frame, city=city, survey=survey, unit=source.unit)
    figures = pd.concat([_at_level(cells, level) for level in ("settlement", "ward", "city")], ignore_index=True)
    return Assessment(
        figures.drop(columns="_drawn"), boundaries, reading.findings, reading.rows_read, reading.rows_kept
    )


def _cells(tallies: pd.DataFrame, places: pd.DataFrame, *, city: str, survey: str, unit: str) -> pd.DataFrame:
    """One row for each settlement and indicator at its headline level, also where there is no tally."""
    asked = pd.DataFrame(
        [(d.id, d.counted, d.version) for d in catalogue().values()],
        columns=["indicator", "counted", "definition_version"],
    )
    named = pd.DataFrame(
        {
            "settlement_id": np.arange(len(places)),
            "ward_code": places["ward_code"],
            "ward_name": places["ward_name"],
            "settlement_code": places["code"],
            "settlement_name": places["name"],
            "area_m2": places["area_m2"],
        }
    )
    grid = named.merge(asked, how="cross")
    sums = tallies.drop(columns="definition_version").rename(columns={"indicator_id": "indicator"})
    cells = grid.merge(sums, on=["settlement_id", "indicator", "counted"], how="left")
    cells[list(SUMS)] = cells[list(SUMS)].fillna(0.0)
    answered = cells["n"] > 0
    cells["population"] = (cells["sum_a"] + cells["sum_a_unknown"]).where(answered)
    # Those of unknown size are taken to be of the mean size; a row stands for one household, or for its weight.
    known, unknown = ("n", "n_unknown") if unit == "household" else ("sum_w", "sum_w_unknown")
    cells["residents"] = cells["sum_ay"] * (cells[known] + cells[unknown]) / cells[known].where(answered)
    cells["area_m2"] = cells["area_m2"].where(answered)
    cells["city"], cells["survey"], cells["survey_unit"], cells["_drawn"] = city, survey, unit, ""
    return cells.sort_values(["indicator", "settlement_code"], kind="stable", ignore_index=True)


def _at_level(cells: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Sums over the settlements of each place: tallies add up, so no household is looked at again."""
    if level == "settlement":
        return figures_of(cells, level)
    if level == "ward":
        cells = cells[cells["ward_code"].notna()]
    place = ["ward_code", "ward_name"] if level == "ward" else []
    heads = ["city", "survey", "survey_unit", *place, "indicator", "counted", "definition_version", "_drawn"]
    summed = [*SUMS, "population", "residents", "area_m2"]
    total = cells.groupby(heads, sort=True, dropna=False)[summed].sum(min_count=1).reset_index()
    for name in PLACE:
        if name not in total:
            total[name] = None
    return figures_of(total, level)
