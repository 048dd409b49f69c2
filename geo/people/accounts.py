"""Accounts, and how somebody comes by the rights of one: by a password, an API key, or a link that sets a password.

What proves anything is checked by the database (`migrations/sql/0005_gate.sql`), which keeps hashes alone: argon2 turns
a password into a proof here, and of the proof, as of tokens and links, the SHA-256 is kept there.
"""

import hashlib
import secrets
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

from pwdlib.hashers.argon2 import ARGON2_ENCODED_HASH_REGEX, Argon2Hasher
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ColumnElement

from geo.database.schema.access import ROLES, KeyRole, Role, account, api_key, password_link
from geo.database.schema.places import organisation
from geo.errors import Conflict, InputError, NotAllowed, NotFound, SignInLocked, SignInRefused, quoted
from geo.people.organisations import open_organisation

SESSION_LASTS = timedelta(days=7)
LINK_LASTS = timedelta(days=2)
MIN_PASSWORD = 12
MAX_PASSWORD = 1000
MAX_KEY_DAYS = 366

KEY_PREFIX = "vasti_"
"""What every API key begins with, so that scanners for leaked secrets know one."""

_SHOWN = len(KEY_PREFIX) + 6

_HASHER = Argon2Hasher()


@dataclass(frozen=True)
class Bearer:
    """Who a transaction acts for, and what for: the least of an account's role and its key's."""

    account_id: int
    organisation_id: int
    organisation: str
    email: str
    name: str
    role: KeyRole
    via: Literal["session", "key"]

    def may(self, role: KeyRole) -> bool:
        """Whether it may do what this role may."""
        if role == "monitor":
            return self.role in ("monitor", "operator")
        return self.role != "monitor" and ROLES.index(self.role) >= ROLES.index(role)


def enter(connection: Connection, token: str) -> Bearer | None:
    """Acts for the account of a session's or key's token until the transaction ends; None where it is nobody's."""
    row = connection.execute(select(func.gate.enter(token).table_valued(*_BEARER))).mappings().one_or_none()
    return None if row is None else Bearer(**row)


_BEARER = ("account_id", "organisation_id", "organisation", "email", "name", "role", "via")


def note_use(connection: Connection, key: str) -> None:
    """Notes that an API key was used today."""
    connection.execute(select(func.gate.note_use(key)))


def require(bearer: Bearer | None, role: KeyRole) -> Bearer:
    """The bearer, whose role is this one or higher.

    Raises:
        SignInRefused: nobody has signed in.
        NotAllowed: the role is too low.
    """
    if bearer is None:
        raise SignInRefused("This needs you to sign in, or an API key that is valid.")
    if not bearer.may(role):
        raise NotAllowed(f"This is for a {role}; {bearer.email} is a {bearer.role} here.")
    return bearer


def begin_sign_in(connection: Connection, email: str, network: str) -> str:
    """How the proof of an address's password is made: its salt. Proving takes time, and needs no connection.

    Raises:
        SignInLocked: it has been wrong too often from this network, and is not looked at for a while.
    """
    email = email.strip()
    asked = select(func.gate.salt_of(email, _costs()), func.gate.locked_until(email, network))
    salt, locked_until = connection.execute(asked).one()
    if locked_until is not None:
        raise SignInLocked(locked_until)
    return str(salt)


def prove(password: str, salt: str) -> str:
    """What argon2 makes of a password: it takes 64 MB and a good part of a second."""
    return _proof(password[:MAX_PASSWORD], salt)


def sign_in(connection: Connection, email: str, proof: str, network: str) -> str:
    """Opens a session; its token. The caller commits whatever comes of it: failures are counted.

    Raises:
        SignInRefused: the address or the password is wrong; which, nobody is told.
        SignInLocked: it has been wrong too often from this network, and is not looked at for a while.
    """
    token, email = secrets.token_urlsafe(32), email.strip()
    call = func.gate.sign_in(email, proof, _sha256(token), SESSION_LASTS, network)
    answer = call.table_valued("outcome", "locked_until")
    outcome, locked_until = connection.execute(select(answer)).one()
    if outcome == "locked":
        raise SignInLocked(locked_until)
    if outcome != "in":
        raise SignInRefused("The e-mail address or the password is wrong.")
    return token


def sign_out(connection: Connection, token: str) -> None:
    """Ends a session."""
    connection.execute(select(func.gate.sign_out(token)))


def begin_password(connection: Connection, link: str, password: str) -> None:
    """Holds that a link can be used, and for this password.

    Raises:
        InputError: the password is too short, or the same as the address.
        NotFound: the link is unknown, used up or too old.
    """
    email = connection.execute(select(func.gate.link_of(link))).scalar_one_or_none()
    if email is None:
        raise NotFound(_NO_LINK)
    check_password(password, email)


def prove_new(password: str) -> str:
    """What argon2 makes of a new password, with a salt of its own."""
    return _HASHER.hash(password)


def set_password(connection: Connection, link: str, proof: str) -> None:
    """Sets the password of the account a link was made for; the link is used up, and all its sessions and API keys end.

    Raises:
        NotFound: the link is unknown, used up or too old.
    """
    if not connection.execute(select(func.gate.use_link(link, _salt_of(proof), proof))).scalar_one():
        raise NotFound(_NO_LINK)


