"""The demonstration's files, as users bring them: two zipped shapefiles and a KoboToolbox export."""

import csv
from datetime import UTC, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from pyproj import Transformer

from data.sample.labelling import Profile, Text, read_profile
from data.sample.positions import LONLAT_CRS
from data.sample.remarks import name_surveyors, write_remarks
from data.sample.rounds import VisitedRound
from data.sample.settlements import City
from data.sample.shapefiles import GEOMETRY, ArrowArray, point_array, shape_array, write_zipped_shapefile
from data.sample.terrain import UTM_CRS

SHAPEFILE_PROFILE, KOBO_PROFILE = "sample-shapefile", "sample-kobo"
_INDIA = timezone(timedelta(hours=5, minutes=30))


def write_settlements(path: Path, city: City, profile_name: str = SHAPEFILE_PROFILE) -> Path:
    """The settlements as a zipped shapefile, with the column names of the profile."""
    gdf = city.settlements_gdf
    columns = read_profile(profile_name).boundaries
    table: dict[str, ArrowArray] = {
        column: pa.array(gdf[name].tolist(), pa.string()) for name, column in columns.items()
    }
    table[GEOMETRY] = shape_array(gdf.geometry.to_numpy())
    # The format has one type for polygons and multipolygons; which one a shape is shows when it is read.
    return write_zipped_shapefile(path, pa.table(table), "Polygon")


def write_household_shapefile(path: Path, city: City, visited: VisitedRound, seed: int) -> Path:
    """The first round as an NGO's zipped shapefile: short names, short codes, dates by day first."""
    rng = np.random.default_rng([seed, 4])
    profile = read_profile(SHAPEFILE_PROFILE)
    place = visited.roll.settlement
    written = _write_answers(profile, visited, rng)
    days = [day.strftime(profile.date_format) for day in visited.visited_on.tolist()]
    table: dict[str, Any] = {
        profile.columns["household_code"]: household_codes(city, visited),
        profile.columns["declared_settlement_code"]: settlement_codes(city, visited),
        "SETTL_NAME": city.settlements_gdf["settlement_name"].to_numpy()[place],
        profile.columns["interviewed_on"]: days,
        **written,
        "SURVEYOR": name_surveyors(len(place)),
        "REMARKS": write_remarks(len(place), rng, one_line=True),
    }
    arrays = {
        name: pa.array([text or None for text in column], pa.string())
        if name not in _number_columns(profile, visited)
        else column
        for name, column in table.items()
    }
    arrays[GEOMETRY] = point_array(np.round(visited.xy[:, 0], 2), np.round(visited.xy[:, 1], 2))
    return write_zipped_shapefile(path, pa.table(arrays), "Point")


def write_kobo_csv(path: Path, city: City, visited: VisitedRound, seed: int) -> Path:
    """The second round as a KoboToolbox export: submission columns around grouped questions."""
    rng = np.random.default_rng([seed, 5])
    profile = read_profile(KOBO_PROFILE)
    place = visited.roll.settlement
    starts, ends = _interview_times(visited, rng)
    lon, lat = Transformer.from_crs(UTM_CRS, LONLAT_CRS, always_xy=True).transform(*visited.xy.T)
    latitude, longitude = [f"{v:.7f}" for v in lat], [f"{v:.7f}" for v in lon]
    altitude = [f"{v:.1f}" for v in rng.normal(561, 6, len(place))]
    precision = [f"{v:.2f}" for v in 3 + rng.gamma(2, 1.6, len(place))]
    table: dict[str, list[str]] = {
        "start": [moment.isoformat(timespec="milliseconds") for moment in starts],
        "end": [moment.isoformat(timespec="milliseconds") for moment in ends],
        profile.columns["interviewed_on"]: [f"{moment:{profile.date_format}}" for moment in starts],
        "household/enumerator": name_surveyors(len(place)).tolist(),
        profile.columns["declared_settlement_code"]: settlement_codes(city, visited).tolist(),
        profile.columns["household_code"]: household_codes(city, visited).tolist(),
        "gps": [" ".join(parts) for parts in zip(latitude, longitude, altitude, precision, strict=True)],
        "_gps_latitude": latitude,
        "_gps_longitude": longitude,
        "_gps_altitude": altitude,
        "_gps_precision": precision,
    }
    for name, column in _write_answers(profile, visited, rng).items():
        numbers = isinstance(column, pa.Array)
        table[name] = ["" if n is None else str(n) for n in column.to_pylist()] if numbers else column.tolist()
    delays = rng.gamma(2, 2, len(place))
    table |= {
        "remarks": write_remarks(len(place), rng, one_line=False).tolist(),
        "_uuid": [str(UUID(bytes=rng.bytes(16), version=4)) for _ in range(len(place))],
        "_submission_time": [_submitted(end, hours) for end, hours in zip(ends, delays, strict=True)],
    }
    _write_submissions(path, table, order=sorted(range(len(place)), key=starts.__getitem__))
    return path


