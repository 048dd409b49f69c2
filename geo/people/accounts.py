"""Accounts: added, found, listed and changed."""

from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import ColumnElement

from geo.database.schema.access import Role, account
from geo.database.schema.places import organisation
from geo.errors import Conflict, InputError, NotFound
from geo.people.organisations import open_organisation


def add_account(connection: Connection, email: str, name: str, role: Role, organisation_slug: str) -> int:
    """Adds an account to an organisation, which is opened if there is none of this slug; the account's id.

    Raises:
        InputError: the address is none, the name is empty, or the slug is none.
        Conflict: the address has an account.
    """
    email, name = email.strip(), name.strip()
    if not name:
        raise InputError("account_name_missing", email=email)
    organisation_id = open_organisation(connection, organisation_slug)
    row = insert(account).values(organisation_id=organisation_id, email=email, name=name, role=role)
    try:
        with connection.begin_nested():
            return int(connection.execute(row.returning(account.c.id)).scalar_one())
    except IntegrityError as error:
        if _constraint(error) == "account_email_check":
            raise InputError("email_invalid", email=email) from None
        raise Conflict("account_exists", email=email) from None


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


def _one_account(connection: Connection, condition: ColumnElement[bool], called: str | int) -> Any:
    row = connection.execute(_accounts().where(condition)).mappings().one_or_none()
    if row is None:
        raise NotFound("account_unknown", account=called)
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
