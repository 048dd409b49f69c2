"""Figures: what a reader gets, made from summed tallies. The last step is always to withhold what may not be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.figures import columns
from geo.indicators.figures.blocks import SIZES_UNKNOWN, Block, Cells, name_unknown_group, pool_small_groups
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.estimate import estimate, kish_deff, share
from geo.indicators.figures.rollup import KEYS, LEVELS, Level, add_parts, roll_up, spread_and_sums

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PLACE = columns.frame_names(columns.PLACE)
"""The columns that name a figure's place below its city; None where the level has none."""

VALUES = ("value", "low", "high", "bound_low", "bound_high")
PER_CENT = (*VALUES, "response_rate")
COUNTS = ("n", "n_unknown", "n_eff", "population", "unserved", "unserved_low", "unserved_high")
NUMBERS = columns.frame_names(columns.NUMBERS)
"""The columns that say something about households, and go together."""

PERCENT = 100.0
M2_PER_KM2 = 1_000_000.0
M2_PER_HA = 10_000.0
SOME_UNKNOWN = 0.05
CERTAIN_FROM = 50


@dataclass(frozen=True)
class Exact:
    """Figures of one level before they are rounded, and why each may not be said.

    `figures`, in the order of block, place and group, has these columns, NUMBERS, method, flags (a tuple of names in
    FLAGS), clustered (whether clusters were drawn), people (of a density or load) and spread_over (the land or seats
    they share), answering, asked, yes and no (households), sum_a and sum_ay (of the answers that count, as tallies have
    them) and reason (None: the figure may be said).
    """

    figures: pd.DataFrame
    blocks: list[Block]
    access: d.Access


@dataclass(frozen=True)
class Decided:
    """What the public may be told of one level, before anything is estimated.

    `summed`: see rollup.roll_up. `counts`, of the same rows: KEYS, answering, asked, yes and no (households), sum_a and
    sum_ay, method, and reason: why there is no figure (None: it may be said). Which of the reasons in rules.SECRET it
    is, nobody is told.
    """

    summed: pd.DataFrame
    counts: pd.DataFrame
    blocks: list[Block]

    def exact(self, rows: Bools | slice = slice(None)) -> Exact:
        """The figures of some of the rows, with the reasons that the public is told."""
        counts = self.counts[rows].reset_index(drop=True)
        counts["reason"] = d.told(counts["reason"])
        return Exact(_estimated(self.summed[rows].reset_index(drop=True), counts, self.blocks), self.blocks, "public")


def make_exact(table: Cells, level: Level, access: d.Access, whole: Mapping[Level, Decided] | None = None) -> Exact:
    """The figures of every place of a level.

    `whole`: what was decided of the same blocks not by group, which the public's figures of groups need.
    """
    return make_levels(table, [level], access, whole)[level]


def make_levels(
    table: Cells, levels: Sequence[Level], access: d.Access, whole: Mapping[Level, Decided] | None = None
) -> dict[Level, Exact]:
    """The figures of every place of several levels: see make_exact."""
    if access == "public":
        decided = decide_levels(table, whole)
        return {level: decided[level].exact() for level in levels}
    said = name_unknown_group(table)
    parts = add_parts(said)
    full: dict[Level, Exact] = {}
    for level in levels:
        summed = roll_up(said, parts, level)
        full[level] = Exact(_estimated(summed, _counts(summed, said.blocks), said.blocks), said.blocks, access)
    return full


