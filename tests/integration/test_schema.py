"""The migrations make the tables the code declares, and can be taken back and made again."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from geo import database
from geo.schema.tables import metadata


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


def test_migrated_tables_are_the_declared_ones(connection: Connection) -> None:
    assert differences(connection) == []


def test_migrated_constraints_are_the_declared_ones(connection: Connection, fresh_engine: Engine) -> None:
    """Checks, exclusions and partitioning, which Alembic does not compare: against tables made from the metadata."""
    with fresh_engine.begin() as made:
        names = ", ".join(metadata.tables)
        made.execute(text(f"DROP TABLE {names} CASCADE"))
        enums = made.execute(text("SELECT typname FROM pg_type WHERE typname LIKE '%\\_code' AND typtype = 'e'"))
        for (name,) in enums.all():
            made.execute(text(f"DROP TYPE {name}"))
        metadata.create_all(made)
        assert constraints(made) == constraints(connection)
        partitioned = "SELECT pg_get_partkeydef('household'::regclass)"
        assert made.execute(text(partitioned)).scalar() == connection.execute(text(partitioned)).scalar()


def test_downgrade_and_upgrade_again(fresh_url: str, fresh_engine: Engine) -> None:
    with fresh_engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(database.MIGRATIONS))
        config.attributes["connection"] = connection
        downgrade(config, "base")
        assert set(inspect(connection).get_table_names()) & set(metadata.tables) == set()
    database.upgrade(fresh_url)
    with fresh_engine.connect() as connection:
        assert differences(connection) == []
    database.upgrade(fresh_url)
