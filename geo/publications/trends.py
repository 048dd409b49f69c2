"""Trends: the straight line through what is published of a place in three rounds or more."""

from dataclasses import replace

from sqlalchemy import Connection, func, select, tuple_

from geo.base import PageRequest
from geo.indicators.definitions import Counted, read_catalogue
from geo.indicators.figures import TREND_COLUMNS, FigurePage, TrendsQuery, ValuesQuery
from geo.indicators.figures.columns import frame_names
from geo.indicators.figures.query import check_filters
from geo.indicators.figures.trends import RoundShown, draw_lines, values_asked
from geo.publications.gaps import publications_there_are
from geo.publications.rows import BLOCK, Conditions
from geo.publications.values import CurrentPublication, read_page


def find_published_trends(connection: Connection, query: TrendsQuery) -> FigurePage:
    """The trend of each share and place of a city over all published rounds with a figure, three at least.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_trends.
    """
    catalogue = read_catalogue(connection)
    asked = values_asked(query, catalogue)
    check_filters(connection, asked, catalogue)
    publications = publications_there_are(connection, query.city)
    page = read_page(connection, publications[-1:], asked, blocks_together(connection, publications, asked))
    shown = {*page.figures["indicator"]}
    others = replace(asked, indicators=sorted(shown), page=PageRequest(limit=None))
    if query.level == "settlement":
        others = replace(others, settlements=sorted({*page.figures["_code"]}))
    blocks = blocks_together(connection, publications, others)
    rounds = [
        RoundShown(
            read_page(connection, [each], others, blocks).figures,
            each.starts_on + (each.ends_on - each.starts_on) // 2,
            (each.mode, each.unit),
        )
        for each in (publications if shown else [])
    ]
    drawn = draw_lines(page.figures, rounds, catalogue, query) if shown else page.figures
    return replace(page, figures=drawn.reindex(columns=list(frame_names(TREND_COLUMNS))))


def blocks_together(connection: Connection, publications: list[CurrentPublication], query: ValuesQuery) -> Conditions:
    """The blocks of rounds that are held against each other: they count the same.

    Where a round counts households because sizes of households are not known, all do.
    """
    block = BLOCK.c
    asked = [block.group_field == (query.by or "")]
    if query.indicators:
        asked.append(block.indicator_id.in_(query.indicators))
    if query.version is not None:
        asked.append(block.definition_version == query.version)
    if query.counted is not None:
        return [*asked, block.counted == query.counted]
    headlines = (
        select(block.indicator_id, func.min(block.counted))
        .where(block.publication_id.in_([each.id for each in publications]), block.is_headline, *asked)
        .group_by(block.indicator_id)
    )
    # Of the two, households come first in the alphabet.
    chosen: list[tuple[str, Counted]] = [(row[0], row[1]) for row in connection.execute(headlines)]
    return [*asked, tuple_(block.indicator_id, block.counted).in_(chosen)]
