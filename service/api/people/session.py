"""`/api/v1/session` and `/api/v1/password`: signing in and out."""

from fastapi import APIRouter, Request, Response

from geo.people import Bearer
from service.actions import sessions
from service.api.people.bodies import NewPassword, SignIn, Who
from service.http.access import (
    acting,
    csrf_of,
    drop_cookie,
    reading_in_full,
    session_of,
    set_cookie,
    token_of,
)
from service.http.described import NOBODY_SIGNED_IN, private_responses
from service.http.network import network_of
from service.http.responses import private_answer
from service.http.transactions import engine_of

router = APIRouter()


@router.post(
    "/session",
    responses=private_responses(Who, status=201),
    status_code=201,
    summary="Sign in",
    openapi_extra=NOBODY_SIGNED_IN,
)
def sign_in(request: Request, body: SignIn) -> Response:
    """Opens a session, which the cookie carries. Too many wrong passwords lock an address for a while."""
    token, bearer = sessions.sign_in(engine_of(request), body.email, body.password, network_of(request.scope))
    answer = private_answer(_who(bearer, token), status=201)
    set_cookie(request, answer, token)
    return answer


@router.get("/session", responses=private_responses(Who), summary="Who is asking")
def who(request: Request) -> Response:
    """Says who a session or a key is of."""
    with reading_in_full(request) as reading:
        return private_answer(_who(reading.bearer, token_of(request)))


@router.delete("/session", responses=private_responses(None, status=204), status_code=204, summary="Sign out")
def sign_out(request: Request) -> Response:
    """Ends the session."""
    with acting(request, "viewer") as done:
        sessions.sign_out(done, session_of(request) or "")
    answer = private_answer(None, status=204)
    drop_cookie(request, answer)
    return answer


@router.post(
    "/password",
    responses=private_responses(None, status=204),
    status_code=204,
    summary="Set a password",
    openapi_extra=NOBODY_SIGNED_IN,
)
def set_password(request: Request, body: NewPassword) -> Response:
    """Sets the password of the account a link was made for. The link is used up, and the account's sessions and
    API keys end."""
    sessions.set_password(engine_of(request), body.link, body.password)
    return private_answer(None, status=204)


def _who(bearer: Bearer, token: str | None) -> dict[str, object]:
    by_cookie = bearer.via == "session" and token is not None
    return {
        "email": bearer.email,
        "name": bearer.name,
        "organisation": bearer.organisation,
        "role": bearer.role,
        "via": bearer.via,
        "csrf": csrf_of(token) if by_cookie and token else None,
    }
