"""A survey file becomes rows, findings and tallies, or nothing at all."""

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text

from geo.database.schema.households import household
from geo.database.schema.surveys import data_version, survey
from geo.database.schema.tables import metadata
from geo.database.schema.uploads import finding, upload
from geo.errors import Conflict, InputError, NotFound, UnreadableFile
from geo.fields import standard_fields
from geo.ingestion.loading import ErrorsFound, LoadResult, SourceOptions
from geo.ingestion.reading.layer import BATCH_ROWS
from tests.support import factories as f

Row = dict[str, Any]


def survey_id(connection: Connection, slug: str = "2024") -> int:
    return int(connection.execute(select(survey.c.id).where(survey.c.slug == slug)).scalar_one())


def counts(connection: Connection) -> dict[str, int]:
    """Rows of every table, and how many tables there are: partitions and strays count too."""
    rows = {
        t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in metadata.sorted_tables
    }
    relations = connection.execute(text("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p')")).scalar_one()
    version = connection.execute(select(func.max(data_version.c.version))).scalar_one()
    return rows | {"relations": relations, "version": version}


@pytest.fixture
def city(connection: Connection, tmp_path: Path) -> Connection:
    f.load_city(connection, tmp_path, f.small_city())
    return connection


def live(connection: Connection, slug: str = "2024") -> dict[str, Row]:
    """Live households by code."""
    rows = select(household).where(household.c.survey_id == survey_id(connection, slug), household.c.is_live)
    return {str(row["household_code"]): dict(row) for row in connection.execute(rows).mappings()}


def test_load_first_file(city: Connection, tmp_path: Path) -> None:
    rows = f.households()
    rows[0]["note"] = "beside the well"
    before = counts(city)
    result = f.load(city, tmp_path, rows)
    assert (result.state, result.rows_read, result.rows_loaded, result.rows_rejected) == ("loaded", 48, 48, 0)
    assert counts(city)["household"] == 48
    assert counts(city)["version"] == before["version"] + 1
    found = live(city)["H0000"]
    assert (found["members"], found["toilet_type"], found["row_number"]) == (1, "none", 2)
    assert found["extra"] == {"note": "beside the well"}
    placed = city.execute(
        text(
            "SELECT count(*) FROM household h JOIN settlement s ON s.id = h.settlement_id"
            " JOIN boundary b ON b.settlement_id = s.id"
            " WHERE ST_Intersects(b.geom, h.geom) AND s.code = h.declared_settlement_code"
        )
    ).scalar_one()
    assert placed == 48
    f.assert_tallies_whole(city, survey_id(city))


def test_load_keeps_the_original_under_its_sha256(city: Connection, tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "मूळ file.csv", f.households())
    result = f.load(city, tmp_path, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    row = city.execute(select(upload).where(upload.c.id == result.upload_id)).mappings().one()
    assert (row["sha256"], row["file_name"], row["uploaded_by"]) == (sha256, "मूळ file.csv", "tester")
    kept = tmp_path / "originals" / "organisations" / "local" / sha256[:2] / sha256
    assert kept.read_bytes() == path.read_bytes()
    assert [p.name for p in kept.parent.iterdir()] == [sha256]
    assert stat.S_IMODE((tmp_path / "originals").stat().st_mode) == 0o700  # answers are in there


def test_load_same_file_again_is_the_same_upload(city: Connection, tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "rows.csv", f.households())
    first = f.load(city, tmp_path, path)
    before = counts(city)
    again = f.load(city, tmp_path, path.rename(tmp_path / "renamed.csv"))
    assert (again.state, again.upload_id, again.rows_loaded) == ("already loaded", first.upload_id, 48)
    assert counts(city) == before


def with_errors() -> list[Row]:
    """A repeated code, a position far away with no settlement named, and a weight below 0: rows 3, 5 and 6."""
    rows = [{**row, "weight": 1} for row in f.households()]
    rows[1] |= {"household_code": rows[0]["household_code"]}
    rows[3] |= {"longitude": 10.0, "latitude": 10.0, "settlement_code": None}
    rows[4] |= {"weight": -1}
    return rows


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "second"])
def test_load_file_with_errors_loads_nothing(city: Connection, tmp_path: Path, earlier: bool) -> None:
    if earlier:
        f.load(city, tmp_path, f.households())
    before = counts(city)
    with pytest.raises(ErrorsFound, match=r"3 of 48 rows.*--skip-errors") as raised, city.begin_nested():
        f.load(city, tmp_path, with_errors())
    assert counts(city) == before
    found = raised.value.result.findings.frame()
    errors = found[found["severity"] == "error"]
    assert list(zip(errors["row_number"], errors["code"], strict=True)) == [
        (3, "household_code_duplicate"),
        (5, "outside_every_settlement"),
        (6, "weight_invalid"),
    ]


