"""Small cities and households for tests, and their files in every format."""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl  # type: ignore[import-untyped,unused-ignore]
import pandas as pd
import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Point, Polygon
from sqlalchemy import Connection, delete, insert, literal, select, update

from geo.database.schema.households import household as household_table
from geo.database.schema.surveys import survey as survey_table
from geo.database.schema.tallies import tallied, tally
from geo.indicators.definitions import read_catalogue
from geo.indicators.tallies import ALL, tally_survey
from geo.indicators.tallies.tally import KEY
from geo.ingestion.loading import LoadOptions, LoadResult, SourceOptions, load_boundaries, load_survey
from geo.ingestion.loading import load_facilities as load_file
from geo.ingestion.mapping import BoundaryColumns, FacilityColumns, Profile
from geo.ingestion.reading import ReadOptions
from geo.places import add_city
from geo.surveys import SurveySpec
from tests.support.tallying import tally_gdf

TODAY = date(2024, 9, 1)
STARTS, ENDS = date(2024, 1, 1), date(2024, 6, 30)


def blob(lon: float, lat: float, *, radius: float = 0.002, phase: int = 0, points: int = 13) -> Polygon:
    """An irregular polygon around a position; degrees."""
    ring = []
    for step in range(points):
        angle = 2 * math.pi * step / points
        r = radius * (1 + 0.25 * math.sin(3 * angle + phase) + 0.1 * math.cos(5 * angle))
        ring.append((lon + r * math.cos(angle), lat + r * math.sin(angle)))
    return Polygon(ring)


def centre(index: int) -> tuple[float, float]:
    """Where the settlement of this index lies: a grid of ten columns, about a kilometre apart."""
    return 73.75 + 0.01 * (index % 10), 18.58 + 0.01 * (index // 10)


def code(index: int) -> str:
    """The settlement's code; the leading zero is part of it."""
    return f"0{index + 1}"


def small_city(settlements: int = 4) -> gpd.GeoDataFrame:
    """Settlements in two wards; the second has two parts, the third a hole."""
    shapes: list[Any] = []
    for i in range(settlements):
        lon, lat = centre(i)
        shape: Polygon | MultiPolygon = blob(lon, lat, phase=i)
        if i == 1:
            shape = MultiPolygon([blob(lon, lat, phase=i), blob(lon, lat + 0.004, radius=0.0008)])
        if i == 2:
            shape = Polygon(blob(lon, lat, phase=i).exterior, [blob(lon + 0.0008, lat, radius=0.0003).exterior])
        shapes.append(shape)
    names = ["गांधीनगर", "São José", "Ñembý", *(f"Nagar {i}" for i in range(3, settlements))]
    return gpd.GeoDataFrame(
        {
            "settlement_code": [code(i) for i in range(settlements)],
            "settlement_name": names[:settlements],
            "ward_code": [f"W{i % 2 + 1}" for i in range(settlements)],
            "ward_name": [("North", "South")[i % 2] for i in range(settlements)],
        },
        geometry=shapes,
        crs="EPSG:4326",
    )


def household(index: int, settlement: int = 0, **answers: Any) -> dict[str, Any]:
    """One household that answers everything, inside its settlement."""
    lon, lat = centre(settlement)
    return {
        "household_code": f"H{index:04}",
        "settlement_code": code(settlement),
        "longitude": round(lon - 0.0002 - 0.00001 * (index % 7), 6),
        "latitude": round(lat + 0.00001 * (index % 5), 6),
        "members": 4,
        "rooms": 1,
        "toilet_type": "flush_septic",
        "toilet_location": "on_premises",
        "toilet_users": "own",
        "drainage": "closed",
        "water_source": "piped_yard",
        "electricity": "metered",
        "waste_collection": "container",
        "waste_per_week": 1,
        "internet": "yes",
        **answers,
    }


def households(settlements: int = 4, each: int = 12) -> list[dict[str, Any]]:
    """Households of every settlement; a third of them, more in later settlements, lack toilet and drain."""
    rows = []
    for s in range(settlements):
        for i in range(each):
            lacks = (i + s) % 3 == 0 or i < s
            changes = {"toilet_type": "none", "toilet_location": None, "toilet_users": None, "drainage": "none"}
            rows.append(household(100 * s + i, s, **(changes if lacks else {}), members=1 + (i + s) % 9))
    return rows


def facility(index: int, settlement: int = 0, **said: Any) -> dict[str, Any]:
    """One community toilet that says everything, inside its settlement."""
    lon, lat = centre(settlement)
    return {
        "facility_code": f"F{index:03}",
        "facility_name": f"Block {index}",
        "kind": "community_toilet",
        "seats": 10,
        "seats_working": 8,
        "working": "yes",
        "opened_on": None,
        "closed_on": None,
        "longitude": round(lon - 0.0002 - 0.00001 * index, 6),
        "latitude": lat,
        **said,
    }


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], **options: Any) -> Path:
    """Rows as CSV."""
    pd.DataFrame(rows).to_csv(path, index=False, **options)
    return path


