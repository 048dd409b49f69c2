"""Change between two rounds: what may be compared, how, and how sure it is."""

from dataclasses import replace
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, literal, select

from geo.base import refuse_unknown
from geo.database.schema.places import city
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import Catalogue, read_catalogue
from geo.indicators.figures.blocks import Block
from geo.indicators.figures.columns import CHANGE_COLUMNS, frame_names
from geo.indicators.figures.compute import NUMBERS, PERCENT, finish
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.estimate import (
    Z_95,
    Interval,
    difference,
    independent_p_value,
    mcnemar_p_value,
    paired_difference,
    student_t,
    t_p_value,
)
from geo.indicators.figures.paired import with_pairs
from geo.indicators.figures.query import ValuesQuery, check_filters, find_blocks, find_rounds
from geo.indicators.figures.values import FigurePage, named, page_of, read_exact
from geo.surveys import is_seen

SAME_HOUSEHOLDS = 0.8
"""From this share of both rounds' households on, rounds are compared household by household."""

COLUMNS = frame_names(CHANGE_COLUMNS)
"""The columns of changes."""

# By code: the wards and the settlements of two rounds need not be the same.
_KEYS = ["block", "_code", "group"]


def find_changes(
    connection: Connection, query: ValuesQuery, *, earlier: str, later: str, allow_break: bool = False
) -> FigurePage:
    """The change of each figure from the round `earlier` to the round `later`, in points or in the figure's unit.

    The figures have the columns COLUMNS. Where both rounds asked everybody, the change is what it is. Where four in
    five households are in both, each is compared with itself; else the rounds are independent samples. Across a change
    of definition, boundary or way of surveying nothing is said, unless `allow_break`, which marks it.

    Raises:
        InvalidParameters: a filter or a round names something that is not there.
    """
    catalogue = read_catalogue(connection)
    check_changes(connection, query, catalogue, earlier=earlier, later=later)
    rounds = find_rounds(connection, replace(query, surveys=[earlier, later]))
    first = _by_indicator(find_blocks(connection, replace(query, surveys=[earlier]), catalogue, rounds))
    last = find_blocks(connection, replace(query, surveys=[later]), catalogue, rounds)
    blocks = [b for b in last if _of(b) in first]

    def rows_of(chosen: list[Block]) -> pd.DataFrame:
        return _compared(connection, query, [first[_of(block)] for block in chosen], chosen, allow_break=allow_break)

    page = page_of(connection, query, blocks, rows_of)
    return replace(page, figures=page.figures.reindex(columns=list(COLUMNS)))


def check_changes(
    connection: Connection, query: ValuesQuery, catalogue: Catalogue, *, earlier: str, later: str
) -> None:
    """Refuses changes of what is not there, or between rounds that are not two.

    Raises:
        InvalidParameters: as find_changes.
    """
    check_filters(connection, replace(query, surveys=[later] if query.by else []), catalogue)
    _check_rounds(connection, query, earlier, later)


def _of(block: Block) -> tuple[str, str]:
    return block.round.city, block.definition.id


def _by_indicator(blocks: list[Block]) -> dict[tuple[str, str], Block]:
    return {_of(block): block for block in blocks}


def _check_rounds(connection: Connection, query: ValuesQuery, earlier: str, later: str) -> None:
    """Says which of the two rounds is wrong by the name it was asked for with."""
    of_cities = city.c.slug.in_(query.cities) if query.cities else literal(True)
    rounds = select(survey.c.slug).join(city).where(of_cities, is_seen(query.seen))
    refuse_unknown(connection, {"from": ([earlier], rounds), "to": ([later], rounds)})
    if earlier == later:
        raise InvalidParameters([InvalidParameter("to", "round_same")])


def _compared(
    connection: Connection, query: ValuesQuery, before: list[Block], after: list[Block], *, allow_break: bool
) -> pd.DataFrame:
    """One row for each figure of the later round, with what it changed by."""
    first, second = (_figures(connection, query, blocks) for blocks in (before, after))
    both = second.merge(first, on=_KEYS, how="left", suffixes=("", "_before"))
    both = with_pairs(connection, query.level, both, before, after)
    for name, blocks in (("", after), ("_before", before)):
        # Also where the earlier round has no such place or group.
        rounds = [blocks[i].round for i in both["block"]]
        both[f"survey{name}"] = [each.survey for each in rounds]
        both[f"starts_on{name}"] = [each.starts_on.isoformat() for each in rounds]
        both[f"ends_on{name}"] = [each.ends_on.isoformat() for each in rounds]
        both[f"surveyed{name}"] = [f"{each.unit} {each.mode}" for each in rounds]
        both[f"definition_version{name}"] = [blocks[i].definition.version for i in both["block"]]
    return compare(_with_change_of_pairs(both, query.access), query, allow_break=allow_break)


