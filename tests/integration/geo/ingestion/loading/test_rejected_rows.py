"""Rejected rows: written with their reasons, corrected, and loaded again by themselves."""

import csv
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, Point

from tests.support import factories as f
from tests.support.cli import Shell, survey_arguments

PROFILE = """
name = "form"
[position]
longitude = "gps_x"
latitude = "gps_y"
[fields.household_code]
column = "HH"
[fields.weight]
column = "w"
[fields.drainage]
column = "drain"
values = { "Closed" = "closed" }
"""


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "pune", "--name", "Pune")
    shell.run("load", "boundaries", f.write_boundaries(tmp_path / "city.gpkg", f.small_city()), "--city", "pune")
    (tmp_path / "form.toml").write_text(PROFILE)
    return shell


def form_rows(n: int = 12) -> list[dict[str, Any]]:
    """Rows of somebody's form; the second, third and fifth are in error, and text tries to run as a formula."""
    plain = [f.household(i, 0) for i in range(n)]
    rows = [
        {
            "HH": f"-H{i:03}",
            "w": "1.5",
            "gps_x": str(row["longitude"]),
            "gps_y": str(row["latitude"]),
            "drain": "Closed",
            "note": "=2+3",
            "कहां": 'Ñembý, "the" market',
        }
        for i, row in enumerate(plain)
    ]
    rows[1]["w"] = "-1"
    rows[2]["gps_x"], rows[2]["gps_y"] = "-73.9", "18.58"
    rows[4]["w"], rows[4]["gps_x"] = "none", "0"
    return rows


