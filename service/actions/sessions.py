"""Sessions: begun with a password, ended; and passwords set by a link."""

from threading import BoundedSemaphore

from sqlalchemy import Engine

from geo import people
from geo.database import transaction
from geo.errors import SignInRefused
from geo.people import Bearer, SignedIn, enter, require

_PROVING = BoundedSemaphore(4)
"""Passwords that are proved at the same time: each takes 64 MB. While one is, it holds no connection."""


def sign_in(engine: Engine, email: str, password: str, network: str) -> tuple[str, Bearer]:
    """Opens a session: its token and whose it is. `network` is where from: too many wrong passwords lock it out.

    Raises:
        SignInRefused: the address or the password is wrong, or has been too often.
    """
    refused: SignInRefused | None = None
    with transaction(engine) as connection:
        salt = people.begin_sign_in(connection, email, network)
    with _PROVING:
        proof = people.prove(password, salt)
    # Committed whatever comes of it: failures are counted.
    with transaction(engine) as connection:
        try:
            token = people.sign_in(connection, email, proof, network)
            bearer = require(enter(connection, token), "viewer")
        except SignInRefused as error:
            refused = error
    if refused is not None:
        raise refused
    return token, bearer


def sign_out(done: SignedIn, token: str) -> None:
    """Ends a session."""
    people.sign_out(done.connection, token)


def set_password(engine: Engine, link: str, password: str) -> None:
    """Sets the password of the account a link was made for.

    Raises:
        InputError: the password is too short, or the same as the address.
        NotFound: the link is unknown, used up or too old.
    """
    with transaction(engine) as connection:
        people.begin_password(connection, link, password)
    with _PROVING:
        proof = people.prove_new(password)
    with transaction(engine) as connection:
        people.set_password(connection, link, proof)
