"""Classes, palettes, circle sizes and the legend.

A gap must stand out the same way on every map: the dark end of the palette is always where most is left to
do, be it a low share of toilets or a high share of open defecation. Shares have the same classes on every
map and in every round, so that two printed sheets can be laid side by side.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from geo.indicators.definitions import Definition
from maps.figures import SettlementFigure
from maps.words import SHARE_BREAKS, format_count, format_density, reason_words

GAP_PALETTE = ("#fdf3dc", "#f9d08b", "#ee9a4d", "#cc5a2a", "#7d1f1d")
"""Five classes from little to most left to do; lightness falls all the way, so it survives a black-and-white
print and every common form of colour blindness."""

NEUTRAL_PALETTE = ("#eaf4f0", "#b4d9d5", "#74b3bd", "#3c839c", "#1f4e6e")
"""Five classes from low to high for an indicator that is reported without being judged."""

BACKGROUND = "#f4f6f7"
OUTLINE = "#55504a"
CIRCLE_LINE = "#12355b"
WITHHELD_FILL = "url(#withheld)"
NO_FIGURE_FILL = "url(#no-figure)"
"""Patterns, not colours, so that nobody takes them for a class: hatched lines, and dots."""

_LADDER_STEPS = (1, 2, 5)
_LOWEST_RUNG = 1.0
_RUNGS = 36  # one to 5e11: the people of a settlement on the area of a building, and far more


@dataclass(frozen=True)
class Classes:
    """The classes of one map, from the lowest figures to the highest.

    Attributes:
        breaks: where one class ends and the next begins, ascending; a figure on a break is in the higher.
        colours: one CSS colour a class, one more than there are breaks.
        labels: what the legend says of each class.
    """

    breaks: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]

    def index(self, value: float) -> int:
        """The position of the class a figure belongs to."""
        return bisect_right(self.breaks, value)


@dataclass(frozen=True)
class CircleScale:
    """How many households a circle stands for: its area is proportional to them.

    Attributes:
        largest: a round number of households no settlement exceeds.
        largest_radius_px: the radius drawn for that number, in CSS pixels.
    """

    largest: float
    largest_radius_px: float

    def radius_px(self, households: float) -> float:
        """The radius, in CSS pixels, of the circle for a number of households."""
        return round(self.largest_radius_px * math.sqrt(max(households, 0.0) / self.largest), 2)

    def examples(self) -> tuple[float, ...]:
        """Three round numbers of households for the legend, the largest first."""
        shares = (1, 0.4, 0.1) if self.largest >= 10 else (1,)
        return tuple(self.largest * share for share in shares)


@dataclass(frozen=True)
class LegendClass:
    """One line of the legend: a swatch, what it means, and how many settlements have it."""

    fill: str
    label: str
    settlements: int


@dataclass(frozen=True)
class LegendCircle:
    """One circle of the legend."""

    radius_px: float
    label: str


@dataclass(frozen=True)
class Legend:
    """What the legend shows: the classes with the gap first, then what has no figure, then the circles."""

    classes: tuple[LegendClass, ...]
    without_figure: tuple[LegendClass, ...]
    circles: tuple[LegendCircle, ...]


def make_classes(definition: Definition, values: Iterable[float]) -> Classes:
    """The classes for an indicator: fixed for a share or score, from a ladder of round numbers for anything else."""
    if definition.measure == "share":
        breaks: tuple[float, ...] = SHARE_BREAKS
        labels = _labels(["20", "40", "60", "80"], " %", last="80 to 100 %")
    elif definition.measure == "mean":
        breaks = tuple(definition.largest * edge / 100 for edge in SHARE_BREAKS)
        numbers = [f"{edge:g}" for edge in breaks]
        labels = _labels(numbers, "", last=f"{numbers[-1]} to {definition.largest:g}")
    else:
        breaks = density_breaks(list(values))
        numbers = [format_density(edge) for edge in breaks]
        labels = _labels(numbers, "", last=f"{numbers[-1]} and more")
    return Classes(breaks=breaks, colours=palette(definition), labels=labels)


def palette(definition: Definition) -> tuple[str, ...]:
    """The colours of an indicator's classes, from the lowest figures to the highest."""
    if definition.direction == "report":
        return NEUTRAL_PALETTE
    return GAP_PALETTE[::-1] if definition.direction == "up" else GAP_PALETTE


