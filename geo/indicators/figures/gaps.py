"""Gaps: which settlements or wards of a city come first, ranked by what their figures say side by side.

Whatever is said here is made from figures as their reader sees them, withheld ones left out: it cannot tell more than
they do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection

from geo.base import PageRequest, decode_cursor, encode_cursor
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import Catalogue, Counted, Definition, read_catalogue
from geo.indicators.figures.blocks import Block
from geo.indicators.figures.columns import GAP_COLUMNS, RankedLevel, frame_names
from geo.indicators.figures.compute import PERCENT, finish
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.hot_spots import HotSpots, find_hot_spots, no_hot_spots
from geo.indicators.figures.query import ValuesQuery, check_filters, find_blocks, rounds_there_are
from geo.indicators.figures.shapes import add_shapes, middles
from geo.indicators.figures.values import FigurePage, named, page_of, read_exact
from geo.messages import Message, shortened
from geo.surveys import Seen

COLUMNS = frame_names(GAP_COLUMNS)
"""The columns of gaps."""

# A share of households is a fraction of whole ones, but for the last digits.
_SLACK = 1e-6


@dataclass(frozen=True)
class GapsQuery:
    """Whose gaps are asked for, in which indicator, and by whom."""

    city: str
    indicator: str
    survey: str | None = None
    """None: the newest round the reader may see."""
    level: RankedLevel = "settlement"
    counted: Counted | None = None
    """None: households, whatever the indicator's headline level: toilets and taps are built for households."""
    target: float | None = None
    """The per cent to reach, or of a bad thing to come down to."""
    access: d.Access = "public"
    seen: Seen = "published"
    geometry: bool = False
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True)
class GapsPage(FigurePage):
    """Gaps, one row a place, with the columns COLUMNS, and geometry (shapes) where it was asked for.

    In the order of rank_unserved; then places whose number of unserved is not known; then those withheld; each by code.
    """

    hot_spots: HotSpots


def find_gaps(connection: Connection, query: GapsQuery) -> GapsPage:
    """The gaps of every settlement or ward of a city in one indicator and round.

    Ranks are standard competition ranks (1, 2, 2, 4) over published figures: by unserved, most first, and by coverage,
    least first; of a bad thing, most affected first.

    Raises:
        InvalidParameters: the city or round is not there, the indicator is not one that can be ranked, the target is no
            per cent, or the city has no round yet; the message names what is allowed.
    """
    catalogue = read_catalogue(connection)
    asked = values_asked(query)
    check_gaps(connection, query, catalogue)
    newest = rounds_there_are(connection, asked)[-1]
    blocks = find_blocks(connection, replace(asked, surveys=[newest.survey]), catalogue)

    def rows_of(chosen: list[Block]) -> pd.DataFrame:
        table, exact = read_exact(connection, chosen, asked)
        shown = named(finish(exact), table, query.level)
        # In full, what a target takes is counted from the figures themselves; else from what is shown of them.
        basis = exact.figures if query.access == "full" else shown
        return shown.assign(_value=basis["value"], _population=basis["population"])

    whole = page_of(connection, asked, blocks, rows_of).figures
    page = rank(query, blocks[0].definition, whole, lambda: middles(connection, whole))
    if query.geometry:
        shown = add_shapes(connection, page.figures)
        return replace(page, figures=shown[[*COLUMNS, "geometry"]])
    return replace(page, figures=page.figures[list(COLUMNS)])


def values_asked(query: GapsQuery) -> ValuesQuery:
    """The figures that gaps are made from: those of the level, all of them."""
    return ValuesQuery(
        cities=[query.city],
        surveys=[] if query.survey is None else [query.survey],
        indicators=[query.indicator],
        level=query.level,
        counted=query.counted or "households",
        access=query.access,
        seen=query.seen,
        geometry=query.geometry,
        page=PageRequest(limit=None),
    )


def check_gaps(connection: Connection, query: GapsQuery, catalogue: Catalogue) -> None:
    """Refuses gaps of what is not there, or cannot be ranked.

    Raises:
        InvalidParameters: as find_gaps.
    """
    _check_indicator(catalogue, query.indicator)
    check_filters(connection, values_asked(query), catalogue)
    _check_target(query.target)


