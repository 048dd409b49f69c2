"""A publication's download: whole, the same whenever it is made, and what each of its files says."""

import csv
import hashlib
import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import yaml
from openpyxl import load_workbook
from sqlalchemy import Engine, text

from geo import database
from geo.errors import Conflict, NotFound
from geo.publications import clear_downloads, current_publications, find_download, find_lacking, keep_download
from geo.publications.canonical import COLUMNS
from geo.publications.downloads import kept
from geo.publications.downloads.archive import find_file
from geo.settings import Settings
from tests.support.project import ROOT
from tests.support.published_city import CITY, FORMULA_NAME, HOUSEHOLDS, SECRETS, SmallCity

NAMES = {
    *("figures.csv", "figures.xlsx", "places.gpkg", "settlements.geojson", "wards.geojson"),
    *("settlements.parquet", "wards.parquet", "codebook.csv"),
    *("METHODS.md", "LICENSE", "CITATION.cff", "citation.bib", "SHA256SUMS"),
}


@pytest.fixture
def engine(changing_city: SmallCity) -> Iterator[Engine]:
    engine = database.create_engine(changing_city.url)
    yield engine
    engine.dispose()


def made(engine: Engine, settings: Settings) -> Path:
    """Makes the download of the round of 2024; where it is."""
    with database.transaction(engine) as connection:
        (found,) = current_publications(connection, [CITY], ["2024"])
        assert keep_download(connection, found.id, settings)
        file = find_file(connection, found.id)
    assert file is not None
    path = kept.find_path(file, settings.originals_url)
    assert path is not None
    return path


@pytest.fixture
def unpacked(engine: Engine, tmp_path: Path) -> Path:
    """The files of the download."""
    settings = Settings(state_dir=tmp_path / "state", licence="CC-BY-4.0", public_url="https://vasti.example.org")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(made(engine, settings)) as source:
        assert set(source.namelist()) == NAMES
        assert source.testzip() is None
        source.extractall(folder)
    return folder


def test_sha256sum_of_the_figures_is_the_publication_s_digest(engine: Engine, unpacked: Path) -> None:
    told = subprocess.run(["sha256sum", "figures.csv"], cwd=unpacked, check=True, capture_output=True, text=True)
    with engine.connect() as connection:
        digest = connection.execute(text("SELECT sha256 FROM open.publications WHERE survey = '2024'")).scalar_one()
    assert told.stdout.split()[0] == digest
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=unpacked, check=True)
    sums = (unpacked / "SHA256SUMS").read_text()
    assert {line.split("  ")[1] for line in sums.splitlines()} == NAMES - {"SHA256SUMS"}


def test_the_workbook_has_typed_cells_and_runs_nothing(unpacked: Path) -> None:
    book = load_workbook(unpacked / "figures.xlsx")
    assert book.sheetnames == ["figures", "notes"]
    sheet = book["figures"]
    assert sheet.freeze_panes == "A2"
    header, *rows = sheet.iter_rows()
    assert [cell.value for cell in header] == list(COLUMNS)
    with (unpacked / "figures.csv").open(encoding="utf-8", newline="") as file:
        told = [row for row in csv.DictReader(file) if row["group_by"] == ""]
    assert len(rows) == len(told) > 0
    at = {name: i for i, name in enumerate(COLUMNS)}
    for row, expected in zip(rows, told, strict=True):
        for name in ("value", "n", "publication"):
            cell = row[at[name]]
            assert (cell.data_type, cell.value) == ("n", float(expected[name]) if expected[name] else None)
        assert row[at["settlement_name"]].data_type in ("s", "n")
        assert row[at["settlement_name"]].value == (expected["settlement_name"] or None)
    assert f"'{FORMULA_NAME}" in {row[at["settlement_name"]].value for row in rows}
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    notes = {row[0].value: row[1].value for row in book["notes"].iter_rows()}
    assert notes["licence"] == "The figures in this file are published by shelter under the licence CC-BY-4.0."


def test_gis_programs_read_places_with_their_headline_figures(unpacked: Path) -> None:
    with (unpacked / "figures.csv").open(encoding="utf-8", newline="") as file:
        told = {
            row["settlement_code"]: row
            for row in csv.DictReader(file)
            if (row["level"], row["indicator"], row["group_by"]) == ("settlement", "household_toilet", "")
            and row["counted"] == "households"
        }
    layers = [
        gpd.read_file(unpacked / "places.gpkg", layer="settlements"),
        gpd.read_file(unpacked / "settlements.geojson"),
        gpd.read_parquet(unpacked / "settlements.parquet"),
    ]
    for layer in layers:
        assert layer.crs.to_epsg() == 4326
        assert list(layer["settlement_code"]) == list(HOUSEHOLDS)
        assert layer.geometry.is_valid.all()
        for row in layer.to_dict("records"):
            expected = told[row["settlement_code"]]
            value, reason = row["household_toilet"], row["household_toilet_reason"]
            assert (None if pd.isna(value) else value) == (float(expected["value"]) if expected["value"] else None)
            assert (None if pd.isna(reason) else reason) == (expected["reason"] or None)
    assert set(gpd.read_file(unpacked / "places.gpkg", layer="wards")["ward_code"]) == {"A", "B"}


