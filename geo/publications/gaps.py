"""Gaps: the places of a published round, ranked by what is published of them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import GAP_COLUMNS, GapsPage, GapsQuery
from geo.indicators.figures.columns import frame_names
from geo.indicators.figures.gaps import check_gaps, rank, values_asked
from geo.messages import Message
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.values import add_shapes, middles, read_page


def find_published_gaps(connection: Connection, query: GapsQuery) -> GapsPage:
    """The gaps of every settlement or ward of a city in one indicator and published round.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_gaps.
    """
    catalogue = read_catalogue(connection)
    check_gaps(connection, query, catalogue)
    asked = values_asked(query)
    newest = publications_there_are(connection, query.city, asked.surveys)[-1]
    whole = read_page(connection, [newest], asked).figures
    # What a target takes is counted from what is published.
    whole = whole.assign(_value=whole["value"], _population=whole["population"])
    page = rank(query, catalogue.find([query.indicator])[0], whole, lambda: middles(connection, whole))
    if query.geometry:
        shown = add_shapes(connection, page.figures)
        return replace(page, figures=shown[[*frame_names(GAP_COLUMNS), "geometry"]])
    return replace(page, figures=page.figures[list(frame_names(GAP_COLUMNS))])


def publications_there_are(connection: Connection, city: str, surveys: Sequence[str] = ()) -> list[CurrentPublication]:
    """The current publications of a city, in the order of their rounds: one at least.

    Raises:
        InvalidParameters: the city has none yet.
    """
    found = current_publications(connection, [city], surveys)
    if not found:
        raise InvalidParameters([InvalidParameter("city", Message("city_without_published_round", city=city))])
    return found
