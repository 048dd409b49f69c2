"""Trends: the straight line through a place's figures of three rounds or more.

A trend is made from figures as their reader sees them, withheld ones left out: it cannot tell more than they do.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from geo.base import PageRequest
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import Catalogue, Counted, read_catalogue
from geo.indicators.figures.blocks import Block
from geo.indicators.figures.columns import TREND_COLUMNS, frame_names
from geo.indicators.figures.compute import finish
from geo.indicators.figures.disclosure import rules as d
from geo.indicators.figures.estimate import trend
from geo.indicators.figures.query import ValuesQuery, check_filters, find_blocks, rounds_there_are
from geo.indicators.figures.rollup import Level
from geo.indicators.figures.values import DATES, FigurePage, named, page_of, read_exact
from geo.messages import shortened
from geo.surveys import Seen

COLUMNS = frame_names(TREND_COLUMNS)
"""The columns of trends."""

MIN_ROUNDS = 3
"""Two figures are a change."""

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class TrendsQuery:
    """Which trends of a city are asked for, and by whom. An empty filter lets everything through."""

    city: str
    indicators: Sequence[str] = ()
    settlements: Sequence[str] = ()
    level: Level = "settlement"
    counted: Counted | None = None
    """None: each indicator's headline level."""
    allow_break: bool = False
    access: d.Access = "public"
    seen: Seen = "published"
    page: PageRequest = field(default_factory=PageRequest)


class _Point(NamedTuple):
    """A published figure of a place in one round."""

    survey: str
    on: date
    starts_on: str
    ends_on: str
    value: float
    version: int
    drawn: str
    mode: tuple[str, str]
    flags: tuple[str, ...]


class RoundShown(NamedTuple):
    """The figures of a round as their reader sees them, the middle of its days, and how it was surveyed."""

    figures: pd.DataFrame
    on: date
    mode: tuple[str, str]


_Series = Mapping[tuple[str, str], Sequence[_Point]]
"""The published figures by indicator and place, in the order of time."""


def find_trends(connection: Connection, query: TrendsQuery) -> FigurePage:
    """The trend of each share and place of a city over all rounds with a published figure, three at least.

    The figures have the columns COLUMNS: the slope in points a year, the line's value at the last of the rounds, held
    within 0 and 100, and the rounds with their values; starts_on and ends_on are the first and the last day of them
    all. `on` is the middle of a round's days. Across a change of definition, boundary or way of surveying nothing is
    said, unless `allow_break`, which marks it.

    Raises:
        InvalidParameters: a filter names something that is not there, an indicator is no share, or the city has no
            round yet; the message names what is allowed.
    """
    catalogue = read_catalogue(connection)
    asked = values_asked(query, catalogue)
    check_filters(connection, asked, catalogue)
    rounds = rounds_there_are(connection, asked)
    middle_of = _middles(connection, [r.survey_id for r in rounds])
    blocks = find_blocks(connection, asked, catalogue, rounds)
    newest = [block for block in blocks if block.round == rounds[-1]]

    def rows_of(chosen: list[Block]) -> pd.DataFrame:
        wanted = {block.definition.id for block in chosen}
        of_rounds = []
        for of_round in rounds:
            of_blocks = [b for b in blocks if b.round == of_round and b.definition.id in wanted]
            shown = _shown(connection, of_blocks, asked)
            of_rounds.append(RoundShown(shown, middle_of[of_round.survey_id], (of_round.mode, of_round.unit)))
        return draw_lines(of_rounds[-1].figures, of_rounds, catalogue, query)

    page = page_of(connection, asked, newest, rows_of)
    return replace(page, figures=page.figures.reindex(columns=list(COLUMNS)))


def values_asked(query: TrendsQuery, catalogue: Catalogue) -> ValuesQuery:
    """The figures of each round that trends are made from.

    Raises:
        InvalidParameters: an indicator is no share.
    """
    return ValuesQuery(
        cities=[query.city],
        indicators=_shares(catalogue, query.indicators),
        settlements=query.settlements,
        level=query.level,
        counted=query.counted,
        access=query.access,
        seen=query.seen,
        page=query.page,
    )


def _shares(catalogue: Catalogue, asked: Sequence[str]) -> list[str]:
    """The indicators asked for, which must be shares; all that are where none is."""
    shares = [d.id for d in catalogue.newest.values() if d.measure == "share"]
    problems = [
        InvalidParameter("indicator", "indicator_without_trend", indicator=i, known=shares)
        if i in catalogue.newest
        else InvalidParameter("indicator", "indicators_unknown", unknown=[shortened(i)], known=shares)
        for i in asked
        if i not in shares
    ]
    if problems:
        raise InvalidParameters(problems)
    return list(asked) or shares