_NO_LINK = "This link has expired or was already used: ask for a new one."


def check_password(password: str, email: str) -> None:
    """Holds a new password against the one rule that helps: length (NIST SP 800-63B).

    Raises:
        InputError: it is too short or too long, or the address itself.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError(f"The password has {len(password)} characters; it needs {MIN_PASSWORD} or more.")
    if len(password) > MAX_PASSWORD:
        raise InputError(f"The password is longer than {MAX_PASSWORD} characters.")
    if password.strip().casefold() == email.casefold():
        raise InputError("The password is the e-mail address: choose another.")


def add_account(connection: Connection, email: str, name: str, role: Role, organisation_slug: str) -> int:
    """Adds an account to an organisation, which is opened if there is none of this slug; the account's id.

    Raises:
        InputError: the address is none, the name is empty, or the slug is none.
        Conflict: the address has an account.
    """
    email, name = email.strip(), name.strip()
    if not name:
        raise InputError(f"The account {email} needs a name.")
    organisation_id = open_organisation(connection, organisation_slug)
    row = insert(account).values(organisation_id=organisation_id, email=email, name=name, role=role)
    try:
        with connection.begin_nested():
            return int(connection.execute(row.returning(account.c.id)).scalar_one())
    except IntegrityError as error:
        if _constraint(error) == "account_email_check":
            raise InputError(f"{quoted([email])} is not an e-mail address.") from None
        raise Conflict(f"There is an account {email} already.") from None


def _constraint(error: IntegrityError) -> str | None:
    diagnostics: Any = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None)


def find_account(connection: Connection, email: str) -> Any:
    """An account's row, without what proves anything.

    Raises:
        NotFound: there is none of this address.
    """
    return _one_account(connection, func.lower(account.c.email) == email.strip().lower(), email)


def find_account_by_id(connection: Connection, account_id: int) -> Any:
    """The same, by its number.

    Raises:
        NotFound: there is none of this number, or it is not the reader's to see.
    """
    return _one_account(connection, account.c.id == account_id, account_id)


def _one_account(connection: Connection, condition: ColumnElement[bool], called: object) -> Any:
    row = connection.execute(_accounts().where(condition)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no account {called}.")
    return row


def list_accounts(connection: Connection) -> list[dict[str, Any]]:
    """Every account that may be seen, by organisation and address."""
    rows = _accounts().order_by(organisation.c.slug, account.c.email)
    return [dict(row) for row in connection.execute(rows).mappings()]


def _accounts() -> Any:
    columns = ("id", "organisation_id", "email", "name", "role", "is_active", "created_at")
    return select(*(account.c[name] for name in columns), organisation.c.slug.label("organisation")).join(organisation)


def change_account(
    connection: Connection, account_id: int, *, role: Role | None = None, is_active: bool | None = None
) -> None:
    """Gives an account another role, or shuts it or opens it again."""
    given: dict[str, Any] = {"role": role, "is_active": is_active}
    values = {name: value for name, value in given.items() if value is not None}
    if values:
        connection.execute(update(account).where(account.c.id == account_id).values(values))


def make_link(connection: Connection, account_id: int) -> tuple[str, datetime]:
    """A link that sets the account's password once, and until when it can be used."""
    link, expires_at = secrets.token_urlsafe(32), datetime.now(UTC) + LINK_LASTS
    connection.execute(
        insert(password_link).values(token_sha256=_sha256(link), account_id=account_id, expires_at=expires_at)
    )
    return link, expires_at


def make_key(
    connection: Connection, account_id: int, name: str, role: KeyRole, days: int
) -> tuple[str, dict[str, Any]]:
    """An API key of an account: the token, which nobody can be shown again, and what is known of it.

    Raises:
        InputError: it has no name, or would be valid for longer than a year.
    """
    if not name.strip():
        raise InputError("The key needs a name, to tell it from others.")
    if not 1 <= days <= MAX_KEY_DAYS:
        raise InputError(f"A key is valid for 1 to {MAX_KEY_DAYS} days.")
    token = KEY_PREFIX + secrets.token_urlsafe(32)
    row = insert(api_key).values(
        account_id=account_id,
        name=name.strip(),
        role=role,
        prefix=token[:_SHOWN],
        token_sha256=_sha256(token),
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
        raise NotFound(f"There is no key {key_id} that could be revoked.")


def _sha256(secret: str) -> bytes:
    """What the database keeps of a token or a link."""
    return hashlib.sha256(secret.encode()).digest()


@cache
def _costs() -> str:
    """What argon2 is asked for today, as its encoding writes it."""
    return _salt_of(_HASHER.hash("", salt=bytes(16))).rpartition("$")[0]


def _salt_of(proof: str) -> str:
    """The part of an encoded argon2 hash that says how it was made: costs and salt."""
    return proof.rpartition("$")[0]


def _proof(password: str, salt: str) -> str:
    """What argon2 makes of a password, with the costs and the salt of an earlier proof."""
    found = ARGON2_ENCODED_HASH_REGEX.fullmatch(salt)
    assert found is not None  # noqa: S101 (the gate keeps no other)
    hasher = Argon2Hasher(int(found["time_cost"]), int(found["memory_cost"]), int(found["parallelism"]))
    return hasher.hash(password, salt=b64decode(found["salt"] + "=="))
