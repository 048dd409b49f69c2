"""`/api/v1/accounts` and `/api/v1/keys`: people, and the programs that ask in their name."""

from typing import Any

from fastapi import APIRouter, Request, Response

from geo import access
from geo.audit import note
from geo.errors import NotAllowed
from service.access import Acting, acting, reading_in_full
from service.account_bodies import (
    Account,
    AccountChange,
    Accounts,
    AddedAccount,
    Keys,
    MadeKey,
    NewAccount,
    NewKey,
    PasswordLink,
)
from service.answers import private_answer
from service.parameters import Id
from service.routes.described import private_responses

router = APIRouter()


@router.get("/accounts", responses=private_responses(Accounts), summary="Accounts")
def accounts(request: Request) -> Response:
    """The accounts of the organisation; the operator sees all."""
    with reading_in_full(request, "steward") as reading:
        return private_answer({"accounts": [_account(row) for row in access.list_accounts(reading.connection)]})


@router.post("/accounts", responses=private_responses(AddedAccount, status=201), status_code=201, summary="Add one")
def add(request: Request, body: NewAccount) -> Response:
    """Adds an account, with a role no higher than one's own, and makes the link that sets its password."""
    with acting(request, "steward") as done:
        of = body.organisation or done.bearer.organisation
        account_id = access.add_account(done.connection, body.email, body.name, body.role, of)
        row = access.find_account_by_id(done.connection, account_id)
        note(done.connection, "account added", f"account {row['email']}", after={"role": body.role, "organisation": of})
        made = {"account": _account(row), "password_link": _link(done, account_id)}
    return private_answer(made, status=201)


@router.patch("/accounts/{number}", responses=private_responses(Account), summary="Change one")
def change(request: Request, number: Id, body: AccountChange) -> Response:
    """Gives an account another role, or shuts it: its sessions and keys end at once."""
    with acting(request, "steward") as done:
        before = access.find_account_by_id(done.connection, number)
        access.change_account(done.connection, number, role=body.role, is_active=body.is_active)
        after = access.find_account_by_id(done.connection, number)
        changed = [name for name in ("role", "is_active") if before[name] != after[name]]
        asked = body.model_dump(exclude_none=True)
        if any(after[name] != value for name, value in asked.items()):
            raise NotAllowed("This account is for somebody of a higher role to change.")
        if changed:
            facts = {
                name: {each: row[each] for each in changed} for name, row in (("before", before), ("after", after))
            }
            note(done.connection, "account changed", f"account {after['email']}", **facts)
    return private_answer(_account(after))


@router.post(
    "/accounts/{number}/link", responses=private_responses(PasswordLink, status=201), status_code=201, summary="A link"
)
def link(request: Request, number: Id) -> Response:
    """Makes a link that sets the account's password, once: for whoever forgot it. Hand it to that person alone."""
    with acting(request, "steward") as done:
        account = access.find_account_by_id(done.connection, number)
        made = _link(done, number)
        note(done.connection, "password link made", f"account {account['email']}")
    return private_answer(made, status=201)


@router.get("/keys", responses=private_responses(Keys), summary="API keys")
def keys(request: Request) -> Response:
    """One's own API keys."""
    with reading_in_full(request) as reading:
        found = access.list_keys(reading.connection, reading.bearer.account_id)
    return private_answer({"keys": found})


@router.post("/keys", responses=private_responses(MadeKey, status=201), status_code=201, summary="Make a key")
def make_key(request: Request, body: NewKey) -> Response:
    """Makes an API key, with a role no higher than one's own. It is shown this once."""
    with acting(request, "viewer") as done:
        bearer = access.require(done.bearer, body.role)
        if bearer.via == "key":
            raise NotAllowed("Keys are made by somebody who has signed in with a password, not with a key.")
        token, made = access.make_key(done.connection, bearer.account_id, body.name, body.role, body.days)
        facts = {name: made[name] for name in ("name", "role", "prefix")}
        note(done.connection, "key made", f"account {bearer.email}", after=facts)
    return private_answer({"key": made, "token": token}, status=201)


@router.delete("/keys/{number}", responses=private_responses(None, status=204), status_code=204, summary="Revoke one")
def revoke_key(request: Request, number: Id) -> Response:
    """Ends an API key at once."""
    with acting(request, "viewer") as done:
        access.revoke_key(done.connection, done.bearer.account_id, number)
        note(done.connection, "key revoked", f"account {done.bearer.email}", before={"id": number})
    return private_answer(None, status=204)


def _account(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in Account.model_fields}


def _link(done: Acting, account_id: int) -> dict[str, Any]:
    made, expires_at = access.make_link(done.connection, account_id)
    return {"link": made, "expires_at": expires_at}
