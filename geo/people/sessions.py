"""Sessions: how somebody comes by the rights of an account, with a password or an API key, and ends that."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import Connection, func, select

from geo.database.schema.access import ROLES, KeyRole
from geo.errors import NotAllowed, SignInLocked, SignInRefused
from geo.people.passwords import costs, digest

SESSION_LASTS = timedelta(days=7)


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


def require(bearer: Bearer | None, role: KeyRole) -> Bearer:
    """The bearer, whose role is this one or higher.

    Raises:
        SignInRefused: nobody has signed in.
        NotAllowed: the role is too low.
    """
    if bearer is None:
        raise SignInRefused("sign_in_needed")
    if not bearer.may(role):
        raise NotAllowed("role_needed", needed=role, email=bearer.email, role=bearer.role)
    return bearer


def begin_sign_in(connection: Connection, email: str, network: str) -> str:
    """How the proof of an address's password is made: its salt. Proving takes time, and needs no connection.

    Raises:
        SignInLocked: it has been wrong too often from this network, and is not looked at for a while.
    """
    email = email.strip()
    asked = select(func.gate.salt_of(email, costs()), func.gate.locked_until(email, network))
    salt, locked_until = connection.execute(asked).one()
    if locked_until is not None:
        raise SignInLocked(locked_until)
    return str(salt)


def sign_in(connection: Connection, email: str, proof: str, network: str) -> str:
    """Opens a session; its token. The caller commits whatever comes of it: failures are counted.

    Raises:
        SignInRefused: the address or the password is wrong; which, nobody is told.
        SignInLocked: it has been wrong too often from this network, and is not looked at for a while.
    """
    token, email = secrets.token_urlsafe(32), email.strip()
    call = func.gate.sign_in(email, proof, digest(token), SESSION_LASTS, network)
    answer = call.table_valued("outcome", "locked_until")
    outcome, locked_until = connection.execute(select(answer)).one()
    if outcome == "locked":
        raise SignInLocked(locked_until)
    if outcome != "in":
        raise SignInRefused("sign_in_wrong")
    return token


def sign_out(connection: Connection, token: str) -> None:
    """Ends a session."""
    connection.execute(select(func.gate.sign_out(token)))