def decide_levels(table: Cells, whole: Mapping[Level, Decided] | None = None) -> dict[Level, Decided]:
    """What the public may be told of every level; `whole` is there where the cells are of groups: see make_exact."""
    blocks = table.blocks
    table = table if whole is None else pool_small_groups(table, d.MIN_HOUSEHOLDS)
    parts = add_parts(table)
    summed = {level: roll_up(table, parts, level) for level in LEVELS}
    del parts  # by groups there are millions
    counts: dict[str, pd.DataFrame] = {level: _counts(of_level, blocks) for level, of_level in summed.items()}
    said_whole: dict[str, pd.DataFrame] | None = (
        None if whole is None else {level: of_level.counts for level, of_level in whole.items()}
    )
    reasons = d.withhold(counts, np.asarray(table.places["ward"], dtype=np.intp), table.plans, said_whole)
    return {level: Decided(summed[level], counts[level].assign(reason=reasons[level]), blocks) for level in LEVELS}


def finish(exact: Exact) -> pd.DataFrame:
    """The figures as a reader gets them: rounded, and without the numbers that may not be said.

    They have the columns block, place and group, NUMBERS, rounded_to (what counts are rounded to; NaN: to nothing),
    method, flags, status, reason and kept_from (NaN: what is made now is kept from nowhere).
    """
    of = _Facts(exact.blocks, exact.figures["block"].to_numpy())
    numbers = {name: _floats(exact.figures, name) for name in NUMBERS}
    if exact.access == "full":
        return _finished(exact.figures, numbers, of).assign(rounded_to=np.nan)
    people, spread_over = (_floats(exact.figures, name) for name in ("people", "spread_over"))
    figures = _finished(exact.figures, _rounded(numbers, people, spread_over, of), of)
    has_counts = figures[["n", "population"]].notna().any(axis=1)
    return figures.assign(rounded_to=np.where(has_counts, float(d.COUNT_STEP), np.nan))


def _rounded(figures: dict[str, Floats], people: Floats, spread_over: Floats, of: "_Facts") -> dict[str, Floats]:
    """The numbers of figures as coarse as the public sees them."""
    of_answers = np.isin(of.measure, ("share", "mean"))
    few = figures["n"] < d.MANY
    coarse = figures.copy()
    for name in PER_CENT:
        is_per_cent = of.is_per_cent & of_answers if name in VALUES else np.ones(len(few), dtype=bool)
        decimals = np.where(few, 0, 1)
        coarse[name] = np.where(is_per_cent, d.rounded(figures[name], decimals), figures[name])
    for name in VALUES:
        of_mean = of_answers & ~of.is_per_cent
        coarse[name] = np.where(of_mean, d.rounded(coarse[name], np.maximum(of.decimals - few, 0)), coarse[name])
    # Times its land or its seats, which anybody may know, a density or load is a number of people.
    counted = np.isin(of.measure, ("density", "seat_load"))
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = d.significant(d.rounded_counts(people) / spread_over, np.where(few, 2, 3))
    coarse["value"] = np.where(counted & np.isfinite(figures["value"]), shared, coarse["value"])
    for name in COUNTS:
        coarse[name] = d.rounded_counts(figures[name])
    # A reader holds the shown share against the shown people: what is said of the unserved follows from these two.
    for name, counts in _unserved(coarse, of, coarse["population"]).items():
        coarse[name] = d.rounded_counts(counts, figures[name])
    return coarse


def _counts(summed: pd.DataFrame, blocks: Sequence[Block]) -> pd.DataFrame:
    """What is decided by: see Decided. `reason`: why there is no figure for any reader."""
    of = _Facts(blocks, summed["block"].to_numpy())
    is_household, enumerated = _enumerated(of, summed)
    sums, _ = spread_and_sums(summed)
    shares = share(sums, of.scale)
    answering, unknown = (_floats(summed, name) for name in ("answering", "not_known"))
    method = np.select(
        [~np.isin(of.measure, ("share", "mean")), ~is_household, enumerated],
        ["measurement", "register", "enumeration"],
        "sample",
    )
    yes = np.where(is_household, summed["n_yes"], np.nan_to_num(shares / of.scale) * answering)
    reasons = _reasons(of, summed, _values(of, summed, shares), answering, unknown)
    return pd.DataFrame(
        {
            **{name: summed[name] for name in KEYS},
            "answering": answering,
            "asked": answering + unknown,
            "yes": yes,
            "no": answering - yes,
            "sum_a": sums.a,
            "sum_ay": sums.ay,
            "method": method,
            "reason": pd.Series(reasons, index=summed.index, dtype=object),
        }
    )