def write_sheet(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Sheets of cells as XLSX."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def write_shapefile(folder: Path, frame: gpd.GeoDataFrame, stem: str = "layer", **options: Any) -> Path:
    """A frame as a plain shapefile with ten-character names."""
    folder.mkdir(parents=True, exist_ok=True)
    short = {name: str(name).replace("settlement", "settl")[:10] for name in frame.columns if name != "geometry"}
    frame.rename(columns=short).to_file(folder / f"{stem}.shp", engine="pyogrio", **options)
    return folder / f"{stem}.shp"


def zip_folder(path: Path, folder: Path, *, inside: str = "") -> Path:
    """The files of a folder as a zip, in an inner folder where one is named."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, f"{inside}{part.name}")
    return path


def write_boundaries(path: Path, frame: gpd.GeoDataFrame) -> Path:
    """Settlements in the format the suffix names."""
    if path.suffix == ".zip":
        return zip_folder(path, write_shapefile(path.parent / f"{path.stem}_parts", frame).parent)
    frame.to_file(path, engine="pyogrio")
    return path


def points(rows: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Rows with longitude and latitude as points, without those columns."""
    frame = pd.DataFrame(rows)
    shapes = [Point(x, y) for x, y in zip(frame["longitude"], frame["latitude"], strict=True)]
    return gpd.GeoDataFrame(frame.drop(columns=["longitude", "latitude"]), geometry=shapes, crs="EPSG:4326")


def write_geojson(
    path: Path, features: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any]]], **top: Any
) -> Path:
    """Geometry and properties pairs as GeoJSON, just as they are given."""
    whole = {
        "type": "FeatureCollection",
        **top,
        "features": [{"type": "Feature", "properties": p, "geometry": g} for g, p in features],
    }
    path.write_text(json.dumps(whole), encoding="utf-8")
    return path


def geometry(shape: Any) -> Mapping[str, Any]:
    """A shape as GeoJSON's mapping."""
    mapping: Mapping[str, Any] = json.loads(shapely.to_geojson(shape))
    return mapping


def options(folder: Path, **changes: Any) -> LoadOptions:
    """Load options that keep originals in a folder."""
    return LoadOptions("tester", str(folder / "originals"), **changes)


def load_city(
    connection: Connection,
    folder: Path,
    frame: gpd.GeoDataFrame,
    *,
    slug: str = "pune",
    valid_from_on: date | None = None,
    columns: BoundaryColumns | Profile | None = None,
    **changes: Any,
) -> LoadResult:
    """Adds the city and loads its boundaries."""
    add_city(connection, slug, slug.title())
    name = f"boundaries_{len(list(folder.iterdir()))}.gpkg"
    return load_boundaries(
        connection,
        write_boundaries(folder / name, frame),
        slug,
        read=ReadOptions(),
        columns=columns,
        valid_from_on=valid_from_on,
        today=TODAY,
        options=options(folder, **changes),
    )


def spec(slug: str = "2024", **changes: Any) -> SurveySpec:
    """A round of the year of STARTS and ENDS."""
    return SurveySpec(slug, "local", **{"starts_on": STARTS, "ends_on": ENDS, "mode": "census", **changes})


