"""The database: the engine and its transactions, what is stored, how it came to be so, and the private cluster."""

from geo.database.engine import (
    conninfo,
    create_engine,
    database_url,
    is_up_to_date,
    limit_lock_waits,
    snapshot,
    transaction,
    translated_errors,
    upgrade,
)

__all__ = [
    "conninfo",
    "create_engine",
    "database_url",
    "is_up_to_date",
    "limit_lock_waits",
    "snapshot",
    "transaction",
    "translated_errors",
    "upgrade",
]