def compare(both: pd.DataFrame, query: ValuesQuery, *, allow_break: bool) -> pd.DataFrame:
    """What each figure of the later round changed by.

    `both` has the figures of the later round, and with `_before` those of the earlier one: the columns of figures,
    answering (households), shown and n_shown (value and n as the reader sees them), surveyed (how), and _drawn. Of the
    same households in both it has n_pairs (missing where that was not looked at), is_paired (whether they are compared
    with themselves), pair_change, pair_low, pair_high, pair_p and pair_without_df (whether the clusters are too few for
    an interval).
    """
    broken = _breaks(both)
    reason = both["reason"].where(both["reason"].notna(), both["reason_before"])
    # Small groups are pooled round by round: what is one pool in this round may be two groups in the other. Nor need
    # the earlier round have had the ward.
    unmatched = both["method_before"].isna()
    reason = reason.mask(unmatched & reason.isna(), d.GROUPS_DIFFER if query.by else d.BOUNDARY_CHANGED)
    if not allow_break:
        reason = reason.where(broken.isna() | unmatched, broken)
    method = _methods(both)
    undecided = (method == "undecided") & reason.isna()
    reason = reason.mask(undecided, d.NOT_COUNTED_YET)
    said = reason.isna().to_numpy()
    interval, p_value, change = _estimated(both, method, query.access)
    changes = both.rename(columns={"shown": "to_value", "shown_before": "from_value"})
    for name in ("survey", "starts_on", "ends_on"):
        changes[f"from_{name}"], changes[f"to_{name}"] = both[f"{name}_before"], both[name]
    changes["change"], changes["p_value"] = change, p_value
    changes["low"], changes["high"] = interval
    changes["n"], changes["n_before"] = both["n_shown"], both["n_shown_before"]
    changes["n_pairs"] = np.where(method == "paired", both["n_pairs"], np.nan)
    if query.access == "public":
        changes["n_pairs"] = d.rounded_counts(changes["n_pairs"].to_numpy(dtype=np.float64))
    changes["rounded_to"] = d.COUNT_STEP if query.access == "public" else np.nan
    for name in (
        "from_value",
        "to_value",
        "change",
        "low",
        "high",
        "p_value",
        "n",
        "n_before",
        "n_pairs",
        "rounded_to",
    ):
        changes[name] = changes[name].astype(float).where(said)
    changes["method"] = pd.Series(method, index=changes.index, dtype=object).where(said, None)
    without_df = (method == "paired") & both["pair_without_df"].to_numpy(dtype=bool)
    marks = {"break_allowed": broken.notna(), "no_degrees_of_freedom": without_df}
    flags = [
        tuple(dict.fromkeys((*now, *then, *compress(marks, marked)))) if shown else ()
        for now, then, shown, *marked in zip(both["flags"], both["flags_before"], said, *marks.values(), strict=True)
    ]
    changes["flags"] = pd.Series(flags, index=changes.index, dtype=object)
    changes["group"] = both["group"].where(both["group_by"].notna(), None)
    changes["status"] = np.where(said, "published", "withheld")
    changes["reason"] = reason
    return changes


def _figures(connection: Connection, query: ValuesQuery, blocks: list[Block]) -> pd.DataFrame:
    """Figures as they are and as they are shown (`shown`, `n_shown`), named, in one row each."""
    table, exact = read_exact(connection, blocks, query)
    shown = named(finish(exact), table, query.level)
    numbers = exact.figures[
        ["block", "group", "value", "low", "high", "n_eff", "answering", "clustered", "method", "flags", "reason"]
    ]
    names = shown.drop(columns=[*NUMBERS, "method", "flags", "status", "reason", "group"])
    return pd.concat([names, numbers, shown[["value", "n"]].set_axis(["shown", "n_shown"], axis=1)], axis=1)


def _breaks(both: pd.DataFrame) -> "pd.Series[str]":
    """What keeps the rounds from being compared; missing where nothing does."""
    definition, drawn, mode = (
        (both[name] != both[f"{name}_before"]).to_numpy() for name in ("definition_version", "_drawn", "surveyed")
    )
    found = np.select([definition, drawn, mode], [d.DEFINITION_CHANGED, d.BOUNDARY_CHANGED, d.MODE_CHANGED], "")
    return pd.Series(found, index=both.index, dtype=object).replace("", None)


