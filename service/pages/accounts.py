"""`/accounts` and `/keys`: the people of an organisation, and the programs that ask in their name."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response

from geo.base import validated
from geo.database.schema.access import ROLES
from geo.errors import Conflict, InputError, VastiError
from geo.people import MAX_KEY_DAYS, SignedIn, list_accounts, list_keys
from geo.settings import Settings
from service.actions import accounts as actions
from service.actions.inputs import AccountChange, NewAccount, NewKey
from service.http.access import acting, reading_in_full
from service.http.html import page, see_other
from service.http.parameters import Id
from service.http.problems import status_of
from service.pages.forms import FormText
from service.pages.wording import ROLE_MEANINGS

router = APIRouter()

Change = Annotated[Literal["role", "close", "open", "link"], Form()]

_REFUSALS = (InputError, Conflict)


@router.get("/accounts")
def accounts(request: Request) -> Response:
    """The people, and a form that adds one."""
    with reading_in_full(request, "steward") as reading:
        return _people(request, reading)


def _people(
    request: Request,
    reading: SignedIn,
    *,
    made: dict[str, Any] | None = None,
    given: dict[str, str] | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    """The page; `made` is a link that was made just now, which is shown this once."""
    return page(
        request,
        "accounts.html",
        bearer=reading.bearer,
        status=status,
        accounts=list_accounts(reading.connection),
        roles=_roles(reading),
        made=made,
        given=given or {},
        problem=problem,
    )


def _roles(reading: SignedIn) -> list[tuple[str, str]]:
    """The roles one may give, with what each may do."""
    return [(role, ROLE_MEANINGS[role]) for role in ROLES if reading.bearer.may(role)]


@router.post("/accounts")
def add(
    request: Request, csrf: FormText, email: FormText, name: FormText, role: FormText, organisation: FormText = ""
) -> Response:
    """Adds an account and shows the link that sets its password."""
    given = {"email": email, "name": name, "role": role, "organisation": organisation.strip()}
    try:
        new = validated(NewAccount, {field: text for field, text in given.items() if text})
        with acting(request, "steward", csrf) as done:
            row, link, expires_at = actions.add_account(done, new.email, new.name, new.role, new.organisation)
    except _REFUSALS as error:
        return _refused(request, error, given)
    with reading_in_full(request, "steward") as reading:
        return _people(request, reading, made=_made(request, row, link, expires_at))


@router.post("/accounts/{number}")
def change(request: Request, number: Id, csrf: FormText, change: Change, role: FormText = "") -> Response:
    """Gives an account another role, shuts or opens it, or makes a link that sets its password."""
    try:
        with acting(request, "steward", csrf) as done:
            if change == "link":
                row, link, expires_at = actions.make_link(done, number)
            else:
                asked = {"role": role} if change == "role" else {"is_active": change == "open"}
                actions.change_account(done, number, validated(AccountChange, asked))
    except _REFUSALS as error:
        return _refused(request, error, {})
    if change != "link":
        return see_other(request, "/accounts")
    with reading_in_full(request, "steward") as reading:
        return _people(request, reading, made=_made(request, row, link, expires_at))


def _made(request: Request, row: Any, link: str, expires_at: Any) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    return {"email": row["email"], "address": f"{settings.base_url}/password#link={link}", "expires_at": expires_at}


def _refused(request: Request, error: VastiError, given: dict[str, str]) -> Response:
    with reading_in_full(request, "steward") as reading:
        return _people(request, reading, given=given, problem=error.say("page"), status=status_of(error))


@router.get("/keys")
def keys(request: Request) -> Response:
    """The account's API keys, and a form that makes one."""
    with reading_in_full(request) as reading:
        return _own_keys(request, reading)


def _own_keys(
    request: Request, reading: SignedIn, *, token: str | None = None, problem: str | None = None, status: int = 200
) -> Response:
    """The page; `token` is a key that was made just now, which is shown this once."""
    return page(
        request,
        "keys.html",
        bearer=reading.bearer,
        status=status,
        keys=list_keys(reading.connection, reading.bearer.account_id),
        roles=_roles(reading) + ([_MONITOR] if reading.bearer.may("operator") else []),
        token=token,
        most_days=MAX_KEY_DAYS,
        problem=problem,
    )


_MONITOR = ("monitor", "reads the service's own counts, such as for Prometheus, and nothing else")


@router.post("/keys")
def make_key(request: Request, csrf: FormText, name: FormText, role: FormText, days: FormText) -> Response:
    """Makes a key and shows it."""
    try:
        new = validated(NewKey, {"name": name.strip(), "role": role, "days": days})
        with acting(request, "viewer", csrf) as done:
            token, _ = actions.make_key(done, done.bearer.account_id, new.name, new.role, new.days)
    except _REFUSALS as error:
        with reading_in_full(request) as reading:
            return _own_keys(request, reading, problem=error.say("page"), status=status_of(error))
    with reading_in_full(request) as reading:
        return _own_keys(request, reading, token=token)


@router.post("/keys/{number}/revoke")
def revoke(request: Request, number: Id, csrf: FormText) -> Response:
    """Ends a key at once."""
    with acting(request, "viewer", csrf) as done:
        actions.revoke_key(done, number)
    return see_other(request, "/keys")
