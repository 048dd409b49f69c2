"""Classes, palettes and legend; the palettes are held against simulated colour blindness."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from geo.indicators.definitions import catalogue
from maps import style
from maps.figures import read_figures
from tests.support.map_frames import city, frame, row, withheld

UP, DOWN, REPORT, DENSITY = (
    catalogue()[name] for name in ("household_toilet", "open_defecation", "community_toilet_use", "density_persons")
)

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15(6), 2009: severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
Vector = NDArray[np.float64]


def linear(colour: str) -> Vector:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.asarray(np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))


def lab(rgb: Vector) -> Vector:
    """CIELAB (D65) of linear RGB."""
    t = XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio."""
    low, high = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("palette", [style.GAP_PALETTE, style.NEUTRAL_PALETTE], ids=["gap", "neutral"])
def test_palette_neighbours_differ_for_every_eye(palette: tuple[str, ...], vision: str) -> None:
    seen = [lab(VISION[vision] @ linear(colour)) for colour in palette]
    # CIE76: 2.3 is a just noticeable difference; side by side on a map several times that is needed.
    assert min(float(np.linalg.norm(a - b)) for a, b in pairwise(seen)) >= 9
    # Lightness alone must order the classes too, for a black-and-white print.
    assert min(float(a[0] - b[0]) for a, b in pairwise(seen)) >= 8


@pytest.mark.parametrize("vision", VISION)
def test_circles_differ_from_every_class_or_carry_a_light_edge(vision: str) -> None:
    line = lab(VISION[vision] @ linear(style.CIRCLE_LINE))
    for colour in (*style.GAP_PALETTE[:4], style.BACKGROUND):
        assert np.linalg.norm(line - lab(VISION[vision] @ linear(colour))) >= 25
    # On the darkest class the white edge around the circle (map.css) makes the difference.
    assert contrast("#ffffff", style.GAP_PALETTE[-1]) >= 4.5


def test_outline_stands_out_from_the_ground() -> None:
    assert contrast(style.OUTLINE, style.BACKGROUND) >= 4.5
    assert contrast(style.OUTLINE, style.GAP_PALETTE[0]) >= 4.5
    assert contrast(style.OUTLINE, style.NEUTRAL_PALETTE[0]) >= 4.5


@pytest.mark.parametrize(
    ("value", "index"),
    [(0, 0), (19.999, 0), (20, 1), (39.9, 1), (40, 2), (60, 3), (79.9, 3), (80, 4), (100, 4)],
)
def test_share_classes_are_fixed(value: float, index: int) -> None:
    assert style.make_classes(UP, []).index(value) == index
    assert style.make_classes(DOWN, [1.0, 2.0]).breaks == (20, 40, 60, 80)


def test_palette_darkens_with_the_gap() -> None:
    dark = style.GAP_PALETTE[-1]
    assert style.make_classes(UP, []).colours[0] == dark
    assert style.make_classes(DOWN, []).colours[-1] == dark
    assert style.make_classes(REPORT, []).colours == style.NEUTRAL_PALETTE


def test_density_breaks_are_round_and_spread_the_values() -> None:
    values = [12_000.0, 30_000, 70_000, 150_000, 400_000]
    assert style.density_breaks(values) == (20_000, 50_000, 100_000, 200_000)
    assert style.make_classes(DENSITY, values).labels == (
        "under 20,000",
        "20,000 to under 50,000",
        "50,000 to under 100,000",
        "100,000 to under 200,000",
        "200,000 and more",
    )


@pytest.mark.parametrize("values", [[], [0.0], [5.0] * 9, [0.0, 1e9]])
def test_density_breaks_ascend_whatever_the_values(values: list[float]) -> None:
    breaks = style.density_breaks(values)
    assert len(breaks) == 4
    assert list(breaks) == sorted(set(breaks))


def test_legend_counts_every_settlement_once() -> None:
    figures = read_figures(city(), UP)
    classes = style.make_classes(UP, [f.value for f in figures if f.value is not None])
    legend = style.make_legend(figures, classes, style.make_circle_scale(figures), UP)
    assert [c.settlements for c in legend.classes] == [5, 5, 6, 5, 5]
    assert legend.classes[0].label == "under 20 %"
    assert {c.label: c.settlements for c in legend.without_figure} == {
        "Withheld: so that no household can be identified": 2,
        "Withheld: no household answered this question": 1,
        "No figure": 1,
    }
    counted = sum(c.settlements for c in (*legend.classes, *legend.without_figure))
    assert counted == len(figures)


def test_legend_puts_the_gap_first() -> None:
    figures = read_figures(city(), DOWN)
    classes = style.make_classes(DOWN, [])
    assert style.make_legend(figures, classes, None, DOWN).classes[0].label == "80 to 100 %"
    assert style.make_legend(figures, classes, None, DOWN).circles == ()


def test_fill_of_withheld_is_a_pattern() -> None:
    figures = read_figures(frame(row(0, value=0.0), withheld(1), row(2, value=None)), UP)
    classes = style.make_classes(UP, [])
    fills = [style.fill_of(f, classes) for f in figures]
    assert fills == [style.GAP_PALETTE[-1], style.WITHHELD_FILL, style.NO_FIGURE_FILL]


def test_circle_scale_area_is_proportional() -> None:
    figures = read_figures(frame(row(0, unserved=1240), row(1, unserved=310), row(2, unserved=0)), UP)
    scale = style.make_circle_scale(figures)
    assert scale is not None
    assert scale.largest == 2000
    assert scale.radius_px(1240) == pytest.approx(2 * scale.radius_px(310), abs=0.02)
    assert scale.examples() == (2000, 800, 200)


def test_circle_scale_none_where_nobody_is_unserved() -> None:
    assert style.make_circle_scale(read_figures(frame(row(0, unserved=0), withheld(1)), UP)) is None
    assert style.make_circle_scale(read_figures(frame(row(0, geometry=None)), UP)) is None


@pytest.mark.parametrize(
    ("indicator", "breaks", "last"),
    [
        ("mpi_adjusted", (0.2, 0.4, 0.6, 0.8), "0.8 to 1"),
        ("mpi_intensity", (20, 40, 60, 80), "80 to 100"),
        ("slum_severity", (1, 2, 3, 4), "4 to 5"),
    ],
)
def test_make_classes_of_scores_divide_their_own_scale(indicator: str, breaks: tuple[float, ...], last: str) -> None:
    classes = style.make_classes(catalogue()[indicator], [0.3])
    assert classes.breaks == pytest.approx(breaks)
    assert classes.labels[-1] == last
