"""Alembic's entry: runs on the connection and in the transaction `geo.database.upgrade` hands it."""

from alembic import context

from geo.database.schema.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
