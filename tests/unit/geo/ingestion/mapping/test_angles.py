"""Angles in degrees, minutes and seconds, as people and devices write them."""

import pytest

from geo.ingestion.mapping.angles import read_angle, read_angles


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("18°37'49.08\"N", 18.6303),
        ("18º 37′ 49,08″ S", -18.6303),
        ("18°37'49.08''", 18.6303),
        ("N 18 37.8180", 18.6303),
        ("18 37 49.08", 18.6303),
        ("18:37:49.08", 18.6303),
        ("73-48-00.72E", 73.8002),
        ("-18°37.5'", -18.625),
        ("73.8002 E", 73.8002),
        ("W70.25", -70.25),
        ("70,25 O", -70.25),
        ("18d37m49s", 18 + 37 / 60 + 49 / 3600),
        ("18d37m49s S", -18 - 37 / 60 - 49 / 3600),
        ("Lat: 18°30'", 18.5),
    ],
)
def test_read_angle(text: str, degrees: float) -> None:
    assert read_angle(text) == pytest.approx(degrees)


@pytest.mark.parametrize(
    "text",
    ["", "18.6303", "-73", "18 75.0", "18 037.5", "18 630 300", "04-Jun", "2024-05-31", "Plot 5", "5 m", "N", "°"],
)
def test_read_angle_leaves_what_is_none(text: str) -> None:
    assert read_angle(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "18°37'49.08\"N 73°48'00.72\"E",
        "18°37'49.08\"N,73°48'00.72\"E",
        "N 18 37.8180, E 73 48.0120",
        "18.6303 N / 73.8002 E",
        "18°37'49.08\" 73°48'00.72\"",
    ],
)
def test_read_angles(text: str) -> None:
    angles = read_angles(text)
    assert angles is not None
    assert [angle.degrees for angle in angles] == pytest.approx([18.6303, 73.8002])


def test_read_angles_says_which_is_which() -> None:
    angles = read_angles("W 70° 15' S 18°")
    assert angles is not None
    assert [angle.axis for angle in angles] == ["longitude", "latitude"]
    assert read_angles("18°N 19°N") is None
    assert read_angles("18 37 73 48") is None
    assert read_angles("1 " * 10_000) is None
