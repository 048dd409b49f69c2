"""Reading published figures: as they were made, filtered and cut, in the order of their keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select
from sqlalchemy.sql import ColumnElement

from geo.base import Listing, decode_cursor, encode_cursor
from geo.database.schema.places import city
from geo.database.schema.publications import publication, published_place
from geo.database.schema.surveys import survey
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import read_catalogue
from geo.indicators.figures import FigurePage, ValuesQuery
from geo.indicators.figures.query import check_filters
from geo.places import as_wkb, read_shape
from geo.publications.chosen import AFTER, Chosen, FigureKey, IsAsked, choose
from geo.publications.current import CurrentPublication, current_publications
from geo.publications.rows import INTERNAL, FoundRow, frame, read_figures, shapes_of, told


def find_published_values(connection: Connection, query: ValuesQuery) -> FigurePage:
    """The published figures asked for, in the order of city, round, indicator, place and group.

    Raises:
        InvalidParameters: as geo.indicators.figures.find_values.
    """
    page = _page(connection, _chosen(connection, query), query)
    shown = add_shapes(connection, page.figures) if query.geometry else page.figures
    return replace(page, figures=shown.drop(columns=list(INTERNAL)))


@dataclass(frozen=True)
class FigureList(Listing):
    """Figures as rows of plain values, those of VALUE_COLUMNS; the shape of each as GeoJSON where it was asked for."""

    shapes: Sequence[str | None] | None = None


def list_published_values(connection: Connection, query: ValuesQuery) -> FigureList:
    """The same figures, told.

    Raises:
        InvalidParameters: as find_published_values.
    """
    of = _chosen(connection, query)
    found, next_cursor = _read(connection, of, query)
    shapes = [*_shapes(connection, found)] if query.geometry else None
    return FigureList(told(found), _total(of), next_cursor, shapes)


def read_page(
    connection: Connection,
    publications: Sequence[CurrentPublication],
    query: ValuesQuery,
    is_asked: IsAsked | None = None,
) -> FigurePage:
    """A page of the figures asked for, or of the blocks that `is_asked` takes; INTERNAL stands beside."""
    return _page(connection, [choose(connection, each, query, is_asked) for each in publications], query)


def _page(connection: Connection, of: Sequence[Chosen], query: ValuesQuery) -> FigurePage:
    found, next_cursor = _read(connection, of, query)
    return FigurePage(frame(found), _total(of), next_cursor)


def _total(of: Sequence[Chosen]) -> int:
    return sum(chosen.total for chosen in of)


def _chosen(connection: Connection, query: ValuesQuery) -> list[Chosen]:
    """The figures asked for, by the publications they are of.

    Raises:
        InvalidParameters: as find_published_values.
    """
    publications = current_publications(connection, query.cities, query.surveys, query.publication)
    _check_number(connection, query, publications)
    of = [choose(connection, each, query) for each in publications]
    if not _names_what_is_there(of, query):
        check_filters(connection, query, read_catalogue(connection))
    return of


def _check_number(connection: Connection, query: ValuesQuery, publications: Sequence[CurrentPublication]) -> None:
    """Refuses the number of a publication that the round does not have.

    Raises:
        InvalidParameters: with the numbers there are.
    """
    if query.publication is None or publications:
        return
    check_filters(connection, query, read_catalogue(connection))
    of_round = (
        select(publication.c.number)
        .join(survey, survey.c.id == publication.c.survey_id)
        .join(city, city.c.id == survey.c.city_id)
        .where(city.c.slug.in_(query.cities), survey.c.slug.in_(query.surveys), publication.c.state != "retracted")
    )
    known = [str(number) for number in sorted(connection.execute(of_round).scalars())]
    problem = InvalidParameter("publication", "publication_not_there", number=query.publication, known=known)
    raise InvalidParameters([problem])


def _names_what_is_there(of: Sequence[Chosen], query: ValuesQuery) -> bool:
    """Whether each name in the filters of a query is one of what was found: then there is nothing to refuse."""
    if query.by or query.publication or (query.settlements and query.level != "settlement"):
        return False
    of_rounds = {*query.cities} <= {each.publication.city for each in of}
    of_rounds &= {*query.surveys} <= {each.publication.survey for each in of}
    # Found in one of the rounds is enough; where each is in another, somebody looks again.
    indicators, settlements = len({*query.indicators}), len({*query.settlements})
    return of_rounds and any(
        each.total and len(each.blocks) >= indicators and (not settlements or len(each.places) == settlements)
        for each in of
    )


_LARGEST_PART = 5_000
"""Figures that are read at once."""


def _read(connection: Connection, of: Sequence[Chosen], query: ValuesQuery) -> tuple[list[FoundRow], str | None]:
    """The figures of a page, from one publication after another until it is full, and the cursor of the next page."""
    after = None if query.page.cursor is None else decode_cursor(query.page.cursor, _ROUND + AFTER)
    keys = _keys(of, after)
    found: list[FoundRow] = []
    left = _total(of) if query.page.limit is None else query.page.limit
    last: list[str] = []
    while part := [*islice(keys, min(left, _LARGEST_PART))]:
        for chosen, of_one in groupby(part, key=itemgetter(0)):
            found += read_figures(connection, chosen, [key for _, key in of_one])
        left -= len(part)
        chosen, key = part[-1]
        last = [*chosen.publication.key, *key.after]
    return found, encode_cursor(last) if last and next(keys, None) is not None else None


_ROUND = 3
"""How many parts of a cursor stand before FigureKey.after: CurrentPublication.key."""


def _keys(of: Sequence[Chosen], after: Sequence[str] | None) -> Iterator[tuple[Chosen, FigureKey]]:
    """The keys of all figures in order, each with what it is of, from the first one after a cursor."""
    for chosen in of:
        key = chosen.publication.key
        if after is not None and key < [*after[:_ROUND]]:
            continue
        is_within = after is not None and key == [*after[:_ROUND]]
        for each in chosen.keys(after[_ROUND:] if after is not None and is_within else None):
            yield chosen, each


def _shapes(connection: Connection, found: Sequence[FoundRow]) -> Iterator[str | None]:
    """The shape of each figure's place as GeoJSON."""
    for chosen, of_one in groupby(found, key=itemgetter(0)):
        numbers = [row.key.place.number for row in of_one]
        shapes = shapes_of(connection, chosen.publication.id, {*numbers})
        yield from (shapes[number] for number in numbers)


