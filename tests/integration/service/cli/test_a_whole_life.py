"""`vasti` as a person types it, from the first city to the withdrawn upload: exit codes, tables, sentences."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from geo.indicators.definitions import catalogue
from tests.support import factories as f
from tests.support.cli import Shell, survey_arguments


@pytest.fixture
def shell(fresh_url: str, tmp_path: Path) -> Shell:
    return Shell(fresh_url, tmp_path)


def test_from_city_to_withdrawal(shell: Shell, tmp_path: Path) -> None:
    shell.run("city", "add", "pune", "--name", "पुणे")
    boundaries = f.write_boundaries(tmp_path / "city.zip", f.small_city())
    loaded = shell.run("load", "boundaries", boundaries, "--city", "pune")
    assert "4 settlements added, 0 redrawn, 0 unchanged" in loaded.stdout
    rows = f.households()
    rows[3] |= {"drainage": "nala <b>", "weight": 1}
    rows[5] |= {"longitude": 1.0, "settlement_code": None}
    survey = f.write_csv(tmp_path / "rows.csv", [{"weight": 1, **row} for row in rows])
    load = survey_arguments(survey)

    checked = shell.run(*load, "--dry-run", "--findings", "found.csv")
    assert "checked, nothing written: 48 read, 47 would load" in checked.stdout
    found = list(csv.DictReader(io.StringIO((tmp_path / "found.csv").read_text(encoding="utf-8-sig"))))
    assert {(row["row_number"], row["code"]) for row in found} == {
        ("5", "value_unmapped"),
        ("7", "outside_every_settlement"),
    }
    refused = shell.run(*load, code=1)
    assert "1 of 48 rows have errors, so nothing was loaded" in refused.stderr
    shell.run("values", "--city", "pune", "--survey", "2024", code=1)  # there is no such round yet

    done = shell.run(*load, "--skip-errors")
    assert "48 read, 47 loaded, 1 with warnings, 1 rejected" in done.stdout
    (upload,) = re.findall(r"upload (\d+):", done.stdout)
    assert "draft until" in done.stdout
    assert f"loaded already, as upload {upload}" in shell.run(*load, "--skip-errors").stdout

    as_json = json.loads(shell.run("values", "--city", "pune", "--level", "city", "--format", "json").stdout)
    as_csv = list(
        csv.DictReader(io.StringIO(shell.run("values", "--city", "pune", "--level", "city", "--format", "csv").stdout))
    )
    assert {row["indicator"] for row in as_json} == set(catalogue())
    assert [row["indicator"] for row in as_csv] == [row["indicator"] for row in as_json]
    drained = next(row for row in as_json if row["indicator"] == "drainage_any")
    # One answer is not known, which is never shown as none.
    assert (drained["n"], drained["n_unknown"]) == (45, 5)
    full = shell.run("values", "--city", "pune", "--level", "city", "--full", "--format", "json")
    drained = next(row for row in json.loads(full.stdout) if row["indicator"] == "drainage_any")
    assert (drained["n"], drained["n_unknown"]) == (46, 1)
    assert "drainage_any" in shell.run("values", "--city", "pune", "--indicator", "drainage_any").stdout

    html = tmp_path / "maps" / "coverage.html"
    shell.run("map", "coverage", "--city", "pune", "--survey", "2024", "--indicator", "drainage_any", "-o", html)
    assert "गांधीनगर" in html.read_text(encoding="utf-8")
    assert "is published" in shell.run("publish", "--city", "pune", "--survey", "2024").stdout
    assert f"Upload {upload} is withdrawn: its 47 rows" in shell.run("withdraw", upload).stdout
    assert "withdrawn already" in shell.run("withdraw", upload, code=4).stderr


def test_changes_prints_in_every_form(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, [{**row, "drainage": "none"} for row in f.households()])
        f.load(connection, tmp_path, f.households(), survey=f.spec("2030"))
    command = ["changes", "--city", "pune", "--from", "2024", "--to", "2030", "--indicator", "drainage_any"]
    rows = json.loads(shell.run(*command, "--level", "city", "--format", "json").stdout)
    assert [(row["from_value"], row["to_value"] == row["change"], row["change"] > 0) for row in rows] == [
        (0, True, True)
    ]
    assert shell.run(*command, "--format", "csv").stdout.count("\n") == 5
    assert "Changes in pune from 2024 to 2030" in shell.run(*command).stdout


def test_assess_without_a_database(shell: Shell, tmp_path: Path) -> None:
    boundaries = f.write_boundaries(tmp_path / "city.gpkg", f.small_city())
    rows = f.write_csv(tmp_path / "rows.csv", f.households())
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    shell.run("assess", boundaries, rows, "--mode", "census", "--out", "out", "--full", VASTI_DATABASE_URL=nowhere)
    figures = list(csv.DictReader(io.StringIO((tmp_path / "out" / "figures.csv").read_text(encoding="utf-8"))))
    city = next(row for row in figures if (row["level"], row["indicator"]) == ("city", "drainage_any"))
    without = sum(row["drainage"] == "none" for row in f.households())
    assert float(city["value"]) == pytest.approx(100 * (48 - without) / 48, abs=0.005)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"figures.csv", "coverage.html", "findings.csv"}


@pytest.mark.parametrize("form", ["shapefile", "geopackage", "csv", "geoparquet"])
def test_sample_in_every_form(shell: Shell, tmp_path: Path, form: str) -> None:
    told = shell.run("sample", "--settlements", "5", "--households", "60", "--out", "out", "--format", form)
    assert len(told.stdout.splitlines()) == 2
    assert len(list((tmp_path / "out").iterdir())) >= 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["city", "add", "Pune City", "--name", "x"], 1, "'Pune City' cannot be the short name"),
        (["load", "boundaries", "absent.zip", "--city", "nashik"], 3, "no city 'nashik'"),
        (["values", "--city", "nashik"], 1, "'nashik' is not known"),
        (["withdraw", "99"], 3, "no upload 99"),
        (["values"], 2, "--city"),
        (["values", "--city", "x", "--format", "yaml"], 2, "yaml"),
        (["frobnicate"], 2, "frobnicate"),
        (["load", "survey", "x.csv", "--city", "x", "--survey", "y", "--starts", "soon"], 2, "soon"),
    ],
)
def test_exit_codes(shell: Shell, arguments: list[str], code: int, says: str) -> None:
    assert says in shell.run(*arguments, code=code).stderr


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"VASTI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        ({"VASTI_DATABASE_URL": "nonsense"}, "VASTI_DATABASE_URL is not a database URL"),
        ({"VASTI_PORT": "many"}, "VASTI_PORT"),
    ],
)
def test_exit_code_of_a_machine_not_ready(shell: Shell, environment: dict[str, str], says: str) -> None:
    assert says in shell.run("values", "--city", "x", code=5, **environment).stderr


def test_exit_code_where_output_cannot_be_written(shell: Shell, tmp_path: Path) -> None:
    boundaries = f.write_boundaries(tmp_path / "city.gpkg", f.small_city())
    rows = f.write_csv(tmp_path / "rows.csv", f.households())
    told = shell.run("assess", boundaries, rows, "--mode", "census", "--out", rows / "out", code=5)
    assert "rows.csv" in told.stderr


def test_fault_of_our_own_keeps_answers_out_of_the_log(shell: Shell, fresh_engine: Engine, tmp_path: Path) -> None:
    """A table broken by hand: the log says where it happened, and holds nothing of anybody's answers."""
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        connection.execute(text("ALTER TABLE household ADD CONSTRAINT no CHECK (occupation IS NULL)"))
    rows = [{**row, "occupation": "ragpicker Savitri"} for row in f.households()]
    told = shell.run(*survey_arguments(f.write_csv(tmp_path / "rows.csv", rows)), code=70)
    log = (tmp_path / "state" / "vasti.log").read_text(encoding="utf-8")
    assert "Something went wrong inside Vasti" in told.stderr
    assert "Savitri" not in told.stderr + told.stdout + log
    assert "H0000" not in told.stderr + log
    assert "household_copy.py" in log


def test_what_libraries_log_is_not_told(tmp_path: Path) -> None:
    """A driver whose server is gone logs a traceback in the end; a person reads our sentence alone."""
    script = (
        "import atexit, logging, sys\n"
        "from service.cli.main import run\n"
        "driver = logging.getLogger('sqlalchemy.pool')\n"
        "atexit.register(driver.error, 'Exception during reset', exc_info=ValueError())\n"
        "sys.argv = ['vasti', 'withdraw', '99']\n"
        "run()\n"
    )
    environment = os.environ | {"VASTI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 5
    (sentence,) = told.stderr.splitlines()
    assert sentence.startswith("Error: The database cannot be reached")