def test_load_skip_errors_loads_the_rest(city: Connection, tmp_path: Path) -> None:
    result = f.load(city, tmp_path, with_errors(), skip_errors=True)
    assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (48, 45, 3)
    assert len(live(city)) == 45
    stored = city.execute(select(finding.c.row_number, finding.c.code).where(finding.c.severity == "error")).all()
    assert sorted(r.row_number for r in stored) == [3, 5, 6]
    f.assert_tallies_whole(city, survey_id(city))


def test_load_dry_run_writes_nothing(city: Connection, tmp_path: Path) -> None:
    f.load(city, tmp_path, f.households(each=5))
    before = counts(city)
    result = f.load(city, tmp_path, with_errors(), dry_run=True)
    assert (result.state, result.upload_id, result.rows_rejected) == ("checked", None, 3)
    assert counts(city) == before
    kept = [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]
    assert len(kept) == 2  # of the boundaries and the first file


def test_load_later_files_replace_by_code(city: Connection, tmp_path: Path) -> None:
    """The second and third upload replace whom they name, move one to another settlement, and add one."""
    f.load(city, tmp_path, f.households())
    f.load(city, tmp_path, [f.household(0, 0, members=7), f.household(1, 3, members=8), f.household(900, 1)])
    f.load(city, tmp_path, [f.household(0, 0, members=9)])
    rows = live(city)
    assert len(rows) == 49
    assert (rows["H0000"]["members"], rows["H0001"]["members"]) == (9, 8)
    assert rows["H0001"]["declared_settlement_code"] == f.code(3)
    f.assert_tallies_whole(city, survey_id(city))


def test_load_rows_without_code_replace_nobody(city: Connection, tmp_path: Path) -> None:
    rows = [f.household(i, 0, household_code=None, members=i) for i in range(1, 4)]
    assert f.load(city, tmp_path, rows).rows_warned == 3
    f.load(city, tmp_path, [f.household(9, 0, household_code=None, members=9)])
    total = city.execute(select(func.count()).where(household.c.survey_id == survey_id(city), household.c.is_live))
    assert total.scalar_one() == 4


def test_load_repeated_codes_across_batches(city: Connection, tmp_path: Path) -> None:
    """The reader hands rows on in batches; a code of the first is remembered in the second."""
    template = f.household(0, 0, settlement_code=None)
    head = ",".join(template)
    lines = [head]
    for i in range(BATCH_ROWS * 2):
        lines.append(",".join("" if v is None else str(v) for v in {**template, "household_code": f"H{i}"}.values()))
    lines[-1] = lines[1]
    # The CSV reader's batches are blocks of bytes: this is more than one.
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    assert path.stat().st_size > 1 << 23
    with pytest.raises(ErrorsFound, match=rf"1 of {BATCH_ROWS * 2:d} rows"), city.begin_nested():
        f.load(city, tmp_path, path)


