"""Backup and restore against real PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from geo.database import backup, client_environment, restore
from geo.errors import DatabaseUnavailable, InputError, SetupError, UnreadableFile
from service.work.jobs import prepare
from tests.support.two_organisations import TwoOrganisations

Execute = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def city_url(database_url: str) -> Iterator[str]:
    """A database of its own beside the session's, with a table, a point and the migrations' mark."""
    server = psycopg.connect(database_url.replace("+psycopg", "", 1), autocommit=True)
    with server:
        server.execute("CREATE DATABASE backed_up")
        url = make_url(database_url).set(database="backed_up").render_as_string(hide_password=False)
        with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
            connection.execute("CREATE EXTENSION postgis")
            connection.execute("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
            connection.execute("CREATE TABLE settlement (name text PRIMARY KEY, geom geometry(Point, 4326))")
            connection.execute(
                "INSERT INTO settlement SELECT 'नागपूर ' || n, ST_SetSRID(ST_Point(79, 21), 4326)"
                " FROM generate_series(1, 20000) n"
            )
        yield url
        server.execute("DROP DATABASE backed_up WITH (FORCE)")


@pytest.fixture
def execute(city_url: str) -> Execute:
    """Runs one statement in the database."""

    def run(statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(city_url.replace("+psycopg", "", 1)) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


def test_restore_brings_back_what_was_backed_up_and_nothing_else(
    city_url: str, execute: Execute, tmp_path: Path
) -> None:
    file = tmp_path / "city.backup"
    backup(city_url, file)
    assert [p.name for p in tmp_path.iterdir()] == ["city.backup"]
    assert file.stat().st_mode & 0o077 == 0
    execute("DELETE FROM settlement")
    execute("CREATE TABLE made_later (name text REFERENCES settlement)")
    execute("CREATE SCHEMA later")
    restore(city_url, file)
    assert execute("SELECT count(*), min(ST_AsText(geom)) FROM settlement") == [(20000, "POINT(79 21)")]
    assert execute("SELECT to_regclass('made_later'), to_regnamespace('later')") == [(None, None)]
    restore(city_url, file)
    assert execute("SELECT count(*) FROM settlement") == [(20000,)]


@pytest.mark.parametrize("damage", ["text", "empty", "cut", "altered"])
def test_restore_refuses_a_damaged_file_and_leaves_the_database(
    city_url: str, execute: Execute, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "city.backup"
    backup(city_url, file)
    whole = file.read_bytes()
    file.write_bytes(
        {
            "text": b"household,toilet\n1,yes\n",
            "empty": b"",
            "cut": whole[: len(whole) * 2 // 3],
            "altered": whole[: len(whole) // 2] + b"\0" * 2000 + whole[len(whole) // 2 + 2000 :],
        }[damage]
    )
    execute("INSERT INTO settlement VALUES ('after the backup', NULL)")
    with pytest.raises(UnreadableFile, match="nothing was changed"):
        restore(city_url, file)
    assert execute("SELECT count(*) FROM settlement") == [(20001,)]


def test_restore_refuses_another_programs_backup(city_url: str, execute: Execute, tmp_path: Path) -> None:
    file = tmp_path / "other.backup"
    execute("ALTER TABLE alembic_version RENAME TO other_version")
    backup(city_url, file)
    with pytest.raises(InputError, match="another program"):
        restore(city_url, file)
    assert execute("SELECT count(*) FROM settlement") == [(20000,)]


def test_restore_that_the_database_refuses_leaves_it(city_url: str, execute: Execute, tmp_path: Path) -> None:
    file = tmp_path / "city.backup"
    backup(city_url, file)
    execute("CREATE ROLE reader LOGIN")
    reader = make_url(city_url).set(username="reader").render_as_string(hide_password=False)
    try:
        with pytest.raises(DatabaseUnavailable, match="as it was: must be owner of"):
            restore(reader, file)
    finally:
        execute("DROP ROLE reader")
    assert execute("SELECT count(*) FROM settlement") == [(20000,)]


def test_backup_of_a_database_that_does_not_answer_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="could not be made"):
        backup(f"postgresql+psycopg://vasti@/vasti?host={tmp_path}", tmp_path / "city.backup")
    assert not list(tmp_path.iterdir())


def test_backup_into_a_folder_that_is_not_there(city_url: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="choose another folder"):
        backup(city_url, tmp_path / "absent" / "city.backup")


def test_client_environment_keeps_the_password_out_of_the_arguments() -> None:
    conninfo, environment = client_environment("postgresql+psycopg://ana:s3 cret@db:5433/city?sslmode=require")
    assert "s3 cret" not in conninfo
    assert environment["PGPASSWORD"] == "s3 cret"
    assert "sslmode=require" in conninfo
    assert "port=5433" in conninfo


def test_every_table_comes_back_as_it_was(two: TwoOrganisations, tmp_path: Path) -> None:
    """Of a database with cities, surveys, households, findings, accounts, the audit and the queue."""
    url = two.owner.url.render_as_string(hide_password=False)
    prepare(url)
    before = _contents(two.owner)
    # A table a test leaves empty would prove nothing.
    filled = {name for name, (count, _) in before.items() if count}
    assert filled >= {f"public.{name}" for name in ("household", "tally", "upload", "finding", "account", "boundary")}
    file = tmp_path / "whole.backup"
    backup(url, file)
    with two.owner.begin() as connection:
        connection.execute(text("DELETE FROM finding"))
        connection.execute(text("UPDATE survey SET name = 'another'"))
    restore(url, file)
    two.owner.dispose()
    assert _contents(two.owner) == before


def _contents(engine: Engine) -> dict[str, tuple[int, str | None]]:
    """How many rows each table has, and the hash of them all in whatever order."""
    with engine.connect() as connection:
        tables = connection.execute(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
            )
        ).scalars()
        contents = {}
        for name in tables.all():
            hashed = text(f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {name} t")
            count, digest = connection.execute(hashed).one()
            contents[name] = (count, digest)
        return contents
