"""From settlements to wards and cities: everything a figure is made of adds up, so no household is looked at again."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.indicators.figures.blocks import Cells
from geo.indicators.figures.disclosure.protection import NO_WARD
from geo.indicators.figures.estimate import Spread, Sums, spread_of_clusters, spread_of_households
from geo.indicators.tallies import ALL
from geo.indicators.tallies.tally import SUMS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Level = Literal["settlement", "ward", "city"]

LEVELS: tuple[Level, ...] = ("settlement", "ward", "city")

KEYS = ("block", "place", "group")
"""What a row of sums is of. `place` is an index of a settlement or ward; 0 for a city."""

_ADDED = (
    *("answering", "not_known", "n_yes", "n_used", "a", "ay", "a2", "a2y", "a2y2", "sum_a_unknown"),
    *("spread_yy", "spread_ay", "spread_aa", "strata", "sampled", "framed"),
    *("population", "residents", "area_m2", "seats"),
    *("no_population", "no_residents", "no_area_m2", "no_frame", "no_seats", "not_enumerated", "empty"),
    *("unweighted", "frame_weighted", "frame_too_small", "ignores_clusters", "clustered"),
)
"""What adds up. A column that says whether something holds of a settlement counts for how many it does."""

_FACTS = ("n_sampled", "households", "area_m2", "seats", "clustered")
"""What is known of a cell beside its sums."""

_WEIGHTED = ("sum_w", "sum_a", "sum_ay", "sum_a_unknown", "sum_w_unknown")
_SQUARED = ("sum_a2", "sum_a2y", "sum_a2y2", "sum_a2_unknown")

# Weights that are all 1 sum up to a count, but for what adding does to the last digits.
_ONE = 1e-9


def add_parts(table: Cells) -> pd.DataFrame:
    """The cells with what is made of each before they are added up.

    The columns: KEYS, ward, nearest_m and all of _ADDED. population and residents are of the settlement; n_used, a, ay
    and the like are the `Sums` of the answers that count, spread_yy and the like their `Spread`.
    """
    # As arrays, of which a frame is made in the end: a frame that grows by a column at a time takes most of a request.
    cells = {name: _floats(table.cells, name) for name in (*SUMS, *_FACTS)}
    of_block = np.array(
        [
            (
                block.round.unit == "household",
                block.round.mode == "census",
                block.definition.unknown == "unserved",
                block.counted == "persons",
            )
            for block in table.blocks
        ],
        dtype=bool,
    ).reshape(-1, 4)
    blocks = table.cells["block"].to_numpy(dtype=np.intp)
    is_household, is_census, keeps_unknown, persons = of_block[blocks].T
    grouped = table.group_field != ALL
    n, n_sampled, frame = cells["n"], cells["n_sampled"], cells["households"]
    has_frame = ~np.isnan(frame)
    # Whom the figure is of: where unknown answers stay in the base, also a settlement in which nobody answered.
    in_base = (n > 0) | (keeps_unknown & (cells["sum_a_unknown"] > 0))
    weight, rows = cells["sum_w"] + cells["sum_w_unknown"], n + cells["n_unknown"]
    # A register that says of a settlement that it has no households.
    empty = ~is_household & (rows > 0) & (weight == 0)
    in_base |= empty
    enumerated = is_census & is_household & ~(has_frame & (n_sampled < frame))
    with np.errstate(divide="ignore", invalid="ignore"):
        sampled_part = np.where(has_frame & (n_sampled < frame), n_sampled / frame, 0.0)
        speaks_for = cells["sum_a"] + cells["sum_a_unknown"]
        by_answers = np.where(is_census | ~is_household, speaks_for, np.nan)
        by_frame = np.where(has_frame, frame * _mean_size(cells), by_answers)
        of_settlement = {
            "population": np.where(empty, 0.0, by_answers if grouped else by_frame),
            "residents": np.where(empty, 0.0, _residents(cells, is_household, is_census)),
        }
    # A settlement-unit row speaks for as many households as its weight says.
    answering = np.where(is_household, n, cells["sum_w"])
    not_known = np.where(is_household, cells["n_unknown"], cells["sum_w_unknown"])
    is_weighted = np.abs(weight - rows) > _ONE * n_sampled
    unweighted, frame_weighted = _weight_by_frame(cells, blocks, is_household & ~is_census, in_base, is_weighted)
    sums = Sums(
        # Of persons, the households without an answer may be of unknown size, and add nobody.
        np.where(keeps_unknown & ~persons, n + cells["n_unknown"], n),
        cells["sum_a"] + np.where(keeps_unknown, cells["sum_a_unknown"], 0.0),
        cells["sum_ay"],
        cells["sum_a2"] + np.where(keeps_unknown, cells["sum_a2_unknown"], 0.0),
        cells["sum_a2y"],
        cells["sum_a2y2"],
    )
    spread = spread_of_households(sums, n_sampled, np.where(enumerated, 1.0, sampled_part))
    # People on unmeasured ground are no part of a density.
    of_settlement["residents"] = np.where(np.isnan(cells["area_m2"]), 0.0, of_settlement["residents"])
    of_settlement["area_m2"] = cells["area_m2"]
    added = {
        **{"answering": answering, "not_known": not_known, "n_yes": cells["n_yes"]},
        **dict(zip(("n_used", "a", "ay", "a2", "a2y", "a2y2"), sums, strict=True)),
        "sum_a_unknown": cells["sum_a_unknown"],
        **dict(zip(("spread_yy", "spread_ay", "spread_aa"), spread, strict=True)),
        "strata": sums.n > 0,
        "sampled": np.where(in_base, n_sampled, 0.0),
        "framed": np.where(in_base, frame, 0.0),
        # What is not known of one settlement is not known of the whole, unless the figure is of nobody there.
        **{name: np.where(in_base, values, 0.0) for name, values in of_settlement.items()},
        **{f"no_{name}": in_base & np.isnan(values) for name, values in of_settlement.items()},
        **{"seats": cells["seats"], "no_seats": np.isnan(cells["seats"])},
        "no_frame": in_base & ~has_frame,
        "not_enumerated": in_base & ~enumerated,
        "empty": empty,
        **{"unweighted": unweighted, "frame_weighted": frame_weighted},
        "frame_too_small": has_frame & is_household & (n_sampled > frame),
        "ignores_clusters": cells["clustered"] * grouped,
        "clustered": cells["clustered"],
    }
    of = {name: table.cells[name] for name in (*KEYS, "ward", "nearest_m")}
    # What is not known adds nothing; how often that is so is counted beside it.
    return pd.DataFrame({**of, **{name: np.where(np.isnan(added[name]), 0.0, added[name]) for name in _ADDED}})


def _mean_size(cells: Mapping[str, Floats]) -> Floats:
    """Persons to a household (1 where households are counted): of those that answered, else of those that did not."""
    answered, not_answered = cells["sum_a"] / cells["sum_w"], cells["sum_a_unknown"] / cells["sum_w_unknown"]
    return np.where(cells["n"] > 0, answered, not_answered)


def _residents(cells: Mapping[str, Floats], is_household: Bools, is_census: Bools) -> Floats:
    """Persons (or households) who live in a settlement; those of unknown size are taken to be of the mean size."""
    mean, frame = cells["sum_ay"] / cells["sum_w"], cells["households"]
    of_census = cells["sum_ay"] * (cells["n"] + cells["n_unknown"]) / cells["n"]
    of_register = mean * (cells["sum_w"] + cells["sum_w_unknown"])
    known = np.where(is_household, np.where(is_census, of_census, np.nan), of_register)
    return np.where(np.isnan(frame), known, frame * mean)


def _weight_by_frame(
    cells: dict[str, Floats],
    blocks: NDArray[np.intp],
    is_sample: Bools,
    in_base: Bools,
    is_weighted: Bools,
) -> tuple[Bools, Bools]:
    """Gives a sample that brings no weights those its frame sizes imply, where all of them are known.

    Each household then stands for N/n of its settlement's: the mean over settlements by their size. Where a size is
    missing, a figure over several settlements describes only the households that were asked, and is flagged.

    Returns:
        Which cells are of a sample without weights, and which got weights from their frame sizes.
    """
    n_blocks = int(blocks.max()) + 1 if len(blocks) else 0

    def anywhere(condition: Bools) -> Bools:
        return np.asarray(np.bincount(blocks, weights=condition, minlength=n_blocks)[blocks] > 0)

    n_sampled, frame = cells["n_sampled"], cells["households"]
    weighted = anywhere(in_base & is_weighted)
    usable = ~np.isnan(frame) & (frame >= n_sampled)
    unweighted = is_sample & ~weighted
    # Where clusters were drawn, N/n is no household's weight.
    framed = unweighted & ~anywhere(in_base & (~usable | (cells["clustered"] > 0)))
    factor = np.where(framed & in_base, frame / np.maximum(n_sampled, 1.0), 1.0)
    for names, by in ((_WEIGHTED, factor), (_SQUARED, factor**2)):
        for name in names:
            cells[name] = cells[name] * by
    return unweighted & ~framed, framed


def roll_up(table: Cells, parts: pd.DataFrame, level: Level) -> pd.DataFrame:
    """The parts summed over the settlements of each place, one row for each of KEYS, in their order."""
    if level == "settlement":  # a part each, in their order
        summed = parts.set_index(list(KEYS)).drop(columns="ward")
        settlements: pd.Series | int = 1
    else:
        grouped = _at(parts, level).groupby(list(KEYS), sort=True)
        # A distance is of one settlement.
        summed = grouped[list(_ADDED)].sum().assign(nearest_m=np.nan)
        settlements = grouped.size()
    summed["settlements"], summed["settlements_in"] = summed["strata"], settlements
    summed["df"] = summed["n_used"] - summed["strata"]
    _replace_clustered(summed, table, level)
    return summed.reset_index()


def _at(frame: pd.DataFrame, level: Level) -> pd.DataFrame:
    if level == "ward":
        inside = frame[frame["ward"] != NO_WARD]
        return inside.assign(place=inside["ward"])
    return frame.assign(place=0) if level == "city" else frame


def _replace_clustered(summed: pd.DataFrame, table: Cells, level: Level) -> None:
    """Puts the variance of clustered samples in place of that of households drawn one by one."""
    if table.clusters.empty:
        return
    clusters = _at(table.clusters, level)
    keys = list(KEYS)
    units = clusters.groupby([*keys, "stratum", "psu"], sort=True).agg(
        {"a": "sum", "ay": "sum", "used": "sum", "n_clusters": "first", "fraction": "first"}
    )
    strata = units.groupby(level=[*keys, "stratum"], sort=True)
    of_strata = strata.agg({"n_clusters": "first", "fraction": "first"})
    spread = spread_of_clusters(
        units["a"].to_numpy(),
        units["ay"].to_numpy(),
        strata.ngroup().to_numpy(),
        of_strata["n_clusters"].to_numpy(dtype=float),
        of_strata["fraction"].to_numpy(dtype=float),
    )
    in_use = units["used"] > 0
    parts = (
        pd.DataFrame({"spread_yy": spread.yy, "spread_ay": spread.ay, "spread_aa": spread.aa}, index=of_strata.index)
        .groupby(level=keys)
        .sum()
    )
    used_strata = in_use.groupby(level=[*keys, "stratum"]).any().groupby(level=keys).sum()
    parts["df"] = in_use.groupby(level=keys).sum() - used_strata
    at = parts.index.intersection(summed.index)
    summed.loc[at, list(parts.columns)] = parts.loc[at]


def spread_and_sums(summed: pd.DataFrame) -> tuple[Sums, Spread]:
    """The sums and variance parts of rolled-up rows, as estimates take them."""
    sums = Sums(*(_floats(summed, name) for name in ("n_used", "a", "ay", "a2", "a2y", "a2y2")))
    return sums, Spread(*(_floats(summed, f"spread_{name}") for name in ("yy", "ay", "aa")))


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    return np.asarray(frame[name], dtype=np.float64)