def read_csv(path: Path) -> list[dict[str, str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def test_rejected_csv_is_corrected_and_loaded_by_itself(shell: Shell) -> None:
    form, rejected = f.write_csv(shell.folder / "form.csv", form_rows()), shell.folder / "rejected.csv"
    how = ["--profile", "form.toml"]
    refused = shell.run(*survey_arguments(form), *how, "--rejected", rejected, code=1)
    assert "3 of 12 rows have errors" in refused.stderr
    assert "3 rejected rows are in rejected.csv" in refused.stderr
    rows = read_csv(rejected)
    assert [row["vasti_row"] for row in rows] == ["3", "4", "6"]
    assert list(rows[0]) == ["vasti_row", "vasti_reasons", "HH", "w", "gps_x", "gps_y", "drain", "note", "कहां"]
    assert "weight" in rows[0]["vasti_reasons"]
    assert "other sign before the longitude" in rows[1]["vasti_reasons"]
    # A spreadsheet runs none of it; a negative number stays one.
    assert [rows[0][name] for name in ("HH", "note", "कहां")] == ["'-H001", "'=2+3", 'Ñembý, "the" market']
    assert rows[1]["gps_x"] == "-73.9"

    first = shell.run(*survey_arguments(form), *how, "--skip-errors", "--rejected", rejected)
    assert "9 loaded" in first.stdout
    assert read_csv(rejected) == rows
    for row, good in zip(rows, [form_rows()[0]] * 3, strict=True):
        row.update({"w": "1", "gps_x": good["gps_x"], "gps_y": good["gps_y"]})
    again = f.write_csv(shell.folder / "corrected.csv", rows, encoding="utf-8-sig")
    assert "3 read, 3 loaded" in shell.run(*survey_arguments(again), *how).stdout
    stored = stored_rows(shell)
    assert [code for code, _ in stored] == [f"-H{i:03}" for i in range(12)]
    assert all(extra == {"note": "=2+3", "कहां": 'Ñembý, "the" market'} for _, extra in stored)


def stored_rows(shell: Shell) -> list[tuple[str, Any]]:
    frame = pd.read_sql("SELECT household_code, extra FROM household WHERE is_live ORDER BY 1", shell.url)
    return list(frame.itertuples(index=False, name=None))


def test_rejected_geopackage_of_a_table_has_points(shell: Shell) -> None:
    rows = [{**row, "hh": "x", "fid": "not a number"} for row in form_rows()]
    rows[1]["gps_x"] = "somewhere"
    form, rejected = f.write_csv(shell.folder / "form.csv", rows), shell.folder / "rejected.gpkg"
    shell.run(*survey_arguments(form), "--profile", "form.toml", "--rejected", rejected, code=1)
    frame = gpd.read_file(rejected)
    assert list(frame["vasti_row"]) == [3, 4, 6]
    assert frame.crs.to_epsg() == 4326
    assert [None if g is None else (g.x, g.y) for g in frame.geometry][:2] == [None, (-73.9, 18.58)]
    assert list(frame["HH"]) == ["-H001", "-H002", "-H004"]
    assert frame["gps_x"][0] == "somewhere"
    # To a GeoPackage, HH and hh are one name.
    assert list(frame["hh_2"]) == ["x", "x", "x"]


def test_rejected_geopackage_keeps_crs_and_types(shell: Shell) -> None:
    points = f.points(f.households()).drop(columns="settlement_code").to_crs(32643)
    points["fid_no"] = range(len(points))
    points.loc[[3, 5], "geometry"] = Point(0, 0)
    points.loc[[7], "geometry"] = None
    points.to_file(shell.folder / "rows.gpkg")
    rejected = shell.folder / "rejected.gpkg"
    arguments = [*survey_arguments(shell.folder / "rows.gpkg"), "--rejected", rejected]
    shell.run(*arguments, code=1)
    frame = gpd.read_file(rejected)
    assert frame.crs.to_epsg() == 32643
    assert list(frame["vasti_row"]) == [4, 6, 8]
    assert [g is None for g in frame.geometry] == [False, False, True]
    assert list(frame["fid_no"]) == [3, 5, 7]
    assert str(frame["members"].dtype).startswith("int")

    frame["geometry"] = list(points.geometry[:3])
    frame.to_file(shell.folder / "corrected.gpkg")
    assert "3 read, 3 loaded" in shell.run(*survey_arguments(shell.folder / "corrected.gpkg")).stdout


def test_rejected_boundaries_keep_their_shapes(shell: Shell) -> None:
    city = f.small_city().assign(settlement_code=["A", None, "C", "D"])
    city.loc[2, "geometry"] = LineString([(73.0, 18.0), (73.1, 18.1)])
    path = f.write_boundaries(shell.folder / "more.gpkg", city.to_crs(32643))
    rejected = shell.folder / "rejected.gpkg"
    shell.run("load", "boundaries", path, "--city", "pune", "--rejected", rejected, "--dry-run")
    frame = gpd.read_file(rejected)
    assert set(frame["vasti_row"]) >= {2, 3}
    assert frame.crs.to_epsg() == 32643
    kinds = dict(zip(frame["vasti_row"], frame.geometry.geom_type, strict=True))
    assert (kinds[2], kinds[3]) == ("MultiPolygon", "LineString")
    shell.run("load", "boundaries", path, "--city", "pune", "--rejected", shell.folder / "rejected.csv", "--dry-run")
    rows = read_csv(shell.folder / "rejected.csv")
    assert rows[-1 if rows[-1]["vasti_row"] == "3" else 1]["wkt"].startswith(("LINESTRING", "MULTIPOLYGON"))


def test_rejected_by_assess(shell: Shell) -> None:
    form = f.write_csv(shell.folder / "form.csv", form_rows())
    how = ["--profile", "form.toml", "--mode", "census"]
    arguments = ["assess", "city.gpkg", form, "--out", "out", *how, "--rejected", "rejected.csv"]
    shell.run(*arguments, code=1)
    assert [row["vasti_row"] for row in read_csv(shell.folder / "rejected.csv")] == ["3", "4", "6"]
    shell.run(*arguments, "--skip-errors")
    hopeless = f.write_csv(shell.folder / "hopeless.csv", [form_rows()[1]])
    for more in ([], ["--skip-errors"]):
        refused = shell.run("assess", "city.gpkg", hopeless, "--out", "out", *how, *more, code=1)
        assert "Every row of hopeless.csv has errors" in refused.stderr
        assert "--skip-errors" not in refused.stderr
    fixed = shell.run(*arguments, "--skip-errors", "--fix")
    assert "other sign before the longitude" in fixed.stderr


def test_rejected_rows_that_could_not_be_split(shell: Shell) -> None:
    path = f.write_csv(shell.folder / "rows.csv", f.households()[:3])
    path.write_text(path.read_text() + "a,b\n")
    shell.run(*survey_arguments(path), "--rejected", "rejected.csv", code=1)
    (row,) = read_csv(shell.folder / "rejected.csv")
    assert (row["vasti_row"], row["household_code"]) == ("5", "")
    assert "cells where the header has" in row["vasti_reasons"]
    shell.run(*survey_arguments(path), "--rejected", "rejected.gpkg", code=1)
    assert list(gpd.read_file(shell.folder / "rejected.gpkg")["vasti_row"]) == [5]


def test_rejected_none_leaves_no_old_file_behind(shell: Shell) -> None:
    rejected = shell.folder / "rejected.csv"
    rejected.write_text("of yesterday")
    path = f.write_csv(shell.folder / "rows.csv", f.households())
    assert "No row was rejected" in shell.run(*survey_arguments(path), "--rejected", rejected, "--dry-run").stderr
    assert read_csv(rejected) == []


def test_rejected_never_overwrites_the_file_to_load(shell: Shell) -> None:
    path = f.write_csv(shell.folder / "rows.csv", f.households())
    before = path.read_bytes()
    assert "choose another name" in shell.run(*survey_arguments(path), "--rejected", path, code=1).stderr
    assert ".csv or .gpkg" in shell.run(*survey_arguments(path), "--rejected", "rejected.xlsx", code=1).stderr
    assert path.read_bytes() == before


def test_fix_loads_what_it_puts_right(shell: Shell) -> None:
    rows = [{**row, "settlement_code": None, "latitude": -row["latitude"]} for row in f.households()]
    path = f.write_csv(shell.folder / "rows.csv", rows)
    refused = shell.run(*survey_arguments(path), code=1)
    assert "with the other sign before the latitude it lies in" in refused.stderr
    assert "--fix" in refused.stderr
    assert "--skip-errors" not in refused.stderr.splitlines()[-1]
    assert "--skip-errors" not in shell.run(*survey_arguments(path), "--skip-errors", code=1).stderr
    done = shell.run(*survey_arguments(path), "--fix")
    assert "48 loaded, 48 with warnings" in done.stdout
    low = pd.read_sql("SELECT min(ST_Y(geom)) AS low FROM household", shell.url)["low"][0]
    assert low > 18