def _enumerated(of: "_Facts", summed: pd.DataFrame) -> tuple[Bools, Bools]:
    """Whether a figure is of households, and whether all of them were asked."""
    is_household = of.unit == "household"
    # Where nobody is in the base nothing has been enumerated either: the round still says how it was surveyed.
    return is_household, is_household & of.is_census & (summed["not_enumerated"] == 0).to_numpy()


def _estimated(summed: pd.DataFrame, counts: pd.DataFrame, blocks: Sequence[Block]) -> pd.DataFrame:
    """Figures as the numbers are, beside what was decided of the same rows: see Exact."""
    of = _Facts(blocks, summed["block"].to_numpy())
    is_household, enumerated = _enumerated(of, summed)
    sums, spread = spread_and_sums(summed)
    estimated = estimate(sums, spread, summed["df"].to_numpy(dtype=float), of.scale, enumerated)
    is_share = np.isin(of.measure, ("share", "mean"))
    has_interval = is_share & is_household & ~enumerated
    unit_scale = np.where(of.is_per_cent, PERCENT, 1.0)
    answering, unknown = (_floats(summed, name) for name in ("answering", "not_known"))
    population = _population(summed)
    people, spread_over = _people(of, summed, population * estimated.p)
    # As arrays, of which a frame is made in the end: a frame that grows by a column at a time takes most of a request.
    figures: dict[str, Floats] = {"value": _values(of, summed, estimated.p)}
    for name, end in zip(("low", "high"), estimated.interval, strict=True):
        figures[name] = np.where(has_interval, end * unit_scale, np.nan)
    unknown_a = _floats(summed, "sum_a_unknown")
    all_a = sums.a + np.where(of.keeps_unknown, 0.0, unknown_a)
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, extra in (("bound_low", 0.0), ("bound_high", of.scale * unknown_a)):
            figures[name] = np.where(is_share, (sums.ay + extra) / all_a * unit_scale, np.nan)
        rate = np.where(summed["no_frame"] > 0, np.nan, _floats(summed, "sampled") / _floats(summed, "framed"))
    figures["response_rate"] = np.where(is_household, np.minimum(rate, 1.0) * PERCENT, np.nan)
    figures["deff"] = np.where(has_interval, kish_deff(sums), np.nan)
    is_asked = of.measure != "distance"
    figures["n"], figures["n_unknown"] = (np.where(is_asked, count, np.nan) for count in (answering, unknown))
    figures["n_eff"] = np.where(has_interval, estimated.n_effective, np.nan)
    figures["population"] = population
    figures |= _unserved(figures, of, population)
    no_df = has_interval & (answering > 0) & (summed["df"] < 1).to_numpy()
    flags = _flags(of, summed, (counts["method"] == "sample").to_numpy(), answering, unknown, no_df)
    return pd.DataFrame(
        {
            **{str(name): counts[name] for name in counts},
            **figures,
            **{"people": people, "spread_over": spread_over},
            "clustered": summed["clustered"] > 0,
            "flags": pd.Series(flags, index=summed.index, dtype=object),
        }
    )


def _population(summed: pd.DataFrame) -> Floats:
    return np.where(summed["no_population"] > 0, np.nan, summed["population"])


