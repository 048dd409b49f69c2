"""The migrations make the tables the code declares, and can be taken back and made again."""

from datetime import date
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, func, inspect, select, text

from geo import database
from geo.database.schema.tables import facility, household, metadata, settlement_ward, upload
from geo.ingestion.loading import withdraw
from geo.places import find_city, places_on
from geo.surveys import open_survey
from tests.support import factories as f
from tests.support.migrating import migrate


def _ours(name: str | None, kind: str, parents: Any) -> bool:
    return kind != "table" or name in metadata.tables


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still migrate, PostGIS's and Alembic's own tables left out."""
    options = {"include_name": _ours, "compare_type": True, "compare_server_default": False}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def constraints(connection: Connection) -> list[tuple[str, str]]:
    """Every constraint of our tables as PostgreSQL tells it."""
    rows = connection.execute(
        text(
            "SELECT conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid::regclass::text = ANY(:names) ORDER BY 1"
        ),
        {"names": list(metadata.tables)},
    )
    return [(row[0], row[1]) for row in rows]


def indexes(connection: Connection) -> list[str]:
    """Every index of our tables as PostgreSQL tells it, but those of partitions."""
    rows = text("SELECT indexdef FROM pg_indexes WHERE tablename = ANY(:names) ORDER BY indexname")
    return list(connection.execute(rows, {"names": list(metadata.tables)}).scalars())


def test_migrated_tables_are_the_declared_ones(connection: Connection) -> None:
    assert differences(connection) == []


def test_migrated_constraints_are_the_declared_ones(connection: Connection, fresh_engine: Engine) -> None:
    """Checks, exclusions, partitioning and indexes, which Alembic compares in part: against tables of the metadata."""
    with fresh_engine.begin() as made:
        names = ", ".join(metadata.tables)
        made.execute(text(f"DROP TABLE {names} CASCADE"))
        enums = made.execute(text("SELECT typname FROM pg_type WHERE typname LIKE '%\\_code' AND typtype = 'e'"))
        for (name,) in enums.all():
            made.execute(text(f"DROP TYPE {name}"))
        metadata.create_all(made)
        assert constraints(made) == constraints(connection)
        assert indexes(made) == indexes(connection)
        partitioned = "SELECT pg_get_partkeydef('household'::regclass)"
        assert made.execute(text(partitioned)).scalar() == connection.execute(text(partitioned)).scalar()


def test_downgrade_and_upgrade_again(fresh_url: str, fresh_engine: Engine) -> None:
    with fresh_engine.begin() as connection:
        migrate(connection, "base")
        assert set(inspect(connection).get_table_names()) & set(metadata.tables) == set()
    database.upgrade(fresh_url)
    with fresh_engine.connect() as connection:
        assert differences(connection) == []
    database.upgrade(fresh_url)


def test_upgrade_says_of_old_uploads_what_they_hold(fresh_url: str, fresh_engine: Engine, tmp_path: Path) -> None:
    """Boundaries and a survey of before there were facilities; downgrading takes the facilities and leaves the rest."""
    contents = select(upload.c.content).order_by(upload.c.id)
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, f.households())
        f.load_facilities(connection, tmp_path, [f.facility(0), f.facility(1, working="perhaps")], skip_errors=True)
        assert connection.execute(contents).scalars().all() == ["boundaries", "survey", "facilities"]
        migrate(connection, "0002")
    database.upgrade(fresh_url)
    with fresh_engine.connect() as connection:
        assert connection.execute(contents).scalars().all() == ["boundaries", "survey"]
        assert connection.execute(select(facility)).all() == []
        assert connection.execute(select(func.count()).select_from(household)).scalar_one() == len(f.households())


def test_upgrade_keeps_the_wards_that_settlements_were_in(fresh_url: str, fresh_engine: Engine, tmp_path: Path) -> None:
    """Of before there is one ward for all time, of no known upload; settlements can be moved from it, and back."""
    wards = "SELECT s.code, w.code FROM settlement s LEFT JOIN ward w ON w.id = s.ward_id ORDER BY s.code"
    frame = f.small_city()
    frame.loc[3, ["ward_code", "ward_name"]] = None
    with fresh_engine.begin() as connection:
        given = f.load_city(connection, tmp_path, frame)
        f.load_city(connection, tmp_path, frame.assign(ward_code=["W3", "W2", "W1", None]))
        migrate(connection, "0017")
        kept = [("01", "W3"), ("02", "W2"), ("03", "W1"), ("04", None)]
        assert [tuple(row) for row in connection.execute(text(wards))] == kept
    database.upgrade(fresh_url)
    days = (settlement_ward.c.upload_id, settlement_ward.c.valid_from_on, settlement_ward.c.valid_to_on)
    with fresh_engine.begin() as connection:
        assert [tuple(row) for row in connection.execute(select(*days))] == [(None, None, None)] * 3
        city_id = find_city(connection, "pune")

        def told(on: date) -> list[list[str]]:
            return [list(labels)[:1] for labels in places_on(connection, city_id, on).places.wards]

        assert told(f.STARTS) == told(f.TODAY) == [["W3"], ["W2"], ["W1"], []]
        moved = f.load_city(connection, tmp_path, f.small_city(), valid_from_on=date(2025, 1, 1))
        assert (told(f.TODAY), told(date(2025, 1, 1))) == (
            [["W3"], ["W2"], ["W1"], []], [["W1"], ["W2"], ["W1"], ["W2"]],
        )  # fmt: skip
        withdraw(connection, moved.upload_id or 0)
        assert told(date(2025, 1, 1)) == [["W3"], ["W2"], ["W1"], []]
        withdraw(connection, given.upload_id or 0)
        assert connection.execute(select(settlement_ward)).all() == []


def test_upgrade_gives_every_survey_its_part_of_the_tallies(
    fresh_url: str, fresh_engine: Engine, tmp_path: Path
) -> None:
    """All tallies are kept, back and forth, and so is who may read them; a round without a file has no part."""
    every = "SELECT * FROM tally ORDER BY survey_id, group_field, indicator_id, counted, settlement_id"
    parts = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'tally'::regclass ORDER BY 1"
    with fresh_engine.begin() as connection:
        f.load_city(connection, tmp_path, f.small_city())
        f.load(connection, tmp_path, f.households(), survey=f.spec("one"))
        f.load(connection, tmp_path, f.households(each=2), survey=f.spec("two"))
        open_survey(connection, find_city(connection, "pune"), f.spec("none-yet"))
        kept = connection.execute(text(every)).all()
        had = connection.execute(text(parts)).scalars().all()
        assert len(had) == 2
        assert len({row.survey_id for row in kept}) == 2
        migrate(connection, "0020")
        assert connection.execute(text(every)).all() == kept
    database.upgrade(fresh_url)
    with fresh_engine.connect() as connection:
        assert connection.execute(text(every)).all() == kept
        assert connection.execute(text(parts)).scalars().all() == had
        assert differences(connection) == []
        may_read = "SELECT has_table_privilege('vasti_service', 'tally', 'SELECT')"
        assert connection.execute(text(may_read)).scalar_one()
