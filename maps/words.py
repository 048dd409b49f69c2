"""The words and numbers of a map, as plain text: nothing here is escaped, and nothing here is HTML."""

import math
from datetime import date

from geo.indicators.definitions import Definition
from geo.indicators.figures import REASONS
from maps.figures import SettlementFigure

SHARE_BREAKS = (20.0, 40.0, 60.0, 80.0)
"""Where the classes of a share meet, in per cent: the same for every indicator and round."""

_WIDE_INTERVAL_POINTS = 20

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def reason_words(figure: SettlementFigure) -> str:
    """Why a settlement has no figure: "Withheld: so that no household can be identified", or "No figure"."""
    if figure.reason is None:
        return "Withheld" if figure.is_withheld else "No figure"
    words = REASONS.get(figure.reason, figure.reason.replace("_", " "))
    return f"Withheld: {words}" if figure.is_withheld else f"No figure: {words}"


def format_percent(value: float) -> str:
    """A percentage (0-100) as "52 %", with a decimal only where rounding would tell another story.

    Nothing but zero reads 0, nothing but all reads 100, and a figure never reads as if it stood in the
    class next to its own: 19.7 stays 19.7, for "20 %" painted as "under 20 %" is a contradiction.
    """
    if 0 < value < 0.5:
        return "under 1 %"
    if 99.5 <= value < 100:
        return "over 99 %"
    whole = math.floor(value + 0.5)
    if any(value < edge <= whole for edge in SHARE_BREAKS):
        return f"{math.floor(value * 10) / 10:.1f} %"
    return f"{whole} %"


def format_count(value: float) -> str:
    """A count as "1,240"; a weighted count can be a little more than none, and then reads "under 1"."""
    return "under 1" if 0 < value < 0.5 else f"{math.floor(value + 0.5):,}"


def format_density(value: float) -> str:
    """A density as "98,400", with a decimal only below 10 and only where there is one."""
    return f"{value:.1f}" if value < 10 and round(value, 1) % 1 else format_count(value)


def optional_count(value: float | None) -> str:
    """A count, or nothing where there is none: an empty cell is not a zero."""
    return "" if value is None else format_count(value)


def format_value(value: float, definition: Definition) -> str:
    """A figure with its unit, for a table: "52 %" or "98,400 people/km²"."""
    if definition.measure == "share":
        return format_percent(value)
    return f"{format_number(value, definition)} {definition.unit}"


def format_number(value: float, definition: Definition) -> str:
    """A figure that is no share, without its unit: a score with its decimals, other things as densities."""
    return f"{value:.{definition.decimals}f}" if definition.measure == "mean" else format_density(value)


def of_whom(definition: Definition) -> str:
    """What a share is a share of: "households" or "people"; empty for other figures, whose unit says it."""
    if definition.measure != "share":
        return ""
    return "households" if definition.counted == "households" else "people"


def unit_words(definition: Definition) -> str:
    """The unit of an indicator's figures: "% of households" or "people/km²"."""
    return f"{definition.unit} of {of_whom(definition)}" if definition.measure == "share" else definition.unit


def format_interval(low: float | None, high: float | None, definition: Definition) -> str | None:
    """The interval in words, "between 45 % and 59 %", or None where there is none."""
    if low is None or high is None:
        return None
    if definition.measure != "share":
        return f"between {format_number(low, definition)} and {format_number(high, definition)}"
    return f"between {math.floor(low + 0.5)} % and {math.floor(high + 0.5)} %"


def unserved_words(definition: Definition) -> str:
    """What the circles count: an indicator where low is good counts those who suffer, not those who lack."""
    return "Households affected" if definition.direction == "down" else "Households without"


def rounded_words(rounded_to: int) -> str:
    """How counts are rounded, where they are."""
    return f"Counts are rounded to the nearest {rounded_to}; a few are never shown as none."


def direction_words(definition: Definition) -> str:
    """Which direction is better, and what the dark end of the palette means."""
    return {
        "up": "Higher is better. The darker the area, the larger the gap.",
        "down": "Lower is better. The darker the area, the larger the gap.",
        "report": "Neither high nor low is better in itself. The darker the area, the higher the figure.",
    }[definition.direction]


def order_words(definition: Definition) -> str:
    """In which order the table stands."""
    if definition.direction == "report":
        return "the highest figure first"
    return "where most is left to do first"


def plain_line(figure: SettlementFigure, definition: Definition) -> str | None:
    """The figure said for a reader who is no statistician, or None where the figure says it already."""
    if figure.value is None:
        return None
    if definition.measure != "share":
        # A hectare is a piece of land one can pace out; a square kilometre is not.
        if definition.unit != "people/km²":
            return None
        return f"That is about {format_count(figure.value / 100)} people on land of 100 m by 100 m."
    return " ".join([_of_every_hundred(figure.value, of_whom(definition)), *_certainty(figure)])


def _of_every_hundred(value: float, whom: str) -> str:
    """A percentage as so many of every hundred."""
    if value == 0:
        return f"None of the {whom} asked."
    if value == 100:
        return f"All of the {whom} asked."
    if value < 0.5:
        return f"Fewer than 1 of every 100 {whom}."
    if value >= 99.5:
        return f"More than 99 of every 100 {whom}, but not all."
    return f"About {math.floor(value + 0.5)} of every 100 {whom}."


def _certainty(figure: SettlementFigure) -> list[str]:
    """How sure the figure is, in one sentence, where there is an interval."""
    if figure.low is None or figure.high is None or figure.high <= figure.low:
        return []
    low, high = math.floor(figure.low + 0.5), math.floor(figure.high + 0.5)
    sentence = f"Had everyone been asked, the answer would very likely lie between {low} and {high}."
    if figure.high - figure.low > _WIDE_INTERVAL_POINTS:
        return [sentence, "Read it as a rough figure: few households answered."]
    return [sentence]


def format_date(day: date) -> str:
    """A date that reads the same everywhere, whatever the machine's language: "9 February 2026"."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
