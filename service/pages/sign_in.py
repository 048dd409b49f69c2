"""`/sign-in`, `/sign-out`, `/password`: a person's way in and out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from geo import access
from geo.database import transaction
from geo.errors import NotAllowed, SignInRefused, VastiError
from service.access import acting, drop_cookie, open_session, session_of, set_cookie, token_of
from service.pages.rendering import page, see_other
from service.problems import status_of
from service.reading import engine_of
from service.texts import FormText

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
    return page(request, "sign_in.html", then=_own_path(then), email="", problem=None)


@router.post("/sign-in")
def sign_in(request: Request, email: FormText, password: FormText, then: FormText = _HOME) -> Response:
    """Signs a person in and goes on to where they wanted."""
    _check_site(request)
    try:
        token, _ = open_session(request, email, password)
    except SignInRefused as error:
        status, said = status_of(error), str(error)
        return page(request, "sign_in.html", status=status, then=_own_path(then), email=email, problem=said)
    answer = see_other(request, _own_path(then))
    set_cookie(request, answer, token)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, csrf: FormText) -> Response:
    """Ends the session, also one that has ended by itself."""
    if token_of(request) is not None:
        try:
            with acting(request, "viewer", csrf) as done:
                access.sign_out(done.connection, session_of(request) or "")
        except SignInRefused:
            pass
    answer = see_other(request, "/sign-in")
    drop_cookie(request, answer)
    return answer


@router.get("/password")
def password_form(request: Request, link: Annotated[str, Query(max_length=_LONGEST)] = "") -> Response:
    """The page a link leads to, on which a person sets a password."""
    return page(request, "password.html", link=link, problem=None, shortest=access.MIN_PASSWORD)


@router.post("/password")
def set_password(request: Request, link: FormText, password: FormText, again: FormText) -> Response:
    """Sets the password; the link is used up."""
    _check_site(request)
    problem = None if password == again else "The two passwords differ: type the same twice."
    status = 400
    if problem is None:
        try:
            with transaction(engine_of(request)) as connection:
                access.set_password(connection, link, password)
        except VastiError as error:
            problem, status = str(error), status_of(error)
    if problem is not None:
        shortest = access.MIN_PASSWORD
        return page(request, "password.html", status=status, link=link, problem=problem, shortest=shortest)
    return see_other(request, "/sign-in")


def _own_path(path: str) -> str:
    """A path of this service; the surveys where it is another's."""
    is_own = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_own else _HOME


def _check_site(request: Request) -> None:
    """Holds that a form of somebody who has no session yet was sent by our own page.

    Raises:
        NotAllowed: the browser says it was another site's.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotAllowed("This form was sent from another site: open the page here and try again.")
