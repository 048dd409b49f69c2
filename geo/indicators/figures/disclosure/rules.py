"""Disclosure control: which figures are withheld, and why. Every figure that leaves passes here.

Readers are of two kinds. The public gets no figure on fewer than 10 households, none of a sensitive answer that is
nearly everybody's or nearly nobody's, none from which one of those could be worked out, and rounded numbers. A survey's
own organisation, and whom it has granted it, sees all figures in full.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.figures.disclosure.protection import MIN_RANGE, NO_WARD
from geo.indicators.figures.disclosure.together import FEWEST_ALIKE, Counts, Plan, decide

Access = Literal["public", "full"]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MIN_HOUSEHOLDS = MIN_RANGE
"""A figure on fewer answering households could point at one of them."""

MIN_ANSWERS = 25
"""A sample of fewer says too little to be published (DHS)."""

MAX_UNKNOWN = 0.2
"""A figure says little of all where the answers of more than this share are not known."""

MANY = 100
"""Of fewer households, decimals of a percentage would tell their exact number."""

COUNT_STEP = 5
"""What published counts are rounded to."""

P_DECIMALS: Mapping[Access, int] = {"public": 3, "full": 6}
"""How many decimals a p-value is given to."""

_COUNTED = ("answering", "asked", "yes")

# What adding and dividing floats leaves of a 0.
_NOBODY = 1e-6

NO_ANSWERS = "no_answers"
PROTECTED = "protected"
FEW_ANSWERS = "fewer_than_25"
TOO_MANY_UNKNOWN = "too_many_unknown"
NO_BOUNDARY = "no_boundary"
NO_FRAME_SIZE = "no_frame_size"
NO_MEMBERS = "no_members"
NO_SEATS = "no_seats"
NO_FACILITY = "no_facility"
SETTLEMENTS_ONLY = "settlements_only"
NOT_COUNTED_YET = "not_counted_yet"
DEFINITION_CHANGED = "definition_changed"
BOUNDARY_CHANGED = "boundary_changed"
MODE_CHANGED = "mode_changed"
GROUPS_DIFFER = "groups_differ"
FEWER_THAN_3_ROUNDS = "fewer_than_3_rounds"
FEWER_THAN_30_SETTLEMENTS = "fewer_than_30_settlements"
ALL_THE_SAME = "all_the_same"
NEAR_ALL_OTHERS = "near_all_others"

REASONS: dict[str, str] = {
    NO_ANSWERS: "no household answered this question",
    PROTECTED: "so that no household can be identified",
    FEW_ANSWERS: "fewer than 25 answers in a sample say too little",
    TOO_MANY_UNKNOWN: "more than a fifth of the answers are not known",
    NO_BOUNDARY: "the settlement has no boundary",
    NO_FRAME_SIZE: "the number of households in the settlement is not known",
    NO_MEMBERS: "how many people live in the households is not known",
    NO_SEATS: "the number of working seats is not known, or there is none",
    NO_FACILITY: "no working facility of this kind is known in the city",
    SETTLEMENTS_ONLY: "this is a figure of single settlements",
    NOT_COUNTED_YET: "the survey has not been counted by this definition or group yet",
    DEFINITION_CHANGED: "the indicator's definition changed between the rounds",
    BOUNDARY_CHANGED: "the boundary, or which settlements the ward has, changed between the rounds",
    MODE_CHANGED: "the rounds were not surveyed in the same way",
    GROUPS_DIFFER: "the groups could not be told apart alike in both rounds",
    FEWER_THAN_3_ROUNDS: "fewer than three rounds, at different times, have a published figure",
    FEWER_THAN_30_SETTLEMENTS: "fewer than 30 settlements have a published figure and a boundary",
    ALL_THE_SAME: "all settlements have the same figure",
    NEAR_ALL_OTHERS: "all other settlements are its neighbours, so that it stands out from none",
}
"""Why a figure may be withheld, in words."""

FEWER_THAN_10 = "fewer_than_10"
NEARLY_ALL_ALIKE = "nearly_all_alike"
PROTECTS_ANOTHER = "protects_another"

SECRET = (FEWER_THAN_10, NEARLY_ALL_ALIKE, PROTECTS_ANOTHER)
"""Why households are hidden. Which of these it is stays here: fewer than 10 beside 19 in all would tell both parts."""


def told(reasons: "pd.Series[str]") -> "pd.Series[str]":
    """Reasons as the public gets them: one for all that hide households, of whom nothing else is said either."""
    return reasons.mask(reasons.isin(SECRET), PROTECTED)


def withhold(
    levels: Mapping[str, pd.DataFrame],
    ward_of: NDArray[np.intp],
    plans: Sequence[tuple[Sequence[int], Plan]],
    groups_of: Mapping[str, pd.DataFrame] | None = None,
) -> dict[str, pd.Series]:
    """Why each figure of each level is withheld from the public; None where it is published.

    Args:
        levels: `settlement`, `ward` and `city`: frames of the same blocks, sorted by block, place and group, with the
            columns block, place, group, answering, asked and yes (households), method and reason (why there is no
            figure in the first place).
        ward_of: the ward of each settlement, or protection.NO_WARD.
        plans: of each round, its blocks and how they hang together.
        groups_of: where the figures are of groups, what this function said of the same places as a whole, as frames
            with the columns block, place and reason.
    """
    n_blocks = sum(len(blocks) for blocks, _ in plans)
    sensitive = np.zeros(n_blocks, dtype=bool)
    for blocks, plan in plans:
        sensitive[list(blocks)] = plan.sensitive | plan.group_is_sensitive
    reasons = {level: _for_itself(frame, sensitive, grouped=groups_of is not None) for level, frame in levels.items()}
    loose = {level: np.ones(len(frame), dtype=bool) for level, frame in levels.items()}
    if groups_of is not None:
        for level, frame in levels.items():
            loose[level] = _follow_whole(frame, reasons[level], groups_of[level])
    for blocks, plan in plans:
        rows = {level: _rows_of(frame, blocks) for level, frame in levels.items()}
        counts = {
            level: _counts(frame.iloc[rows[level].ravel()], reasons[level], loose[level], rows[level])
            for level, frame in levels.items()
        }
        ward = _numbered(levels, rows, ward_of)
        for level, hidden in decide(counts, ward, plan, grouped=groups_of is not None).items():
            at = rows[level].reshape(*hidden.shape, -1)[hidden]
            reasons[level][at] = np.where(np.isin(reasons[level][at], SECRET), reasons[level][at], PROTECTS_ANOTHER)
    return {level: pd.Series(reasons[level], index=frame.index, dtype=object) for level, frame in levels.items()}


def _for_itself(frame: pd.DataFrame, sensitive: Bools, *, grouped: bool) -> NDArray[np.object_]:
    """Why a figure is withheld whatever the others are."""
    answering, yes, no = (frame[name].to_numpy(dtype=np.float64) for name in ("answering", "yes", "no"))
    reason: NDArray[np.object_] = frame["reason"].to_numpy(dtype=object).copy()
    is_sample = (frame["method"] == "sample").to_numpy(dtype=bool)
    reason[pd.isna(reason) & is_sample & (answering < MIN_ANSWERS)] = FEW_ANSWERS
    is_sensitive = sensitive[frame["block"].to_numpy()]
    alike = is_sensitive & (np.minimum(yes, no) < FEWEST_ALIKE)
    reason[(answering > 0) & alike] = NEARLY_ALL_ALIKE
    # How few answered is itself withheld. That nobody did is not: an empty settlement has nobody to point at. But that
    # a settlement has nobody with a disability says something of everyone in it.
    reason[(answering > 0) & (answering < MIN_HOUSEHOLDS)] = FEWER_THAN_10
    if grouped:
        somebody = frame.groupby(["block", "place"])["asked"].transform("sum").to_numpy() > 0
        reason[(answering == 0) & is_sensitive & somebody] = FEWER_THAN_10
    return reason


def _follow_whole(frame: pd.DataFrame, reason: NDArray[np.object_], whole: pd.DataFrame) -> Bools:
    """Withholds the groups of a place that is withheld as a whole, which they would give away, and says which."""
    keys = ["block", "place"]
    of_place = frame[keys].merge(whole[[*keys, "reason"]], on=keys, how="left")["reason"].to_numpy(dtype=object)
    secret = np.isin(of_place, SECRET)
    reason[secret & ~np.isin(reason, SECRET)] = PROTECTS_ANOTHER
    reason[of_place == NO_ANSWERS] = NO_ANSWERS
    return np.asarray(secret, dtype=bool)


def _rows_of(frame: pd.DataFrame, blocks: Sequence[int]) -> NDArray[np.intp]:
    """The numbers of a frame's rows by block; all blocks of a round have the same places and groups."""
    numbers = frame["block"].to_numpy()
    return np.array([np.arange(*np.searchsorted(numbers, (block, block + 1))) for block in blocks], dtype=np.intp)


