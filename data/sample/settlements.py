"""The sample city's settlements: plots laid along river, railway and streets, joined into irregular shapes.

Each site is a small patchwork of plots (Voronoi cells of a jittered grid that follows the site's spine).
Plots are dealt out to the settlements of the site, so neighbours share their border vertex for vertex.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from data.sample.names import name_settlements, name_wards
from data.sample.sites import Site, choose_sites
from data.sample.terrain import UTM_CRS, Floats, Terrain, lay_terrain

PLOTS_PER_SETTLEMENT = 75
SETTLEMENTS_PER_WARD = 10
MOST_WARDS = 40


@dataclass(frozen=True)
class City:
    """The sample city: its ground, and one row a settlement with code, name, ward, site kind and shape."""

    terrain: Terrain
    settlements_gdf: gpd.GeoDataFrame


def build_city(settlements: int, seed: int) -> City:
    """The city for a seed: the same seed and number of settlements give the same shapes and names."""
    rng = np.random.default_rng([seed, 1])
    terrain = lay_terrain(settlements, rng)
    sites = choose_sites(settlements, terrain, rng)
    shapes = [shape for site in sites for shape in shape_site(site, rng)]
    kinds = [site.kind for site in sites for _ in site.areas_m2]
    centres = shapely.get_coordinates(shapely.centroid([site.middle_point for site in sites]))
    site_wards = divide_wards(centres, wards=min(MOST_WARDS, max(1, round(settlements / SETTLEMENTS_PER_WARD))))
    ward = np.repeat(site_wards, [len(site.areas_m2) for site in sites])

    # Codes run ward by ward and west to east within the ward, as a survey office would number them.
    x = shapely.get_x(shapely.centroid(shapes))
    order = np.lexsort((x, ward))
    width = max(3, len(str(settlements)))
    ward_names = name_wards(int(ward.max()) + 1)
    names = name_settlements([kinds[i] for i in order], rng)
    frame = {
        "settlement_code": [f"S{n + 1:0{width}d}" for n in range(settlements)],
        "settlement_name": names,
        "ward_code": [f"W{ward[i] + 1}" for i in order],
        "ward_name": [ward_names[ward[i]] for i in order],
        "site_kind": [kinds[i] for i in order],
    }
    gdf = gpd.GeoDataFrame(frame, geometry=[shapes[i] for i in order], crs=UTM_CRS)
    return City(terrain=terrain, settlements_gdf=gdf)


def divide_wards(centres: Floats, *, wards: int) -> NDArray[np.int64]:
    """Each site's ward: seeds as far apart as possible, then a few rounds of nearest seed."""
    wards = min(wards, len(centres))
    seeds = [centres[np.argmin(centres[:, 0])]]
    while len(seeds) < wards:
        nearest = np.min([np.hypot(*(centres - s).T) for s in seeds], axis=0)
        seeds.append(centres[np.argmax(nearest)])
    middle = np.array(seeds)
    for _ in range(6):
        label = np.argmin(np.hypot(*(centres[:, None] - middle[None]).transpose(2, 0, 1)), axis=1)
        middle = np.array([centres[label == w].mean(axis=0) if (label == w).any() else middle[w] for w in range(wards)])
    used, label = np.unique(label, return_inverse=True)
    west_to_east = np.argsort(np.argsort(middle[used, 0], kind="stable"))
    return np.asarray(west_to_east[label], dtype=np.int64)


def shape_site(site: Site, rng: np.random.Generator) -> list[Any]:
    """The shapes of a site's settlements, in the order of its areas."""
    plot_m = float(np.clip(np.sqrt(sum(site.areas_m2) / (len(site.areas_m2) * PLOTS_PER_SETTLEMENT)), 6.0, 30.0))
    along, across = _scatter_plots(site, plot_m, rng)
    p, q = site.scaled(along, across)
    owner = np.full(len(p), -1)
    inside = _outline(site, along, across, rng, plot_m=plot_m)
    owner[inside] = _deal_plots(site, p[inside], q[inside], rng)

    points = shapely.multipoints(site.spine.at(along, across))
    cells = np.asarray(shapely.get_parts(shapely.voronoi_polygons(points, ordered=True)))
    unions = [shapely.coverage_union_all(cells[owner == n]) for n in range(len(site.areas_m2))]
    whole = [_largest_parts(union, 2 if site.straddles else 1) for union in unions]
    # A digitised boundary follows lanes, not every plot; simplifying all at once keeps borders shared.
    simple = shapely.coverage_simplify(np.array(whole), tolerance=0.55 * plot_m)
    return [_round_to_centimetres(shape) for shape in simple]


