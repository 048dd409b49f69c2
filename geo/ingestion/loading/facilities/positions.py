"""Positions of facilities: they may stand outside every settlement, yet not anywhere."""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.base import Extent
from geo.ingestion.findings import Findings
from geo.ingestion.placing.distances import Ground
from geo.ingestion.placing.slips import NONE, SLIPS, Degrees, diagnose, explanations
from geo.messages import Message
from geo.places import Places

FAR_M = 50_000.0
"""Nobody walks so far for water or to a toilet: a facility further than this from every settlement is misplaced."""


class CityGround:
    """The settlements of a city, to hold positions of facilities against."""

    def __init__(self, places: Places, extent: Extent) -> None:
        drawn = ~(shapely.is_missing(places.shapes) | shapely.is_empty(places.shapes))
        self.extent = extent
        self.codes = [code for code, is_drawn in zip(places.codes, drawn, strict=True) if is_drawn]
        self._ground = Ground(places.shapes[drawn], extent.centre()[1])

    def find(self, lon: Degrees, lat: Degrees) -> NDArray[np.intp]:
        """A settlement each position lies in; NONE where it lies in none."""
        found = np.full(len(lon), NONE, dtype=np.intp)
        which, shape = self._ground.find(lon, lat)
        found[which] = shape
        return found

    def nearest(self, lon: Degrees, lat: Degrees) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The settlement nearest to each position, and how far it is."""
        return self._ground.nearest(lon, lat)


def check_positions(placed: pd.DataFrame, ground: CityGround, findings: Findings) -> int:
    """Reports positions that are mistaken or far from the city; returns how many are lost there for no known reason.

    `placed` has row_number, lon and lat, in degrees.
    """
    rows = placed["row_number"].to_numpy(dtype=np.int32)
    lon, lat = (placed[axis].to_numpy(dtype=np.float64) for axis in ("lon", "lat"))
    diagnosis = diagnose(lon, lat, ground.extent, ground.find)
    is_explained = diagnosis.slip != NONE
    values = explanations(diagnosis, lon, lat, ground.extent, ground.codes)
    explained = np.flatnonzero(is_explained)
    slipped = [Message(SLIPS[diagnosis.slip[i]].undone, place=values[i]) for i in explained]
    findings.add("facility_position_slipped", rows[explained], field="position", values=slipped)

    in_world = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    impossible = np.flatnonzero(~is_explained & ~in_world)
    shown = [f"{lon[i]:.6g}, {lat[i]:.6g}" for i in impossible]
    findings.add("position_impossible", rows[impossible], field="position", values=shown)

    at = np.flatnonzero(~is_explained & in_world)
    nearest, distance_m = ground.nearest(lon[at], lat[at])
    too_far = distance_m > FAR_M
    outside = ~ground.extent.holds(lon[at], lat[at])
    for code, where in (("facility_too_far", too_far), ("facility_far", outside & ~too_far)):
        away = [
            Message("settlement_from", km=round(km), settlement=ground.codes[settlement])
            for settlement, km in zip(nearest[where], distance_m[where] / 1000, strict=True)
        ]
        findings.add(code, rows[at[where]], field="position", values=away)
    return len(impossible) + int(np.count_nonzero(outside))
