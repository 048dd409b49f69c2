"""Diagnosis: why a position misses every settlement by far, tested on the position itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.base import Extent
from geo.messages import Message

Degrees = NDArray[np.float64]
Find = Callable[[Degrees, Degrees], NDArray[np.intp]]
"""The settlement of each position, as placement finds it; -1 for none."""

NONE = -1


@dataclass(frozen=True)
class Slip:
    """A way positions go wrong between the phone and the file, and how to undo it."""

    code: str
    undone: str
    """The code of the message that says where a position lies once it is undone."""
    undo: Callable[[Degrees, Degrees, Extent], tuple[Degrees, Degrees]]
    is_of_digits: bool = False
    """Whether the numbers themselves are spoilt: where the row names its settlement, they are as good as missing."""


_MOST_DIGITS = 15
"""So many of them a spreadsheet keeps: a lost decimal point stands before one of them."""


def _with_points(lon: Degrees, lat: Degrees, city: Extent) -> tuple[Degrees, Degrees]:
    """Positions outside the world with their decimal point where it brings them into the city; NaN for any other."""
    wider = city.with_margin()
    is_lost = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    there_lon = _with_point(lon, 180, wider.west, wider.east)
    there_lat = _with_point(lat, 90, wider.south, wider.north)
    return np.where(is_lost, there_lon, np.nan), np.where(is_lost, there_lat, np.nan)


def _with_point(numbers: Degrees, most: float, low: float, high: float) -> Degrees:
    """Each number that is no degree, divided by the one power of ten that brings it between two degrees."""
    tens = 10.0 ** np.arange(1, _MOST_DIGITS + 1)
    tried = numbers[:, np.newaxis] / tens
    fits = (tried >= low) & (tried <= high)
    # Near the equator several may.
    is_one = fits.sum(axis=1) == 1
    found = np.where(is_one, tried[np.arange(len(numbers)), fits.argmax(axis=1)], np.nan)
    return np.where(np.abs(numbers) > most, found, numbers)


SLIPS = (
    Slip("latitude_sign_lost", "slip_latitude_sign", lambda lon, lat, _: (lon, -lat)),
    Slip("longitude_sign_lost", "slip_longitude_sign", lambda lon, lat, _: (-lon, lat)),
    Slip("signs_lost", "slip_signs", lambda lon, lat, _: (-lon, -lat)),
    Slip("position_swapped", "slip_swapped", lambda lon, lat, _: (lat, lon)),
    Slip("position_swapped_sign_lost", "slip_swapped_latitude_sign", lambda lon, lat, _: (lat, -lon)),
    Slip("position_swapped_sign_lost", "slip_swapped_longitude_sign", lambda lon, lat, _: (-lat, lon)),
    Slip("position_swapped_sign_lost", "slip_swapped_signs", lambda lon, lat, _: (-lat, -lon)),
    Slip("decimal_point_lost", "slip_decimal_point", _with_points, is_of_digits=True),
)
"""The likelier first: one change before two."""


@dataclass(frozen=True)
class Diagnosis:
    """What explains each of some positions: index into SLIPS, or NONE; where it lies with the slip undone."""

    slip: NDArray[np.intp]
    settlement: NDArray[np.intp]
    """The settlement it then lies in; NONE: in the city, but in no settlement."""
    is_certain: NDArray[np.bool_]
    """Whether it then lies in a settlement, and no other slip would bring it into one."""
    lon: Degrees
    lat: Degrees


def diagnose(lon: Degrees, lat: Degrees, extent: Extent, find: Find) -> Diagnosis:
    """Tries every slip on the positions that lie far from the city; others are left unexplained.

    A position beside the city is never explained: there, a household outside every boundary is likelier than a slip.
    """
    n = len(lon)
    slip, settlement = np.full((2, n), NONE, dtype=np.intp)
    n_found = np.zeros(n, dtype=np.intp)
    fixed_lon, fixed_lat = lon.copy(), lat.copy()
    far = np.flatnonzero(~np.isnan(lon) & ~extent.holds(lon, lat))
    for number, tried in enumerate(SLIPS):
        there_lon, there_lat = tried.undo(lon[far], lat[far], extent)
        near = extent.holds(there_lon, there_lat)
        if not near.any():
            continue
        at, there_lon, there_lat = far[near], there_lon[near], there_lat[near]
        found = find(there_lon, there_lat)
        is_found = found != NONE
        # A slip that leads into a settlement goes before one that leads into the city only.
        better = np.where(is_found, n_found[at] == 0, slip[at] == NONE)
        slip[at[better]] = number
        settlement[at[better]] = found[better]
        fixed_lon[at[better]], fixed_lat[at[better]] = there_lon[better], there_lat[better]
        n_found[at] += is_found
    return Diagnosis(slip, settlement, n_found == 1, fixed_lon, fixed_lat)


def explanations(
    diagnosis: Diagnosis, lon: Degrees, lat: Degrees, extent: Extent, codes: Sequence[str]
) -> list[str | Message]:
    """Where each position lies once its slip is undone, and how far that is from where it was given."""
    distances = extent.distance_m(lon, lat) / 1000
    places = [None if settlement == NONE else codes[settlement] for settlement in diagnosis.settlement]
    return [_explained(place, km) for place, km in zip(places, distances, strict=True)]


def _explained(place: str | None, km: float) -> str | Message:
    """A settlement, or none of the city's, so far from where a position was given; NaN: nobody can say how far."""
    if np.isnan(km):
        return Message("place_in_city") if place is None else place
    about = round(float(f"{km:.2g}"))
    return Message("place_in_city_from", km=about) if place is None else Message("place_from", place=place, km=about)