def _scatter_plots(site: Site, plot_m: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Centres of plots on a jittered grid, with a margin of plots nobody owns around the site."""
    depth_m = 1.2 * plot_m
    half_along, half_across = 0.6 * site.length_m + 2.5 * plot_m, 0.6 * site.width_m + 2.5 * depth_m
    columns = np.arange(-half_along, half_along, plot_m)
    rows = np.arange(-half_across, half_across, depth_m)
    along, across = np.meshgrid(columns, rows)
    along = along + np.where(np.arange(len(rows))[:, None] % 2, 0.5 * plot_m, 0.0)
    along = along + rng.uniform(-0.3, 0.3, along.shape) * plot_m
    across = across + rng.uniform(-0.26, 0.26, across.shape) * depth_m
    return along.ravel() + site.along_m, across.ravel() + site.across_m


def _outline(
    site: Site, along: Floats, across: Floats, rng: np.random.Generator, *, plot_m: float
) -> NDArray[np.bool_]:
    """Which plots lie in the site: a bulging rectangle with an uneven edge, off the river and the tracks."""
    p, q = site.scaled(along, across)
    angle = np.arctan2(q, p)
    edge = np.ones_like(p)
    for harmonic in (2, 3, 5, 8):
        edge += rng.normal(0, 0.16 / np.sqrt(harmonic)) * np.cos(harmonic * angle + rng.uniform(0, 2 * np.pi))
    squareness = 3.0
    radius = (np.abs(p) ** squareness + np.abs(q) ** squareness) ** (1 / squareness)
    inside = radius <= np.clip(edge, 0.62, 1.2)
    if site.kind != "town":
        # Beside a line, keep the plots of the site's own side; one that straddles the tracks has both.
        side = 1.0 if site.across_m >= 0 else -1.0
        gap_m = np.abs(across) if site.straddles else across * side
        clear_m = site.clear_m + plot_m
        inside &= gap_m > clear_m
        if site.straddles:
            inside &= np.abs(along - site.along_m) < 0.55 * site.length_m
    return np.asarray(inside)


def _deal_plots(site: Site, p: Floats, q: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """The settlement of each plot: by repeated cuts in proportion to area, or an enclave in the middle."""
    shares = np.array(site.areas_m2) / sum(site.areas_m2)
    if site.has_enclave:
        from_heart = np.hypot(p - 0.12, q + 0.08)
        return np.asarray(from_heart <= np.quantile(from_heart, shares[1]), dtype=np.int64)
    return _cut(np.column_stack([p * site.length_m, q * site.width_m]), shares, rng)


def _cut(place: Floats, shares: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Cut plots in two across their longer side, along a wavering lane, until each settlement has its own."""
    owner = np.zeros(len(place), dtype=np.int64)
    if len(shares) == 1:
        return owner
    a, b = place.T
    main, other = (a, b) if np.ptp(a) >= np.ptp(b) else (b, a)
    reach = max(1.0, float(np.ptp(other)))
    slant, phase = rng.uniform(-0.3, 0.3), rng.uniform(0, 6)
    lane = main + slant * other + 0.06 * reach * np.sin(5 * other / reach + phase)
    half = len(shares) // 2
    first = lane <= np.quantile(lane, shares[:half].sum() / shares.sum())
    owner[first] = _cut(place[first], shares[:half], rng)
    owner[~first] = half + _cut(place[~first], shares[half:], rng)
    return owner


def _largest_parts(shape: Any, count: int) -> Any:
    """The shape's largest parts: a stray plot cut off by the uneven edge is not part of a settlement."""
    parts = shapely.get_parts(shape)
    kept = parts[np.argsort(-shapely.area(parts), kind="stable")[:count]]
    return shapely.multipolygons(kept) if len(kept) > 1 else kept[0]


def _round_to_centimetres(shape: Any) -> Any:
    """Vertices to the centimetre: shared ones stay shared, and every file format holds them alike."""
    return shapely.normalize(shapely.transform(shape, lambda xy: np.round(xy, 2)))