def _are_paired(both: pd.DataFrame, access: d.Access) -> NDArray[np.bool_]:
    """Where the same households are compared with themselves.

    For the public, that is where those who are in one round only are none or many: of a few, what the pairs changed by
    would tell the answers.
    """
    pairs, *answering = (both[name].to_numpy(dtype=float) for name in ("n_pairs", "answering", "answering_before"))
    same = pairs >= SAME_HOUSEHOLDS * np.maximum(*answering)
    if access == "public":
        for of_round in answering:
            same &= (of_round - pairs == 0) | (of_round - pairs >= d.MIN_HOUSEHOLDS)
    return np.asarray(same & both["group_by"].isna().to_numpy(), dtype=bool)


def _methods(both: pd.DataFrame) -> NDArray[np.object_]:
    """How each pair of figures is to be compared."""
    first, second = both["method_before"].to_numpy(dtype=object), both["method"].to_numpy(dtype=object)
    by_group = both["group_by"].notna().to_numpy()
    measured = (first == "measurement") | (second == "measurement")
    register = (first == "register") | (second == "register")
    everybody = (first == "enumeration") & (second == "enumeration")
    known = both["n_pairs"].notna().to_numpy() | by_group
    return np.select(
        [measured, register, everybody, ~known, both["is_paired"].to_numpy(dtype=bool)],
        ["measurement", "register", "enumeration", "undecided", "paired"],
        "independent",
    ).astype(object)


def _estimated(
    both: pd.DataFrame, method: NDArray[np.object_], access: d.Access
) -> tuple[Interval, NDArray[np.float64], NDArray[np.float64]]:
    """The interval of each change, how likely it is by chance, and the change."""

    def floats(name: str) -> NDArray[np.float64]:
        return np.asarray(both[name], dtype=np.float64)

    p1, p2 = floats("value_before"), floats("value")
    # Of what everybody was asked nothing is left to chance.
    first = Interval(*(np.where(np.isnan(floats(end)), p1, floats(end)) for end in ("low_before", "high_before")))
    second = Interval(*(np.where(np.isnan(floats(end)), p2, floats(end)) for end in ("low", "high")))
    independent = difference(p1, first, p2, second)
    per_cent = both["unit"].to_numpy() == "%"
    # Nor is a figure of everybody one of a sample, of however many: it is what the other round is held against.
    sizes = [np.where(both[f"method{of}"] == "enumeration", np.inf, floats(f"n_eff{of}")) for of in ("_before", "")]
    by_chance = independent_p_value(p1 / PERCENT, sizes[0], p2 / PERCENT, sizes[1])
    is_paired, sampled = method == "paired", np.isin(method, ("paired", "independent"))
    ends = [
        np.where(sampled, np.where(is_paired, one, other), np.nan)
        for one, other in zip((floats("pair_low"), floats("pair_high")), independent, strict=True)
    ]
    p_value = np.where(sampled & per_cent, np.where(is_paired, floats("pair_p"), by_chance), np.nan)
    exactly = is_paired & (access == "full")
    change = np.where(exactly, floats("pair_change"), floats("shown") - floats("shown_before"))
    few = np.minimum(floats("answering"), floats("answering_before")) < d.MANY
    decimals = np.where(few, 0, 1) if access == "public" else np.full(len(both), 2)
    return (
        Interval(*(d.rounded(end, np.where(per_cent, decimals, 3)) for end in ends)),
        d.rounded_p_values(p_value, access),
        d.rounded(change, np.where(per_cent, 2, 3)),
    )


def _with_change_of_pairs(both: pd.DataFrame, access: d.Access) -> pd.DataFrame:
    """The rows with what the households that are in both rounds changed by, and how sure that is."""

    def floats(name: str) -> NDArray[np.float64]:
        return np.asarray(both[name], dtype=np.float64)

    scale = np.where(both["unit"].to_numpy() == "%", PERCENT, 1.0)
    pairs = paired_difference(*(floats(name) for name in ("sum_a", "sum_ad", "sum_a2", "sum_a2d", "sum_a2d2")))
    clustered, df = _clustered(both), floats("pair_df")
    half = np.where(clustered, student_t(df) * floats("pair_error"), Z_95 * pairs.standard_error) * scale
    change = pairs.d * scale
    # A published change is the difference of its two figures, of which the pairs say how sure it is.
    middle = floats("value") - floats("value_before") if access == "public" else change
    of_same = np.where(
        clustered,
        t_p_value(pairs.d, floats("pair_error"), df),
        mcnemar_p_value(floats("n_gained"), floats("n_lost")),
    )
    return both.assign(
        is_paired=_are_paired(both, access),
        pair_change=change,
        pair_low=middle - half,
        pair_high=middle + half,
        pair_p=of_same,
        pair_without_df=clustered & ~(df >= 1),
    )


def _clustered(both: pd.DataFrame) -> NDArray[np.bool_]:
    """Where either round's sample was drawn by clusters."""
    return np.asarray(both["clustered"] | both["clustered_before"], dtype=bool)
