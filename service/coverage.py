"""The coverage map from the database: figures through their one door, drawn by `maps`."""

import json
from datetime import UTC, datetime

import geopandas as gpd
from shapely.geometry import shape
from sqlalchemy import Connection, select

from geo.crs import STORAGE_CRS
from geo.indicators.catalogue import find_definitions
from geo.indicators.definition import Counted
from geo.indicators.values import ValuesQuery, find_values
from geo.paging import PageRequest
from geo.schema.places import city as city_table
from maps import coverage


def coverage_map(
    connection: Connection, city: str, survey: str, indicator: str, *, counted: Counted | None, drafts: bool
) -> str:
    """The coverage map of one indicator in one round, as one HTML document."""
    (definition,) = find_definitions([indicator])
    query = ValuesQuery(
        cities=[city],
        surveys=[survey],
        indicators=[indicator],
        counted=counted,
        drafts=drafts,
        geometry=True,
        page=PageRequest(limit=None),
    )
    figures = find_values(connection, query).figures
    shapes = [None if text is None else shape(json.loads(text)) for text in figures["geometry"]]
    frame = gpd.GeoDataFrame(figures.drop(columns="geometry"), geometry=shapes, crs=STORAGE_CRS)
    name = connection.execute(select(city_table.c.name).where(city_table.c.slug == city)).scalar_one()
    return coverage.draw(frame, definition, city_name=name, survey_name=survey, generated_on=datetime.now(UTC).date())