class _Facts:
    """What is known of each row by its block."""

    def __init__(self, blocks: Sequence[Block], block: NDArray[np.intp]) -> None:
        def taken(values: Sequence[object]) -> NDArray[np.object_]:
            return np.asarray(np.array(values, dtype=object)[block])

        self.unit = taken([b.round.unit for b in blocks])
        self.is_census = taken([b.round.mode == "census" for b in blocks]).astype(bool)
        self.measure = taken([b.definition.measure for b in blocks])
        self.direction = taken([b.definition.direction for b in blocks])
        self.keeps_unknown = taken([b.definition.unknown == "unserved" for b in blocks]).astype(bool)
        self.is_per_cent = taken([b.definition.unit == "%" for b in blocks]).astype(bool)
        self.persons = taken([b.counted == "persons" for b in blocks]).astype(bool)
        self.for_persons = taken([b.counted != b.definition.counted == "persons" for b in blocks]).astype(bool)
        self.is_counted = taken([b.is_counted for b in blocks]).astype(bool)
        self.members_unknown = taken([b.round.members_unknown for b in blocks]).astype(float)
        counts = [b.definition.total_weight if b.definition.score == "count" else 1.0 for b in blocks]
        self.decimals = taken([b.definition.decimals for b in blocks]).astype(int)
        self.scale = taken(counts).astype(float)


def _people(of: _Facts, summed: pd.DataFrame, relying: Floats) -> tuple[Floats, Floats]:
    """Who is counted by a density or a load, and the land or the seats they share."""
    land = _floats(summed, "area_m2") / np.where(of.persons, M2_PER_KM2, M2_PER_HA)
    residents = np.where(summed["no_residents"] > 0, np.nan, summed["residents"])
    seats = np.where(summed["no_seats"] > 0, np.nan, summed["seats"])
    measures = [of.measure == name for name in ("density", "seat_load")]
    return np.select(measures, [residents, relying], np.nan), np.select(measures, [land, seats], np.nan)


def _values(of: _Facts, summed: pd.DataFrame, shares: Floats) -> Floats:
    """The figure itself, by what is measured."""
    people, spread_over = _people(of, summed, _population(summed) * shares)
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = [people / spread_over, _floats(summed, "nearest_m")]
    unit_scale = np.where(of.is_per_cent, PERCENT, 1.0)
    of_measure = [np.isin(of.measure, ("density", "seat_load")), of.measure == "distance"]
    value = np.select(of_measure, measured, shares * unit_scale)
    return np.where(np.isfinite(value), value, np.nan)


def _unserved(figures: dict[str, Floats], of: _Facts, population: Floats) -> dict[str, Floats]:
    """Those without a good thing, or with a bad one, with the ends of the interval where there is one."""
    counts_people = (of.measure == "share") & (of.direction != "report")
    down = of.direction == "down"
    ends = {"unserved": ("value", "value"), "unserved_low": ("low", "high"), "unserved_high": ("high", "low")}
    found = {}
    for name, (of_bad, of_good) in ends.items():
        share = np.where(down, figures[of_bad], PERCENT - figures[of_good]) / PERCENT
        found[name] = np.where(counts_people, population * share, np.nan)
    return found


def _reasons(of: _Facts, summed: pd.DataFrame, value: Floats, answering: Floats, unknown: Floats) -> list[str | None]:
    """Why there is no figure, for every reader."""
    by_answers = of.measure != "distance"
    seat_load, density, distance = (of.measure == name for name in ("seat_load", "density", "distance"))
    # That a settlement has no households is known of its density, and answers no other question.
    is_empty = density & (summed["empty"] > 0).to_numpy()
    nobody = by_answers & (answering == 0) & ~is_empty
    no_members = nobody & of.persons & (of.members_unknown > SIZES_UNKNOWN)
    no_value = np.isnan(value)
    no_land = (summed["area_m2"] == 0).to_numpy()
    several = distance & np.isnan(_floats(summed, "nearest_m")) & (summed["settlements_in"] > 1).to_numpy()
    found = np.select(
        [
            ~of.is_counted,
            no_members,
            nobody,
            by_answers & (unknown > d.MAX_UNKNOWN * (answering + unknown)),
            density & no_land,
            density & no_value,
            seat_load & (summed["no_population"] > 0).to_numpy(),
            seat_load & no_value,
            several,
            distance & no_value,
        ],
        [
            d.NOT_COUNTED_YET,
            d.NO_MEMBERS,
            d.NO_ANSWERS,
            d.TOO_MANY_UNKNOWN,
            d.NO_BOUNDARY,
            d.NO_FRAME_SIZE,
            d.NO_FRAME_SIZE,
            d.NO_SEATS,
            d.SETTLEMENTS_ONLY,
            d.NO_FACILITY,
        ],
        "",
    )
    return [reason or None for reason in found.tolist()]


