"""Differences between publications of a round: figures that stay as they were, so that few new households are not told.

Somebody who keeps a former publication can take its counts from those of the next one. What is left are the households
that were added, or whose answers were corrected: a figure of a few of them, though both publications are safe. So their
difference is held to the rules for figures (`rules.withhold`): where it would be withheld, the place keeps what was
said before, and so do those from which the difference could be worked out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.disclosure.together import FEWEST_ALIKE, Plan

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.intp]

COUNTS = ("answering", "yes", "asked", "sum_a", "sum_ay")
"""What a publication keeps of a settlement, to the household: how many answered, said yes and were asked; the sum of
the weights or members of those who answered, and of these times their answers."""

NONE = -1
"""The number of no publication."""

_OLDER_THAN_ALL = np.iinfo(np.intp).max

# What adding and dividing floats leaves of a 0, in households.
_NOTHING = 1e-6


@dataclass(frozen=True)
class Counted:
    """The counts of one publication, or of the next one.

    `counts`: COUNTS by block, settlement and group; 0 where there was none. Blocks, settlements and groups have the
    same numbers in all that are compared.
    `has_block`: whether it had figures of each block.
    """

    counts: Mapping[str, Floats]
    has_block: Bools


@dataclass(frozen=True)
class Kept:
    """Which places keep their former figures, by block and place of each level."""

    keeps: Mapping[str, Bools]
    former: Mapping[str, Numbers]
    """Of which of the former publications, as their index; NONE where none has figures of the block."""
    reasons: Mapping[str, pd.DataFrame] = field(repr=False)
    """Why a place as a whole keeps them, as frames with block, place and reason: those of its groups follow."""


@dataclass(frozen=True)
class Places:
    """Where the settlements lie of which something is or was said.

    `ward`: the ward of each as an index, or protection.NO_WARD.
    `n_wards`: how many wards there are.
    `was_hidden`: whether it is not there any more, and was protected while it was.
    `moved_hidden`: whether one that is protected lies in another ward now, so that both wards' figures would tell it.
    """

    ward: Numbers
    n_wards: int
    was_hidden: Bools
    moved_hidden: bool


@dataclass(frozen=True)
class _Moved:
    """How many households differ between two counts, at least: of those who answered, said yes, and were asked."""

    answering: Floats
    yes: Floats
    asked: Floats

    def where(self, here: Bools, other: "_Moved") -> "_Moved":
        """These counts where `here` (by block and place) holds, and the other ones elsewhere."""
        names = ("answering", "yes", "asked")
        return _Moved(*(np.where(here[:, :, None], getattr(self, n), getattr(other, n)) for n in names))


@dataclass
class _Found:
    """By block and place, which publication was found and how many households differ from it."""

    at: Numbers
    moved: _Moved

    @classmethod
    def nothing(cls, shape: tuple[int, ...]) -> "_Found":
        """None is found yet."""
        return cls(np.full(shape[:2], NONE, dtype=np.intp), _Moved(*(np.zeros(shape) for _ in range(3))))

    def take(self, here: Bools, moved: _Moved, number: int) -> None:
        """Takes a publication where it fits and no newer one has been taken."""
        free = here & (self.at == NONE)
        self.at = np.where(free, number, self.at)
        self.moved = moved.where(free, self.moved)

    def or_else(self, other: "_Found") -> "_Found":
        """What was found here, and elsewhere what the other has."""
        here = self.at != NONE
        return _Found(np.where(here, self.at, other.at), self.moved.where(here, other.moved))


def find_kept(
    now: Counted,
    former: Sequence[Callable[[], Counted]],
    scale: Floats,
    places: Places,
    plan: Plan,
    whole: Mapping[str, pd.DataFrame] | None = None,
) -> Kept:
    """Which figures of the next publication stay as they were.

    Each settlement is compared with every former publication, and held against the newest from which it differs by few
    households. Counts of wards and the city differ by what their settlements do.

    Args:
        now: what the next publication would be made from.
        former: what the former ones were made from, the newest first; of a figure that was kept, what that was made
            from. Each is read when its turn comes: together they may be large.
        scale: of each block, the largest answer there is: 1, or that of a mean of counts.
        places: where the settlements lie.
        plan: how the blocks hang together.
        whole: where the counts are of groups, `reasons` of the same places as a whole.
    """
    moved, at, newest = _against(now, former, scale, plan, grouped=whole is not None)
    frames = {
        "settlement": _frame(moved),
        "ward": _frame(_summed(moved, places.ward, places.n_wards)),
        "city": _frame(_summed(moved, np.zeros_like(places.ward), 1)),
    }
    of_hidden = np.tile(np.repeat(places.was_hidden, moved.asked.shape[2]), len(scale))
    frames["settlement"].loc[of_hidden, "reason"] = d.PROTECTS_ANOTHER
    if places.moved_hidden:
        # Every sum stays: what one ward loses is what another, or the city, would tell.
        for level in ("ward", "city"):
            frames[level]["reason"] = d.PROTECTS_ANOTHER
    n_blocks, _, n_groups = moved.asked.shape
    reasons = d.withhold(frames, places.ward, [(range(n_blocks), plan)], whole)
    keeps, told = {}, {}
    is_moved = moved.answering.any(axis=(1, 2))
    for level, frame in frames.items():
        secret = reasons[level].isin(d.SECRET).to_numpy().reshape(n_blocks, -1, n_groups).any(axis=2)
        # What no answer changed stays where all else does: it may be withheld for the sake of what stays.
        secret[~is_moved] |= is_moved.any() & secret[is_moved].all(axis=0)
        keeps[level] = np.asarray(secret)
        first = frame[["block", "place"]].iloc[::n_groups]
        reason = [d.PROTECTS_ANOTHER if hidden else None for hidden in secret.ravel()]
        told[level] = first.assign(reason=pd.Series(reason, first.index, dtype=object)).reset_index(drop=True)
    return Kept(keeps, _of_levels(moved, at, newest, places), told)


def _against(
    now: Counted, former: Sequence[Callable[[], Counted]], scale: Floats, plan: Plan, *, grouped: bool
) -> tuple[_Moved, Numbers, Numbers]:
    """How many households each settlement's counts differ by from the publication they are held against, and which.

    The newest from which they differ by few; else the newest from which they do not differ; else the newest, which is
    told of each block too (NONE: none has figures of it).
    """
    shape = now.counts["asked"].shape
    newest = np.full(len(scale), NONE, dtype=np.intp)
    few, none, any_ = (_Found.nothing(shape) for _ in range(3))
    for number, read in enumerate(former):
        each = read()
        by = _difference(now, each, scale)
        newest[each.has_block & (newest == NONE)] = number
        there = np.broadcast_to((now.has_block & each.has_block)[:, None], shape[:2])
        few.take(there & _is_few(by, plan, grouped=grouped), by, number)
        none.take(there & (by.asked == 0).all(axis=2), by, number)
        any_.take(there, by, number)
    found = few.or_else(none).or_else(any_)
    return _with_new_blocks(found.moved, newest), found.at, newest


def _difference(now: Counted, then: Counted, scale: Floats) -> _Moved:
    by = {name: now.counts[name] - then.counts[name] for name in COUNTS}
    yes, no, unknown = by["yes"], by["answering"] - by["yes"], by["asked"] - by["answering"]
    gained, lost = (np.maximum(sign * yes, 0) + np.maximum(sign * no, 0) for sign in (1, -1))
    answering = _rounded(np.maximum(gained, lost))
    asked = _rounded(np.maximum(gained + np.maximum(unknown, 0), lost + np.maximum(-unknown, 0)))
    # Where as many answered as before, and alike: a household may have other members, another weight or score.
    size = np.maximum(now.counts["sum_a"], then.counts["sum_a"]) / np.maximum(
        np.maximum(now.counts["answering"], then.counts["answering"]), 1
    )
    shift = np.maximum(np.abs(by["sum_a"]), np.abs(by["sum_ay"]) / scale[:, None, None])
    others = np.where(_rounded(shift) > 0, np.maximum(np.ceil(shift / np.where(size > 0, size, 1)), 1), 0)
    same = asked == 0
    return _Moved(
        np.where(same, others, answering),
        np.where(same, others / 2, _rounded(np.abs(yes))),
        np.where(same, others, asked),
    )


def _rounded(counts: Floats) -> Floats:
    return np.asarray(np.where(counts < _NOTHING, 0.0, np.round(counts, 6)))


def _is_few(by: _Moved, plan: Plan, *, grouped: bool) -> Bools:
    """By block and place, whether some group differs by so few that it would be withheld."""
    few = ((by.answering > 0) & (by.answering < d.MIN_HOUSEHOLDS)) | ((by.asked > 0) & (by.asked < d.MIN_HOUSEHOLDS))
    is_sensitive = (plan.sensitive | plan.group_is_sensitive)[:, None, None]
    alike = np.minimum(by.yes, by.answering - by.yes) < FEWEST_ALIKE
    somebody = by.asked.sum(axis=2, keepdims=True) > 0 if grouped else by.answering > 0
    return np.asarray((few | (is_sensitive & alike & somebody)).any(axis=2))


def _with_new_blocks(moved: _Moved, newest: Numbers) -> _Moved:
    """Blocks of which nothing was said before differ by as much as the others do, by what is known of these."""
    is_new = (newest == NONE)[:, None]
    most = moved.asked.max(axis=0, keepdims=True)
    of_new = _Moved(*(np.broadcast_to(part, moved.asked.shape) for part in (most, most / 2, most)))
    return of_new.where(np.broadcast_to(is_new, moved.asked.shape[:2]), moved)


def _summed(moved: _Moved, ward: Numbers, n_wards: int) -> _Moved:
    """The counts of the settlements of each ward together."""
    inside = np.zeros((n_wards, len(ward)))
    of_ward = ward >= 0
    inside[ward[of_ward], np.flatnonzero(of_ward)] = 1.0
    return _Moved(*(np.einsum("wp,bpg->bwg", inside, part) for part in (moved.answering, moved.yes, moved.asked)))


def _frame(moved: _Moved) -> pd.DataFrame:
    """The counts as rules.withhold takes them."""
    n_blocks, n_places, n_groups = moved.asked.shape
    block, place, group = (axis.ravel() for axis in np.indices((n_blocks, n_places, n_groups)))
    return pd.DataFrame(
        {
            **{"block": block, "place": place, "group": group},
            **{"answering": moved.answering.ravel(), "asked": moved.asked.ravel(), "yes": moved.yes.ravel()},
            **{"no": (moved.answering - moved.yes).ravel(), "method": "enumeration"},
            "reason": pd.Series([None] * block.size, dtype=object),
        }
    )


def _of_levels(moved: _Moved, at: Numbers, newest: Numbers, places: Places) -> dict[str, Numbers]:
    """Of each place the publication it is held against: of a sum, the newest of those of its settlements that moved."""
    has_moved = moved.asked.sum(axis=2) > 0
    found = {"settlement": at}
    for level, of, n_places in (
        ("ward", places.ward, places.n_wards),
        ("city", np.zeros_like(places.ward), 1),
    ):
        numbers = np.full((len(newest), n_places), _OLDER_THAN_ALL, dtype=np.intp)
        for place in range(n_places):
            inside = of == place
            if inside.any():
                numbers[:, place] = np.where(has_moved[:, inside], at[:, inside], _OLDER_THAN_ALL).min(axis=1)
        found[level] = np.where(numbers == _OLDER_THAN_ALL, newest[:, None], numbers)
    return found