def add_shapes(connection: Connection, figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with a column `geometry`: the shapes of their places; None without one."""
    places = list(zip(figures["_publication_id"], figures["_place"], strict=True))
    rows = connection.execute(_of_places(places, as_wkb(published_place.c.geom)))
    shapes = {(row[0], row[1]): read_shape(row[2]) for row in rows}
    return figures.assign(geometry=pd.Series([shapes[place] for place in places], index=figures.index, dtype=object))


def middles(connection: Connection, figures: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of a point inside each figure's place; NaN without a shape."""
    places = list(zip(figures["_publication_id"], figures["_place"], strict=True))
    point = published_place.c.point
    rows = connection.execute(_of_places(places, func.ST_X(point), func.ST_Y(point)))
    found = {(row[0], row[1]): row[2:] for row in rows}
    at = np.array([found[place] for place in places], dtype=np.float64).reshape(-1, 2)
    return at[:, 0], at[:, 1]


def _of_places(places: Sequence[tuple[int, int]], *columns: ColumnElement[Any]) -> Select[Any]:
    """What is asked of the places of figures, after their publication and number."""
    place = published_place.c
    publications = sorted({publication_id for publication_id, _ in places})
    numbers = sorted({number for _, number in places})
    return select(place.publication_id, place.place, *columns).where(
        place.publication_id == func.any(publications), place.place == func.any(numbers)
    )
