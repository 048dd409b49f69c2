"""What a round's former publications said, held against the next one: which figures stay, so that few are not told."""

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from geo.database.schema.publications import (
    publication,
    publication_counts,
    published_block,
    published_figure,
    published_place,
)
from geo.indicators.figures import NO_WARD, OTHER, Level, Told
from geo.indicators.figures.compute import NUMBERS
from geo.indicators.figures.disclosure.differences import COUNTS, NONE, Counted, Kept, Places, find_kept
from geo.indicators.figures.disclosure.rules import PROTECTED

Numbers = NDArray[np.intp]

_SETTLEMENTS: Level = "settlement"

# Of counts as they are kept: a field's blocks stand together, and are read without the others.
_ROWS_OF_GROUP = 100_000

KEYS = ("block", "place", "group_name")
"""What names a stored figure in its publication."""

Name = tuple[str, str, Level, str]
"""An indicator, what is counted, a level and the code of a place."""


class Numbering(NamedTuple):
    """The numbers that the first of some blocks and the first place of each level have in a publication."""

    first_block: int
    first_place: Mapping[Level, int]


class Stored(NamedTuple):
    """Figures as published_figure has them, and the `counts` of settlements they are made from: see Former."""

    figures: pd.DataFrame
    counts: pd.DataFrame


class _Block(NamedTuple):
    """A block of a former publication: its number there, its definition's version, and its groups."""

    number: int
    version: int
    groups: frozenset[str]


@dataclass(frozen=True)
class Former:
    """A former publication of a round, also one that has been superseded or taken back: people have read it."""

    id: int
    number: int
    blocks: Mapping[tuple[str, str, str], _Block]
    """By group field, indicator and what is counted."""
    places: Mapping[tuple[str, str], int]
    """The numbers of its places by level and code."""
    wards: Mapping[str, str | None]
    """The ward of each settlement."""
    hidden: frozenset[str]
    """The settlements that are protected in some figure of all their households."""
    kept_counts: bytes

    def counts(self, blocks: Collection[int]) -> pd.DataFrame:
        """block, place, group_name and differences.COUNTS of some blocks, of settlements."""
        # A list of none is no filter that could be asked for.
        chosen = [("block", "in", sorted(blocks) or [NONE])]
        return pd.read_parquet(io.BytesIO(self.kept_counts), filters=chosen)


def as_kept(counts: pd.DataFrame) -> bytes:
    """What Former.counts reads, as it is stored."""
    sink = io.BytesIO()
    counts.sort_values(["block", "place"], kind="stable").to_parquet(
        sink, index=False, compression="zstd", row_group_size=_ROWS_OF_GROUP
    )
    return sink.getvalue()


def read_former(connection: Connection, survey_id: int, number: int | None = None) -> list[Former]:
    """The publications of a round, or the one of a `number`, of which is known what they were made from.

    The newest stands first.
    """
    rows = (
        select(publication.c.id, publication.c.number, publication_counts.c.counts)
        .join(publication_counts, publication_counts.c.publication_id == publication.c.id)
        .where(publication.c.survey_id == survey_id)
        .order_by(publication.c.number.desc())
    )
    if number is not None:
        rows = rows.where(publication.c.number == number)
    return [_read(connection, row.id, row.number, row.counts) for row in connection.execute(rows).all()]


def _read(connection: Connection, publication_id: int, number: int, kept_counts: bytes) -> Former:
    block, place, figure = published_block.c, published_place.c, published_figure.c
    blocks = connection.execute(select(published_block).where(block.publication_id == publication_id)).all()
    named = select(place.level, place.code, place.place, place.ward_code).where(place.publication_id == publication_id)
    places = connection.execute(named).all()
    hidden = (
        select(figure.place)
        .distinct()
        .where(figure.publication_id == publication_id, figure.group_name == "", figure.reason == PROTECTED)
    )
    protected = set(connection.execute(hidden).scalars())
    of_settlements = [row for row in places if row.level == _SETTLEMENTS]
    return Former(
        publication_id,
        number,
        {
            (row.group_field, row.indicator_id, row.counted): _Block(
                row.block, row.definition_version, frozenset(row.groups)
            )
            for row in blocks
        },
        {(row.level, row.code): row.place for row in places},
        {row.code: row.ward_code for row in of_settlements},
        frozenset(row.code for row in of_settlements if row.place in protected),
        kept_counts,
    )


@dataclass(frozen=True)
class KeptFigures:
    """What stays of the figures of some blocks.

    `rows`: block, place (as `told` numbers them), level, and of which former publication (an index), or NONE where none
    has figures that fit: then they are withheld.
    """

    rows: pd.DataFrame
    kept: Kept