def test_load_every_field_arrives(city: Connection, tmp_path: Path) -> None:
    """One column for each standard field, and each keeps what was answered."""
    assert {c.name for c in household.columns} - standard_fields().keys() == {
        "survey_id",
        "upload_id",
        "row_number",
        "part",
        "asked",
        "settlement_id",
        "is_live",
        "superseded_by",
        "geom",
        "extra",
    }
    assert standard_fields().keys() <= {c.name for c in household.columns}
    given: Row = {}
    for name, field in standard_fields().items():
        match field.type:
            case "code":
                given[name] = field.codes[-1]
            case "boolean":
                given[name] = True
            case "integer":
                given[name] = 3
            case "number":
                given[name] = 2.5
            case "date":
                given[name] = f.STARTS
            case "text":
                given[name] = "नाव 1"
    given |= {"declared_settlement_code": f.code(0), "interview_result": "completed"}
    lon, lat = f.centre(0)
    f.load(city, tmp_path, [{**given, "longitude": lon, "latitude": lat, "Q 17": 'x"y'}])
    (stored,) = live(city).values()
    assert {name: stored[name] for name in given} == given
    assert stored["extra"] == {"Q 17": 'x"y'}


def test_load_refuses_what_does_not_fit(city: Connection, tmp_path: Path) -> None:
    rows = f.households(each=3)
    f.load(city, tmp_path, rows)
    with pytest.raises(Conflict, match="unit household, not settlement"):
        f.load(city, tmp_path, rows, survey=f.spec(unit="settlement"))
    with pytest.raises(NotFound, match=r"no city 'nashik'; there are .*pune"):
        f.load(city, tmp_path, rows, city="nashik")
    with pytest.raises(InputError, match="--starts and --ends"):
        f.load(city, tmp_path, rows, survey=f.spec("2025", starts_on=None, ends_on=None))
    for changes, asked in (
        ({}, "was every household visited .census., or a sample"),
        ({"unit": "settlement"}, "does the file list every settlement .census., or a sample"),
    ):
        with pytest.raises(InputError, match=asked):
            f.load(city, tmp_path, rows, survey=f.spec("2025", mode=None, **changes))
    with pytest.raises(InputError, match="before it starts"):
        f.load(city, tmp_path, rows, survey=f.spec("2025", starts_on=f.ENDS, ends_on=f.STARTS))
    with pytest.raises(InputError, match="2025 round"):
        f.load(city, tmp_path, rows, survey=f.spec("2025 round"))
    header_only = tmp_path / "none.csv"
    header_only.write_text("household_code,longitude,latitude\n")
    with pytest.raises(UnreadableFile, match="no rows"):
        f.load(city, tmp_path, header_only)


def test_load_every_format_gives_the_same_households(city: Connection, tmp_path: Path) -> None:
    rows = f.households(each=4)
    points = f.points(rows)
    sheet = [list(rows[0]), *[list(row.values()) for row in rows]]
    files = {
        "csv": f.write_csv(tmp_path / "rows.csv", rows, sep=";"),
        "gpkg": f.write_boundaries(tmp_path / "rows.gpkg", points),
        "geojson": f.write_boundaries(tmp_path / "rows.geojson", points),
        "xlsx": f.write_sheet(tmp_path / "rows.xlsx", {"Households": sheet}),
    }
    seen = []
    for slug, path in files.items():
        f.load(city, tmp_path, path, survey=f.spec(slug))
        answers = {
            code: {k: row[k] for k in ("settlement_id", *standard_fields())} for code, row in live(city, slug).items()
        }
        seen.append(json.dumps(answers, sort_keys=True, default=str))
    assert len(set(seen)) == 1


def test_load_settlement_unit(city: Connection, tmp_path: Path) -> None:
    """One row a settlement, by code or name; a settlement twice is an error; a later file replaces it."""
    rows = [
        {"declared_settlement_code": f.code(0), "weight": 120, "electricity": "metered"},
        {"declared_settlement_code": "são josé", "weight": 30, "electricity": "none"},
        {"declared_settlement_code": f.code(0), "weight": 7, "electricity": "none"},
    ]
    unit = SourceOptions(unit="settlement")
    round_ = f.spec(unit="settlement")
    result: LoadResult = f.load(city, tmp_path, rows, survey=round_, source=unit, skip_errors=True)
    assert (result.rows_loaded, result.rows_rejected) == (2, 1)
    f.load(city, tmp_path, [{**rows[0], "weight": 130}], survey=round_, source=unit)
    weights = {row["household_code"]: row["weight"] for row in live(city).values()}
    assert weights == {f.code(0): 130, f.code(1): 30}
    f.assert_tallies_whole(city, survey_id(city))
