"""Backups: one put back in place of everything in the database."""

from pathlib import Path

from geo import database
from geo.people import Acting, Operator, has_audit
from geo.settings import Settings


def restore(settings: Settings, operator: Operator, file: Path) -> None:
    """Replaces everything in the database by what a backup holds.

    It is noted in the audit that came with the backup: what is missing there was done after it was written.

    Raises:
        as geo.database.restore.
    """
    url = database.database_url(settings)
    database.restore(url, file)
    engine = database.create_engine(url)
    try:
        with database.transaction(engine) as connection:
            if has_audit(connection):
                Acting(connection, operator).note("database restored", f"backup {file.name}")
    finally:
        engine.dispose()