def _flags(
    of: _Facts,
    summed: pd.DataFrame,
    sample: Bools,
    answering: Floats,
    unknown: Floats,
    no_df: Bools,
) -> list[tuple[str, ...]]:
    """The names of what is to be said of each figure."""
    several = (summed["settlements"] > 1).to_numpy()
    holds = {
        "uncertain": sample & (answering >= d.MIN_ANSWERS) & (answering < CERTAIN_FROM),
        "few_answers": sample & (answering > 0) & (answering < d.MIN_ANSWERS),
        "some_unknown": (answering > 0) & (unknown > SOME_UNKNOWN * (answering + unknown)),
        "unweighted": sample & several & (summed["unweighted"] > 0).to_numpy(),
        "frame_weighted": sample & several & (summed["frame_weighted"] > 0).to_numpy(),
        "frame_too_small": (summed["frame_too_small"] > 0).to_numpy(),
        "members_unknown": of.persons & (answering > 0) & (of.members_unknown > SOME_UNKNOWN),
        "sizes_unknown": of.for_persons & (answering > 0) & (of.members_unknown > SIZES_UNKNOWN),
        "clusters_ignored": sample & (summed["ignores_clusters"] > 0).to_numpy(),
        "no_degrees_of_freedom": no_df,
    }
    mask = np.zeros(len(summed), dtype=np.int64)
    for bit, condition in enumerate(holds.values()):
        mask |= condition.astype(np.int64) << bit
    named = {int(m): tuple(name for bit, name in enumerate(holds) if m >> bit & 1) for m in np.unique(mask)}
    return [named[m] for m in mask.tolist()]


def _finished(figures: pd.DataFrame, numbers: dict[str, Floats], of: _Facts) -> pd.DataFrame:
    """Figures with these numbers, without those that are withheld, rounded to what they are worth."""
    reason = figures["reason"].to_numpy(dtype=object)
    withheld = pd.notna(reason)
    finished = numbers.copy()
    for name in VALUES:
        finished[name] = d.rounded(numbers[name], of.decimals)
    for name, decimals in (("response_rate", 1), ("deff", 2), ("n_eff", 1)):
        finished[name] = np.round(numbers[name], decimals)
    for name in COUNTS:
        if name != "n_eff":
            finished[name] = np.round(numbers[name])
    # That too many answers are missing points at nobody: how many is what the reader needs to know.
    said = np.isin(reason, (d.TOO_MANY_UNKNOWN, d.FEW_ANSWERS))
    for name in NUMBERS:
        hidden = withheld & ~said if name in ("n", "n_unknown") else withheld
        finished[name] = np.where(hidden, np.nan, finished[name])
    # A flag of how many answered, or did not, would say what the number may not.
    secret = reason == d.PROTECTED
    flags = [() if hidden else flags for flags, hidden in zip(figures["flags"], secret, strict=True)]
    return pd.DataFrame(
        {
            **{name: figures[name] for name in KEYS},
            **finished,
            "method": figures["method"],
            "flags": pd.Series(flags, index=figures.index, dtype=object),
            "status": np.where(withheld, "withheld", "published"),
            "reason": pd.Series(reason, index=figures.index, dtype=object),
            "kept_from": np.nan,
        }
    )


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    return np.asarray(frame[name], dtype=np.float64)