def find_kept_figures(
    told: Told, former: Sequence[Former], whole: tuple[Told, KeptFigures] | None = None
) -> KeptFigures:
    """Which of the figures of a round stay as a former publication has them.

    Args:
        told: what the next publication would say, as a whole or by the groups of a field.
        former: the former publications, the newest first; at least one.
        whole: where `told` is of groups, what is said of the same round as a whole, and what stays of that.
    """
    settlements = _settlements(told, former)
    groups = _groups(told, former)
    places = _places(told, former, settlements)
    shape = (len(told.blocks), len(settlements), len(set(groups.values())))
    at = {code: number for number, code in enumerate(settlements)}
    now = Counted(
        _arrays(told.counts, told.counts["block"], told.counts["place"], told.counts["group"], groups, shape),
        np.ones(len(told.blocks), dtype=bool),
    )
    scale = [each.definition.total_weight if each.definition.score == "count" else 1.0 for each in told.blocks]
    (_, plan), *_ = told.table.plans
    kept = find_kept(
        now,
        [partial(_counted, told, each, at, groups, shape) for each in former],
        np.array(scale, dtype=np.float64),
        places,
        plan,
        None if whole is None else _renumbered(*whole, told),
    )
    return KeptFigures(_rows(told, former, kept), kept)


def _settlements(told: Told, former: Sequence[Former]) -> list[str]:
    """The codes of all settlements there are, by their numbers, and of those there were."""
    there = told.table.places["code"].tolist()
    gone = {code for each in former for code in each.wards} - set(there)
    return [*there, *sorted(gone)]


def _groups(told: Told, former: Sequence[Former]) -> dict[str, int]:
    """The number of each group's name among those told apart alike in all publications; all others are one."""
    keys = [(told.group_field, each.definition.id, each.counted) for each in told.blocks]
    there = [each.blocks[key].groups for each in former for key in keys if key in each.blocks]
    own = [frozenset(names) for names in told.groups.values()]
    every = [*own, *there]
    alike = frozenset.intersection(*every) - {OTHER} if every else frozenset()
    names = sorted(frozenset.union(*every)) if every else []
    numbers = {name: number for number, name in enumerate(sorted(alike))}
    return {name: numbers.get(name, len(numbers)) for name in [*names, *set(told.counts["group"])]}


def _places(told: Told, former: Sequence[Former], settlements: Sequence[str]) -> Places:
    wards = told.table.wards["code"].tolist()
    ward = [int(number) for number in told.table.places["ward"]]
    n_there = len(ward)
    newest = former[0]
    for code in settlements[n_there:]:
        lay_in = next(each.wards[code] for each in former if code in each.wards)
        ward.append(wards.index(lay_in) if lay_in in wards else NO_WARD)
    was_hidden = [i >= n_there and any(code in each.hidden for each in former) for i, code in enumerate(settlements)]
    figures = told.figures[_SETTLEMENTS]
    protected = set(figures.loc[figures["reason"] == PROTECTED, "settlement_code"]) | newest.hidden
    moved = {
        code
        for code, number in zip(settlements[:n_there], ward, strict=False)
        if code in newest.wards and newest.wards[code] != (None if number == NO_WARD else wards[number])
    }
    return Places(np.array(ward, dtype=np.intp), len(wards), np.array(was_hidden, dtype=bool), bool(moved & protected))


def _arrays(
    counts: pd.DataFrame,
    block: "pd.Series[int]",
    place: "pd.Series[int]",
    group: "pd.Series[str]",
    groups: Mapping[str, int],
    shape: tuple[int, int, int],
) -> dict[str, NDArray[np.float64]]:
    """COUNTS as arrays by block, place and group."""
    at = np.ravel_multi_index((block.to_numpy(), place.to_numpy(), group.map(groups).to_numpy()), shape)
    size = int(np.prod(shape))
    return {
        name: np.bincount(at, counts[name].to_numpy(dtype=np.float64), size).astype(np.float64).reshape(shape)
        for name in COUNTS
    }


def _counted(
    told: Told, of: Former, at: Mapping[str, int], groups: Mapping[str, int], shape: tuple[int, int, int]
) -> Counted:
    """The counts of a former publication, in the numbers of the next one."""
    keys = [(told.group_field, each.definition.id, each.counted) for each in told.blocks]
    blocks = {of.blocks[key].number: number for number, key in enumerate(keys) if key in of.blocks}
    places = {number: at[code] for (level, code), number in of.places.items() if level == _SETTLEMENTS}
    counts = of.counts(blocks)
    arrays = _arrays(
        counts, counts["block"].map(blocks), counts["place"].map(places), counts["group_name"], groups, shape
    )
    return Counted(arrays, np.array([key in of.blocks for key in keys], dtype=bool))


def _renumbered(whole: Told, kept: KeptFigures, told: Told) -> dict[str, pd.DataFrame]:
    """Why places as a whole stay, for the blocks of `told`, which are some of the round's."""
    numbers = {(each.definition.id, each.counted): number for number, each in enumerate(told.blocks)}
    found = [numbers.get((each.definition.id, each.counted), NONE) for each in whole.blocks]
    renumbered = {}
    for level, frame in kept.kept.reasons.items():
        block = np.array(found, dtype=np.intp)[frame["block"].to_numpy(dtype=np.intp)]
        renumbered[level] = frame.assign(block=block)[block != NONE]
    return renumbered


