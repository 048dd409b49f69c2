"""Passwords: proved, held against the rule, and set by a link.

What proves anything is checked by the database (`migrations/sql/0005_gate.sql`), which keeps hashes alone: argon2 turns
a password into a proof here, and of the proof, as of tokens and links, the SHA-256 is kept there.
"""

import hashlib
import secrets
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from functools import cache

from pwdlib.hashers.argon2 import ARGON2_ENCODED_HASH_REGEX, Argon2Hasher
from sqlalchemy import Connection, func, insert, select

from geo.database.schema.access import password_link
from geo.errors import InputError, NotFound

LINK_LASTS = timedelta(days=2)
MIN_PASSWORD = 12
MAX_PASSWORD = 1000

_HASHER = Argon2Hasher()


def prove(password: str, salt: str) -> str:
    """What argon2 makes of a password: it takes 64 MB and a good part of a second."""
    return _proof(password[:MAX_PASSWORD], salt)


def prove_new(password: str) -> str:
    """What argon2 makes of a new password, with a salt of its own."""
    return _HASHER.hash(password)


def check_password(password: str, email: str) -> None:
    """Holds a new password against the one rule that helps: length (NIST SP 800-63B).

    Raises:
        InputError: it is too short or too long, or the address itself.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError("password_too_short", letters=len(password), least=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        raise InputError("password_too_long", most=MAX_PASSWORD)
    if password.strip().casefold() == email.casefold():
        raise InputError("password_is_email")


def make_link(connection: Connection, account_id: int) -> tuple[str, datetime]:
    """A link that sets the account's password once, and until when it can be used."""
    link, expires_at = secrets.token_urlsafe(32), datetime.now(UTC) + LINK_LASTS
    connection.execute(
        insert(password_link).values(token_sha256=digest(link), account_id=account_id, expires_at=expires_at)
    )
    return link, expires_at


def begin_password(connection: Connection, link: str, password: str) -> None:
    """Holds that a link can be used, and for this password.

    Raises:
        InputError: the password is too short, or the same as the address.
        NotFound: the link is unknown, used up or too old.
    """
    email = connection.execute(select(func.gate.link_of(link))).scalar_one_or_none()
    if email is None:
        raise NotFound("link_used_up")
    check_password(password, email)


def set_password(connection: Connection, link: str, proof: str) -> None:
    """Sets the password of the account a link was made for; the link is used up, and all its sessions and API keys end.

    Raises:
        NotFound: the link is unknown, used up or too old.
    """
    if not connection.execute(select(func.gate.use_link(link, salt_of(proof), proof))).scalar_one():
        raise NotFound("link_used_up")


def digest(secret: str) -> bytes:
    """What the database keeps of a token or a link."""
    return hashlib.sha256(secret.encode()).digest()


@cache
def costs() -> str:
    """What argon2 is asked for today, as its encoding writes it."""
    return salt_of(_HASHER.hash("", salt=bytes(16))).rpartition("$")[0]


def salt_of(proof: str) -> str:
    """The part of an encoded argon2 hash that says how it was made: costs and salt."""
    return proof.rpartition("$")[0]


def _proof(password: str, salt: str) -> str:
    """What argon2 makes of a password, with the costs and the salt of an earlier proof."""
    found = ARGON2_ENCODED_HASH_REGEX.fullmatch(salt)
    assert found is not None  # noqa: S101 (the gate keeps no other)
    hasher = Argon2Hasher(int(found["time_cost"]), int(found["memory_cost"]), int(found["parallelism"]))
    return hasher.hash(password, salt=b64decode(found["salt"] + "=="))
