"""Figures: what a reader gets, made from summed tallies. The last step is always to withhold what may not be said."""

from typing import Literal

import numpy as np
import pandas as pd

from geo.indicators.catalogue import catalogue
from geo.indicators.disclosure import MAX_UNKNOWN, NO_AREA, NO_FRAME_SIZE, TOO_MANY_UNKNOWN, withhold
from geo.indicators.estimate import M2_PER_KM2, shares
from geo.indicators.tallies import SUMS

Level = Literal["settlement", "ward", "city"]

PLACE = ("ward_code", "ward_name", "settlement_code", "settlement_name")
"""The columns that name a figure's place below its city; None where the level has none."""

PERCENT = 100.0

DECIMALS = 2
"""A hundredth of a point is one household in ten thousand: no figure needs more."""


def figures_of(cells: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Figures from summed tallies: estimated, and what may not be said withheld.

    `cells` has one row a figure, with the columns city, survey, survey_unit, those of PLACE, indicator, counted,
    definition_version, the sums of a tally, population (households or persons the tally speaks for), residents (who
    live there), area_m2 (geodesic), `_drawn` (which boundaries it rests on) and, where wanted, geometry. NaN stands
    for what is not known. The figures are described at `values.FigurePage`, and keep `_drawn`.
    """
    definitions = catalogue()
    numbers = [*SUMS, "population", "residents", "area_m2"]
    cells[numbers] = cells[numbers].astype(float)
    is_density = np.array([definitions[i].measure == "density" for i in cells["indicator"]], dtype=bool)
    of_households = (cells["survey_unit"] == "household").to_numpy(dtype=bool)
    estimated = shares(
        cells.rename(columns={"indicator": "indicator_id"}), definitions, with_interval=of_households & ~is_density
    )
    answered = (cells["n"] > 0).to_numpy()
    # A settlement-unit row speaks for as many households as its weight says.
    answering = np.where(of_households, cells["n"], cells["sum_w"])
    not_known = np.where(of_households, cells["n_unknown"], cells["sum_w_unknown"])
    with np.errstate(divide="ignore", invalid="ignore"):
        density = (cells["residents"] / (cells["area_m2"] / M2_PER_KM2)).to_numpy()
    value = np.where(is_density, density, estimated.p * PERCENT)
    # Unserved: those without a good thing, or with a bad one.
    down = np.array([definitions[i].direction == "down" for i in cells["indicator"]], dtype=bool)
    report = np.array([definitions[i].direction == "report" for i in cells["indicator"]], dtype=bool)
    unserved = cells["population"].to_numpy() * np.where(down, estimated.p, 1 - estimated.p)
    reason = np.full(len(cells), None, dtype=object)
    reason[answered & (not_known > MAX_UNKNOWN * (answering + not_known))] = TOO_MANY_UNKNOWN
    reason[is_density & answered & cells["residents"].isna().to_numpy()] = NO_FRAME_SIZE
    reason[is_density & answered & cells["area_m2"].isna().to_numpy()] = NO_AREA
    figures = cells[["city", "survey", *PLACE, "indicator", "definition_version", "counted"]].copy()
    figures.insert(2, "level", level)
    figures["unit"] = [definitions[i].unit for i in cells["indicator"]]
    figures["value"] = np.round(value, DECIMALS)
    figures["low"] = np.round(estimated.interval.low * PERCENT, DECIMALS)
    figures["high"] = np.round(estimated.interval.high * PERCENT, DECIMALS)
    figures["n"], figures["n_unknown"] = np.round(answering), np.round(not_known)
    figures["population"] = np.round(cells["population"])
    figures["unserved"] = np.round(np.where(report, np.nan, unserved))
    figures["answering"] = answering
    figures["reason"] = reason
    figures["_drawn"] = [str(drawn) for drawn in cells["_drawn"]]
    if "geometry" in cells:
        figures["geometry"] = cells["geometry"]
    return withhold(figures)
