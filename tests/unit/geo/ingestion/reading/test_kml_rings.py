"""Holes of KML shapes that share one tag, which GDAL would lose."""

import zipfile
from pathlib import Path

import pytest

from geo.ingestion.reading import Note, ReadOptions, open_layer, read_shapes


def ring(west: float, size: float) -> str:
    east = west + size
    corners = f"{west},{west} {east},{west} {east},{east} {west},{east} {west},{west}"
    return f"<LinearRing><coordinates>{corners}</coordinates></LinearRing>"


def document(*rings: str, outer: str = ring(0, 10)) -> str:
    inner = f"<innerBoundaryIs>{''.join(rings)}</innerBoundaryIs>"
    polygon = f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs>{inner}</Polygon>"
    kml = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    return f"{kml}<Placemark><name>K1</name>{polygon}</Placemark></Document></kml>"


def read(path: Path) -> tuple[list[float], list[Note]]:
    with open_layer(path, ReadOptions()) as layer:
        areas = [shape.area for batch in layer.batches for shape in read_shapes(batch.geometry)]
        return areas, layer.notes


@pytest.mark.parametrize("suffix", [".kml", ".kmz"])
def test_every_hole_of_a_tag_is_a_hole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    text = document(ring(1, 1), ring(3, 1), ring(5, 2))
    if suffix == ".kml":
        path.write_text(text, encoding="utf-8")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", text)
    assert read(path) == ([100 - 1 - 1 - 4], [])


def test_two_outlines_of_one_tag_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.kml"
    path.write_text(document(ring(1, 1), outer=ring(0, 10) + ring(20, 5)), encoding="utf-8")
    assert read(path)[1] == [Note("outline_left_out")]


def test_a_map_without_such_tags_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.kml"
    path.write_text(document(ring(1, 1)), encoding="utf-8")
    assert read(path) == ([99], [])