def _write_submissions(path: Path, table: dict[str, list[str]], order: list[int]) -> None:
    """The table in the order of the interviews, numbered by the server as they came in."""
    stamped = {
        **{name: [column[row] for row in order] for name, column in table.items()},
        "_id": [str(48_210_337 + 3 * row) for row in range(len(order))],
        "_validation_status": [""] * len(order),
        "_status": ["submitted_via_web"] * len(order),
        "__version__": ["vNad2024Household1"] * len(order),
        "_index": [str(row + 1) for row in range(len(order))],
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(stamped)
        writer.writerows(zip(*stamped.values(), strict=True))


def settlement_codes(city: City, visited: VisitedRound) -> Text:
    """The code of each household's settlement."""
    return np.asarray(city.settlements_gdf["settlement_code"].to_numpy(dtype=object)[visited.roll.settlement])


def household_codes(city: City, visited: VisitedRound) -> Text:
    """The code on each door: settlement and number, the same in both rounds."""
    pairs = zip(settlement_codes(city, visited), visited.roll.number, strict=True)
    return np.array([f"{code}-{number:04d}" for code, number in pairs], dtype=object)


def _write_answers(profile: Profile, visited: VisitedRound, rng: np.random.Generator) -> dict[str, Any]:
    """Every answer the profile has a column for: labels as text, numbers as nullable arrays."""
    written: dict[str, Any] = {}
    for field, name in profile.columns.items():
        if (column := visited.columns.get(field)) is None:
            continue
        if column.kind in ("code", "boolean"):
            written[name] = profile.write_column(field, column, rng)
        else:
            numbers, blank = profile.write_numbers(field, column)
            written[name] = pa.array(numbers, mask=blank)
    return written


def _number_columns(profile: Profile, visited: VisitedRound) -> set[str]:
    """The columns that hold numbers."""
    kinds = {field: column.kind for field, column in visited.columns.items()}
    return {name for field, name in profile.columns.items() if kinds.get(field) in ("integer", "number")}


def _interview_times(visited: VisitedRound, rng: np.random.Generator) -> tuple[list[datetime], list[datetime]]:
    """When each interview began and ended, on the clock of India."""
    minutes, seconds = rng.uniform(0, 8.5 * 60, len(visited.roll)), rng.uniform(360, 1_500, len(visited.roll))
    starts = [
        datetime.combine(day, time(8, 30), tzinfo=_INDIA) + timedelta(milliseconds=round(minute * 60_000))
        for day, minute in zip(visited.visited_on.tolist(), minutes, strict=True)
    ]
    ends = [start + timedelta(milliseconds=round(s * 1_000)) for start, s in zip(starts, seconds, strict=True)]
    return starts, ends


def _submitted(end: datetime, hours: float) -> str:
    """When the server received the form: some time after the interview, in UTC."""
    return (end + timedelta(hours=hours)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
