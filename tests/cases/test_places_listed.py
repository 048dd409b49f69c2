"""Settlements without outlines: a list, points, the sites that a survey names."""

from pathlib import Path

import pandas as pd
import pytest

from tests.support.officer import Officer, figure
from tests.support.outlines import outlines

ROUND = ("--starts", "2025-01-01", "--ends", "2025-12-31", "--mode", "census")


@pytest.mark.case("officer/B1-register-of-points")
def test_a_register_of_points(officer: Officer) -> None:
    officer.city("zewa")
    named = ("--code", "Place no", "--name", "Place", "--ward", "Quarter")
    loaded = officer.run("load", "boundaries", "places.csv", "--city", "zewa", *named)
    assert "12 settlements added" in loaded.stdout
    assert "holds no outlines" in loaded.stderr
    of_round = ("load", "survey", "places.csv", "--city", "zewa", "--survey", "2025", *ROUND, "--unit", "settlement")
    done = officer.run(*of_round, "--profile", "places.toml")
    assert "12 loaded" in done.stdout
    assert "outside every settlement" not in done.stderr
    figures = officer.values("zewa", "2025", "--counted", "households")
    electricity = figure(figures, "electricity_access")
    assert (round(electricity["value"], 2), electricity["n"], electricity["n_unknown"]) == (94.46, 2615, 446)
    drainage = figure(figures, "drainage_any")
    assert (round(drainage["value"], 2), drainage["n"], drainage["n_unknown"]) == (44.46, 2670, 391)
    density = figure(figures, "density_households")
    assert (pd.isna(density["value"]), density["reason"]) == (True, "no_boundary")
    visited = ("load", "survey", "sites_visited.csv", "--city", "zewa", "--survey", "2025h", *ROUND)
    officer.run(*visited, "--profile", "sites_visited.toml")
    internet = officer.values("zewa", "2025h", "--counted", "households")
    assert [figure(internet, "internet_home", f"ZW/{n}")["value"] for n in (200, 214, 249)] == [70, 70, 80]
    drawn = ("map", "coverage", "--city", "zewa", "--survey", "2025", "--indicator", "electricity_access")
    officer.run(*drawn, "-o", "map.html")
    html = (officer.folder / "map.html").read_text(encoding="utf-8")
    assert '"Point"' in html
    assert html.count('"Point"') >= 12


@pytest.mark.case("officer/B1-survey-names-sites")
def test_a_survey_that_names_its_sites(officer: Officer) -> None:
    officer.city("tannery")
    loading = ("load", "survey", "interviews.csv", "--city", "tannery", "--survey", "2025", *ROUND)
    refused = officer.run(*loading, "--profile", "interviews.toml", code=3)
    assert "--new-settlements" in refused.stderr
    loaded = officer.run(*loading, "--profile", "interviews.toml", "--new-settlements")
    assert "Gully Camp, Stone Steps, Tannery" in loaded.stderr
    figures = officer.values("tannery", "2025", "--counted", "households")
    shares = {"Gully Camp": 64.29, "Stone Steps": 25.0, "Tannery": 100.0, "": 61.11}
    for place, share in shares.items():
        assert figure(figures, "internet_home", place)["value"] == share


def test_outlines_come_later_under_the_same_code(at_desk: Officer) -> None:
    folder = at_desk.folder
    listed = folder / "list.csv"
    listed.write_text("code,name,longitude,latitude,radius\nA,Alpha,10.001,0.001,150\nB,Beta,,,\n", encoding="utf-8")
    at_desk.city("c", listed)
    drawn = outlines(folder / "a.geojson", ({"code": "A", "name": "Alpha"}, 10, 0))
    again = at_desk.run("load", "boundaries", drawn, "--city", "c")
    assert "0 settlements added, 1 redrawn, 0 unchanged" in again.stdout
    taken = at_desk.run("withdraw", "1")
    assert "withdrawn" in taken.stdout
    assert "Beta" not in at_desk.run("load", "boundaries", _points(folder), "--city", "c").stderr


def _points(folder: Path) -> Path:
    path = folder / "points.geojson"
    path.write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"code": "C", "name": "Gamma"},'
        ' "geometry": {"type": "Point", "coordinates": [10.01, 0.0]}}]}',
        encoding="utf-8",
    )
    return path
