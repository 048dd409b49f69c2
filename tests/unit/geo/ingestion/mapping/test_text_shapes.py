"""Shapes written as text in a table."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geo.ingestion.findings import Findings
from geo.ingestion.loading import read_boundaries
from geo.ingestion.mapping import Mapper, Observations, PositionColumns, Profile, standard_profile_of
from geo.ingestion.mapping.profile import FieldMapping
from geo.ingestion.mapping.standard_columns import standard_profile
from geo.ingestion.mapping.text_shapes import read_shape
from geo.ingestion.reading import ReadOptions, open_layer
from tests.support.factories import code, small_city, write_csv, write_sheet

SQUARE = shapely.box(-58.5, -34.5, -58.4, -34.4)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("POINT (73.9 18.5)", shapely.Point(73.9, 18.5)),
        ("SRID=4326;POINT(73.9 18.5)", shapely.Point(73.9, 18.5)),
        (shapely.Point(73.9, 18.5).wkb_hex, shapely.Point(73.9, 18.5)),
        ('{"type": "Point", "coordinates": [73.9, 18.5]}', shapely.Point(73.9, 18.5)),
        ("18.5 73.9 560.2 4.9", shapely.Point(73.9, 18.5)),
        ("18.5 73.9", shapely.Point(73.9, 18.5)),
        ("18.5 73.9 0 0; 18.6 73.9 0 0;", shapely.LineString([(73.9, 18.5), (73.9, 18.6)])),
        (
            "-34.5 -58.5 0 0; -34.5 -58.4 0 0; -34.4 -58.4 0 0; -34.4 -58.5 0 0; -34.5 -58.5 0 0",
            SQUARE,
        ),
        ("-58.5,-34.5,0.0 -58.4,-34.5,0.0 -58.4,-34.4,0.0 -58.5,-34.4,0.0 -58.5,-34.5,0.0", SQUARE),
        (SQUARE.wkt, SQUARE),
    ],
)
def test_read_shape(text: str, shape: shapely.Geometry) -> None:
    found = read_shape(text)
    assert found is not None
    assert found.equals(shape)


@pytest.mark.parametrize(
    "text", ["", "x", "n/a", "POINT(1", "SRID=32643;POINT(1 2)", "95 200 0 0", "18,5 73,8", "1 2 3 4 5", "{}", "[1]"]
)
def test_read_shape_none(text: str) -> None:
    assert read_shape(text) is None


def mapped(path: Path, profile: Profile | None = None) -> tuple[Observations, Findings]:
    findings = Findings()
    with open_layer(path, ReadOptions()) as layer:
        mapper = Mapper(layer, profile or standard_profile_of(layer), ReadOptions(), path.name)
        (batch,) = list(layer.batches)
        return mapper.map(batch, findings), findings


def test_map_position_in_one_column(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"n": 1, "where": "18.5 73.9 0 5"}, {"n": 2}, {"n": 3, "where": "behind the temple"}]
    profile = Profile(name="p", position=PositionColumns(column="where"))
    found, findings = mapped(write_csv(tmp_path / "rows.csv", rows), profile)
    np.testing.assert_array_equal(found.lon, [73.9, np.nan, np.nan])
    np.testing.assert_array_equal(found.lat, [18.5, np.nan, np.nan])
    assert list(found.rejected) == [False, False, True]
    (row,) = findings.frame().to_dict("records")
    assert (row["code"], row["row_number"], row["field"]) == ("shape_unreadable", 4, "where")


@pytest.mark.parametrize(
    ("pairs", "lon", "noted"),
    [
        (["18.5, 73.9", "18.6, 73.8"], 73.9, True),
        (["110.5, -7.2", "60.5, -7.3"], 110.5, False),
        (["(-7.2, 110.5)", "-7.3;60.5"], 110.5, False),
    ],
)
def test_map_position_pair(tmp_path: Path, pairs: list[str], lon: float, noted: bool) -> None:
    found, findings = mapped(write_csv(tmp_path / "rows.csv", [{"a": 1, "location": pair} for pair in pairs]))
    assert found.lon[0] == lon
    assert ("pair_order_guessed" in set(findings.frame()["code"])) is noted


@pytest.mark.parametrize("name", ["wkt", "GPS", "the_geom", "section_B/gps", "Coordenadas"])
def test_standard_profile_of_recognises_a_shape_column(tmp_path: Path, name: str) -> None:
    path = write_csv(tmp_path / "rows.csv", [{name: "18.5 73.9 0 0"}, {name: None}, {name: "18.6 73.9 0 0"}])
    with open_layer(path, ReadOptions()) as layer:
        position = standard_profile_of(layer).position
        assert position is not None
        assert position.column == name
        assert sum(len(batch.row_numbers) for batch in layer.batches) == 2


def test_standard_profile_of_leaves_a_place_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [{"location": "Pune"}, {"location": "18.5 73.9"}])
    with open_layer(path, ReadOptions()) as layer:
        assert standard_profile_of(layer).position is None


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["_gps_latitude", "_gps_longitude", "_gps_altitude"], ("_gps_longitude", "_gps_latitude")),
        (["location.latitude", "location.longitude"], ("location.longitude", "location.latitude")),
        (["Latitud", "Longitud"], ("Longitud", "Latitud")),
        (["b/_gps_latitude", "b/_gps_longitude"], ("b/_gps_longitude", "b/_gps_latitude")),
        (["_a_latitude", "_a_longitude", "_b_latitude", "_b_longitude"], None),
        (["flat", "salon"], None),
        (["latitude"], None),
    ],
)
def test_standard_profile_position_names(columns: list[str], expected: tuple[str, str] | None) -> None:
    position = standard_profile(columns).position
    assert (None if position is None else (position.longitude, position.latitude)) == expected


def test_map_workbook_dates_whatever_the_format(tmp_path: Path) -> None:
    """A column of dates and texts: the cells that are dates need not look like the profile's format."""
    cells: list[list[Any]] = [["day"], [date(2024, 5, 31)], ["30/05/2024"], ["May"]]
    profile = Profile(name="p", fields={"interviewed_on": FieldMapping(column="day", format="%d/%m/%Y")})
    found, findings = mapped(write_sheet(tmp_path / "rows.xlsx", {"S": cells}), profile)
    assert found.fields["interviewed_on"].to_pylist() == [date(2024, 5, 31), date(2024, 5, 30), None]
    assert list(findings.frame()["code"]) == ["date_unreadable"]


def test_read_boundaries_as_text(tmp_path: Path) -> None:
    city = small_city()
    rows = [
        {"settlement_code": row.settlement_code, "geometry": row.geometry.wkt if i != 3 else "somewhere"}
        for i, row in enumerate(city.itertuples())
    ]
    with open_layer(write_csv(tmp_path / "rows.csv", rows), ReadOptions()) as layer:
        assert standard_profile_of(layer).boundaries is not None
    found = read_boundaries(tmp_path / "rows.csv", ReadOptions(), None)
    assert list(found.frame["code"]) == [code(0), code(1), code(2)]
    assert (found.rows_read, len(found.frame)) == (4, 3)
    errors = found.findings.frame().query("severity == 'error'")
    assert list(errors["code"]) == ["shape_unreadable"]
