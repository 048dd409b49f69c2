"""Real registers joined by code, by name, and by name within a ward; known answers only, none of their rows."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, text

from geo.base import PageRequest
from geo.indicators.figures import ValuesQuery, find_changes, find_values
from geo.ingestion.loading import LoadResult, SourceOptions, load_boundaries
from geo.ingestion.mapping import BoundaryColumns, Profile, read_profile
from geo.ingestion.reading import ReadOptions
from geo.places import add_city
from tests.support import factories as f


def load_city(connection: Connection, folder: Path, path: Path, columns: BoundaryColumns | Profile) -> None:
    add_city(connection, "real", "Real")
    encoding = "latin-1" if path.suffix == ".zip" else None
    load_boundaries(
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
    """318 of 405 rows join by code, and of these 255 bear the polygon's name.

    The publisher's 374 and 259 come of a join that also pairs the one row without a code with each of the 50 polygons
    without one, and counts a row once for each of the 3 repeated polygons. Their codes name no
    settlement, as each lies in two places kilometres apart: 374 - 50 - 3 - 3 = 318. Two more names agree with its
    folding than with ours.
    """
    folder = real_files / "py_techo_asuncion"
    boundaries = BoundaryColumns(settlement_code="id", settlement_name="nombre")
    load_city(connection, tmp_path, folder / "central.zip", boundaries)
    columns = {"declared_settlement_code": "identificador", "declared_settlement_name": "asentamiento"}
    fields = {name: {"column": column} for name, column in columns.items()}
    profile = Profile.model_validate({"name": "by-code", "fields": fields})
    result = load(connection, tmp_path, folder / "asentamientos_survey.csv", profile, "techo", 2015)
    codes = Counter(result.findings.frame()["code"])
    assert result.rows_read == 405
    by_code = 405 - codes["settlement_unknown"] - codes["name_ambiguous"] - codes["joined_by_name"]
    assert (by_code, by_code - codes["name_differs"]) == (318, 255)
    # The one row without a code joins by its name, which is said.
    assert codes["joined_by_name"] == 1
    assert result.rows_loaded == by_code + 1 - codes["settlement_duplicate"]


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
    codes = Counter(earlier.findings.frame().query("severity == 'error'")["code"])
    # 265 rows bear the name and ward of a settlement drawn here, 253 of them of one only.
    # One other says no number of families, and is not looked for.
    # 104 bear the name of settlements of other wards alone.
    assert (codes["settlement_unknown"], codes["settlement_in_other_ward"]) == (999 - 265 - 1 - 104, 104)
    assert codes["weight_invalid"] == 1
    assert codes["name_ambiguous"] == 265 - 253
    assert (earlier.rows_read, earlier.rows_loaded) == (999, 253 - codes["settlement_duplicate"])
    (register,) = renabap.glob("*.csv")
    load(connection, tmp_path, register, read_profile("renabap"), "2023", 2023)
    query = ValuesQuery(
        cities=["real"],
        indicators=["electricity_access"],
        counted="households",
        seen="all",
        page=PageRequest(limit=None),
    )
    figures = find_values(connection, query).figures
    published = figures[figures["status"] == "published"].groupby("survey").size()
    # Of the settlements of 2015 those the network covered wholly: of the others the register says no number.
    total = connection.execute(
        text(
            "SELECT count(*) FROM household JOIN survey ON survey.id = survey_id"
            " WHERE slug = '2015' AND electricity = 'metered' AND weight >= 10"
        )
    ).scalar_one()
    assert published["2015"] == total > 0
    assert published["2023"] > 1300
    changes = find_changes(connection, query, earlier="2015", later="2023").figures
    said = changes[changes["status"] == "published"]
    assert 0 < len(said) <= total
    assert (said["from_value"] == 100).all()
    assert changes.loc[changes["status"] != "published", "reason"].notna().all()
