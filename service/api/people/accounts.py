"""`/api/v1/accounts` and `/api/v1/keys`: people, and the programs that ask in their name."""

from typing import Any

from fastapi import APIRouter, Request, Response

from geo.people import list_accounts, list_keys
from service.actions import accounts as actions
from service.actions.inputs import AccountChange, NewAccount, NewKey
from service.api.people.bodies import Account, Accounts, AddedAccount, Keys, MadeKey, PasswordLink
from service.http.access import acting, reading_in_full
from service.http.described import private_responses
from service.http.parameters import Id
from service.http.responses import private_answer

router = APIRouter()


@router.get("/accounts", responses=private_responses(Accounts), summary="Accounts")
def accounts(request: Request) -> Response:
    """The accounts of the organisation; the operator sees all."""
    with reading_in_full(request, "steward") as reading:
        return private_answer({"accounts": [_account(row) for row in list_accounts(reading.connection)]})


@router.post("/accounts", responses=private_responses(AddedAccount, status=201), status_code=201, summary="Add one")
def add(request: Request, body: NewAccount) -> Response:
    """Adds an account, with a role no higher than yours, and makes the link that sets its password."""
    with acting(request, "steward") as done:
        row, link, expires_at = actions.add_account(done, body.email, body.name, body.role, body.organisation)
    made = {"account": _account(row), "password_link": {"link": link, "expires_at": expires_at}}
    return private_answer(made, status=201)


@router.patch("/accounts/{number}", responses=private_responses(Account), summary="Change one")
def change(request: Request, number: Id, body: AccountChange) -> Response:
    """Gives an account another role, or shuts it: its sessions and keys end at once."""
    with acting(request, "steward") as done:
        return private_answer(_account(actions.change_account(done, number, body)))


@router.post(
    "/accounts/{number}/link", responses=private_responses(PasswordLink, status=201), status_code=201, summary="A link"
)
def link(request: Request, number: Id) -> Response:
    """Makes a link that sets the account's password, once, for a person who forgot it. Hand it to that person alone."""
    with acting(request, "steward") as done:
        _, made, expires_at = actions.make_link(done, number)
    return private_answer({"link": made, "expires_at": expires_at}, status=201)


@router.get("/keys", responses=private_responses(Keys), summary="API keys")
def keys(request: Request) -> Response:
    """Your API keys."""
    with reading_in_full(request) as reading:
        found = list_keys(reading.connection, reading.bearer.account_id)
    return private_answer({"keys": found})


@router.post("/keys", responses=private_responses(MadeKey, status=201), status_code=201, summary="Make a key")
def make_key(request: Request, body: NewKey) -> Response:
    """Makes an API key, with a role no higher than yours. It is shown this once."""
    with acting(request, "viewer") as done:
        token, made = actions.make_key(done, done.bearer.account_id, body.name, body.role, body.days)
    return private_answer({"key": made, "token": token}, status=201)


@router.delete("/keys/{number}", responses=private_responses(None, status=204), status_code=204, summary="Revoke one")
def revoke_key(request: Request, number: Id) -> Response:
    """Ends an API key at once."""
    with acting(request, "viewer") as done:
        actions.revoke_key(done, number)
    return private_answer(None, status=204)


def _account(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in Account.model_fields}
