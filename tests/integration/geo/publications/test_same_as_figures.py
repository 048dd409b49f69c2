"""What is published is what figures say to the public at that moment, whichever way they are asked for."""

from collections.abc import Iterator

import pandas as pd
import pytest
from sqlalchemy import Connection

from geo import database
from geo.base import PageRequest
from geo.indicators.figures import (
    GapsQuery,
    TrendsQuery,
    ValuesQuery,
    find_changes,
    find_gaps,
    find_trends,
    find_values,
)
from geo.publications import (
    find_published_changes,
    find_published_gaps,
    find_published_trends,
    find_published_values,
)
from tests.support.published_city import CITY, SmallCity

WHOLE = PageRequest(limit=None)
TOILETS = ("household_toilet", "tenure_documented")


@pytest.fixture(scope="module")
def reading(small_city: SmallCity) -> Iterator[Connection]:
    engine = database.create_engine(small_city.url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def same(figures: pd.DataFrame, published: pd.DataFrame) -> None:
    """Holds that both have the same columns and rows, told as a reader is told them."""
    assert list(published.columns) == list(figures.columns)
    assert len(published) == len(figures) > 0
    for name in figures.columns:
        assert _told(published[name]) == _told(figures[name]), name


def _told(column: pd.Series) -> list[str]:
    return [str(None if missing else value) for value, missing in zip(column, column.isna(), strict=True)]


@pytest.mark.parametrize(
    "query",
    [
        ValuesQuery(page=WHOLE),
        ValuesQuery(level="ward", page=WHOLE),
        ValuesQuery(level="city", counted="persons", page=WHOLE),
        ValuesQuery(settlements=["S03", "S04"], indicators=TOILETS, surveys=["2024"], page=WHOLE),
        *(
            ValuesQuery(by=by, indicators=TOILETS, surveys=["2024"], level=level, page=WHOLE)
            for by in ("head_sex", "has_disability", "occupation")
            for level in ("settlement", "ward", "city")
        ),
    ],
)
def test_values(reading: Connection, query: ValuesQuery) -> None:
    same(find_values(reading, query).figures, find_published_values(reading, query).figures)


def test_values_page_by_page(reading: Connection) -> None:
    query = ValuesQuery(page=PageRequest(limit=37))
    pages = []
    while True:
        page = find_published_values(reading, query)
        pages.append(page.figures)
        if page.next_cursor is None:
            break
        query = ValuesQuery(page=PageRequest(limit=37, cursor=page.next_cursor))
    whole = find_published_values(reading, ValuesQuery(page=WHOLE))
    assert page.total == whole.total == sum(map(len, pages))
    same(whole.figures, pd.concat(pages, ignore_index=True))


@pytest.mark.parametrize(("earlier", "later"), [("2019", "2024"), ("2024", "2019")])
@pytest.mark.parametrize(
    "query",
    [
        *(ValuesQuery(cities=[CITY], level=level, page=WHOLE) for level in ("settlement", "ward", "city")),
        ValuesQuery(cities=[CITY], by="head_sex", indicators=TOILETS, page=WHOLE),
        ValuesQuery(cities=[CITY], counted="persons", page=WHOLE),
    ],
)
def test_changes(reading: Connection, query: ValuesQuery, earlier: str, later: str) -> None:
    same(
        find_changes(reading, query, earlier=earlier, later=later).figures,
        find_published_changes(reading, query, earlier=earlier, later=later).figures,
    )


@pytest.mark.parametrize("level", ["settlement", "ward"])
def test_gaps(reading: Connection, level: str) -> None:
    query = GapsQuery(CITY, "household_toilet", level=level, target=80, page=WHOLE)  # type: ignore[arg-type]
    found, published = find_gaps(reading, query), find_published_gaps(reading, query)
    same(found.figures, published.figures)
    assert (published.total, published.hot_spots.refused) == (found.total, found.hot_spots.refused)


def test_trends(reading: Connection) -> None:
    query = TrendsQuery(CITY, page=WHOLE)
    same(find_trends(reading, query).figures, find_published_trends(reading, query).figures)
