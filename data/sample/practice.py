"""Practice files: four situations in the sample city, each with the mistakes such files have."""

import csv
import json
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pyogrio
import shapely

from data.sample.answers import Column
from data.sample.conditions import judge_settlements
from data.sample.demo_files import household_codes, write_kobo_csv
from data.sample.positions import LONLAT_CRS
from data.sample.rounds import VisitedRound, visit_twice
from data.sample.settlements import City, build_city
from data.sample.shapefiles import ZIP_TIME
from data.sample.terrain import DEFAULT_SETTLEMENTS

PRACTICE_HOUSEHOLDS = 600
_PHONE_ROWS = 60
_TRACED = 12
_SWAPPED_ROWS = range(20, 26)
_SLIP_DEGREES = 0.00006
"""How far a hand strays from a line: about six metres."""

_PHONE_ANSWERS = {
    "toilet_users": ("Toilet shared?", {"own": "no, only us", "shared": "with neighbours", "community": "block"}),
    "drainage": ("Drain", {"closed": "closed", "open": "open nali", "none": "none"}),
}


def write_practice(out: Path, *, seed: int) -> list[Path]:
    """Writes the four situations' files into a folder and names them; the same seed makes the same households."""
    out.mkdir(parents=True, exist_ok=True)
    city = build_city(DEFAULT_SETTLEMENTS, seed)
    first, second = visit_twice(city, judge_settlements(city, seed), PRACTICE_HOUSEHOLDS, seed)
    return [
        _write_old_shapefile(out / "old_laptop.zip", city),
        _write_kobo(out / "kobo_export.csv", city, second, seed),
        _write_phone(out / "phone_interviews.xlsx", city, first),
        *_write_traced(out / "traced_from_pdf.geojson", out / "names_from_pdf.csv", city),
    ]


def _write_old_shapefile(path: Path, city: City) -> Path:
    """The settlements as an old laptop keeps them: in a folder, upper-case, and the .prj and .cpg lost on the way."""
    gdf = city.settlements_gdf
    columns = {"settlement_code": "SETTL_CODE", "settlement_name": "SETTL_NAME", "ward_name": "WARD_NAME"}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path, "w") as archive:
        pyogrio.write_dataframe(
            gdf[[*columns, "geometry"]].rename(columns=columns), Path(folder, "slums.shp"), encoding="UTF-8"
        )
        for suffix in ("shp", "shx", "dbf"):
            entry = zipfile.ZipInfo(f"Survey 2018 (old)/SLUMS.{suffix.upper()}", ZIP_TIME)
            archive.writestr(entry, Path(folder, f"slums.{suffix}").read_bytes(), zipfile.ZIP_DEFLATED)
    return path


def _write_kobo(path: Path, city: City, visited: VisitedRound, seed: int) -> Path:
    """A KoboToolbox export in which one phone swapped latitude and longitude and two submissions were not approved."""
    write_kobo_csv(path, city, visited, seed)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = {name: position for position, name in enumerate(header)}
    for row in (rows[number] for number in _SWAPPED_ROWS):
        row[at["_gps_latitude"]], row[at["_gps_longitude"]] = row[at["_gps_longitude"]], row[at["_gps_latitude"]]
    for row in rows[40:42]:
        row[at["_validation_status"]] = "Not approved"
    rows[50][at["sanitation/toilet_users"]] = "With my brother's family"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


def _write_phone(path: Path, city: City, visited: VisitedRound) -> Path:
    """Telephone interviews in a workbook: settlements by name as typed, and answers as people speak."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Interviews"
    answers = {field: _labels(visited.columns[field], words) for field, (_, words) in _PHONE_ANSWERS.items()}
    sheet.append(["House", "Basti", "Date", "People", *(title for title, _ in _PHONE_ANSWERS.values())])
    names = city.settlements_gdf["settlement_name"].to_numpy()[visited.roll.settlement]
    codes = household_codes(city, visited)
    days = visited.visited_on.tolist()
    members = visited.columns["members"].values.tolist()
    for row in range(_PHONE_ROWS):
        name = str(names[row])
        typed = {3: name.upper(), 7: f" {name}, ", 11: name.replace("Nagar", "Nagr")}.get(row % 12, name)
        people = {5: "4-5", 17: "n/a"}.get(row, members[row] if members[row] >= 0 else None)
        sheet.append([str(codes[row]), typed, days[row], people, *(given[row] for given in answers.values())])
    book.save(path)
    return path


def _labels(column: Column, words: dict[str, str]) -> list[str | None]:
    """The answers in the words of the person on the telephone; blank where nobody asked or knew."""
    labels = [words.get(code, code.replace("_", " ")) for code in column.codes]
    return [labels[value] if value >= 0 else None for value in column.values]


def _write_traced(shapes: Path, names: Path, city: City) -> list[Path]:
    """Outlines traced from a printed map: numbers only, one crossing itself, one over its neighbour, one drawn twice.

    The names stand in a table of their own, typed from the map's legend.
    """
    gdf = city.settlements_gdf.iloc[:_TRACED]
    outlines = [_traced(shape) for shape in gdf.to_crs(LONLAT_CRS).geometry]
    outlines[2] = _crossed(outlines[2])
    outlines[5] = outlines[5].buffer(4 * _SLIP_DEGREES)
    numbered = [*enumerate(outlines, start=1), (_TRACED + 1, outlines[0])]
    features = [
        {
            "type": "Feature",
            "properties": {"No": number},
            "geometry": json.loads(shapely.to_geojson(outline)),
        }
        for number, outline in numbered
    ]
    shapes.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    with names.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["No", "Settlement", "Ward"])
        for number, (name, ward) in enumerate(zip(gdf["settlement_name"], gdf["ward_name"], strict=True), start=1):
            writer.writerow([number, name, ward])
    return [shapes, names]


def _traced(shape: shapely.Geometry) -> shapely.Polygon:
    """An outline as a hand follows it: its largest part, with fewer corners."""
    largest = max(shapely.get_parts(shape), key=shapely.area)
    return shapely.Polygon(shapely.simplify(largest, _SLIP_DEGREES).exterior)


def _crossed(outline: shapely.Polygon) -> shapely.Polygon:
    """The outline with two corners taken in the wrong order."""
    corners = shapely.get_coordinates(outline).tolist()
    middle = len(corners) // 2
    corners[1], corners[middle] = corners[middle], corners[1]
    return shapely.Polygon(corners)
