"""API keys: made for a program that asks in an account's name, listed, and revoked."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from geo.database.schema.access import KeyRole, api_key
from geo.errors import InputError, NotFound
from geo.people.passwords import digest

MAX_KEY_DAYS = 366

KEY_PREFIX = "vasti_"
"""What every API key begins with, so that scanners for leaked secrets know one."""

_SHOWN = len(KEY_PREFIX) + 6


def make_key(
    connection: Connection, account_id: int, name: str, role: KeyRole, days: int
) -> tuple[str, dict[str, Any]]:
    """An API key of an account: the token, which nobody can be shown again, and what is known of it.

    Raises:
        InputError: it has no name, or would be valid for longer than a year.
    """
    if not name.strip():
        raise InputError("key_name_missing")
    if not 1 <= days <= MAX_KEY_DAYS:
        raise InputError("key_days_invalid", most=MAX_KEY_DAYS)
    token = KEY_PREFIX + secrets.token_urlsafe(32)
    row = insert(api_key).values(
        account_id=account_id,
        name=name.strip(),
        role=role,
        prefix=token[:_SHOWN],
        token_sha256=digest(token),
        expires_at=datetime.now(UTC) + timedelta(days=days),
    )
    made = connection.execute(row.returning(*_KEY)).mappings().one()
    return token, dict(made)


_KEY = (
    *(api_key.c.id, api_key.c.name, api_key.c.role, api_key.c.prefix),
    *(api_key.c.created_at, api_key.c.expires_at, api_key.c.revoked_at, api_key.c.last_used_on),
)


def list_keys(connection: Connection, account_id: int) -> list[dict[str, Any]]:
    """An account's keys, the newest first."""
    rows = select(*_KEY).where(api_key.c.account_id == account_id).order_by(api_key.c.id.desc())
    return [dict(row) for row in connection.execute(rows).mappings()]


def revoke_key(connection: Connection, account_id: int, key_id: int) -> None:
    """Ends an account's key.

    Raises:
        NotFound: the account has no such key that is still valid.
    """
    changed = connection.execute(
        update(api_key)
        .where(api_key.c.id == key_id, api_key.c.account_id == account_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if changed.rowcount == 0:
        raise NotFound("key_unknown_or_revoked", key=key_id)


def note_use(connection: Connection, key: str) -> None:
    """Notes that an API key was used today."""
    connection.execute(select(func.gate.note_use(key)))
