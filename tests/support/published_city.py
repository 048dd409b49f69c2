"""What tests build: a small city with known figures, loaded through the same door as any file."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
import shapely
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from geo import database
from geo.indicators.tallies import recompute, surveys_lacking_tallies
from geo.ingestion.loading import LoadOptions, SourceOptions, load_boundaries, load_survey
from geo.ingestion.mapping import BoundaryColumns
from geo.ingestion.reading import ReadOptions
from geo.places import add_city
from geo.surveys import SurveySpec
from tests.support.publishing import publish as publish_round

CITY, CITY_NAME = "khandesh", "Khandesh"
FORMULA_NAME = "=HYPERLINK(0)"
"""A settlement's name that a spreadsheet would run."""

SECRETS = (
    *("SECRET-HH", "SECRET-REMARK", "secret-file", "secret-person", "SECRET-DRAFT", "secret-draft", "SECRET-TRADE"),
)
"""Parts of what no public answer may hold: household codes, free columns, file names, people, drafts, rare answers."""

NAMES = {
    "S01": "Indira Nagar",
    "S02": "शांती नगर",
    "S03": "São Rock",
    "S04": "Ambedkar Chowk",
    "S05": FORMULA_NAME,
    "S06": "Bhim Nagar",
}
WARDS = {"S01": "A", "S02": "A", "S03": "A", "S04": "B", "S05": "B", "S06": "B"}

HOUSEHOLDS: Mapping[str, int] = {"S01": 9, "S02": 10, "S03": 11, "S04": 30, "S05": 25, "S06": 12}
"""Households by settlement, in both rounds."""

OWN_TOILETS: Mapping[str, Mapping[str, int]] = {
    "2019": {"S01": 2, "S02": 2, "S03": 3, "S04": 6, "S05": 5, "S06": 3},
    "2024": {"S01": 5, "S02": 6, "S03": 7, "S04": 20, "S05": 15, "S06": 12},
    "secret-draft": dict.fromkeys(HOUSEHOLDS, 1),
}
"""How many of them have a toilet of their own, by round."""

_COLUMNS = (
    *("household_code", "longitude", "latitude", "members"),
    *("toilet_type", "toilet_location", "toilet_users", "drainage", "remark"),
    *("head_sex", "has_disability", "occupation", "tenure_document"),
)

ROUNDS = {
    "2019": SurveySpec(
        "2019", "shelter", "Round of 2019", date(2019, 1, 1), date(2019, 3, 31), "household", "census", "CC-BY-4.0"
    ),
    "2024": SurveySpec(
        "2024", "shelter", "Round of 2024", date(2024, 1, 1), date(2024, 3, 31), "household", "census", "CC-BY-4.0"
    ),
    "secret-draft": SurveySpec(
        "secret-draft", "shelter", "SECRET-DRAFT", date(2026, 1, 1), date(2026, 3, 31), "household", "census"
    ),
}


@dataclass(frozen=True)
class SmallCity:
    """The small city's database, and the folder of its files and originals."""

    url: str
    folder: Path


def new_database(server_url: str, name: str, template: str = "template1") -> str:
    """Makes a database beside another one, empty or as its template is, to which nobody is connected; its URL."""
    engine = database.create_engine(server_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Removes a database and whoever is connected to it."""
    engine = database.create_engine(server_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    engine.dispose()


def shapes() -> dict[str, shapely.Geometry]:
    """Six settlements on a line, about 100 m wide: one with a hole, one in two parts, shells drawn clockwise."""
    squares = {
        code: shapely.box(73.80 + 0.002 * i, 18.60, 73.801 + 0.002 * i, 18.601, ccw=False)
        for i, code in enumerate(HOUSEHOLDS)
    }
    hole = shapely.box(73.8042, 18.6002, 73.8044, 18.6004)
    part = shapely.box(73.806, 18.602, 73.807, 18.603)
    return squares | {"S03": squares["S03"].difference(hole), "S04": shapely.union_all([squares["S04"], part])}


def write_boundaries(folder: Path) -> Path:
    """The settlements as a GeoPackage, which keeps rings in the order they were drawn in."""
    drawn = shapes()
    frame = gpd.GeoDataFrame(
        {
            "code": list(drawn),
            "name": [NAMES[code] for code in drawn],
            "ward": [WARDS[code] for code in drawn],
            "ward_name": [f"Ward {WARDS[code]}" for code in drawn],
        },
        geometry=list(drawn.values()),
        crs="EPSG:4326",
    )
    path = folder / "secret-file-boundaries.gpkg"
    frame.to_file(path)
    return path


def write_households(folder: Path, survey: str, own: Mapping[str, int] | None = None) -> Path:
    """A round's households as CSV: the first of each settlement have a toilet of their own, the others none."""
    path = folder / f"secret-file-{survey}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows(_rows(own or OWN_TOILETS[survey]))
    return path


def _rows(own: Mapping[str, int]) -> Iterator[list[object]]:
    for i, (code, households) in enumerate(HOUSEHOLDS.items()):
        for k in range(households):
            toilet = ["flush_septic", "on_premises", "own"] if k < own[code] else ["none", "", ""]
            lon, lat = 73.80001 + 0.002 * i + 0.00003 * k, 18.60001
            drainage = ("closed", "open", "none")[k % 3]
            members = ("male" if k % 3 else "female", "yes" if k % 8 == 7 else "no")
            trade = "SECRET-TRADE" if (code, k) == ("S04", 0) else "Tailor"
            answers = [*toilet, drainage, "SECRET-REMARK", *members, trade, "yes" if k % 2 else "no"]
            yield [f"SECRET-HH-{code}-{k}", f"{lon:.7f}", f"{lat:.7f}", 3 + k % 4, *answers]


def load_round(connection: Connection, city: SmallCity, path: Path, spec: SurveySpec, *, publish: bool) -> None:
    """Loads a file of households into a round of the small city."""
    load_survey(
        connection,
        path,
        CITY,
        spec,
        source=SourceOptions(),
        options=LoadOptions("secret-person", str(city.folder / "originals")),
    )
    if publish:
        publish_round(connection, CITY, spec.slug)


def load_small_city(url: str, folder: Path) -> SmallCity:
    """Makes the tables and loads the small city: six settlements in two wards, two published rounds and a draft."""
    city = SmallCity(url, folder)
    database.upgrade(url)
    engine = database.create_engine(url)
    with database.transaction(engine) as connection:
        add_city(connection, CITY, CITY_NAME)
        load_boundaries(
            connection,
            write_boundaries(folder),
            CITY,
            read=ReadOptions(),
            columns=BoundaryColumns(
                settlement_code="code", settlement_name="name", ward_code="ward", ward_name="ward_name"
            ),
            valid_from_on=None,
            today=date(2019, 1, 1),
            options=LoadOptions("secret-person", str(folder / "originals")),
        )
    for survey, spec in ROUNDS.items():
        with database.transaction(engine) as connection:
            load_round(connection, city, write_households(folder, survey), spec, publish=survey != "secret-draft")
    with database.transaction(engine) as connection:
        for survey_id in surveys_lacking_tallies(connection):
            recompute(connection, survey_id)
    engine.dispose()
    return city
