"""The coverage map from the database: figures through their one door, drawn by `maps`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd
from shapely.geometry import Point
from sqlalchemy import Connection

from geo.base import STORAGE_CRS, PageRequest
from geo.errors import InvalidParameter, InvalidParameters
from geo.indicators.definitions import Counted, read_catalogue
from geo.indicators.figures import COUNT_STEP, FigurePage, ValuesQuery
from geo.places import find_points
from geo.publications import find_published_values
from geo.surveys import Seen, city_and_survey_names
from maps import coverage


def coverage_map(
    connection: Connection,
    city: str,
    survey: str,
    indicator: str,
    *,
    counted: Counted | None,
    seen: Seen,
    find: Callable[[Connection, ValuesQuery], FigurePage] = find_published_values,
) -> str:
    """The coverage map of one indicator in one round, as one HTML document; `find` reads its figures.

    Raises:
        InvalidParameters: there is no such city, round or indicator, or it is not counted so; the message names what
            there is.
    """
    (definition,) = read_catalogue(connection).find([indicator])
    levels = definition.counted_levels()
    if counted is not None and counted not in levels:
        problem = InvalidParameter("counted", "counted_otherwise", indicator=indicator, counted=counted, known=levels)
        raise InvalidParameters([problem])
    query = ValuesQuery(
        cities=[city],
        surveys=[survey],
        indicators=[indicator],
        counted=counted,
        seen=seen,
        geometry=True,
        page=PageRequest(limit=None),
    )
    figures = find(connection, query).figures
    figures["unserved"] = _unserved_households(lambda asked: find(connection, asked), query, figures)
    points = find_points(connection, city)
    shapes = [
        drawn if drawn is not None else Point(points[code]) if code in points else None
        for drawn, code in zip(figures["geometry"], figures["settlement_code"], strict=True)
    ]
    frame = gpd.GeoDataFrame(figures.drop(columns="geometry"), geometry=shapes, crs=STORAGE_CRS)
    city_name, survey_name = city_and_survey_names(connection, city, survey)
    of_city = replace(query, level="city", counted="households", geometry=False)
    # Of what households do not go without, such as a density, there is no such figure.
    whole = find(connection, of_city).figures["unserved"].dropna()
    # Where sizes of households are not known, households are counted, whatever the headline is.
    shown = definition if figures.empty else definition.at(figures["counted"].iloc[0])
    return coverage.draw(
        frame,
        shown,
        city_name=city_name,
        survey_name=survey_name,
        generated_on=datetime.now(UTC).date(),
        city_unserved=None if whole.empty else float(whole.iloc[0]),
        rounded_to=COUNT_STEP,
    )


def _unserved_households(
    find: Callable[[ValuesQuery], FigurePage], query: ValuesQuery, figures: pd.DataFrame
) -> "pd.Series[float]":
    """Unserved households by settlement, also where the figure itself is a share of persons.

    A circle stands for the toilets, taps or drains that are missing, and those are built for households.
    """
    if (figures["counted"] == "households").all():
        return figures["unserved"]
    households = find(replace(query, counted="households", geometry=False)).figures
    unserved = households.set_index("settlement_code")["unserved"].astype(float)
    # A density has no household level: nobody goes without it.
    return figures["settlement_code"].map(unserved).astype(float)
