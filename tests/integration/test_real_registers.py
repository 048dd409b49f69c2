"""Real registers joined by code, by name, and by name within a ward; known answers only, none of their rows."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection

from geo.indicators.values import ValuesQuery, find_changes, find_values
from geo.ingestion import ingest
from geo.ingestion.ingest import LoadResult
from geo.ingestion.layers import ReadOptions
from geo.ingestion.observe import SourceOptions
from geo.ingestion.profile import BoundaryColumns, Profile, read_profile
from geo.paging import PageRequest
from geo.places import add_city
from tests import factories as f


def load_city(connection: Connection, folder: Path, path: Path, columns: BoundaryColumns | Profile) -> None:
    add_city(connection, "real", "Real")
    encoding = "latin-1" if path.suffix == ".zip" else None
    ingest.load_boundaries(
        connection,
        path,
        "real",
        read=ReadOptions(encoding=encoding),
        columns=columns,
        valid_from_on=None,
        today=f.TODAY,
        options=f.options(folder, skip_errors=True),
    )


def load(connection: Connection, folder: Path, path: Path, profile: Profile, slug: str, year: int) -> LoadResult:
    return f.load(
        connection,
        folder,
        path,
        city="real",
        survey=f.spec(
            slug, unit="settlement", starts_on=f.STARTS.replace(year=year), ends_on=f.ENDS.replace(year=year)
        ),
        source=SourceOptions(profile=profile, unit="settlement"),
        skip_errors=True,
    )


def test_paraguay_joins_by_code_and_says_whose_name_differs(
    connection: Connection, tmp_path: Path, real_files: Path
) -> None:
    folder = real_files / "py_techo_asuncion"
    boundaries = BoundaryColumns(settlement_code="id", settlement_name="nombre")
    load_city(connection, tmp_path, folder / "central.zip", boundaries)
    columns = {"declared_settlement_code": "identificador", "declared_settlement_name": "asentamiento"}
    fields = {name: {"column": column} for name, column in columns.items()}
    profile = Profile.model_validate({"name": "by-code", "fields": fields})
    result = load(connection, tmp_path, folder / "asentamientos_survey.csv", profile, "techo", 2015)
    codes = Counter(result.findings.frame()["code"])
    print(result.rows_read, result.rows_loaded, codes)
    assert result.rows_read == 405


def as_table(path: Path, out: Path) -> Path:
    header, *rows = json.loads(path.read_text(encoding="utf-8"))["result"]
    names = [name if header.index(name) == i else f"{name}_{i + 1}" for i, name in enumerate(header)]
    pd.DataFrame(rows, columns=names).to_csv(out, index=False)
    return out


def test_two_rounds_of_buenos_aires(connection: Connection, tmp_path: Path, real_files: Path) -> None:
    renabap = real_files / "ar_renabap_2023"
    load_city(connection, tmp_path, renabap / "barrios_inside_amba.geojson", read_profile("renabap"))
    table = as_table(real_files / "ar_gba_registry_2015" / "mockedData.json", tmp_path / "gba.csv")
    earlier = load(connection, tmp_path, table, read_profile("gba-2015"), "2015", 2015)
    print(earlier.rows_read, earlier.rows_loaded, Counter(earlier.findings.frame()["code"]))
    (register,) = renabap.glob("*.csv")
    load(connection, tmp_path, register, read_profile("renabap"), "2023", 2023)
    query = ValuesQuery(
        cities=["real"],
        indicators=["electricity_access"],
        counted="households",
        drafts=True,
        page=PageRequest(limit=None),
    )
    figures = find_values(connection, query).figures
    print(figures.groupby(["survey", "status", "reason"], dropna=False).size())
    changes = find_changes(connection, query, earlier="2015", later="2023").figures
    print(changes.groupby(["status", "reason"], dropna=False).size())