def test_the_codebook_has_every_column(unpacked: Path) -> None:
    with (unpacked / "codebook.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    described = {row["column"] for row in rows if row["file"] == "settlements, wards"}
    for layer in (
        gpd.read_parquet(unpacked / "settlements.parquet"),
        gpd.read_file(unpacked / "settlements.geojson"),
        gpd.read_file(unpacked / "places.gpkg", layer="wards"),
    ):
        assert described | {"geometry"} == set(layer.columns)
    assert [row["column"] for row in rows if row["file"].startswith("figures.csv")] == list(COLUMNS)
    (water,) = (row for row in rows if row["column"] == "water_basic")
    assert (water["unit"], water["unknown_answers"], water["counted"]) == ("%", "unserved", "persons")
    assert water["numerator"].startswith("water_source IN ('piped_dwelling'")
    assert water["denominator"] == "all households that were interviewed"
    assert all(row["means"] for row in rows)


def test_licence_and_citation(engine: Engine, unpacked: Path) -> None:
    assert "under the licence CC-BY-4.0" in (unpacked / "LICENSE").read_text()
    cited = yaml.safe_load((unpacked / "CITATION.cff").read_text(encoding="utf-8"))
    assert (cited["cff-version"], cited["type"], cited["license"]) == ("1.2.0", "dataset", "CC-BY-4.0")
    assert cited["version"] == "publication 1"
    assert cited["url"] == f"https://vasti.example.org/api/v1/values?city={CITY}&survey=2024&publication=1"
    bib = (unpacked / "citation.bib").read_text(encoding="utf-8")
    assert f"@misc{{{CITY}-2024-1," in bib
    assert cited["identifiers"][0]["value"].removeprefix("sha256:") in bib


def test_without_a_licence_it_says_that_none_was_given(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE survey SET licence = NULL"))
    with zipfile.ZipFile(made(engine, Settings(state_dir=tmp_path / "state"))) as source:
        assert source.read("LICENSE").decode().startswith("No licence was given for the figures in this file.")
        assert "license" not in yaml.safe_load(source.read("CITATION.cff"))


def test_it_is_the_same_whenever_it_is_made(engine: Engine, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    path = made(engine, settings)
    before = path.read_bytes()
    path.unlink()
    again = made(engine, settings)
    with zipfile.ZipFile(io.BytesIO(before)) as first, zipfile.ZipFile(again) as second:
        assert [name for name in first.namelist() if first.read(name) != second.read(name)] == []
    assert (again, again.read_bytes()) == (path, before)


def test_it_is_made_once(engine: Engine, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    path = made(engine, settings)
    with database.transaction(engine) as connection:
        (found,) = current_publications(connection, [CITY], ["2024"])
        assert not keep_download(connection, found.id, settings)
    # A file that lost its end is made anew.
    os.truncate(path, 100)
    assert zipfile.is_zipfile(made(engine, settings))


def test_it_tells_nothing_that_is_not_for_everybody(unpacked: Path) -> None:
    for path in unpacked.iterdir():
        body = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                body = b"".join(book.read(name) for name in book.namelist())
        assert [secret for secret in SECRETS if secret.encode() in body] == [], path.name


def test_figures_that_were_changed_get_no_download(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE published_figure SET value = 99 WHERE value IS NOT NULL"))
    with pytest.raises(Conflict, match="are not those that were published"):
        made(engine, Settings(state_dir=tmp_path / "state"))
    assert list((tmp_path / "state").rglob("*.zip")) == []


def test_a_publication_from_before_gets_its_digest(engine: Engine, tmp_path: Path) -> None:
    asked = text("SELECT sha256 FROM open.publications WHERE survey = '2024'")
    with engine.begin() as connection:
        before = connection.execute(asked).scalar_one()
        connection.execute(text("UPDATE publication SET sha256 = NULL"))
    made(engine, Settings(state_dir=tmp_path / "state"))
    with engine.connect() as connection:
        assert connection.execute(asked).scalar_one() == before


KILLED = """
import os, signal, sys
from fsspec.implementations.local import LocalFileSystem
from geo import database
from geo.publications import find_lacking, keep_download
from geo.settings import Settings

move, when = LocalFileSystem.mv, sys.argv[2]

def killed(self, *places):
    if when == "after it is named":
        move(self, *places)
    os.kill(os.getpid(), signal.SIGKILL)

LocalFileSystem.mv = killed
settings = Settings()
with database.transaction(database.create_engine(sys.argv[1])) as connection:
    keep_download(connection, find_lacking(connection, settings.originals_url)[0], settings)
"""
"""A process that is killed while it keeps a download."""


@pytest.mark.parametrize("when", ["before it is named", "after it is named"])
def test_kill_9_leaves_nothing_that_is_served(
    changing_city: SmallCity, engine: Engine, tmp_path: Path, when: str
) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, changing_city.url, when],
        env=os.environ | {"VASTI_STATE_DIR": str(tmp_path / "state")},
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    (left,) = (path for path in (tmp_path / "state").rglob("*") if path.is_file())
    with database.transaction(engine) as connection:
        assert find_lacking(connection, settings.originals_url)
        (found,) = current_publications(connection, [CITY], ["2024"])
        with pytest.raises(NotFound, match="cannot be downloaded yet"):
            find_download(connection, CITY, "2024", found.number, settings.originals_url)
    path = made(engine, settings)
    assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
    # What was left goes when nobody can be at it any more; what is known stays.
    for each in (left, path):
        if each.exists():
            os.utime(each, (0, 0))
    with database.transaction(engine) as connection:
        clear_downloads(connection, settings.originals_url)
    assert [each for each in (tmp_path / "state").rglob("*") if each.is_file()] == [path]