def _counts(frame: pd.DataFrame, reason: NDArray[np.object_], loose: Bools, rows: NDArray[np.intp]) -> Counts:
    """The rows of a round's blocks at one level, by block, place and group."""
    n_places = max(frame["place"].nunique(), 1)
    shape = (len(rows), n_places, rows.shape[1] // n_places)
    answering, asked, yes = (frame[name].to_numpy(dtype=np.float64).reshape(shape) for name in _COUNTED)
    secret = np.isin(reason[rows], SECRET).reshape(shape)
    whole = loose[rows].reshape(shape)
    return Counts(answering, asked, yes, np.any(secret, axis=2, keepdims=False), np.all(whole, axis=2, keepdims=False))


def _numbered(
    levels: Mapping[str, pd.DataFrame], rows: Mapping[str, NDArray[np.intp]], ward_of: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The ward of each of a round's settlements, as a number among the round's wards."""
    places, wards = (
        np.unique(levels[level]["place"].to_numpy()[rows[level].ravel()]) for level in ("settlement", "ward")
    )
    number_of = {int(ward): number for number, ward in enumerate(wards)}
    return np.array([number_of.get(int(ward), NO_WARD) for ward in ward_of[places]], dtype=np.intp)


def rounded_counts(counts: Floats, exact: Floats | None = None) -> Floats:
    """Counts rounded to COUNT_STEP. What is not 0 never becomes 0, which would say that there is nobody.

    `exact` are the counts themselves, where `counts` have been worked out from rounded figures.
    """
    coarse = COUNT_STEP * np.round(counts / COUNT_STEP)
    somebody = (counts if exact is None else exact) > _NOBODY
    return np.asarray(np.where(somebody, np.maximum(coarse, COUNT_STEP), coarse))


def rounded_p_values(p_values: Floats, access: Access) -> Floats:
    """P-values to three decimals for the public, six in full. Never 0: the last decimal's 1 stands for that or less."""
    decimals = P_DECIMALS[access]
    return np.asarray(np.maximum(np.round(p_values, decimals), 10.0**-decimals))


def rounded(values: Floats, decimals: NDArray[np.intp]) -> Floats:
    """Values rounded to so many decimals each."""
    factor = np.power(10.0, decimals)
    return np.asarray(np.round(values * factor) / factor)


def significant(values: Floats, digits: NDArray[np.intp]) -> Floats:
    """Values rounded to so many significant digits each."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(values > 0, np.floor(np.log10(values)), 0.0)
    factor = np.power(10.0, digits - 1 - size)
    return np.asarray(np.round(values * factor) / factor)
