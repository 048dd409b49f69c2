"""What enumerators scribble: remarks with everything in them that breaks a careless reader."""

import numpy as np

from data.sample.labelling import Text

REMARK_SHARE = 0.02
_REMARKS = (
    "Owner at work, neighbour answered",
    'Says the drain is "always full", wants it covered',
    "पाणी रोज येत नाही",
    "Came back twice;\nmet on the second visit",
    'घर बंद होते, "दुपारी या" असे सांगितले',
    "Toilet built last year, door missing",
    "शौचालय आहे,\nपण पाणी नाही",
    "2 families, 1 kitchen",
    "Name on photopass: grandfather's",
    "=same as next door",
)
_ONE_LINE = tuple(remark.replace("\n", " ") for remark in _REMARKS)


def write_remarks(households: int, rng: np.random.Generator, *, one_line: bool) -> Text:
    """Remarks for a few households, blank for the others."""
    texts = np.array(_ONE_LINE if one_line else _REMARKS, dtype=object)
    chosen = texts[rng.integers(len(texts), size=households)]
    return np.where(rng.random(households) < REMARK_SHARE, chosen, "").astype(object)


def name_surveyors(households: int, per_team: int = 90) -> Text:
    """The surveyor of each household: teams work along the list."""
    return np.array([f"E{1 + (row // per_team) % 14:02d}" for row in range(households)], dtype=object)
