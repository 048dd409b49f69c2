"""Changes: what is published of two rounds, held against each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from geo.base import PageRequest
from geo.database.schema.publications import published_block, published_pair
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import FigurePage, ValuesQuery
from geo.indicators.figures.changes import COLUMNS, check_changes, compare
from geo.publications.chosen import IsAsked
from geo.publications.contents import PublishedBlock, contents_of
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.trends import blocks_together
from geo.publications.values import read_page

_ROUNDS = ["_publication_id", "_publication_id_before"]

_KEYS = ["city", "indicator", "counted", "_code", "_group"]


def find_published_changes(
    connection: Connection, query: ValuesQuery, *, earlier: str, later: str, allow_break: bool = False
) -> FigurePage:
    """The change of each published figure from the round `earlier` to the round `later`.

    All that is said follows from the two figures, but how sure a change of the same households is: that was found out
    when the later of the two publications was made.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_changes.
    """
    check_changes(connection, query, read_catalogue(connection), earlier=earlier, later=later)
    publications = current_publications(connection, query.cities, [earlier, later])
    of_cities = {each.city for each in publications if each.survey == earlier}
    last = [each for each in publications if each.survey == later and each.city in of_cities]
    first = [each for each in publications if each.survey == earlier]
    is_asked = _in_all(connection, first, blocks_together(connection, [*first, *last], query))
    page = read_page(connection, last, query, is_asked)
    shown = page.figures
    if shown.empty:
        return replace(page, figures=shown.reindex(columns=list(COLUMNS)))
    before = _of_same(connection, first, query, shown, is_asked)
    both = shown.merge(before, on=_KEYS, how="left", suffixes=("", "_before"))
    both = _with_rounds(both, first, last)
    changes = compare(_with_pairs(connection, both), query, allow_break=allow_break)
    return replace(page, figures=changes.reindex(columns=list(COLUMNS)))


def _in_all(connection: Connection, publications: list[CurrentPublication], is_asked: IsAsked) -> IsAsked:
    """Which blocks are asked for of indicators that an earlier round has too."""
    there = {
        block.indicator
        for each in publications
        for blocks in contents_of(connection, each.id, each.made_at).blocks.values()
        for block in blocks
    }

    def is_in_all(block: PublishedBlock) -> bool:
        return block.indicator in there and is_asked(block)

    return is_in_all


def _of_same(
    connection: Connection,
    publications: list[CurrentPublication],
    query: ValuesQuery,
    shown: pd.DataFrame,
    is_asked: IsAsked,
) -> pd.DataFrame:
    """The figures of earlier rounds for the same indicators and places as those shown."""
    same = replace(query, indicators=sorted({*shown["indicator"]}), page=PageRequest(limit=None))
    if query.level == "settlement":
        same = replace(same, settlements=sorted({*shown["_code"]}))
    shown_there = {*same.indicators}
    return read_page(
        connection, publications, same, lambda block: block.indicator in shown_there and is_asked(block)
    ).figures


def _with_rounds(both: pd.DataFrame, first: list[CurrentPublication], last: list[CurrentPublication]) -> pd.DataFrame:
    """The rows with their rounds, also where the earlier one has no such place or group."""
    rounds = {"": {each.city: each for each in last}, "_before": {each.city: each for each in first}}
    for name, by_city in rounds.items():
        of_rows = [by_city[slug] for slug in both["city"]]
        both[f"survey{name}"] = [each.survey for each in of_rows]
        both[f"starts_on{name}"] = [each.starts_on.isoformat() for each in of_rows]
        both[f"ends_on{name}"] = [each.ends_on.isoformat() for each in of_rows]
        both[f"surveyed{name}"] = [f"{each.unit} {each.mode}" for each in of_rows]
        both[f"_publication_id{name}"] = [each.id for each in of_rows]
        # What is compared is what is published.
        both[f"shown{name}"], both[f"n_shown{name}"] = both[f"value{name}"], both[f"n{name}"]
        both[f"answering{name}"] = both[f"n{name}"]
    return both


def _with_pairs(connection: Connection, both: pd.DataFrame) -> pd.DataFrame:
    """The rows with how sure the changes of the same households are; 0 pairs where that is not published."""
    pair, block = published_pair.c, published_block.c
    ids = sorted({*both["_publication_id"]}), sorted({*both["_publication_id_before"]})
    rows = connection.execute(
        select(
            pair.to_publication_id.label("_publication_id"),
            pair.from_publication_id.label("_publication_id_before"),
            block.indicator_id.label("indicator"),
            block.counted,
            pair.place.label("_place"),
            pair.n_pairs,
            pair.low.label("pair_low"),
            pair.high.label("pair_high"),
            pair.p_value.label("pair_p"),
        )
        .join(published_block, (block.publication_id == pair.to_publication_id) & (block.block == pair.block))
        .where(pair.to_publication_id.in_(ids[0]), pair.from_publication_id.in_(ids[1]), block.group_field == "")
    )
    found = pd.DataFrame(rows.all(), columns=list(rows.keys()))
    merged = both.merge(found, on=[*_ROUNDS, "indicator", "counted", "_place"], how="left")
    numbers = {name: merged[name].astype(float) for name in ("n_pairs", "pair_low", "pair_high", "pair_p")}
    is_paired = numbers["n_pairs"].notna()
    return merged.assign(
        **numbers | {"n_pairs": numbers["n_pairs"].fillna(0.0)},
        is_paired=is_paired,
        pair_change=np.nan,
        pair_without_df=is_paired & numbers["pair_low"].isna(),
    )
