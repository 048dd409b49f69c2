"""The schema `open`: what is published, for any tool that speaks SQL, and the role that reads it."""

from collections.abc import Sequence

from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import Connection, text

from geo.database import driver_of

READER_ROLE = "vasti_reader"

_LONGEST_QUESTION = "30s"

_WIDE = "figures_wide"


def write_wide_view(connection: Connection, indicators: Sequence[str]) -> None:
    """Makes `open.figures_wide`: one row a place and round, and the headline figure of each indicator as a column.

    A view that has these columns already stays as it is.
    """
    there = connection.execute(
        text("SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(:name) AND attnum > 0 ORDER BY attnum"),
        {"name": f"open.{_WIDE}"},
    ).scalars()
    wanted = sorted(indicators)
    if set(wanted) <= set(there):
        return
    columns = sql.SQL(", ").join(
        sql.SQL("max(value) FILTER (WHERE indicator = {}) AS {}").format(sql.Literal(each), sql.Identifier(each))
        for each in wanted
    )
    keys = sql.SQL(
        "city, survey, publication, starts_on, ends_on, level, code, ward_code, ward_name, settlement_code, "
        "settlement_name"
    )
    driver = driver_of(connection)
    driver.execute("DROP VIEW IF EXISTS open.figures_wide")
    driver.execute(
        sql.SQL(
            "CREATE VIEW open.figures_wide AS SELECT {keys}, {columns} FROM open.figures "
            "WHERE is_headline AND group_by IS NULL GROUP BY {keys}"
        ).format(keys=keys, columns=columns)
    )
    driver.execute("COMMENT ON VIEW open.figures_wide IS 'The headline figures of each place; NULL: withheld.'")
    _grant(connection)


def make_reader(connection: Connection, password: SecretStr | None) -> None:
    """Makes the role that reads the schema `open` and nothing else, or gives it another password."""
    driver, role = driver_of(connection), sql.Identifier(READER_ROLE)
    driver.execute(
        sql.SQL(
            "DO $$ BEGIN CREATE ROLE {} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20; "
            "EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ).format(role)
    )
    for setting, value in (("default_transaction_read_only", "on"), ("statement_timeout", _LONGEST_QUESTION)):
        driver.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), sql.Literal(value)))
    if password is not None:
        kept = driver.pgconn.encrypt_password(
            password.get_secret_value().encode(), READER_ROLE.encode(), b"scram-sha-256"
        )
        driver.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(kept.decode())))
    _grant(connection)


def _grant(connection: Connection) -> None:
    """Lets the reader, where there is one, read every view there is."""
    there = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(there, {"role": READER_ROLE}).first() is None:
        return
    driver, role = driver_of(connection), sql.Identifier(READER_ROLE)
    driver.execute(sql.SQL("GRANT USAGE ON SCHEMA open TO {}").format(role))
    driver.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA open TO {}").format(role))
