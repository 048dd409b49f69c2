"""`/api/v1/values`."""

from collections.abc import Sequence

from fastapi import Request

from geo.indicators.figures import VALUE_COLUMNS, ValuesQuery, find_values
from geo.publications import FEATURE_ID, find_published_values, list_published_values
from service.api.figures.route import FigureKind
from service.formats.rows import Link
from service.http.parameters import (
    By,
    Cities,
    CountedParameter,
    Indicators,
    LevelParameter,
    Publication,
    Settlements,
    Surveys,
    Version,
)
from service.http.responses import address, template


def _ask(
    city: Cities,
    survey: Surveys,
    indicator: Indicators,
    settlement: Settlements,
    level: LevelParameter = "settlement",
    counted: CountedParameter = None,
    by: By = None,
    version: Version = None,
    publication: Publication = None,
) -> ValuesQuery:
    return ValuesQuery(city, survey, indicator, settlement, level, counted, by, version, publication=publication)


def _sources(request: Request) -> Sequence[Link]:
    """Where each figure says what it rests on, filled in with its own city, survey and indicator."""
    href = address(request, "/api/v1/values/{city}/{survey}/{indicator}/sources")
    return [template("sources", href, "application/json")]


KIND = FigureKind(
    "values",
    "Figures",
    "Figures of published survey rounds. One that may not be said is there with its reason, and without its value.",
    row="Figure",
    about_row="A figure of one indicator in one place and round.\n\n"
    "Counts are rounded to 5, percentages of fewer than 100 households to whole ones.",
    about_rows="Figures.",
    columns=VALUE_COLUMNS,
    ask=_ask,
    find=find_values,
    find_published=find_published_values,
    list_published=list_published_values,
    feature_id=FEATURE_ID,
    links=_sources,
)
