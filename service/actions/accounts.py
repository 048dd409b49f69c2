"""Accounts and their API keys: of an organisation, as its steward manages them, or of all, as the operator does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from geo import people
from geo.database.schema.access import KeyRole, Role
from geo.errors import NotAllowed
from geo.people import Acting, Operator, SignedIn, find_account_by_id
from service.actions.inputs import AccountChange


def add_account(
    done: Acting, email: str, name: str, role: Role, organisation: str | None = None
) -> tuple[Any, str, datetime]:
    """Adds an account; its row, the link that sets its password, and until when that can be used.

    Raises:
        InputError: the address is none, the name is empty, or the organisation's slug is none.
        Conflict: the address has an account.
        NotAllowed: the role is higher than the actor's, or the organisation another's.
    """
    of = organisation or done.organisation
    account_id = people.add_account(done.connection, email, name, role, of)
    row = find_account_by_id(done.connection, account_id)
    # The operator's note is the account's organisation's; another's says whose account it is.
    told = {"name": row["name"]} if isinstance(done.actor, Operator) else {"organisation": of}
    _note(done, row, "account added", after={"role": role, **told})
    return row, *people.make_link(done.connection, account_id)


def change_account(done: Acting, number: int, change: AccountChange) -> Any:
    """Gives an account another role, or shuts or opens it; its row.

    Raises:
        NotFound: there is no such account that the actor may see.
        NotAllowed: it is for somebody of a higher role.
    """
    before = find_account_by_id(done.connection, number)
    people.change_account(done.connection, number, role=change.role, is_active=change.is_active)
    after = find_account_by_id(done.connection, number)
    asked = change.model_dump(exclude_none=True)
    if any(after[name] != value for name, value in asked.items()):
        raise NotAllowed("account_of_higher_role")
    changed = [name for name in asked if before[name] != after[name]]
    # What the operator says of an account is noted also where it was so before.
    told = list(asked) if isinstance(done.actor, Operator) else changed
    if told:
        facts = {name: {each: row[each] for each in told} for name, row in (("before", before), ("after", after))}
        _note(done, after, "account changed", **facts)
    return after


def make_link(done: Acting, number: int) -> tuple[Any, str, datetime]:
    """Makes a link that sets an account's password; its row, the link, and until when it can be used.

    Raises:
        NotFound: there is no such account that the actor may see.
        NotAllowed: it is for somebody of a higher role.
    """
    row = find_account_by_id(done.connection, number)
    made = people.make_link(done.connection, number)
    _note(done, row, "password link made")
    return row, *made


def make_key(done: Acting, number: int, name: str, role: KeyRole, days: int) -> tuple[str, dict[str, Any]]:
    """Makes an API key of an account, which is the actor's own or the operator's to choose: the token, which nobody
    can be shown again, and what is known of it.

    Raises:
        InputError: it has no name, or would be valid for longer than a year.
        NotAllowed: its role is higher than the actor's, or who asks has only a key.
    """
    # A monitor sees what the service does for all organisations.
    done.require("operator" if role == "monitor" else role)
    if isinstance(done, SignedIn) and done.bearer.via == "key":
        raise NotAllowed("key_made_by_key")
    token, made = people.make_key(done.connection, number, name, role, days)
    row = find_account_by_id(done.connection, number)
    _note(done, row, "key made", after={name: made[name] for name in ("name", "role", "prefix")})
    return token, made


def revoke_key(done: SignedIn, number: int) -> None:
    """Ends an API key of the actor's own account at once.

    Raises:
        NotFound: the account has no such key.
    """
    people.revoke_key(done.connection, done.bearer.account_id, number)
    done.note("key revoked", f"account {done.bearer.email}", before={"id": number})


def _note(done: Acting, account: Mapping[str, Any], action: str, **facts: Mapping[str, Any]) -> None:
    done.note(action, f"account {account['email']}", owner_id=account["organisation_id"], **facts)