def _middles(connection: Connection, survey_ids: Sequence[int]) -> dict[int, date]:
    """The middle of each round's days."""
    rows = connection.execute(
        select(survey.c.id, survey.c.starts_on, survey.c.ends_on).where(survey.c.id == func.any(list(survey_ids)))
    )
    return {int(row.id): row.starts_on + (row.ends_on - row.starts_on) // 2 for row in rows}


def _shown(connection: Connection, blocks: list[Block], asked: ValuesQuery) -> pd.DataFrame:
    """One round's figures as its reader sees them."""
    table, exact = read_exact(connection, blocks, asked)
    return named(finish(exact), table, asked.level)


def draw_lines(
    newest: pd.DataFrame, rounds: Sequence[RoundShown], catalogue: Catalogue, query: TrendsQuery
) -> pd.DataFrame:
    """The places of the newest round's figures with their trends through the figures of all rounds."""
    points: dict[tuple[str, str], list[_Point]] = defaultdict(list)
    for each in sorted(rounds, key=lambda shown: shown.on):
        _add_points(points, each.figures, each.on, each.mode)
    return _with_trends(newest, points, catalogue, query)


def _add_points(
    points: dict[tuple[str, str], list[_Point]], shown: pd.DataFrame, on: date, mode: tuple[str, str]
) -> None:
    published = shown[shown["status"] == "published"]
    names = ("indicator", "_code", "survey", *DATES, "value", "definition_version", "_drawn", "flags")
    for indicator, code, slug, starts_on, ends_on, value, version, drawn, flags in zip(
        *(published[n] for n in names), strict=True
    ):
        point = _Point(slug, on, starts_on, ends_on, float(value), int(version), drawn, mode, flags)
        points[indicator, code].append(point)


def _with_trends(figures: pd.DataFrame, points: _Series, catalogue: Catalogue, query: TrendsQuery) -> pd.DataFrame:
    """The places of the newest round with the trends of all."""
    keys = zip(figures["indicator"], figures["_code"], figures["definition_version"], strict=True)
    said = [{"definition_version": version} | _of_place(points.get((i, code), ()), query) for i, code, version in keys]
    # As objects, so that what is missing stays None whatever else is on the page.
    found = pd.DataFrame(said, index=figures.index, dtype=object)
    found = found.astype({"definition_version": int, "slope_per_year": float, "fitted": float})
    directions = [catalogue.newest[i].direction for i in figures["indicator"]]
    return figures.assign(**{str(name): found[name] for name in found}, direction=directions)


def _of_place(points: Sequence[_Point], query: TrendsQuery) -> dict[str, Any]:
    """What is said of one place: its line, or why there is none."""
    broken = _break(points)
    nothing: dict[str, Any] = {
        **{"slope_per_year": np.nan, "fitted": np.nan, "last_survey": None},
        **dict.fromkeys(DATES),
        **{"rounds": (), "flags": (), "status": "withheld"},
    }
    if len({point.on for point in points}) < MIN_ROUNDS:
        return nothing | {"reason": d.FEWER_THAN_3_ROUNDS}
    if broken is not None and not query.allow_break:
        return nothing | {"reason": broken}
    years = np.array([(point.on - points[0].on).days for point in points]) / DAYS_PER_YEAR
    line = trend(years, np.array([point.value for point in points]))
    decimals = 1 if query.access == "public" else 2
    flags = [flag for point in points for flag in point.flags] + ([] if broken is None else ["break_allowed"])
    return {
        "definition_version": points[-1].version,
        "slope_per_year": round(line.slope_per_year, decimals) + 0.0,
        "fitted": round(float(line.fitted[-1]), decimals),
        "last_survey": points[-1].survey,
        # Days as ISO writes them are in the order of time.
        "starts_on": min(point.starts_on for point in points),
        "ends_on": max(point.ends_on for point in points),
        "rounds": tuple(_of_point(point) for point in points),
        "flags": tuple(dict.fromkeys(flags)),
        "status": "published",
        "reason": None,
    }


def _of_point(point: _Point) -> dict[str, Any]:
    """A round of a trend, as it is told."""
    days = {"on": point.on.isoformat(), "starts_on": point.starts_on, "ends_on": point.ends_on}
    return {"survey": point.survey, **days, "value": point.value}


def _break(points: Sequence[_Point]) -> str | None:
    """What keeps the rounds from being compared, if anything."""
    for code, what in (
        (d.DEFINITION_CHANGED, {point.version for point in points}),
        (d.BOUNDARY_CHANGED, {point.drawn for point in points}),
        (d.MODE_CHANGED, {point.mode for point in points}),
    ):
        if len(what) > 1:
            return code
    return None
