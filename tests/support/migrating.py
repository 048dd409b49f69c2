"""Tables taken back to an earlier revision."""

from alembic.command import downgrade
from alembic.config import Config
from sqlalchemy import Connection

from geo.database.engine import MIGRATIONS


def migrate(connection: Connection, revision: str) -> None:
    """Takes the tables back to an earlier revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    downgrade(config, revision)
