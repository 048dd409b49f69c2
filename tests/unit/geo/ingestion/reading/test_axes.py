"""The columns of a position, and of its UTM zone, by their names."""

import pytest

from geo.ingestion.reading import find_zone
from geo.ingestion.reading.axes import find_axes, zone_codes


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [
        ("longitude", "LATITUDE"),
        ("Easting", "Northing"),
        ("X coord", "Y coord"),
        ("_gps_longitude", "_gps_latitude"),
        ("GPS Longitude (degrees)", "GPS Latitude (degrees)"),
        ("Longitude of the house", "Latitude of the house"),
        ("gpsLongitude", "gpsLatitude"),
        ("hhlongitude", "hhlatitude"),
        ("gps_longit", "gps_latitu"),
        ("UTM X", "UTM Y"),
    ],
)
def test_find_axes(longitude: str, latitude: str) -> None:
    assert find_axes(["code", latitude, "_gps_altitude", longitude]) == (longitude, latitude)


@pytest.mark.parametrize(
    "columns",
    [
        ["how long", "late"],
        ["longitude of the house", "latitude of the toilet"],
        ["house longitude", "house latitude", "toilet longitude", "toilet latitude"],
        ["Longitude"],
    ],
)
def test_find_axes_takes_no_pair_that_may_be_none(columns: list[str]) -> None:
    assert find_axes(columns) is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("43Q", ["EPSG:32643"]),
        ("43 n", ["EPSG:32643"]),
        ("UTM zone 21 south", ["EPSG:32721"]),
        ("21J", ["EPSG:32721"]),
        ("43S", ["EPSG:32743", "EPSG:32643"]),
        ("43", ["EPSG:32643", "EPSG:32743"]),
        ("A", []),
        ("61N", []),
        ("Ward 4", []),
    ],
)
def test_zone_codes(text: str, codes: list[str]) -> None:
    assert zone_codes(text) == codes


def test_find_zone() -> None:
    assert find_zone(["Easting", "UTM Zone", "zone name"]) == "UTM Zone"
    assert find_zone(["zone name"]) is None
