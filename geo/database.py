"""Stub: the engine and transaction scope take this module's place."""

from geo import cluster
from geo.settings import Settings


def database_url(settings: Settings) -> str:
    """The database in use: the one named in the settings, or the private cluster, started when needed."""
    return settings.database_url or cluster.start(settings.state_dir)


def upgrade(url: str) -> None:
    """Bring the schema to the newest version."""