Middles = Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Finds longitudes and latitudes of a point in each settlement, NaN without one."""


def rank(query: GapsQuery, definition: Definition, whole: pd.DataFrame, middles_of: Middles) -> GapsPage:
    """The page asked for of all figures of the level, ranked, with COLUMNS among their columns.

    `whole` has figures with what they are kept in order by (`_code`), and their value and population as to_target is
    made from them (`_value`, `_population`).
    """
    ranked, hot_spots = _ranked(query, definition, whole, middles_of)
    shown, next_cursor = _cut(ranked, query.page)
    return GapsPage(shown, len(ranked), next_cursor, hot_spots)


def _check_indicator(catalogue: Catalogue, indicator: str) -> None:
    """Only shares of a thing that is good or bad can be ranked."""
    found = [d.id for d in catalogue.newest.values() if d.measure == "share" and d.direction != "report"]
    if indicator not in found:
        told = (
            Message("indicator_not_rankable", indicator=indicator, known=found)
            if indicator in catalogue.newest
            else Message("indicators_unknown", unknown=[shortened(indicator)], known=found)
        )
        raise InvalidParameters([InvalidParameter("indicator", told)])


def _check_target(target: float | None) -> None:
    if target is not None and not 0 <= target <= PERCENT:
        raise InvalidParameters([InvalidParameter("target", "target_out_of_range")])


def _ranked(
    query: GapsQuery, definition: Definition, whole: pd.DataFrame, middles_of: Middles
) -> tuple[pd.DataFrame, HotSpots]:
    """All figures of the level with their ranks, what the target takes, and hot spots, in their order."""
    numbers = ["value", "unserved", "_value", "_population"]
    gaps = whole.reindex(columns=[*whole.columns.union(numbers, sort=False)]).astype(dict.fromkeys(numbers, float))
    is_down = definition.direction == "down"
    gaps["direction"] = definition.direction
    gaps["rank_unserved"] = gaps["unserved"].rank(method="min", ascending=False)
    gaps["rank_coverage"] = gaps["value"].rank(method="min", ascending=not is_down)
    gaps["target"] = np.nan if query.target is None else query.target
    published = gaps["status"] == "published"
    gaps["to_target"] = _to_target(query, gaps, is_down=is_down).where(published)
    hot_spots = _hot_spots(query, gaps, middles_of, is_down=is_down)
    is_public = query.access == "public"
    # Adding nothing makes a zero of a negative zero.
    gaps["gi_z"] = hot_spots.z.round(1 if is_public else 4) + 0.0
    gaps["gi_p"] = d.rounded_p_values(hot_spots.p, query.access)
    gaps["hot_spot"] = hot_spots.kind
    gaps["hot_spot_reason"] = pd.Series(hot_spots.reason, index=gaps.index, dtype=object).where(
        published, gaps["reason"]
    )
    gaps["_key"] = _order(gaps)
    return gaps.sort_values("_key", ignore_index=True), hot_spots


def _to_target(query: GapsQuery, gaps: pd.DataFrame, *, is_down: bool) -> "pd.Series[float]":
    """How many are still to be reached, or to be freed of a bad thing, until the target is met; 0 where it is."""
    gap = gaps["_value"] - gaps["target"] if is_down else gaps["target"] - gaps["_value"]
    missing = gaps["_population"] * gap.clip(lower=0) / PERCENT
    if query.access == "public":
        return pd.Series(d.rounded_counts(missing.to_numpy(dtype=np.float64)), index=gaps.index)
    # With one fewer the target would not be met.
    return (missing - _SLACK).clip(lower=0).pipe(np.ceil)


def _hot_spots(query: GapsQuery, gaps: pd.DataFrame, middles_of: Middles, *, is_down: bool) -> HotSpots:
    """Hot and cold spots among the settlements: of need, so that hot is bad whichever way the indicator goes."""
    value = gaps["value"].to_numpy(dtype=np.float64)
    if query.level != "settlement":
        return no_hot_spots(~np.isnan(value), d.SETTLEMENTS_ONLY)
    return find_hot_spots(value if is_down else PERCENT - value, *middles_of())


def _order(gaps: pd.DataFrame) -> list[str]:
    """A text for each gap by which they are ordered, and which a cursor holds."""
    rows = zip(gaps["rank_unserved"], gaps["status"], gaps["_code"], strict=True)
    return [
        f"{0 if rank > 0 else 1 if status == 'published' else 2}{int(np.nan_to_num(rank)):09} {code}"
        for rank, status, code in rows
    ]


def _cut(gaps: pd.DataFrame, page: PageRequest) -> tuple[pd.DataFrame, str | None]:
    """The page asked for, and the cursor of the next."""
    if page.cursor is not None:
        (after,) = decode_cursor(page.cursor, 1)
        gaps = gaps[gaps["_key"] > after]
    if page.limit is None or len(gaps) <= page.limit:
        return gaps.reset_index(drop=True), None
    shown = gaps.iloc[: page.limit].reset_index(drop=True)
    return shown, encode_cursor([shown["_key"].iloc[-1]])
