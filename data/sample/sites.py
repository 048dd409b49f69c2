"""Where settlements stand: clusters of one to four along the river, beside the tracks and in the town."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from data.sample.terrain import (
    ORIGIN_M,
    RAIL_HALF_WIDTH_M,
    RIVER_HALF_WIDTH_M,
    Floats,
    SiteKind,
    Spine,
    Terrain,
    bend_street,
)

MEDIAN_AREA_M2 = 14_000.0
SMALLEST_AREA_M2, LARGEST_AREA_M2 = 4_600.0, 96_000.0
BLOCK = 60  # each sixty settlements hold one with an enclave in its middle and one that straddles the tracks
GAP_M = 30.0


@dataclass(frozen=True)
class Site:
    """A patch of ground for one to four neighbouring settlements, measured along and across a spine."""

    kind: SiteKind
    spine: Spine
    along_m: float
    across_m: float
    length_m: float
    width_m: float
    areas_m2: tuple[float, ...]
    clear_m: float = 0.0
    has_enclave: bool = False
    straddles: bool = False

    @cached_property
    def middle(self) -> Floats:
        """The middle of the site on the map."""
        return np.asarray(self.spine.at(np.array([self.along_m]), np.array([self.across_m]))[0])

    def scaled(self, along_m: Floats, across_m: Floats) -> tuple[Floats, Floats]:
        """Distances along and across as parts of half the site's length and width, from its middle."""
        return (along_m - self.along_m) / (self.length_m / 2), (across_m - self.across_m) / (self.width_m / 2)

    @property
    def middle_point(self) -> Any:
        """The middle as a geometry."""
        return shapely.Point(self.middle)

    @property
    def radius_m(self) -> float:
        """A circle of this radius around the middle holds the site, its bulges included."""
        return 0.62 * float(np.hypot(self.length_m, self.width_m)) + GAP_M


@dataclass(frozen=True)
class _Wish:
    """A site before its place is found."""

    kind: SiteKind
    areas_m2: tuple[float, ...]
    has_enclave: bool = False
    straddles: bool = False


def choose_sites(settlements: int, terrain: Terrain, rng: np.random.Generator) -> list[Site]:
    """Sites for that many settlements, none reaching into another; the hard ones to place choose first."""
    wishes = sorted(_wish_sites(settlements, rng), key=lambda wish: (not wish.straddles, -sum(wish.areas_m2)))
    sites: list[Site] = []
    middles, radii = np.empty((len(wishes), 2)), np.empty(len(wishes))
    crowded: dict[SiteKind, int] = {"river": 0, "rail": 0, "town": 0}
    for wish in wishes:
        # Once a line turned several sites away it is full; asking it again only costs time.
        for site in _places(wish, terrain, rng, line_is_full=crowded[wish.kind] >= 5):
            taken = len(sites)
            apart = np.hypot(*(middles[:taken] - site.middle).T)
            if (apart > radii[:taken] + site.radius_m).all() and _keeps_clear(site, terrain):
                middles[taken], radii[taken] = site.middle, site.radius_m
                sites.append(site)
                crowded[wish.kind] += int(site.kind != wish.kind)
                break
    return sites


def _wish_sites(settlements: int, rng: np.random.Generator) -> Iterator[_Wish]:
    """Kinds, sizes and groups of sites, before their places."""
    areas = np.clip(MEDIAN_AREA_M2 * rng.lognormal(0, 0.8, settlements), SMALLEST_AREA_M2, LARGEST_AREA_M2)
    used = 0
    for _ in range(settlements // BLOCK if settlements >= BLOCK else int(settlements >= 8)):
        yield _Wish("town", (72_000.0, 6_000.0), has_enclave=True)
        yield _Wish("rail", (float(areas[used + 2]) + 30_000.0,), straddles=True)
        used += 3
    while used < settlements:
        group = min(int(rng.choice([1, 1, 1, 2, 2, 3, 4])), settlements - used)
        kind: SiteKind = rng.choice(np.array(["river", "rail", "town"]), p=[0.34, 0.3, 0.36])
        yield _Wish(kind, tuple(float(a) for a in areas[used : used + group]))
        used += group


def _places(wish: _Wish, terrain: Terrain, rng: np.random.Generator, *, line_is_full: bool) -> Iterator[Site]:
    """Places to try for a site: along its line first; where that is full, ever further out in the town."""
    total = sum(wish.areas_m2) * 1.12
    if wish.kind != "town" and not line_is_full:
        spine = terrain.river if wish.kind == "river" else terrain.railway
        longer = rng.uniform(2.0, 3.2) if wish.kind == "river" else rng.uniform(2.6, 4.2)
        length = float(np.sqrt(total * longer))
        clear = (RIVER_HALF_WIDTH_M if wish.kind == "river" else RAIL_HALF_WIDTH_M) + rng.uniform(3, 22)
        width = total / length + (2 * clear + 12.0 if wish.straddles else 0.0)
        for _ in range(400 if wish.straddles else 80):
            side = rng.choice([-1.0, 1.0])
            along = rng.uniform(0.1, 0.9) * spine.length_m
            across = 0.0 if wish.straddles else side * (clear + width / 2)
            yield Site(wish.kind, spine, along, across, length, width, wish.areas_m2, clear, straddles=wish.straddles)
    length = float(np.sqrt(total * rng.uniform(1.1, 1.9)))
    width = total / length
    spread = 0.22
    while True:
        offset = np.clip(rng.normal(0, spread, 2), -0.49, 0.49) if spread < 0.6 else rng.uniform(-0.5, 0.5, 2)
        stretch = max(1.0, spread)
        middle = np.array(ORIGIN_M) + offset * stretch * np.array([terrain.width_m, terrain.height_m])
        spine = bend_street(middle, 1.5 * length + 150.0, rng)
        yield Site("town", spine, spine.length_m / 2, 0.0, length, width, wish.areas_m2, has_enclave=wish.has_enclave)
        spread *= 1.01


def _keeps_clear(site: Site, terrain: Terrain) -> bool:
    """Whether the site keeps off the river and the railway it does not itself lie along."""
    middle = site.middle[None]
    off_river = site.kind == "river" or terrain.distance_to_river_m(middle)[0] > site.radius_m + RIVER_HALF_WIDTH_M
    off_rails = site.kind == "rail" or terrain.distance_to_railway_m(middle)[0] > site.radius_m + RAIL_HALF_WIDTH_M
    return bool(off_river and off_rails)
