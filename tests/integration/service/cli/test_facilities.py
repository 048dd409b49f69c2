"""`vasti load facilities` as a person types it: checked, refused, loaded, corrected and taken back."""

import csv
import re
from pathlib import Path

import geopandas as gpd
import pytest
from sqlalchemy import Engine, select

from geo.database.schema.facilities import facility
from tests.support import factories as f
from tests.support.cli import Shell


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    shell = Shell(fresh_url, tmp_path)
    shell.run("city", "add", "pune", "--name", "Pune")
    shell.run("load", "boundaries", f.write_boundaries(tmp_path / "city.gpkg", f.small_city()), "--city", "pune")
    return shell


def codes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        rows = select(facility.c.code).where(facility.c.is_live).order_by(facility.c.code)
        return list(connection.execute(rows).scalars())


def test_facilities_from_check_to_withdrawal(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    rows = [f.facility(0), f.facility(1, facility_code="-F1", seats_working=12), f.facility(2, seats="a few")]
    written = [{"x_gps" if name == "longitude" else name: value for name, value in row.items()} for row in rows]
    path = f.write_csv(tmp_path / "blocks.csv", written)
    load = ["load", "facilities", path, "--city", "pune", "--longitude", "x_gps", "--latitude", "latitude"]

    checked = shell.run(*load, "--dry-run", "--findings", "found.csv")
    assert "blocks.csv: checked, nothing written: 3 read, 2 would load, 1 with warnings, 1 rejected" in checked.stdout
    assert "More seats work than there are: “12 of 10”. What to do: correct the seats" in checked.stderr
    with (tmp_path / "found.csv").open(encoding="utf-8-sig") as found:
        assert [(row["row_number"], row["code"]) for row in csv.DictReader(found)] == [
            ("3", "seats_exceeded"),
            ("4", "seats_invalid"),
        ]
    refused = shell.run(*load, "--rejected", "rejected.gpkg", code=1)
    assert "1 of 3 rows have errors, so nothing was loaded" in refused.stderr
    (drawn,) = gpd.read_file(tmp_path / "rejected.gpkg").geometry
    assert (drawn.x, drawn.y) == (rows[1]["longitude"], rows[1]["latitude"])
    assert codes(fresh_engine) == []

    done = shell.run(*load, "--skip-errors", "--rejected", "rejected.csv")
    (upload,) = re.findall(r"blocks.csv: upload (\d+): 3 read, 2 loaded, 1 with warnings, 1 rejected", done.stdout)
    assert f"loaded already, as upload {upload}" in shell.run(*load, "--skip-errors").stdout
    rejected = tmp_path / "rejected.csv"
    text = rejected.read_text(encoding="utf-8-sig")
    assert "'-F1" in text
    rejected.write_text(text.replace(",12,", ",9,"), encoding="utf-8-sig")
    corrected = ["load", "facilities", rejected, *load[3:]]
    assert "1 read, 1 loaded" in shell.run(*corrected).stdout
    assert codes(fresh_engine) == ["-F1", "F000", "F002"]

    assert f"Upload {upload} is withdrawn: its 2 rows" in shell.run("withdraw", upload).stdout
    assert codes(fresh_engine) == ["-F1"]
    assert "withdrawn already" in shell.run("withdraw", upload, code=4).stderr


def test_facilities_of_shapes_in_one_layer(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    """Every option that names a column, on a layer of points among others."""
    frame = f.points([f.facility(0)]).rename(columns=lambda name: name if name == "geometry" else f"{name}_said")
    path = tmp_path / "both.gpkg"
    frame.to_file(path, layer="blocks")
    frame.to_file(path, layer="other")
    names = ["code", "name", "seats", "seats_working", "working", "opened_on", "closed_on"]
    standard = {"code": "facility_code", "name": "facility_name"}
    options = [(f"--{name.replace('_', '-')}", f"{standard.get(name, name)}_said") for name in names]
    load = ["load", "facilities", path, "--city", "pune", *(word for option in options for word in option)]
    shell.run(*load, "--kind-column", "kind_said", code=1)  # there are two layers
    shell.run(*load, "--kind-column", "kind_said", "--layer", "blocks")
    with fresh_engine.connect() as connection:
        row = connection.execute(select(facility)).mappings().one()
    kept = (row["code"], row["name"], row["kind"], row["seats"], row["seats_working"], row["is_working"])
    assert kept == ("F000", "Block 0", "community_toilet", 10, 8, True)
    shell.run(*load, "--kind", "water_point", "--layer", "other")
    with fresh_engine.connect() as connection:
        assert connection.execute(select(facility.c.kind).where(facility.c.is_live)).scalars().all() == ["water_point"]


def test_facilities_exit_codes(shell: Shell, tmp_path: Path) -> None:
    load = ["load", "facilities", f.write_csv(tmp_path / "blocks.csv", [f.facility(0)]), "--city"]
    assert "no city 'nowhere'" in shell.run(*load, "nowhere", code=3).stderr
    assert "--longitude and --latitude go together" in shell.run(*load, "pune", "--longitude", "x", code=2).stderr
    both = shell.run(*load, "pune", "--kind", "water_point", "--kind-column", "kind", code=2)
    assert "give one of them" in both.stderr
    assert (
        "no column 'no_such', which the command names" in shell.run(*load, "pune", "--code", "no_such", code=1).stderr
    )
