"""Frame sizes: how many households each settlement is known to have."""

import math
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from geo.database.schema.surveys import survey_frame
from geo.errors import MissingColumn
from geo.indicators.figures import ValuesQuery, find_values
from geo.ingestion.loading import ErrorsFound, load_frame
from geo.ingestion.reading import ReadOptions
from tests.support import factories as f


@pytest.fixture
def sampled(connection: Connection, tmp_path: Path) -> Connection:
    """A sample of 12 households in each of four settlements."""
    f.load_city(connection, tmp_path, f.small_city())
    f.load(connection, tmp_path, f.households(), survey=f.spec(mode="sample"))
    return connection


def unserved(connection: Connection) -> dict[str, float]:
    query = ValuesQuery(indicators=["drainage_any"], seen="all", access="full")
    figures = find_values(connection, query).figures
    return dict(zip(figures["settlement_code"], figures["unserved"], strict=True))


def test_load_frame_says_how_many_are_unserved(sampled: Connection, tmp_path: Path) -> None:
    assert all(math.isnan(value) for value in unserved(sampled).values())  # a sample alone does not say
    path = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": f.code(0), "households": 300}])
    assert load_frame(sampled, path, "pune", "2024", ReadOptions()).rows_loaded == 1
    # The first settlement: four of its twelve lack a drain.
    assert unserved(sampled)[f.code(0)] == 100
    f.write_csv(path, [{"settlement_code": f.code(0), "households": 30}])
    load_frame(sampled, path, "pune", "2024", ReadOptions())
    assert unserved(sampled)[f.code(0)] == 10


def test_load_frame_takes_settlements_where_nobody_lives(sampled: Connection, tmp_path: Path) -> None:
    before = unserved(sampled)
    path = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": f.code(3), "households": 0}])
    assert load_frame(sampled, path, "pune", "2024", ReadOptions()).rows_loaded == 1
    assert set(unserved(sampled)) == set(before)


def test_load_frame_gives_density_of_a_sample(sampled: Connection, tmp_path: Path) -> None:
    query = ValuesQuery(indicators=["density_persons"], settlements=[f.code(0)], seen="all", access="full")
    assert find_values(sampled, query).figures["reason"].tolist() == ["no_frame_size"]
    path = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": f.code(0), "households": 300}])
    load_frame(sampled, path, "pune", "2024", ReadOptions())
    members = [row["members"] for row in f.households() if row["settlement_code"] == f.code(0)]
    (area_m2,) = f.small_city().to_crs("+proj=laea +lon_0=73.75 +lat_0=18.58 +ellps=WGS84").area.iloc[:1].tolist()
    expected = 300 * sum(members) / len(members) / (area_m2 / 1e6)
    assert find_values(sampled, query).figures["value"].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"settlement_code": "nowhere", "households": 3}], "settlement_unknown"),
        (
            [{"settlement_code": "01", "households": 3}, {"settlement_code": "01", "households": 4}],
            "settlement_duplicate",
        ),
        ([{"settlement_code": "01", "households": -1}], "frame_size_invalid"),
        ([{"settlement_code": "01", "households": 3_000_000_000}], "frame_size_invalid"),
        ([{"settlement_code": "01", "households": "inf"}], "frame_size_invalid"),
        ([{"settlement_code": "01", "households": 2.5}], "frame_size_invalid"),
        ([{"settlement_code": "01", "households": "many"}], "frame_size_invalid"),
    ],
)
def test_load_frame_refuses_the_whole_file(
    sampled: Connection, tmp_path: Path, rows: list[dict[str, object]], code: str
) -> None:
    path = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": "02", "households": 9}, *rows])
    with pytest.raises(ErrorsFound) as raised:
        load_frame(sampled, path, "pune", "2024", ReadOptions())
    assert [group.code for group in raised.value.result.findings.groups()] == [code]
    # A frame has no such option.
    assert "--skip-errors" not in str(raised.value)
    assert sampled.execute(select(survey_frame)).all() == []


def test_load_frame_names_the_column_it_misses(sampled: Connection, tmp_path: Path) -> None:
    path = f.write_csv(tmp_path / "frame.csv", [{"settlement_code": "01", "homes": 9}])
    with pytest.raises(MissingColumn, match="no column households"):
        load_frame(sampled, path, "pune", "2024", ReadOptions())
