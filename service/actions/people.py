"""Accounts of an organisation, as its steward manages them. The same for programs and for pages."""

from datetime import datetime
from typing import Any

from geo.errors import NotAllowed
from geo.people import (
    SignedIn,
    add_account,
    change_account,
    find_account_by_id,
    make_key,
    make_link,
    note,
    require,
    revoke_key,
)
from service.actions.inputs import AccountChange, NewAccount, NewKey


def add_own(done: SignedIn, new: NewAccount) -> tuple[Any, str, datetime]:
    """Adds an account; its row, the link that sets its password, and until when that can be used.

    Raises:
        InputError: the address is none, the name is empty, or the organisation's slug is none.
        Conflict: the address has an account.
        NotAllowed: the role is higher than the bearer's, or the organisation another's.
    """
    of = new.organisation or done.bearer.organisation
    account_id = add_account(done.connection, new.email, new.name, new.role, of)
    row = find_account_by_id(done.connection, account_id)
    note(done.connection, "account added", f"account {row['email']}", after={"role": new.role, "organisation": of})
    return row, *make_link(done.connection, account_id)


def change_own(done: SignedIn, number: int, change: AccountChange) -> Any:
    """Gives an account another role, or shuts or opens it; its row.

    Raises:
        NotFound: there is no such account that the bearer may see.
        NotAllowed: it is for somebody of a higher role.
    """
    before = find_account_by_id(done.connection, number)
    change_account(done.connection, number, role=change.role, is_active=change.is_active)
    after = find_account_by_id(done.connection, number)
    asked = change.model_dump(exclude_none=True)
    if any(after[name] != value for name, value in asked.items()):
        raise NotAllowed("This account is for somebody of a higher role to change.")
    changed = [name for name in ("role", "is_active") if before[name] != after[name]]
    if changed:
        facts = {name: {each: row[each] for each in changed} for name, row in (("before", before), ("after", after))}
        note(done.connection, "account changed", f"account {after['email']}", **facts)
    return after


def link_own(done: SignedIn, number: int) -> tuple[Any, str, datetime]:
    """Makes a link that sets an account's password; its row, the link, and until when it can be used.

    Raises:
        NotFound: there is no such account that the bearer may see.
        NotAllowed: it is for somebody of a higher role.
    """
    row = find_account_by_id(done.connection, number)
    made = make_link(done.connection, number)
    note(done.connection, "password link made", f"account {row['email']}")
    return row, *made


def make_own_key(done: SignedIn, new: NewKey) -> tuple[str, dict[str, Any]]:
    """Makes an API key of the bearer's account: the token, which nobody can be shown again, and what is known of it.

    Raises:
        InputError: it has no name, or would be valid for longer than a year.
        NotAllowed: its role is higher than the bearer's, or who asks has only a key.
    """
    # A monitor sees what the service does for all organisations.
    bearer = require(done.bearer, "operator" if new.role == "monitor" else new.role)
    if bearer.via == "key":
        raise NotAllowed("Keys are made by somebody who has signed in with a password, not with a key.")
    token, made = make_key(done.connection, bearer.account_id, new.name, new.role, new.days)
    facts = {name: made[name] for name in ("name", "role", "prefix")}
    note(done.connection, "key made", f"account {bearer.email}", after=facts)
    return token, made


def revoke_own_key(done: SignedIn, number: int) -> None:
    """Ends an API key of the bearer's account at once.

    Raises:
        NotFound: one has no such key.
    """
    revoke_key(done.connection, done.bearer.account_id, number)
    note(done.connection, "key revoked", f"account {done.bearer.email}", before={"id": number})
