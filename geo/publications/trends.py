"""Trends: the straight line through what is published of a place in three rounds or more."""

from dataclasses import replace

from sqlalchemy import Connection

from geo.base import PageRequest
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import TREND_COLUMNS, FigurePage, TrendsQuery, ValuesQuery
from geo.indicators.figures.columns import frame_names
from geo.indicators.figures.query import check_filters
from geo.indicators.figures.trends import RoundShown, draw_lines, values_asked
from geo.publications.chosen import IsAsked, asked_by
from geo.publications.contents import PublishedBlock, contents_of
from geo.publications.current import CurrentPublication
from geo.publications.gaps import publications_there_are
from geo.publications.values import read_page


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


def blocks_together(connection: Connection, publications: list[CurrentPublication], query: ValuesQuery) -> IsAsked:
    """Which blocks of rounds are held against each other: they count the same.

    Where a round counts households because sizes of households are not known, all do.
    """
    is_asked = asked_by(query)
    if query.counted is not None:
        return is_asked
    counted: dict[str, str] = {}
    for each in publications:
        for block in contents_of(connection, each.id, each.made_at).blocks.get(query.by or "", ()):
            if is_asked(block):
                # Of the two, households come first in the alphabet.
                counted[block.indicator] = min(block.counted, counted.get(block.indicator, block.counted))

    def is_together(block: PublishedBlock) -> bool:
        is_version = query.version in (None, block.definition_version)
        return is_version and counted.get(block.indicator) == block.counted

    return is_together
