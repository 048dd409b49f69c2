"""`/api/v1/changes`."""

from dataclasses import dataclass

from sqlalchemy import Connection

from geo.indicators.figures import CHANGE_COLUMNS, FigurePage, ValuesQuery, find_changes
from geo.publications import find_published_changes
from service.api.figures.route import FigureKind
from service.http.parameters import (
    AllowBreak,
    By,
    CityParameter,
    CountedParameter,
    Earlier,
    Indicators,
    Later,
    LevelParameter,
    Settlements,
    Version,
)


@dataclass(frozen=True, kw_only=True)
class _ChangesQuery(ValuesQuery):
    """Which figures are asked for, and between which rounds."""

    earlier: str
    later: str
    allow_break: bool


def _ask(
    city: CityParameter,
    earlier: Earlier,
    later: Later,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    by: By = None,
    version: Version = None,
    allow_break: AllowBreak = False,
) -> _ChangesQuery:
    return _ChangesQuery(
        cities=[city],
        indicators=indicator,
        settlements=settlement,
        level=level,
        counted=counted,
        by=by,
        version=version,
        earlier=earlier,
        later=later,
        allow_break=allow_break,
    )


def _find(connection: Connection, query: _ChangesQuery) -> FigurePage:
    return find_changes(connection, query, earlier=query.earlier, later=query.later, allow_break=query.allow_break)


def _find_published(connection: Connection, query: _ChangesQuery) -> FigurePage:
    rounds = {"earlier": query.earlier, "later": query.later}
    return find_published_changes(connection, query, **rounds, allow_break=query.allow_break)


KIND = FigureKind(
    "changes",
    "Changes",
    "How figures changed from one published round of a city to another, each change with its interval.",
    row="Change",
    about_row="How a figure changed from one round to another.",
    about_rows="Changes.",
    columns=CHANGE_COLUMNS,
    ask=_ask,
    find=_find,
    find_published=_find_published,
)
