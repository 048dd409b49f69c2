"""Disclosure control: which figures are withheld, and why. Every figure that leaves passes here."""

import numpy as np
import pandas as pd

MIN_HOUSEHOLDS = 10
"""A figure on fewer answering households could point at one of them."""

NO_ANSWERS = "no_answers"
FEWER_THAN_10 = "fewer_than_10"
NO_AREA = "no_area"
NO_FRAME_SIZE = "no_frame_size"
TOO_MANY_UNKNOWN = "too_many_unknown"

MAX_UNKNOWN = 0.2
"""A figure says little of all where the answers of more than this share are not known."""

REASONS: dict[str, str] = {
    NO_ANSWERS: "no household answered this question",
    FEWER_THAN_10: "fewer than 10 answering households",
    NO_AREA: "the settlement has no boundary",
    NO_FRAME_SIZE: "the number of households in the settlement is not known",
    TOO_MANY_UNKNOWN: "more than a fifth of the answers are not known",
    "definition_changed": "the indicator's definition changed between the rounds",
    "boundary_changed": "the settlement's boundary changed between the rounds",
}
"""Why a figure may be withheld, in words."""

FIGURES = ("value", "low", "high", "n", "n_unknown", "population", "unserved")
"""The columns that say something about households, and go together."""


def withhold(figures: pd.DataFrame) -> pd.DataFrame:
    """Takes out what may not be said and says so in `status` and `reason`.

    `figures` has the columns FIGURES, `answering` (households that answered) and `reason` (None, or why the figure
    could not be made in the first place). The result lacks `answering`.
    """
    answering = figures["answering"].to_numpy(dtype=np.float64)
    reason = figures["reason"].to_numpy(dtype=object).copy()
    # How few answered is itself withheld, but that nobody did is not: an empty settlement has nobody to point at.
    reason[(answering > 0) & (answering < MIN_HOUSEHOLDS)] = FEWER_THAN_10
    reason[answering == 0] = NO_ANSWERS
    withheld = pd.notna(reason)
    safe = figures.drop(columns=["answering", "reason"])
    safe.loc[withheld, list(FIGURES)] = np.nan
    # That too many answers are missing points at nobody: how many is what the reader needs to know.
    too_many = reason == TOO_MANY_UNKNOWN
    safe.loc[too_many, ["n", "n_unknown"]] = figures.loc[too_many, ["n", "n_unknown"]]
    safe["status"] = np.where(withheld, "withheld", "published")
    safe["reason"] = pd.Series(reason, index=safe.index, dtype=object)
    return safe