def load(
    connection: Connection,
    folder: Path,
    rows: Path | Sequence[Mapping[str, Any]],
    *,
    city: str = "pune",
    survey: SurveySpec | None = None,
    source: SourceOptions | None = None,
    **changes: Any,
) -> LoadResult:
    """Loads a file, or rows written as one, into a round."""
    path = rows if isinstance(rows, Path) else write_csv(folder / f"rows_{len(list(folder.iterdir()))}.csv", rows)
    return load_survey(
        connection,
        path,
        city,
        survey or spec(),
        source=source or SourceOptions(),
        options=options(folder, **changes),
    )


def load_facilities(
    connection: Connection,
    folder: Path,
    rows: Path | Sequence[Mapping[str, Any]],
    *,
    city: str = "pune",
    columns: FacilityColumns | None = None,
    read: ReadOptions | None = None,
    today: date = TODAY,
    **changes: Any,
) -> LoadResult:
    """Loads a file of facilities, or rows written as one, into a city."""
    path = rows if isinstance(rows, Path) else write_csv(folder / f"rows_{len(list(folder.iterdir()))}.csv", rows)
    return load_file(
        connection,
        path,
        city,
        read=read or ReadOptions(),
        columns=columns or FacilityColumns(),
        today=today,
        options=options(folder, **changes),
    )


def by_key(tallies: pd.DataFrame) -> pd.DataFrame:
    """Tallies in the order of their key, to compare."""
    return tallies.set_index([*KEY, "definition_version"]).sort_index().astype(float)


def live_rows(connection: Connection, survey_id: int) -> gpd.GeoDataFrame:
    """The survey's live households as a frame."""
    rows = select(household_table).where(household_table.c.is_live, household_table.c.survey_id == survey_id)
    frame = pd.read_sql(rows, connection)
    return gpd.GeoDataFrame(frame.drop(columns="geom"))


def assert_tallies_whole(connection: Connection, survey_id: int) -> None:
    """The stored tallies are those of a scan, and of the frame engine over the live rows."""
    definitions = read_catalogue(connection).versions
    whole = select(tally).where(tally.c.survey_id == survey_id, tally.c.group_field == ALL)
    stored = pd.read_sql(whole, connection).drop(columns="survey_id")
    scanned = tally_survey(connection, definitions, survey_id)
    rows = live_rows(connection, survey_id)
    if stored.empty:
        assert scanned.empty
        assert not (rows["interview_result"].fillna("completed") == "completed").any()
        return
    framed = tally_gdf(rows, definitions)
    for other in (scanned, framed):
        pd.testing.assert_frame_equal(by_key(stored), by_key(other), check_like=True, rtol=1e-9)


def count_by_another_version(connection: Connection, survey_slug: str, indicator: str, version: int) -> None:
    """Leaves a round's tallies of an indicator as another version of its definition would have."""
    of_survey = select(survey_table.c.id).where(survey_table.c.slug == survey_slug).scalar_subquery()
    this = (tallied.c.survey_id == of_survey, tallied.c.indicator_id == indicator, tallied.c.group_field == ALL)
    names = [c.name for c in tallied.columns if c.name != "definition_version"]
    rows = select(*(tallied.c[name] for name in names), literal(version)).where(*this)
    connection.execute(insert(tallied).from_select([*names, "definition_version"], rows))
    connection.execute(
        update(tally)
        .where(tally.c.survey_id == of_survey, tally.c.indicator_id == indicator, tally.c.group_field == ALL)
        .values(definition_version=version)
    )
    connection.execute(delete(tallied).where(*this, tallied.c.definition_version != version))


def redrawn(city: gpd.GeoDataFrame, index: int) -> gpd.GeoDataFrame:
    changed = city.copy()
    shapes = list(city.geometry)
    shapes[index] = translate(shapes[index], 0.0001, 0)
    return changed.set_geometry(gpd.GeoSeries(shapes, crs=city.crs))
