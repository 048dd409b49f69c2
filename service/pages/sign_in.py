"""`/sign-in`, `/sign-out`, `/password`: a person's way in and out."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from geo.errors import SignInRefused, VastiError
from geo.people import MIN_PASSWORD
from service.actions import sessions
from service.http.access import (
    acting,
    check_form,
    csrf_of,
    drop_cookie,
    form_token_of,
    session_of,
    set_cookie,
    set_form_cookie,
    token_of,
)
from service.http.html import page, see_other
from service.http.network import network_of
from service.http.problems import status_of
from service.http.responses import NO_STORE, address
from service.http.transactions import engine_of
from service.pages.forms import FormText

router = APIRouter()

_HOME = "/surveys"
_LONGEST = 2_000

Next = Annotated[str, Query(alias="next", max_length=_LONGEST)]


@router.get("/")
def home(request: Request) -> Response:
    """Sends on to the surveys."""
    return see_other(request, _HOME)


@router.get("/sign-in")
def form(request: Request, then: Next = _HOME) -> Response:
    """The form."""
    return _form(request, "sign_in.html", then=_own_path(then), email="", problem=None)


def _form(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page with a form for somebody who has no session yet."""
    token = form_token_of(request)
    answer = page(request, template, status=status, form_csrf=csrf_of(token), **context)
    set_form_cookie(request, answer, token)
    return answer


@router.post("/sign-in")
def sign_in(
    request: Request, email: FormText, password: FormText, then: FormText = _HOME, csrf: FormText = ""
) -> Response:
    """Signs a person in and goes on to where they wanted."""
    check_form(request, csrf)
    try:
        token, _ = sessions.sign_in(engine_of(request), email, password, network_of(request.scope))
    except SignInRefused as error:
        status, said = status_of(error), str(error)
        return _form(request, "sign_in.html", status=status, then=_own_path(then), email=email, problem=said)
    answer = see_other(request, _own_path(then))
    set_cookie(request, answer, token)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, csrf: FormText) -> Response:
    """Ends the session, also one that has ended by itself."""
    if token_of(request) is not None:
        try:
            with acting(request, "viewer", csrf) as done:
                sessions.sign_out(done, session_of(request) or "")
        except SignInRefused:
            pass
    answer = see_other(request, "/sign-in")
    drop_cookie(request, answer)
    return answer


@router.get("/password")
def password_form(request: Request, link: Annotated[str, Query(max_length=_LONGEST)] = "") -> Response:
    """The page a link leads to, on which a person sets a password.

    What the link gives stands behind the `#` of its address, which a browser sends to nobody: no log on the way has it.
    Links that were made before come as a parameter, and go on to that address.
    """
    if link:
        location = f"{address(request, '/password')}#link={quote(link, safe='')}"
        return Response(status_code=303, headers={**NO_STORE, "location": location})
    return _password_form(request, "", None)


def _password_form(request: Request, link: str, problem: str | None, *, status: int = 200) -> Response:
    shortest = MIN_PASSWORD
    return _form(request, "password.html", status=status, link=link, problem=problem, shortest=shortest)


@router.post("/password")
def set_password(
    request: Request, link: FormText, password: FormText, again: FormText, csrf: FormText = ""
) -> Response:
    """Sets the password; the link is used up. Without JavaScript a person puts the whole address in."""
    check_form(request, csrf)
    problem = None if password == again else "The two passwords differ: type the same twice."
    status = 400
    if problem is None:
        try:
            sessions.set_password(engine_of(request), link.rpartition("link=")[2].strip(), password)
        except VastiError as error:
            problem, status = str(error), status_of(error)
    if problem is not None:
        return _password_form(request, link, problem, status=status)
    return see_other(request, "/sign-in")


def _own_path(path: str) -> str:
    """A path of this service; the surveys where it is another's."""
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_own else _HOME