def _rows(told: Told, former: Sequence[Former], kept: Kept) -> pd.DataFrame:
    """Which figures stay, of those there are."""
    found = []
    for level, names in _codes(told).items():
        block, place = np.nonzero(kept.keeps[level][:, : len(names)])
        of = kept.former[level][block, place]
        at = zip(of.tolist(), block.tolist(), place.tolist(), strict=True)
        fits = [_fits(told, former, *each, level, names) for each in at]
        frame = pd.DataFrame({"block": block, "place": place, "level": level, "former": np.where(fits, of, NONE)})
        found.append(frame)
    return pd.concat(found, ignore_index=True)


def _fits(
    told: Told, former: Sequence[Former], of: int, block: int, place: int, level: Level, names: Sequence[str]
) -> bool:
    """Whether a former publication has the figures of a block and place, by the same definition and groups."""
    if of == NONE:
        return False
    each = told.blocks[block]
    was = former[of].blocks[told.group_field, each.definition.id, each.counted]
    same_groups = was.groups == frozenset(told.groups.get(block, ()))
    return was.version == each.definition.version and same_groups and (level, names[place]) in former[of].places


def names_of(told: Told, kept: KeptFigures) -> set[Name]:
    """What the figures are of that stay."""
    codes = _codes(told)
    return {
        (told.blocks[row.block].definition.id, told.blocks[row.block].counted, row.level, codes[row.level][row.place])
        for row in kept.rows.itertuples()
    }


def put_former(
    connection: Connection,
    made: Stored,
    kept: KeptFigures,
    told: Told,
    numbering: Numbering,
    former: Sequence[Former],
) -> Stored:
    """The figures and counts with those in their place that stay as they were; what has no former is withheld."""
    if kept.rows.empty:
        return made
    codes, rows = _codes(told), kept.rows
    first = rows["level"].map(numbering.first_place).astype(int)
    stay = pd.DataFrame(
        {
            "block": rows["block"] + numbering.first_block,
            "place": rows["place"] + first,
            "former": rows["former"],
            "level": rows["level"],
            "code": [codes[level][place] for level, place in zip(rows["level"], rows["place"], strict=True)],
            "key": [
                (told.group_field, told.blocks[block].definition.id, told.blocks[block].counted)
                for block in rows["block"]
            ],
        }
    )
    keys = ["block", "place"]
    of_figures = made.figures[keys].merge(stay[[*keys, "former"]], on=keys, how="left")["former"].to_numpy()
    figures = [made.figures[np.isnan(of_figures)]]
    if not told.group_field:
        lost = made.figures[of_figures == NONE]
        nothing = dict.fromkeys((*NUMBERS, "kept_from"), np.nan)
        figures.append(lost.assign(**nothing, flags=None, reason=PROTECTED))
    # What a withheld figure is made from is nothing that anybody could compare.
    of_counts = made.counts[keys].merge(stay[[*keys, "former"]], on=keys, how="left")["former"].to_numpy()
    counts = [made.counts[np.isnan(of_counts) | (of_counts == NONE)]]
    for number, of_former in stay[stay["former"] != NONE].groupby("former"):
        each = former[int(number)]
        was = pd.DataFrame(
            {
                "was_block": [each.blocks[key].number for key in of_former["key"]],
                "was_place": [each.places[at] for at in zip(of_former["level"], of_former["code"], strict=True)],
                **{name: of_former[name].to_numpy() for name in keys},
            }
        )
        figures.append(_renamed(_read_figures(connection, each, was), was))
        counts.append(_renamed(each.counts(set(was["was_block"])), was))
    return Stored(
        pd.concat([part for part in figures if len(part)], ignore_index=True).sort_values(list(KEYS), kind="stable"),
        pd.concat(counts, ignore_index=True),
    )


def _renamed(rows: pd.DataFrame, was: pd.DataFrame) -> pd.DataFrame:
    """The rows of a former publication that are of these blocks and places, with their numbers in the next one."""
    found = rows.rename(columns={"block": "was_block", "place": "was_place"}).merge(was, on=["was_block", "was_place"])
    return found.drop(columns=["was_block", "was_place"])


def _read_figures(connection: Connection, of: Former, was: pd.DataFrame) -> pd.DataFrame:
    figure = published_figure.c
    columns = [figure[name] for name in (*KEYS, *NUMBERS, "method", "reason", "kept_from", "flags")]
    blocks, places = (sorted(set(was[name].tolist())) for name in ("was_block", "was_place"))
    asked = select(*columns).where(
        figure.publication_id == of.id, figure.block == func.any(blocks), figure.place == func.any(places)
    )
    rows = pd.DataFrame(connection.execute(asked).all(), columns=[column.name for column in columns])
    numbers = {name: rows[name].astype(float) for name in (*NUMBERS, "kept_from")}
    # What was kept before says so with the number it was first published by.
    numbers["kept_from"] = numbers["kept_from"].fillna(float(of.number))
    return rows.assign(**numbers)


def _codes(told: Told) -> dict[Level, list[str]]:
    return {
        "settlement": told.table.places["code"].tolist(),
        "ward": told.table.wards["code"].tolist(),
        "city": [""],
    }
