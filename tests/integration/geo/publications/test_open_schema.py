"""The schema `open`: any tool that speaks SQL reads what is published, and nothing else."""

from collections.abc import Iterator

import geopandas as gpd
import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from geo import database
from geo.publications import READER_ROLE, make_reader
from tests.support.published_city import CITY, HOUSEHOLDS, OWN_TOILETS, SECRETS, SmallCity

VIEWS = ("publications", "places", "figures", "figures_wide", "indicators", "changes")


@pytest.fixture(scope="module")
def reader(small_city: SmallCity) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection as a dashboard has it."""
    engine = database.create_engine(small_city.url)
    with database.transaction(engine) as connection:
        make_reader(connection, SecretStr("read-only"))
        # Once more changes nothing.
        make_reader(connection, SecretStr("read-only"))
    engine.dispose()
    url = make_url(small_city.url).set(username=READER_ROLE, password="read-only")
    with psycopg.connect(database.conninfo(url), autocommit=True) as connected:
        yield connected


def test_the_reader_sees_the_published_figures(reader: psycopg.Connection[tuple[object, ...]]) -> None:
    rows = reader.execute(
        "SELECT settlement_code, value, n, reason FROM open.figures WHERE survey = '2024' AND level = 'settlement' "
        "AND indicator = 'household_toilet' AND is_headline AND group_by IS NULL ORDER BY code"
    ).fetchall()
    told = {code: (value, n) for code, value, n, reason in rows if reason is None}
    assert set(HOUSEHOLDS) == {row[0] for row in rows}
    assert {row[0] for row in rows if row[3] is not None} == {"S01", "S02"}
    for code, (value, _) in told.items():
        assert isinstance(code, str)
        assert value == round(100 * OWN_TOILETS["2024"][code] / HOUSEHOLDS[code])


def test_a_wide_table_has_a_column_for_each_indicator(reader: psycopg.Connection[tuple[object, ...]]) -> None:
    found = reader.execute(
        "SELECT household_toilet, drainage_any FROM open.figures_wide WHERE level = 'city' AND survey = '2024'"
    ).fetchall()
    assert len(found) == 1
    assert all(isinstance(value, float) for value in found[0])


def test_shapes_are_read_by_what_draws_maps(reader: psycopg.Connection[tuple[object, ...]]) -> None:
    url = reader.info
    engine = database.create_engine(
        f"postgresql+psycopg://{READER_ROLE}:read-only@/{url.dbname}?host={url.host}&port={url.port}"
    )
    asked = f"SELECT code, geom FROM open.places WHERE city = '{CITY}' AND survey = '2024' AND level = 'settlement'"
    drawn = gpd.read_postgis(asked, engine, geom_col="geom")
    engine.dispose()
    assert set(drawn["code"]) == set(HOUSEHOLDS)
    assert drawn.geometry.is_valid.all()


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_says_what_is_not_for_everybody(reader: psycopg.Connection[tuple[object, ...]], view: str) -> None:
    rows = reader.execute(sql.SQL("SELECT told::text FROM {} AS told").format(sql.Identifier("open", view))).fetchall()
    assert rows
    text = "\n".join(str(row[0]) for row in rows)
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize(
    "statement",
    [
        *("SELECT * FROM household", "SELECT * FROM tally", "SELECT * FROM survey", "SELECT * FROM upload"),
        *("SELECT * FROM publication", "SELECT * FROM published_figure", "SELECT * FROM publication_counts"),
        *("SELECT gate.enter('x')", "SELECT * FROM procrastinate.procrastinate_jobs", "SELECT * FROM account"),
        *("CREATE TABLE mine (a int)", "CREATE TABLE open.mine (a int)", "DELETE FROM open.figures"),
        *("INSERT INTO open.publications (city) VALUES ('x')", "SET ROLE vasti_service"),
    ],
)
def test_the_reader_is_refused_everything_else(reader: psycopg.Connection[tuple[object, ...]], statement: str) -> None:
    with pytest.raises(
        (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.ReadOnlySqlTransaction,
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.ObjectNotInPrerequisiteState,
        )
    ):
        reader.execute(statement)


def test_the_reader_may_not_change_what_it_may_ask(reader: psycopg.Connection[tuple[object, ...]]) -> None:
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
        reader.execute("DELETE FROM open.figures")
    assert reader.execute("SHOW statement_timeout").fetchone() == ("30s",)