def density_breaks(values: Sequence[float]) -> tuple[float, ...]:
    """Four neighbouring rungs of 1, 2, 5, 10, 20, 50 ... that spread the values most evenly.

    All densities share one ladder, so two rounds of a city nearly always get the same classes, and where
    they do not, the breaks they have in common still mean the same.
    """
    ladder = [_LOWEST_RUNG * _LADDER_STEPS[i % 3] * 10.0 ** (i // 3) for i in range(_RUNGS)]
    width = len(GAP_PALETTE) - 1
    windows = [tuple(ladder[start : start + width]) for start in range(len(ladder) - width + 1)]

    def evenness(window: tuple[float, ...]) -> float:
        counts = Counter(bisect_right(window, value) for value in values)
        return -sum(count / len(values) * math.log(count / len(values)) for count in counts.values())

    # With nothing to spread, the window of a dense city: 20,000 to 200,000 people/km².
    return max(windows, key=evenness) if values else tuple(edge * 1e4 for edge in (2.0, 5.0, 10.0, 20.0))


def _labels(numbers: Sequence[str], unit: str, *, last: str) -> tuple[str, ...]:
    """What each class is called; "to under" says to which class a figure on the break belongs."""
    between = [f"{low} to under {high}{unit}" for low, high in pairwise(numbers)]
    return (f"under {numbers[0]}{unit}", *between, last)


def make_circle_scale(figures: Sequence[SettlementFigure]) -> CircleScale | None:
    """The scale of the circles, or None where no settlement has unserved households.

    The largest number is a round one above the largest count, so that it seldom changes between rounds; the
    more settlements there are, the smaller the circles, lest they hide what they count.
    """
    counts = [f.unserved for f in figures if f.unserved and f.shape is not None]
    if not counts:
        return None
    magnitude = 10.0 ** math.floor(math.log10(max(counts)))
    largest = next(step * magnitude for step in (1, 2, 5, 10) if step * magnitude >= max(counts))
    radius_px = min(22.0, max(9.0, 22.0 * math.sqrt(80 / len(counts))))
    return CircleScale(largest=max(largest, 1.0), largest_radius_px=round(radius_px, 1))


def fill_of(figure: SettlementFigure, classes: Classes) -> str:
    """The CSS fill of a settlement: its class's colour, or the pattern that says there is no figure."""
    if figure.value is not None:
        return classes.colours[classes.index(figure.value)]
    return WITHHELD_FILL if figure.is_withheld else NO_FIGURE_FILL


def make_legend(
    figures: Sequence[SettlementFigure], classes: Classes, scale: CircleScale | None, definition: Definition
) -> Legend:
    """The legend of a map: every class is listed, also the empty ones, so that legends can be compared."""
    counts = Counter(classes.index(f.value) for f in figures if f.value is not None)
    shaded = [
        LegendClass(fill=colour, label=label, settlements=counts[i])
        for i, (colour, label) in enumerate(zip(classes.colours, classes.labels, strict=True))
    ]
    blank = Counter((fill_of(f, classes), reason_words(f)) for f in figures if f.value is None)
    return Legend(
        classes=tuple(shaded if definition.direction == "up" else shaded[::-1]),
        without_figure=tuple(
            LegendClass(fill=fill, label=label, settlements=count)
            for (fill, label), count in sorted(blank.items(), key=lambda kind: (-kind[1], kind[0]))
        ),
        circles=()
        if scale is None
        else tuple(LegendCircle(scale.radius_px(n), format_count(n)) for n in scale.examples()),
    )
