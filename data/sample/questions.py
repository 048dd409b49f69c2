"""What the sample surveys ask: codes of each answer, how common they are, and how deprivation shifts them.

Shares are invented, of the order surveys of settlements in Indian cities find. `worse` says how a code's odds
change with one step of deprivation, `later` how they change from the first round to the second (logarithms).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.sample.terrain import Floats

_SOURCES = (
    "piped_dwelling",
    "piped_yard",
    "piped_neighbour",
    "public_tap",
    "borehole",
    "protected_well",
    "tanker",
    "bottled",
    "sachet",
    "unprotected_well",
    "surface",
)

CODES: dict[str, tuple[str, ...]] = {
    "interview_result": ("completed", "absent", "refused", "vacant"),
    "toilet_type": (
        "flush_sewer",
        "flush_septic",
        "flush_pit",
        "twin_pit_slab",
        "pit_slab",
        "flush_open",
        "pit_no_slab",
        "flush_unknown",
        "none",
    ),
    "toilet_location": ("on_premises", "elsewhere"),
    "toilet_users": ("own", "shared", "community", "public"),
    "toilet_emptied": ("never", "removed", "buried_on_site"),
    "excreta_destination": (
        "contained",
        "treatment_plant",
        "sewer_secondary",
        "sewer_untreated",
        "environment",
    ),
    "water_source": _SOURCES,
    "water_source_other_uses": _SOURCES[:7],
    "water_location": ("dwelling", "yard", "elsewhere"),
    "handwashing_place": ("fixed", "mobile", "none", "not_permitted"),
    "drainage": ("closed", "open", "none"),
    "electricity": ("metered", "irregular", "solar", "battery", "none"),
    "waste_collection": ("door_to_door", "container", "burned_or_buried", "dumped"),
    "hazard": ("none", "flood", "slope", "toxic", "right_of_way"),
    "head_sex": ("male", "female", "other"),
    "occupation": (
        "Daily wage labour",
        "Domestic work",
        "Construction",
        "Waste picking",
        "Street vending",
        "Factory work",
        "Driver",
        "Tailoring",
        "Own shop",
    ),
}


@dataclass(frozen=True)
class Choice:
    """A question with codes to choose from, its chances hanging on the settlement."""

    field: str
    shares: tuple[float, ...]
    worse: tuple[float, ...]
    later: tuple[float, ...]

    def thresholds(self, deprivation: Floats, later: int) -> NDArray[np.float32]:
        """Cumulative chances per settlement: a draw above the n-th moves on to the next code."""
        odds = np.log(self.shares) + np.outer(deprivation, self.worse) + later * np.array(self.later)
        weight = np.exp(odds)
        return np.asarray(np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1), dtype=np.float32)


WATER_SOURCE = Choice(
    "water_source",
    (0.22, 0.20, 0.07, 0.28, 0.05, 0.02, 0.08, 0.025, 0.01, 0.02, 0.012),
    (-0.6, -0.3, 0.1, 0.3, 0.0, 0.2, 0.6, -0.2, 0.0, 0.6, 0.8),
    (0.9, 0.4, -0.1, -0.2, -0.2, -0.4, -0.3, 0.6, 0.2, -0.6, -0.7),
)
HANDWASHING_PLACE = Choice("handwashing_place", (0.48, 0.30, 0.19, 0.03), (-0.4, 0.0, 0.5, 0.0), (0.5, 0.0, -0.5, 0.0))
ELECTRICITY = Choice(
    "electricity", (0.70, 0.20, 0.01, 0.02, 0.07), (-0.3, 0.4, 0.0, 0.3, 0.7), (0.7, -0.1, 0.6, -0.5, -0.9)
)
WASTE_COLLECTION = Choice("waste_collection", (0.22, 0.36, 0.12, 0.30), (-0.5, 0.0, 0.3, 0.6), (1.1, 0.0, -0.4, -0.6))
HAZARD = Choice("hazard", (0.74, 0.13, 0.05, 0.02, 0.06), (-0.3, 0.9, 0.0, 0.3, 0.6), (0.1, -0.1, 0.0, 0.0, -0.1))
ROOMS = Choice("rooms", (0.52, 0.33, 0.11, 0.04), (0.3, 0.0, -0.3, -0.4), (-0.2, 0.1, 0.2, 0.2))
HEAD_SEX = Choice("head_sex", (0.817, 0.18, 0.003), (0.0, 0.1, 0.0), (0.0, 0.1, 0.0))
OCCUPATION = Choice(
    "occupation",
    (0.24, 0.14, 0.16, 0.05, 0.10, 0.12, 0.08, 0.05, 0.06),
    (0.3, 0.1, 0.2, 0.5, 0.0, -0.2, -0.1, 0.0, -0.3),
    (0.0, 0.0, 0.0, -0.1, 0.1, 0.0, 0.3, 0.0, 0.1),
)

# Yes: share in the first round, then the shifts as above.
_YES: dict[str, tuple[float, float, float]] = {
    "toilet_working": (0.90, -0.2, 0.3),
    "water_sufficient": (0.66, -0.4, 0.4),
    "handwashing_water": (0.82, -0.2, 0.3),
    "handwashing_soap": (0.68, -0.3, 0.4),
    "wall_permanent": (0.64, -0.5, 0.7),
    "roof_permanent": (0.38, -0.5, 0.7),
    "floor_permanent": (0.77, -0.4, 0.6),
    "tenure_document": (0.41, -0.4, 0.3),
    "fears_eviction": (0.27, 0.6, -0.2),
    "may_bequeath": (0.58, -0.3, 0.2),
    "eviction_notice": (0.05, 0.7, 0.0),
    "internet": (0.24, -0.3, 1.6),
    "device": (0.46, -0.3, 1.7),
    "has_disability": (0.06, 0.1, 0.0),
    "migrant": (0.42, 0.2, -0.1),
}


def yes_chance(field: str, deprivation: Floats, later: int) -> NDArray[np.float32]:
    """The chance of a yes in each settlement."""
    share, worse, shift = _YES[field]
    odds = np.log(share / (1 - share)) + worse * deprivation + shift * later
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)


# Kinds of toilet by who uses them: rows own, shared, community, public; columns as in CODES, without "none".
TOILET_TYPE_SHARES = np.array(
    [
        [0.36, 0.30, 0.08, 0.05, 0.08, 0.09, 0.03, 0.01],
        [0.24, 0.30, 0.10, 0.03, 0.12, 0.12, 0.08, 0.01],
        [0.42, 0.28, 0.03, 0.00, 0.04, 0.17, 0.02, 0.04],
        [0.40, 0.25, 0.02, 0.00, 0.03, 0.17, 0.03, 0.10],
    ]
)
# Where excreta end up, by kind of toilet: sewered, in a tank or pit, straight into drain or lane.
EXCRETA_SHARES = np.array([[0.0, 0.0, 0.55, 0.45, 0.0], [0.55, 0.18, 0.0, 0.0, 0.27], [0.0, 0.0, 0.0, 0.10, 0.90]])
EXCRETA_ROW = np.array([0, 1, 1, 1, 1, 2, 1, 1])
EMPTIED_SHARES = np.array([[0.62, 0.30, 0.08]])
# The other source of a household that drinks bottled or sachet water.
OTHER_SOURCE_SHARES = np.array([[0.40, 0.22, 0.08, 0.20, 0.05, 0.01, 0.04]])
# Where the source stands, by source: dwelling, yard, elsewhere.
WATER_LOCATION_SHARES = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.35, 0.65],
        [0.0, 0.30, 0.70],
        [0.0, 0.10, 0.90],
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.10, 0.90],
        [0.0, 0.0, 1.0],
    ]
)
# Mean minutes to fetch water, queue included, by source.
MEAN_MINUTES = np.array([0.0, 0.0, 11.0, 19.0, 14.0, 16.0, 32.0, 12.0, 10.0, 24.0, 30.0], dtype=np.float32)

# Shares of 1, 2, 3, ... members; of collections a week from 0; of ages from 18 in steps of a year.
MEMBER_SHARES = np.array([0.04, 0.09, 0.16, 0.25, 0.20, 0.12, 0.06, 0.04, 0.02, 0.01, 0.006, 0.004])
WEEKLY_SHARES = (
    np.array([0.10, 0.26, 0.24, 0.18, 0.05, 0.03, 0.06, 0.08]),
    np.array([0.03, 0.13, 0.20, 0.20, 0.06, 0.06, 0.12, 0.20]),
)
YOUNGEST_HEAD = 18
_AGES = np.arange(YOUNGEST_HEAD, 84)
AGE_SHARES = np.exp(-(((_AGES - 43.0) / 15.5) ** 2) / 2)

DRAWN: tuple[str, ...] = (
    "members",
    "interview_result",
    "interviewed_on",
    "toilet_type",
    "toilet_unknown",
    "toilet_emptied",
    "excreta_destination",
    "water_source",
    "water_source_other_uses",
    "water_location",
    "water_minutes",
    "handwashing_place",
    "electricity",
    "waste_collection",
    "waste_per_week",
    "rooms",
    "hazard",
    "head_sex",
    "head_age",
    "occupation",
    *_YES,
)
